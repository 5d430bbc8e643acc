"""Changes the types of tokens in the vocabulary of a GGUF, and nothing else in it.

llama.cpp leaves tokens of the type CONTROL out of a reply, so a model whose tags are such tokens loses them. A type is
a number of fixed width: only the beginning of a file is read and only those numbers are written, whatever the size of
the model.
"""

from __future__ import annotations

import os
import shutil
import struct
from enum import IntEnum
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

MAGIC = b"GGUF"
VERSIONS = (2, 3)
TOKENS = "tokenizer.ggml.tokens"
TYPES = "tokenizer.ggml.token_type"
WIDTHS = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Size in bytes of a value of each type; texts and arrays have a length of their own."""
INT32, TEXT, ARRAY = 5, 8, 9


class TokenType(IntEnum):
    """The types that decide whether a token is visible."""

    NORMAL = 1
    CONTROL = 3
    USER_DEFINED = 4


class GgufError(ValueError):
    """A file is not a readable GGUF, or lacks what is looked for."""


class Array(NamedTuple):
    """The position, number and type of the elements of an array."""

    kind: int
    length: int
    start: int


class Header:
    """Reads the keys and values at the beginning of a GGUF, in the byte order of the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._end = file.seek(0, os.SEEK_END)
        file.seek(0)
        if self._read(len(MAGIC)) != MAGIC:
            raise GgufError("this is no GGUF")
        version = self._read(4)
        self.order = ">" if version.startswith(b"\0\0") else "<"
        if struct.unpack(f"{self.order}I", version)[0] not in VERSIONS:
            raise GgufError("only versions 2 and 3 of GGUF can be read")
        _tensors, self._count = self._number("Q"), self._number("Q")

    def arrays(self) -> dict[str, Array]:
        """The values that are arrays, by key; reads all keys, so call it once."""
        found: dict[str, Array] = {}
        for _ in range(self._count):
            key = self._text().decode()
            kind = self._number("I")
            if kind == ARRAY:
                found[key] = self._array()
            else:
                self._skip(kind)
        return found

    def texts(self, array: Array) -> Iterator[bytes]:
        """Yield the elements of an array of texts, one by one."""
        self._file.seek(array.start)
        for _ in range(array.length):
            yield self._text()

    def _array(self) -> Array:
        array = Array(self._number("I"), self._number("Q"), self._file.tell())
        if array.kind in WIDTHS:
            self._pass(WIDTHS[array.kind] * array.length)
        else:
            for _ in range(array.length):
                self._skip(array.kind)
        return array

    def _skip(self, kind: int) -> None:
        if kind == ARRAY:
            self._array()
        elif kind == TEXT:
            self._pass(self._number("Q"))
        elif kind in WIDTHS:
            self._pass(WIDTHS[kind])
        else:
            raise GgufError(f"there is no type of value {kind}")

    def _pass(self, size: int) -> None:
        if self._file.tell() + size > self._end:
            raise GgufError("the file ends within its header")
        self._file.seek(size, os.SEEK_CUR)

    def _read(self, size: int) -> bytes:
        # A damaged length may have any value, so it is never trusted.
        found = self._file.read(min(size, self._end))
        if len(found) < size:
            raise GgufError("the file ends within its header")
        return found

    def _number(self, code: str) -> int:
        return int(struct.unpack(self.order + code, self._read(struct.calcsize(code)))[0])

    def _text(self) -> bytes:
        return self._read(self._number("Q"))


def _words(file: BinaryIO, tokens: Iterable[str]) -> tuple[str, dict[str, int]]:
    """The format of a type, and the position of the type of each token.

    Raises:
        GgufError: the file has no vocabulary with types, or lacks a token.
    """
    header = Header(file)
    arrays = header.arrays()
    names, types = arrays.get(TOKENS), arrays.get(TYPES)
    if not names or not types or (names.kind, types.kind, names.length) != (TEXT, INT32, types.length):
        raise GgufError("the file has no vocabulary with a type for every token")
    wanted = {token.encode(): token for token in tokens}
    width = WIDTHS[INT32]
    found = {
        wanted[text]: types.start + width * number for number, text in enumerate(header.texts(names)) if text in wanted
    }
    missing = [token for token in wanted.values() if token not in found]
    if missing:
        raise GgufError(f"the vocabulary lacks {', '.join(map(repr, missing))}")
    return f"{header.order}i", found


def token_types(path: Path, tokens: Iterable[str]) -> dict[str, int]:
    """The types of tokens.

    Raises:
        GgufError: the file cannot be read, or lacks one of them.
    """
    found: dict[str, int] = {}
    with path.open("rb") as file:
        code, words = _words(file, tokens)
        for token, at in words.items():
            file.seek(at)
            found[token] = struct.unpack(code, file.read(WIDTHS[INT32]))[0]
    return found


def copy_retyped(source: Path, target: Path, types: Mapping[str, int]) -> None:
    """Copy a GGUF, with other types for the given tokens.

    Raises:
        GgufError: the file cannot be read, or lacks one of them; nothing was copied.
    """
    with source.open("rb") as file:
        code, words = _words(file, types)
    shutil.copyfile(source, target)
    with target.open("r+b") as file:
        for token, at in words.items():
            file.seek(at)
            file.write(struct.pack(code, types[token]))


def copy_renamed(source: Path, target: Path, first: int, names: Iterable[str], types: Mapping[str, int]) -> None:
    """Copy a GGUF, with other names and types for a run of tokens.

    Args:
        source: the file.
        target: the copy.
        first: the id of the first of them.
        names: their new names; together they have the length of the old ones, so that nothing moves.
        types: new types, by name.

    Raises:
        GgufError: the file cannot be read, or the names have another length.
    """
    with source.open("rb") as file:
        header = Header(file)
        vocabulary = header.arrays()[TOKENS]
        texts = list(header.texts(vocabulary))
    new = list(map(str.encode, names))
    old = texts[first : first + len(new)]
    if len(b"".join(new)) != len(b"".join(old)):
        raise GgufError("the names take another room than those that they replace")
    shutil.copyfile(source, target)
    with target.open("r+b") as file:
        file.seek(vocabulary.start + sum(8 + len(text) for text in texts[:first]))
        for text in new:
            file.write(struct.pack(f"{header.order}Q", len(text)) + text)
        code, words = _words(file, types)
        for token, at in words.items():
            file.seek(at)
            file.write(struct.pack(code, types[token]))
