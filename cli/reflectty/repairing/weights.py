"""The GGUF of a model as a file on this machine: found, held against the model, and read with other types in it."""

from __future__ import annotations

import asyncio
import hashlib
import re
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
BESIDE = "name the first of all parts with --gguf PATH, the others beside it"
JOINED = "`llama-gguf-split --merge` joins them: name the whole with --gguf PATH"
_PART = re.compile(r"(.+)-00001-of-(\d{5})\.gguf")
KNOWN_TENSORS = frozenset((*range(4), *range(6, 31), *range(39, 42)))
"""The types of tensors that Ollama reads since 0.34.1, as ggml numbers them: fs/gguf/tensor.go there."""


class Weights(NamedTuple):
    """An open GGUF, and the bytes that make text of the tags in it, by where they stand."""

    file: BinaryIO
    size: int
    changes: Mapping[int, bytes]
    parts: tuple[Path, ...] = ()
    """The other files that the model is split into."""


@contextmanager
def part(path: Path) -> Iterator[Weights]:
    """Open a part of a model in which nothing changes.

    Raises:
        UsageError: it cannot be read.
        RefusedError: the server would not take it.
    """
    try:
        with path.open("rb") as file:
            _refuse_unknown_tensors(file, path)
            yield Weights(file, path.stat().st_size, {})
    except gguf.GgufError as error:
        raise UsageError(f"{path} is no part of a model: {error}", OTHERWISE) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}", OTHERWISE) from error


@contextmanager
def opened(path: Path, lost: Sequence[LostTag], *, strict: bool = False) -> Iterator[Weights]:
    """Open a GGUF for a repair.

    Args:
        path: where it is.
        lost: the tokens that are to become text.
        strict: whether the server keeps a file as it is sent: it takes known types of tensors alone, and parts.

    Raises:
        UsageError: it cannot be read, or is not that of the model.
        RefusedError: it is one part of several that are not at hand, or the server would not take it.
    """
    try:
        # A pipe would be waited for, and a device has no end.
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is no file", OTHERWISE)
        with path.open("rb") as file:
            if strict:
                _refuse_unknown_tensors(file, path)
            yield _weights(file, path, lost, strict=strict)
    except gguf.GgufError as error:
        raise UsageError(f"{path} cannot be repaired: {error}", OTHERWISE) from error
    except PermissionError as error:
        raise UsageError(f"{path} may not be read", NO_RIGHT) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}", ELSEWHERE) from error


def _weights(file: BinaryIO, path: Path, lost: Sequence[LostTag], *, strict: bool) -> Weights:
    head = gguf.header(file)
    parts = _others(path, head.shards, kept=strict) if head.shards > 1 else ()
    wanted = {tag.id: tag.text for tag in lost}
    found = {token.id: token.text for token in gguf.vocabulary(file, head) if token.id in wanted}
    for number, text in wanted.items():
        if found.get(number) != text:
            there = f"{found[number]!r}" if number in found else "missing"
            message = f"{path} is the GGUF of another model: its token {number} is {there} and not {text!r}"
            raise UsageError(message, OTHERWISE)
    return Weights(file, head.size, gguf.retyped(head, dict.fromkeys(wanted, TokenType.USER_DEFINED)), parts)


def _others(path: Path, number: int, *, kept: bool) -> tuple[Path, ...]:
    """Return the other parts of a model whose first part has the vocabulary.

    `llama-gguf-split` calls them `NAME-00001-of-00003.gguf`, and so on; Ollama (server/create_split_gguf.go of 0.34.2)
    takes them under such names alone. It keeps each part by its digest, and tells the first.

    Raises:
        RefusedError: they are not beside it, or the server takes no model in parts.
    """
    named = _PART.fullmatch(path.name)
    message = f"{path} is the first of {number} files that the model is split into"
    if not kept:
        raise RefusedError(message, f"Ollama takes them since 0.34.1; {JOINED}")
    if named is None or named[2] != f"{number:05}":
        raise RefusedError(f"{message}, and the server does not tell the others", f"{BESIDE}, or {JOINED}")
    others = tuple(path.with_name(part_name(named[1], at, number)) for at in range(2, number + 1))
    missing = next((other.name for other in others if not other.is_file()), "")
    if missing:
        raise RefusedError(f"{message}, and {missing} is not beside it", f"{BESIDE}, or {JOINED}")
    return others


def part_name(model: str, at: int, number: int) -> str:
    """Return what a part of a model is called, counted from 1."""
    return f"{model}-{at:05}-of-{number:05}.gguf"


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
