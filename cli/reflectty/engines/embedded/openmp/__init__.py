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
    """Load the system's library, or else ours, which llama.cpp then finds under the system library's name.

    Ours works with one thread. On a processor that it is not built for nothing is loaded, and the import of llama.cpp
    names what is missing.
    """
    if sys.platform != "linux":
        return
    try:
        ctypes.CDLL(NAME)
    except OSError:
        with suppress(OSError):
            ctypes.CDLL(str(FOLDER / f"libgomp.{platform.machine()}.so.1"))
