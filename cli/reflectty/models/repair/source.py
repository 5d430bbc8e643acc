"""Opens the GGUF of a model for a repair, and yields it with its tag tokens as text."""

from __future__ import annotations

import asyncio
import hashlib
import re
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from reflectty.core.errors import RefusedError, UsageError, reason_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.models import gguf
from reflectty.models.files import read_in_thread
from reflectty.reasoning.token_types import TokenType

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence

    from reflectty.core.model_spec import ModelSpec
    from reflectty.reasoning.token_types import LostTag

ON_SERVER_HINT = "run the repair on the server's machine, or pass a copy of the file with --gguf PATH"
PERMISSION_HINT = "run the repair as the server's user, or pass a copy of the file with --gguf PATH"
NAME_FILE_HINT = "pass the GGUF of the model with --gguf PATH"
_FIRST_PART_HINT = "pass the first part with --gguf PATH, with the others in the same folder"
_JOIN_HINT = "join them with `llama-gguf-split --merge` and pass the result with --gguf PATH"
_PART = re.compile(r"(.+)-00001-of-(\d{5})\.gguf")
_KNOWN_TENSORS = frozenset((*range(4), *range(6, 31), *range(39, 42)))
"""The ggml numbers of the tensor types that Ollama reads since 0.34.1 (its fs/gguf/tensor.go)."""


class RepairedGguf(NamedTuple):
    """An open GGUF, and the replacement bytes by offset that turn its tags into text."""

    file: BinaryIO
    size: int
    changes: Mapping[int, bytes]
    parts: tuple[Path, ...] = ()
    """The other files of a split model."""


def gguf_path_of(spec: ModelSpec, given: Path | None, *, local: bool) -> Path:
    """The file to read; never opens a local path that a remote server names.

    Raises:
        UsageError: the file is not on this machine.
    """
    if given:
        return given
    if not spec.weights:
        raise UsageError(f"the server does not report where the GGUF of {spec.name} is", ON_SERVER_HINT)
    if not local:
        raise UsageError(f"the GGUF of {spec.name} is on another machine", ON_SERVER_HINT)
    return Path(spec.weights[0])


@contextmanager
def split_part_of(path: Path) -> Iterator[RepairedGguf]:
    """Open a part of a split model that needs no changes.

    Raises:
        UsageError: the file cannot be read.
        RefusedError: the server does not accept it.
    """
    try:
        with path.open("rb") as file:
            _refuse_unknown_tensors(file, path)
            yield RepairedGguf(file, path.stat().st_size, {})
    except gguf.GgufError as error:
        raise UsageError(f"{path} is not part of a model: {error}", NAME_FILE_HINT) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason_of(error)}", NAME_FILE_HINT) from error


@contextmanager
def open_repaired(path: Path, lost: Sequence[LostTag], *, strict: bool = False) -> Iterator[RepairedGguf]:
    """Open a GGUF for a repair.

    Args:
        path: the GGUF file.
        lost: the tokens to turn into text.
        strict: True if the server stores a file as sent: it accepts split models, and known tensor types only.

    Raises:
        UsageError: the file cannot be read, or belongs to another model.
        RefusedError: other parts of a split model are missing, or the server does not accept it.
    """
    try:
        # Opening a pipe blocks, and a device has no end.
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} is not a regular file", NAME_FILE_HINT)
        with path.open("rb") as file:
            if strict:
                _refuse_unknown_tensors(file, path)
            yield _repaired_gguf_of(file, path, lost, strict=strict)
    except gguf.GgufError as error:
        raise UsageError(f"{path} cannot be repaired: {error}", NAME_FILE_HINT) from error
    except PermissionError as error:
        raise UsageError(f"{path} cannot be read: permission denied", PERMISSION_HINT) from error
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {reason_of(error)}", ON_SERVER_HINT) from error


def _repaired_gguf_of(file: BinaryIO, path: Path, lost: Sequence[LostTag], *, strict: bool) -> RepairedGguf:
    head = gguf.read_header(file)
    parts = _other_parts(path, head.shards, strict=strict) if head.shards > 1 else ()
    texts = {tag.id: tag.text for tag in lost}
    found = {token.id: token.text for token in gguf.read_tokens(file, head) if token.id in texts}
    for number, text in texts.items():
        if found.get(number) != text:
            other = f"{found[number]!r}" if number in found else "missing"
            message = f"{path} is the GGUF of another model: its token {number} is {other}, not {text!r}"
            raise UsageError(message, NAME_FILE_HINT)
    return RepairedGguf(
        file, head.size, gguf.type_changes_of(head, dict.fromkeys(texts, TokenType.USER_DEFINED)), parts
    )


def _other_parts(path: Path, number: int, *, strict: bool) -> tuple[Path, ...]:
    """The other parts of a split model whose first part holds the vocabulary.

    `llama-gguf-split` names them `NAME-00001-of-00003.gguf` and so on; Ollama (server/create_split_gguf.go of 0.34.2)
    accepts only such names. It stores each part by its digest, and reports only the first.

    Raises:
        RefusedError: a part is missing, or the server accepts no split models.
    """
    named = _PART.fullmatch(path.name)
    message = f"{path} is the first of {number} files of a split model"
    if not strict:
        raise RefusedError(message, f"use Ollama 0.34.1 or later, or {_JOIN_HINT}")
    if named is None or named[2] != f"{number:05}":
        raise RefusedError(
            f"{message}, and the server does not report the others", f"{_FIRST_PART_HINT}, or {_JOIN_HINT}"
        )
    others = tuple(path.with_name(part_name(named[1], at, number)) for at in range(2, number + 1))
    missing = next((other.name for other in others if not other.is_file()), "")
    if missing:
        raise RefusedError(f"{message}, and {missing} is missing", f"{_FIRST_PART_HINT}, or {_JOIN_HINT}")
    return others


def part_name(model: str, at: int, number: int) -> str:
    """The file name of a part of a split model, counted from 1."""
    return f"{model}-{at:05}-of-{number:05}.gguf"


def _refuse_unknown_tensors(file: BinaryIO, path: Path) -> None:
    for tensor in gguf.read_layout(file).tensors:
        if tensor.kind not in _KNOWN_TENSORS:
            message = f"this server cannot read tensors of type {tensor.kind}, such as {tensor.name} in {path}"
            raise RefusedError(message, "use Ollama before 0.34.1, or a GGUF with another quantization")


def repaired_pieces_of(source: RepairedGguf, on_progress: Callable[[int], None]) -> AsyncGenerator[bytes, None]:
    """Yield the repaired file in pieces; the file must stay open, `on_progress` receives the bytes read so far."""
    return read_in_thread(gguf.changed_pieces_of(source.file, source.size, source.changes), on_progress)


async def digest_of_repaired(source: RepairedGguf, on_progress: Callable[[int], None]) -> str:
    """The digest of the repaired file as a server computes it; `on_progress` receives the bytes read so far."""
    digest = hashlib.sha256()
    async for piece in repaired_pieces_of(source, on_progress):
        await asyncio.to_thread(digest.update, piece)
    return f"sha256:{digest.hexdigest()}"
