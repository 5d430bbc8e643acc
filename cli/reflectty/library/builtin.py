"""Puts the built-in model on a server: sends the files that it lacks, and lets it make the model of them."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from reflectty import mini
from reflectty.engines.embedded.terms import licence
from reflectty.library.names import checked_name
from reflectty.library.values import Progress
from reflectty.wire.recipes import encode_create

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from reflectty.engines.ollama import OllamaEngine

    Tell = Callable[[Progress], None]

PIECE: Final = 1 << 20


async def put(engine: OllamaEngine, name: str, weights: Path, folder: Path, tell: Tell) -> None:
    """Make the built-in model on a server under a name; a model of that name is replaced.

    Args:
        engine: the server's.
        name: what it is called there.
        weights: the GGUF that the adapter changes.
        folder: where the adapter and its terms are.
        tell: told how far it has come, in bytes.

    Raises:
        RefusedError: the server cannot keep a file, or cannot make the model.
        OSError: a file cannot be read.
    """
    checked_name(name)
    adapter = folder / "mini.gguf"
    digest = f"sha256:{hashlib.sha256(await asyncio.to_thread(adapter.read_bytes)).hexdigest()}"
    for path, known in ((weights, mini.WEIGHTS_DIGEST), (adapter, digest)):
        if not await engine.has_blob(known):
            await _send(engine, path, known, tell)
    tell(Progress("making the model"))
    recipe = mini.recipe(name, digest, licence(folder))
    await engine.create(encode_create(name, recipe, mini.WEIGHTS_DIGEST))


async def _send(engine: OllamaEngine, path: Path, digest: str, tell: Tell) -> None:
    size = (await asyncio.to_thread(path.stat)).st_size
    async with aclosing(
        _pieces(path, lambda sent: tell(Progress(f"sending {digest[7:19]}", digest, size, sent)))
    ) as pieces:
        await engine.send_blob(digest, size, pieces)


async def _pieces(path: Path, sent: Callable[[int], None]) -> AsyncGenerator[bytes, None]:
    """Yield a file in pieces, read beside the loop, so that signals are heard."""
    done = 0
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
            done += len(piece)
            sent(done)
