"""Finds the folder of public data sets: the one that REFLECTTY_DATA names, else `shared/data` beside the checkout."""

from __future__ import annotations

import os
from pathlib import Path

DATA = Path(os.environ.get("REFLECTTY_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
