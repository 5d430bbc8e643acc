"""The GGUF of a model as a file on this machine: found, held against the model, and read with other types in it."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from reflectty import gguf
from reflectty.errors import RefusedError, UsageError
from reflectty.vocabulary import TokenType
from reflectty.wire.recipes import digest_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence

    from reflectty.recipe import Recipe
    from reflectty.vocabulary import LostTag

ELSEWHERE = "repair it on the machine of the server, or name a copy of the file with --gguf PATH"
NO_RIGHT = "repair it as the user who runs the server, or name a copy of the file with --gguf PATH"
OTHERWISE = "name the GGUF of the model with --gguf PATH"
BY_HAND = "`ollama create` with a Modelfile of your own makes a model without it, and that can be repaired"
KNOWN_TENSORS = frozenset((*range(4), *range(6, 31), *range(39, 42)))
"""The types of tensors that Ollama reads since 0.34.1, as ggml numbers them: fs/gguf/tensor.go there."""


class Weights(NamedTuple):
    """An open GGUF, and the bytes that make text of the tags in it, by where they stand."""

    file: BinaryIO
    size: int
    changes: Mapping[int, bytes]


@contextmanager
def opened(path: Path, lost: Sequence[LostTag], *, strict: bool = False) -> Iterator[Weights]:
    """Open a GGUF for a repair.

    Args:
        path: where it is.
        lost: the tokens that are to become text.
        strict: whether the server takes known types of tensors alone.

    Raises:
        UsageError: it cannot be read, or is not that of the model.
        RefusedError: it is one part of several, or the server would not take it.
    """
    try:
        # A pipe would be waited for, and a device has no end.
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no file", OTHERWISE)
        with path.open("rb") as file:
            if strict:
                _refuse_unknown_tensors(file, path)
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


def _refuse_unknown_tensors(file: BinaryIO, path: Path) -> None:
    for tensor in gguf.layout(file).tensors:
        if tensor.kind not in KNOWN_TENSORS:
            message = f"this server reads no GGUF with tensors of type {tensor.kind}, as {tensor.name} of {path} is"
            raise RefusedError(message, "Ollama before 0.34.1 does, or a GGUF in another quantisation is repaired")


def refuse_what_is_taken_no_more(recipe: Recipe) -> None:
    """Refuse a model of which a server that keeps a GGUF as it was sent would make no copy.

    Raises:
        RefusedError: it is such a model.
    """
    if recipe.adapters:
        message = f"{recipe.name} has an adapter, and Ollama makes no models with adapters since 0.34.1"
        raise RefusedError(message, "merge the adapter into its GGUF, and make a model of that")
    if "typical_p" in dict(recipe.parameters):
        message = f"{recipe.name} has the parameter typical_p, and Ollama makes no models with it since 0.34.1"
        raise RefusedError(message, BY_HAND)


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
