"""Disk space and chat templates of the model files on a server.

Read in the sources of Ollama 0.32.15, 0.34.0, 0.34.1 and 0.34.2, and seen with the first and the last: since 0.34.1 a
GGUF that was sent is itself the layer of the model; before, the server copied it, and validated the copy by copying
that. Since 0.34.1 it takes neither adapters nor the parameter `typical_p`, and reads no GGUF with a tensor of a type
that it does not know.

A model that was imported without a template may get one that Ollama finds alike: of its own list, the nearest in up to
100 letters (`Named` in template/template.go, in 0.32.15 and 0.34.2), which may be that of another format. What
/api/show tells is the one in use; the model's own stands in its GGUF alone.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.core.errors import ReflecttyError, StoreError
from reflectty.models import gguf
from reflectty.protocols.ollama.model_specs import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.core.messages import Model
    from reflectty.engines.ollama import OllamaEngine


Version = tuple[int, ...]

STORED_AS_SENT_SINCE: Final = (0, 34, 1)
"""Since when a GGUF stays as it was sent."""
COPIES_WITH_UPLOAD: Final = 3
"""How many times its size a model takes while an older server makes it: what was sent, and the copying twice."""
COPIES_WITHOUT_UPLOAD: Final = 2
"""The same where it has the file already."""
MOST_ASKED: Final = 3
"""How many models are looked at to learn where a server keeps its files."""
GB: Final = 10**9


async def version_of(engine: OllamaEngine) -> Version:
    """Return a server's version in numbers; nothing where it tells none, as a build by hand, which says 0.0.0."""
    try:
        found = re.match(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})", await engine.version())
    except ReflecttyError:
        return ()
    numbers = tuple(int(part) for part in found.groups()) if found else ()
    return numbers if any(numbers) else ()


def is_stored_as_sent(server_version: Version) -> bool:
    """Whether a server keeps a GGUF as it was sent, and refuses what it did before; false where that is not known."""
    return server_version >= STORED_AS_SENT_SINCE


def bytes_needed_for(server_version: Version, size: int, *, is_uploaded: bool) -> int:
    """Return how many bytes a server needs to make a model of a file; of a server that is not known, the fewest.

    Args:
        server_version: its version.
        size: that of the file.
        is_uploaded: whether it has the file already.
    """
    if not server_version or is_stored_as_sent(server_version):
        return 0 if is_uploaded else size
    return (COPIES_WITHOUT_UPLOAD if is_uploaded else COPIES_WITH_UPLOAD) * size


async def model_folder_of(engine: OllamaEngine) -> Path | None:
    """Return where a server on this machine keeps its files, as a model tells; None where none does."""
    if not engine.local:
        return None
    try:
        for model in (await engine.models())[:MOST_ASKED]:
            found = (await engine.model_spec(model.name)).weights
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


TURN_MARKERS: Final = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|<\uff5c[^\uff5c<>]{1,40}\uff5c>|<[a-z]+_of_[a-z]+>"
    r"|\[/?INST\]|<</?SYS>>|###? [A-Z][a-z]+:|</?s>"
)
"""By what the chat templates of models mark where a turn begins and ends."""
MOST_NAMED: Final = 2


class TemplateMismatch(NamedTuple):
    """By what a model's own template marks turns, and by what the one in use does."""

    own: tuple[str, ...]
    used: tuple[str, ...]

    @property
    def warning(self) -> str:
        """What it means, in a sentence."""
        own, used = (" ".join(marks[:MOST_NAMED]) for marks in self)
        return (
            f"asked with {used or 'no marks'}, while its own chat template has {own}: it may answer worse than it can"
        )


async def template_mismatch_of(engine: OllamaEngine, model: Model) -> TemplateMismatch | None:
    """Return both formats of a model where they have no mark in common; None where they have, or nobody knows.

    It takes half a second of reading for a model that is on this machine, and no time for any other.
    """
    if not engine.local or model.is_jinja:
        return None
    try:
        spec = await engine.model_spec(model.name)
    except ReflecttyError:
        return None
    # A renderer is code of the server's, whatever the template says.
    if spec.renderer or not spec.weights or not digest_of(spec.weights[0]):
        return None
    own = await asyncio.to_thread(_template_in, Path(spec.weights[0]))
    return mismatch_between(own, model.template)


def mismatch_between(own: str, used: str) -> TemplateMismatch | None:
    """Return by what two templates mark turns, where the first does and they have no mark in common."""
    first, second = (tuple(dict.fromkeys(TURN_MARKERS.findall(text))) for text in (own, used))
    return TemplateMismatch(first, second) if first and not set(first) & set(second) else None


def _template_in(path: Path) -> str:
    """Return the chat template in a GGUF, or nothing: the server's files may be for the server's eyes only."""
    try:
        with path.open("rb") as file:
            return gguf.read_layout(file).template
    except (OSError, gguf.GgufError):
        return ""
