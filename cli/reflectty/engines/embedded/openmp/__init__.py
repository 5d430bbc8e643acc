"""Loads a bundled OpenMP library where the system has none."""

from __future__ import annotations

import ctypes
import platform
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

NAME: Final = "libgomp.so.1"
FOLDER: Final = Path(__file__).parent


def load_openmp() -> None:
    """Load the system's library, or else ours, under whose name llama.cpp then finds it.

    Ours works with one thread. Where it is not made for the processor nothing happens, and the import of llama.cpp
    names what is missing.
    """
    if sys.platform != "linux":
        return
    try:
        ctypes.CDLL(NAME)
    except OSError:
        with suppress(OSError):
            ctypes.CDLL(str(FOLDER / f"libgomp.{platform.machine()}.so.1"))
