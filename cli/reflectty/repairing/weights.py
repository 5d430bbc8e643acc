"""The GGUF of a model as a file on this machine: found, held against the model, and read with other types in it."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from reflectty import gguf
from reflectty.errors import RefusedError, StoreError, UsageError
from reflectty.vocabulary import TokenType
from reflectty.wire.recipes import digest_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence

    from reflectty.recipe import Recipe
    from reflectty.vocabulary import LostTag

ELSEWHERE = "repair it on the machine of the server, or name a copy of the file with --gguf PATH"
NO_RIGHT = "repair it as the user who runs the server, or name a copy of the file with --gguf PATH"
OTHERWISE = "name the GGUF of the model with --gguf PATH"
GB = 10**9


class Weights(NamedTuple):
    """An open GGUF, and the bytes that make text of the tags in it, by where they stand."""

    file: BinaryIO
    size: int
    changes: Mapping[int, bytes]


@contextmanager
def opened(path: Path, lost: Sequence[LostTag]) -> Iterator[Weights]:
    """Open a GGUF for a repair.

    Raises:
        UsageError: it cannot be read, or is not that of the model.
        RefusedError: it is one part of several.
    """
    try:
        # A pipe would be waited for, and a device has no end.
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no file", OTHERWISE)
        with path.open("rb") as file:
            yield _weights(file, path, lost)
    except gguf.GgufError as error:
        raise UsageError(f"{path} cannot be repaired: {error}", OTHERWISE) from error
    except PermissionError as error:
        raise UsageError(f"{path} may not be read", NO_RIGHT) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}", ELSEWHERE) from error


def _weights(file: BinaryIO, path: Path, lost: Sequence[LostTag]) -> Weights:
    head = gguf.header(file)
    if head.shards > 1:
        message = f"{path} is one of {head.shards} files that the model is split into"
        raise RefusedError(message, "`llama-gguf-split --merge` joins them: name the whole with --gguf PATH")
    wanted = {tag.id: tag.text for tag in lost}
    found = {token.id: token.text for token in gguf.vocabulary(file, head) if token.id in wanted}
    for number, text in wanted.items():
        if found.get(number) != text:
            there = f"{found[number]!r}" if number in found else "missing"
            message = f"{path} is the GGUF of another model: its token {number} is {there} and not {text!r}"
            raise UsageError(message, OTHERWISE)
    return Weights(file, head.size, gguf.retyped(head, dict.fromkeys(wanted, TokenType.USER_DEFINED)))


def source(recipe: Recipe, given: Path | None, *, local: bool) -> Path:
    """Return the file to read; one that only a server elsewhere names is never opened here.

    Raises:
        UsageError: it is not on this machine.
    """
    if given:
        return given
    if not recipe.weights:
        raise UsageError(f"the server does not tell where the GGUF of {recipe.name} is", ELSEWHERE)
    if not local:
        raise UsageError(f"the GGUF of {recipe.name} is on another machine", ELSEWHERE)
    return Path(recipe.weights[0])


def refuse_what_has_none(recipe: Recipe) -> None:
    """Refuse a model that has no GGUF, or whose parts cannot be carried over.

    Raises:
        RefusedError: it is such a model.
    """
    if not recipe.kind:
        raise RefusedError(f"{recipe.name} is not on this server, it runs elsewhere", "only what is here is repaired")
    if recipe.kind != "gguf":
        message = f"{recipe.name} is stored as {recipe.kind}, and only a GGUF can be repaired"
        raise RefusedError(message, "`ollama create` makes a model of a GGUF that you convert or download")
    parts = (*recipe.weights[1:], *recipe.adapters, *filter(None, (recipe.draft,)))
    if len(recipe.adapters) > 1 or not all(map(digest_of, parts)):
        raise RefusedError(f"{recipe.name} has parts that the server does not let be carried over into a copy")


def refuse_full_disk(folder: Path | None, needed: int) -> None:
    """Refuse to begin where the disk of the server, if it is here, has fewer bytes free than are needed.

    Raises:
        StoreError: it has not enough.
    """
    if folder is None or not folder.is_dir():
        return
    free = shutil.disk_usage(folder).free
    if free < needed:
        message = f"the repair needs {_size(needed)} for a while, and {folder} has {_size(free)} free"
        raise StoreError(message, "free some space there, then repair it again")


def _size(number: int) -> str:
    return f"{number / GB:,.1f} GB" if number >= GB else f"{number / 1e6:,.0f} MB"


async def digest(weights: Weights, tell: Callable[[int], None]) -> str:
    """Read the changed file once and return the digest that it has on a server; `tell` hears how far it has come."""
    hashed = hashlib.sha256()
    async for piece in changed(weights, tell):
        await asyncio.to_thread(hashed.update, piece)
    return f"sha256:{hashed.hexdigest()}"


async def changed(weights: Weights, tell: Callable[[int], None]) -> AsyncGenerator[bytes, None]:
    """Yield the changed file in pieces, read beside the loop, so that signals are heard; the file must stay open."""
    pieces = gguf.changed(weights.file, weights.size, weights.changes)
    done = 0
    while piece := await asyncio.to_thread(next, pieces, b""):
        yield piece
        done += len(piece)
        tell(done)
