"""Puts the built-in model on a server: merges its adapter into its weights, sends them, and lets it make the model.

Ollama takes no adapters since 0.34.1, and takes merged weights in every version.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import tempfile
from contextlib import aclosing
from typing import TYPE_CHECKING, BinaryIO, Final

from reflectty import mini
from reflectty.engines.embedded.terms import licence
from reflectty.errors import RefusedError, StoreError, UnreachableError
from reflectty.gguf import GgufError
from reflectty.library import files
from reflectty.library.values import Progress
from reflectty.names import checked_name
from reflectty.wire.recipes import encode_create

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from reflectty.engines.ollama import OllamaEngine
    from reflectty.gguf.merging import Merge

    Tell = Callable[[Progress], None]

PIECE: Final = 1 << 20
WHAT: Final = "the merged model"


def can_merge() -> bool:
    """Whether the package is there that merging computes with; imports it not."""
    return importlib.util.find_spec("numpy") is not None


async def put(engine: OllamaEngine, name: str, weights: Path, folder: Path, tell: Tell) -> None:
    """Make the built-in model on a server under a name; a model of that name is replaced.

    Args:
        engine: the server's.
        name: what it is called there.
        weights: the GGUF that the adapter changes; beside it the merged one lies for a while, without a name.
        folder: where the adapter and its terms are.
        tell: told how far it has come, in bytes.

    Raises:
        RefusedError: the server is too old, cannot keep the file, or cannot make the model.
        StoreError: a disk is too full.
        UnreachableError: the weights or the adapter are damaged.
        OSError: a file cannot be read.
    """
    from reflectty.gguf.merging import prepared  # noqa: PLC0415 - numpy takes a tenth of a second to import

    checked_name(name)
    known = await files.version(engine)
    if known and known < mini.OLDEST:
        said = ".".join(map(str, known))
        raise RefusedError(f"this server, Ollama {said}, is too old for the built-in model", "update Ollama there")
    try:
        with weights.open("rb") as base, (folder / "mini.gguf").open("rb") as adapter:
            merge = prepared(base, adapter)
            await _room_for(engine, known, merge, weights.parent)
            with tempfile.TemporaryFile(dir=weights.parent) as merged:
                digest = await _merge(merge, merged, tell)
                if not await engine.has_blob(digest):
                    await _send(engine, merged, digest, merge.size, tell)
    except GgufError as error:
        raise UnreachableError(f"the built-in model cannot be merged: {error}", "install reflectty anew") from error
    tell(Progress("making the model"))
    await engine.create(encode_create(name, mini.recipe(name, licence(folder)), digest))


async def _room_for(engine: OllamaEngine, known: files.Version, merge: Merge, cache: Path) -> None:
    """Refuse to begin where there is no room for the merged file, here or on the server.

    Raises:
        StoreError: there is none.
    """
    there = files.room(known, merge.size, sent=False)
    files.refuse_full_disks(((cache, merge.size), (await files.folder(engine), there)), WHAT)


async def _merge(merge: Merge, target: BinaryIO, tell: Tell) -> str:
    """Write the merged file and return its digest; it is merged beside the loop, so that signals are heard.

    Raises:
        StoreError: it cannot be written.
    """
    from reflectty.gguf.merging import pieces  # noqa: PLC0415 - as above

    found, done = hashlib.sha256(), 0
    parts = pieces(merge)

    def step() -> int:
        piece = next(parts, b"")
        found.update(piece)
        return target.write(piece)

    try:
        while written := await asyncio.to_thread(step):
            done += written
            tell(Progress("merging", "merging", merge.size, done))
        await asyncio.to_thread(target.flush)
    except OSError as error:
        message = f"{WHAT} cannot be written: {error.strerror or error}"
        raise StoreError(message, "it takes 300 MB for a while; XDG_CACHE_HOME names another place") from error
    return f"sha256:{found.hexdigest()}"


async def _send(engine: OllamaEngine, file: BinaryIO, digest: str, size: int, tell: Tell) -> None:
    async with aclosing(
        _pieces(file, lambda sent: tell(Progress(f"sending {digest[7:19]}", digest, size, sent)))
    ) as pieces:
        await engine.send_blob(digest, size, pieces)


async def _pieces(file: BinaryIO, sent: Callable[[int], None]) -> AsyncGenerator[bytes, None]:
    """Yield a file in pieces, read beside the loop, so that signals are heard."""
    done = file.seek(0)
    while piece := await asyncio.to_thread(file.read, PIECE):
        yield piece
        done += len(piece)
        sent(done)
