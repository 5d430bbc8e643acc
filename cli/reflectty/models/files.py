"""Checks disk space and chat templates of the model files on a server.

Read in the sources of Ollama 0.32.15, 0.34.0, 0.34.1 and 0.34.2, and seen with the first and the last: since 0.34.1 an
uploaded GGUF itself becomes the layer of the model; before, the server copied it, and validated the copy by copying it
again. Since 0.34.1 it accepts neither adapters nor the parameter `typical_p`, and no GGUF with a tensor of an unknown
type.

A model imported without a template may get one from Ollama's own list: the nearest in up to 100 letters (`Named` in
template/template.go, in 0.32.15 and 0.34.2), which may be of another format. /api/show reports the one in use; only the
GGUF holds the model's own.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import ReflecttyError, StoreError
from reflectty.core.named_tuple import NamedTuple
from reflectty.models import gguf
from reflectty.protocols.ollama.model_specs import digest_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterable, Iterator

    from reflectty.core.messages import Model
    from reflectty.engines import ModelServer


Version = tuple[int, ...]

STORED_AS_SENT_SINCE: Final = (0, 34, 1)
"""The first version that stores a GGUF as sent."""
COPIES_WITH_UPLOAD: Final = 3
"""How many times its size a model takes while an older server creates it: the upload and two copies."""
COPIES_WITHOUT_UPLOAD: Final = 2
"""The same if the server already has the file."""
MAX_MODELS_CHECKED: Final = 3
"""How many models are checked to find where a server keeps its files."""
GB: Final = 10**9


async def version_of(engine: ModelServer) -> Version:
    """The server's version as numbers; empty if it reports none, or 0.0.0 as a build from source does."""
    try:
        found = re.match(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})", await engine.version())
    except ReflecttyError:
        return ()
    numbers = tuple(int(part) for part in found.groups()) if found else ()
    return numbers if any(numbers) else ()


def is_stored_as_sent(server_version: Version) -> bool:
    """True if a server stores a GGUF as sent, and refuses what older ones accept; False if unknown."""
    return server_version >= STORED_AS_SENT_SINCE


def bytes_needed_for(server_version: Version, size: int, *, is_uploaded: bool) -> int:
    """How many bytes a server needs to create a model from a file; the minimum for an unknown server.

    Args:
        server_version: the server's version.
        size: the size of the file.
        is_uploaded: True if the server already has the file.
    """
    if not server_version or is_stored_as_sent(server_version):
        return 0 if is_uploaded else size
    return (COPIES_WITHOUT_UPLOAD if is_uploaded else COPIES_WITH_UPLOAD) * size


async def model_folder_of(engine: ModelServer) -> Path | None:
    """The folder of a local server's files, found from one of its models; None if none reports it."""
    if not engine.local:
        return None
    try:
        for model in (await engine.models())[:MAX_MODELS_CHECKED]:
            found = (await engine.model_spec(model.name)).weights
            if found:
                return Path(found[0]).parent
    except ReflecttyError:
        return None
    return None


def refuse_full_disk(folder: Path | None, needed: int, what: str) -> None:
    """Refuse to start if a local disk has fewer bytes free than needed.

    Raises:
        StoreError: the disk is too full.
    """
    if folder is None or not folder.is_dir():
        return
    free = shutil.disk_usage(folder).free
    if free < needed:
        message = f"{what} temporarily needs {_size(needed)}, and {folder} has {_size(free)} free"
        raise StoreError(message, "free some space there, then try again")


def refuse_full_disks(needed: Iterable[tuple[Path | None, int]], what: str) -> None:
    """Refuse to start if a local disk lacks space; the needs of folders on the same disk are summed.

    Raises:
        StoreError: a disk is too full.
    """
    disks: dict[int, tuple[Path, int]] = {}
    for folder, size in needed:
        if folder is not None and folder.is_dir():
            disk = folder.stat().st_dev
            first, before = disks.get(disk, (folder, 0))
            disks[disk] = (first, before + size)
    for folder, size in disks.values():
        refuse_full_disk(folder, size, what)


async def read_in_thread(pieces: Iterator[bytes], on_progress: Callable[[int], None]) -> AsyncGenerator[bytes, None]:
    """Yield pieces of a file, read in a thread so that signals are handled; `on_progress` receives the bytes so far."""
    done = 0
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece
        done += len(piece)
        on_progress(done)


def _size(number: int) -> str:
    return f"{number / GB:,.1f} GB" if number >= GB else f"{number / 1e6:,.0f} MB"


TURN_MARKERS: Final = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|<\uff5c[^\uff5c<>]{1,40}\uff5c>|<[a-z]+_of_[a-z]+>"
    r"|\[/?INST\]|<</?SYS>>|###? [A-Z][a-z]+:|</?s>"
)
"""The marks of turns in the chat templates of models."""
MAX_MARKERS_SHOWN: Final = 2


class TemplateMismatch(NamedTuple):
    """The marks of turns in a model's own template and in the one in use."""

    own: tuple[str, ...]
    used: tuple[str, ...]

    @property
    def warning(self) -> str:
        own, used = (" ".join(marks[:MAX_MARKERS_SHOWN]) for marks in self)
        return f"prompted with {used or 'no turn markers'}, but its own chat template uses {own}: answers may be worse"


async def template_mismatch_of(engine: ModelServer, model: Model) -> TemplateMismatch | None:
    """The mismatch of a model's templates; None if they share a mark, or if unknown.

    Takes half a second of reading for a local model, and no time for any other.
    """
    if not engine.local or model.is_jinja:
        return None
    try:
        spec = await engine.model_spec(model.name)
    except ReflecttyError:
        return None
    # A renderer is server code that ignores the template.
    if spec.renderer or not spec.weights or not digest_of(spec.weights[0]):
        return None
    own = await asyncio.to_thread(_template_in, Path(spec.weights[0]))
    return mismatch_between(own, model.template)


def mismatch_between(own: str, used: str) -> TemplateMismatch | None:
    """The marks of two templates if the first has some and they share none."""
    first, second = (tuple(dict.fromkeys(TURN_MARKERS.findall(text))) for text in (own, used))
    return TemplateMismatch(first, second) if first and not set(first) & set(second) else None


def _template_in(path: Path) -> str:
    """The chat template in a GGUF; empty if it has none or cannot be read: only the server may have the permission."""
    try:
        with path.open("rb") as file:
            return gguf.read_layout(file).template
    except (OSError, gguf.GgufError):
        return ""
