"""How a server makes a model of files: what it takes no more, and how much room they need there; sends nothing.

Read in the sources of Ollama 0.32.15, 0.34.0, 0.34.1 and 0.34.2, and seen with the first and the last: since 0.34.1 a
GGUF that was sent is itself the layer of the model; before, the server copied it, and validated the copy by copying
that. Since 0.34.1 it takes neither adapters nor the parameter `typical_p`, and reads no GGUF with a tensor of a type
that it does not know.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reflectty.errors import ReflecttyError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.engines.ollama import OllamaEngine

Version = tuple[int, ...]

AS_SENT: Final = (0, 34, 1)
"""Since when a GGUF stays as it was sent."""
SENT: Final = 3
"""How many times its size a model takes while an older server makes it: what was sent, and the copying twice."""
MADE: Final = 2
"""The same where it has the file already."""
MOST_ASKED: Final = 3
"""How many models are looked at to learn where a server keeps its files."""
GB: Final = 10**9


async def version(engine: OllamaEngine) -> Version:
    """Return a server's version in numbers; nothing where it tells none, as a build by hand, which says 0.0.0."""
    try:
        found = re.match(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})", await engine.version())
    except ReflecttyError:
        return ()
    numbers = tuple(int(part) for part in found.groups()) if found else ()
    return numbers if any(numbers) else ()


def keeps_as_sent(known: Version) -> bool:
    """Whether a server keeps a GGUF as it was sent, and refuses what it did before; false where that is not known."""
    return known >= AS_SENT


def room(known: Version, size: int, *, sent: bool) -> int:
    """Return how many bytes a server needs to make a model of a file; of a server that is not known, the fewest.

    Args:
        known: its version.
        size: that of the file.
        sent: whether it has the file already.
    """
    if not known or keeps_as_sent(known):
        return 0 if sent else size
    return (MADE if sent else SENT) * size


async def folder(engine: OllamaEngine) -> Path | None:
    """Return where a server on this machine keeps its files, as a model tells; None where none does."""
    if not engine.local:
        return None
    try:
        for model in (await engine.models())[:MOST_ASKED]:
            found = (await engine.recipe(model.name)).weights
            if found:
                return Path(found[0]).parent
    except ReflecttyError:
        return None
    return None


def refuse_full_disk(place: Path | None, needed: int, what: str) -> None:
    """Refuse to begin where a disk, if it is here, has fewer bytes free than are needed.

    Raises:
        StoreError: it has not enough.
    """
    if place is None or not place.is_dir():
        return
    free = shutil.disk_usage(place).free
    if free < needed:
        message = f"{what} needs {_size(needed)} for a while, and {place} has {_size(free)} free"
        raise StoreError(message, "free some space there, then try again")


def refuse_full_disks(needed: Iterable[tuple[Path | None, int]], what: str) -> None:
    """Refuse in the same way for several places: those on one disk need their room together.

    Raises:
        StoreError: a disk has not enough.
    """
    disks: dict[int, tuple[Path, int]] = {}
    for place, size in needed:
        if place is not None and place.is_dir():
            disk = place.stat().st_dev
            first, before = disks.get(disk, (place, 0))
            disks[disk] = (first, before + size)
    for place, size in disks.values():
        refuse_full_disk(place, size, what)


def _size(number: int) -> str:
    return f"{number / GB:,.1f} GB" if number >= GB else f"{number / 1e6:,.0f} MB"
