"""Renders conversations and models as styled rows, without I/O and without Textual."""

from __future__ import annotations
