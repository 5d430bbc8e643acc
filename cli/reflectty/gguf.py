"""Reads in the header of a GGUF where the types of its tokens stand; changes no file and holds none in memory.

The format is that of ggml's docs/gguf.md: versions 1 to 3, in either byte order. Version 1 counts with 32 bits, the
others with 64.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from reflectty.vocabulary import TOKENS_KEY, TYPES_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAGIC: Final = b"GGUF"
VERSIONS: Final = (1, 2, 3)
CODES: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""How `struct` calls the values of a fixed width, by the number of their type."""
WHOLE: Final = frozenset("BbHhIiQq")
TEXT: Final = 8
ARRAY: Final = 9
SHARDS_KEY: Final = "split.count"
WANTED: Final = (TOKENS_KEY, TYPES_KEY, SHARDS_KEY)
LONGEST_KEY: Final = 65535
MOST_KEYS: Final = 65536
"""Far more than any model has: a count beyond it is no count."""
DEEPEST: Final = 8
"""How deep arrays may stand in arrays; no writer nests them at all."""
LONGEST_TOKEN: Final = 64 * 1024
MOST_ELEMENTS: Final = 1 << 24
"""How many elements without a fixed width all arrays may have together: they are passed one by one."""
BLOCK: Final = 4096
"""How many tokens are read before their types are: the two stand far apart in the file."""
PIECE: Final = 1024 * 1024


class GgufError(ValueError):
    """A file is no GGUF that can be read, or lacks what is looked for."""


class Value(NamedTuple):
    """Where a value stands: its elements if it is an array, itself if it is not."""

    kind: int
    """The type of the elements."""
    length: int
    start: int


class Header(NamedTuple):
    """What is known of a file once its keys are read."""

    size: int
    """Bytes of the whole file."""
    version: int
    order: str
    """The byte order, as `struct` writes it."""
    tokens: Value
    types: Value
    shards: int
    """How many files the model is split into; 1 for one that is whole."""


class Token(NamedTuple):
    """One token of the vocabulary, and where its type stands."""

    id: int
    text: str
    type: int
    at: int
    width: int


def header(file: BinaryIO) -> Header:
    """Read the keys of a file, from its beginning.

    Raises:
        GgufError: it is no GGUF, is damaged, or has no vocabulary with a type for every token.
        OSError: it cannot be read.
    """
    reader = _Reader(file)
    found = reader.values()
    tokens, types = found.get(TOKENS_KEY), found.get(TYPES_KEY)
    if tokens is None or types is None:
        raise GgufError("it has no vocabulary with types: it is no language model, or one part of several")
    if tokens.kind != TEXT or CODES.get(types.kind) not in WHOLE or tokens.length != types.length:
        raise GgufError("its vocabulary does not have one type for every token")
    return Header(reader.size, reader.version, reader.order, tokens, types, reader.number_at(found.get(SHARDS_KEY), 1))


def vocabulary(file: BinaryIO, head: Header) -> Iterator[Token]:
    """Yield the tokens in the order of their ids; what no tag can be, for its length, comes as an empty text.

    Raises:
        GgufError: the file has changed since its header was read.
    """
    reader = _Reader(file)
    code = head.order + CODES[head.types.kind]
    width = struct.calcsize(code)
    at = head.tokens.start
    for first in range(0, head.tokens.length, BLOCK):
        place = file.seek(head.types.start + first * width)
        types = [reader.number(code) for _ in range(min(BLOCK, head.tokens.length - first))]
        file.seek(at)
        for number, kind in enumerate(types):
            yield Token(first + number, reader.text(LONGEST_TOKEN), kind, place + number * width, width)
        at = file.tell()


def retyped(head: Header, tokens: Mapping[int, int]) -> dict[int, bytes]:
    """Return the bytes to write, by where they stand, to give tokens another type; `tokens` has types by id."""
    code = head.order + CODES[head.types.kind]
    width = struct.calcsize(code)
    return {head.types.start + number * width: struct.pack(code, kind) for number, kind in sorted(tokens.items())}


def changed(file: BinaryIO, size: int, changes: Mapping[int, bytes], piece: int = PIECE) -> Iterator[bytes]:
    """Yield the first `size` bytes of a file with other bytes in some places, in pieces of at most so many.

    Raises:
        GgufError: the file is shorter.
    """
    at = file.seek(0)
    for place, other in sorted(changes.items()):
        yield from _as_it_is(file, place - at, piece)
        yield other
        at = file.seek(place + len(other))
    yield from _as_it_is(file, size - at, piece)


def _as_it_is(file: BinaryIO, length: int, piece: int) -> Iterator[bytes]:
    while length:
        read = file.read(min(length, piece))
        if not read:
            raise GgufError("it became shorter while it was read")
        length -= len(read)
        yield read


class _Reader:
    """Reads values one after the other, in the byte order and with the counts of the file's version."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if self._read(len(MAGIC)) != MAGIC:
            raise GgufError("it is no GGUF")
        said = self._read(4)
        self.order = ">" if int.from_bytes(said, "big") in VERSIONS else "<"
        self.version = int.from_bytes(said, "big" if self.order == ">" else "little")
        if self.version not in VERSIONS:
            raise GgufError(f"only versions 1 to 3 of GGUF can be read, this is {self.version}")
        self._count = "I" if self.version == 1 else "Q"
        self._elements = MOST_ELEMENTS

    def values(self) -> dict[str, Value]:
        """Read all keys behind the version; return where the values of the wanted ones stand."""
        _tensors, keys = self._length(), self._length()
        if keys > MOST_KEYS:
            raise GgufError(f"its header is damaged: {keys:,} keys")
        found: dict[str, Value] = {}
        for _ in range(keys):
            key = self.text(LONGEST_KEY)
            value = self._value(self.number(f"{self.order}I"))
            if key in found:
                raise GgufError(f"its header is damaged: two values of {key}")
            if key in WANTED:
                found[key] = value
        return found

    def number_at(self, value: Value | None, otherwise: int) -> int:
        """Return the whole number that a value is, or another one where there is none."""
        code = CODES.get(value.kind, "") if value else ""
        if value is None or code not in WHOLE:
            return otherwise
        self._file.seek(value.start)
        return self.number(self.order + code)

    def number(self, code: str) -> int:
        return int(struct.unpack(code, self._read(struct.calcsize(code)))[0])

    def text(self, longest: int) -> str:
        """Return a text, empty if it is longer."""
        length = self._length()
        if length <= longest:
            return self._read(length).decode(errors="replace")
        self._pass(length)
        return ""

    def _value(self, kind: int, depth: int = 0) -> Value:
        """Pass a value and return where it stands."""
        start = self._file.tell()
        if kind == TEXT:
            self._pass(self._length())
        elif kind == ARRAY:
            return self._array(depth + 1)
        elif kind in CODES:
            self._pass(struct.calcsize(CODES[kind]))
        else:
            raise GgufError(f"its header is damaged: there is no type of value {kind}")
        return Value(kind, 1, start)

    def _array(self, depth: int) -> Value:
        if depth > DEEPEST:
            raise GgufError("its header is damaged: arrays within arrays without end")
        kind, length = self.number(f"{self.order}I"), self._length()
        array = Value(kind, length, self._file.tell())
        if kind in CODES:
            self._pass(struct.calcsize(CODES[kind]) * length)
        elif length > self._elements:
            raise GgufError(f"its header is damaged: an array of {length:,} elements")
        else:
            self._elements -= length
            for _ in range(length):
                self._value(kind, depth)
        return array

    def _length(self) -> int:
        return self.number(self.order + self._count)

    def _pass(self, size: int) -> None:
        self._within(size)
        self._file.seek(size, os.SEEK_CUR)

    def _read(self, size: int) -> bytes:
        self._within(size)
        read = self._file.read(size)
        if len(read) < size:
            raise GgufError("it ends within its header")
        return read

    def _within(self, size: int) -> None:
        # A length that is wrong may be any: it is never taken at its word.
        if self._file.tell() + size > self.size:
            raise GgufError("it ends within its header")
