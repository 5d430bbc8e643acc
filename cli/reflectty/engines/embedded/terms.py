"""By whose terms the built-in model is used, in full; shows them to nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

FILES: Final = ("NOTICE", "GEMMA_TERMS.txt")
"""They lie beside the adapter."""


def licence(folder: Path) -> str:
    """Return the terms that lie in the folder of the adapter.

    Raises:
        OSError: they cannot be read.
    """
    return "\n".join((folder / name).read_text("utf-8") for name in FILES)
