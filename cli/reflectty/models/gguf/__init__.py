"""Reads the header of a GGUF file: keys, vocabulary, tensors.

The format is that of ggml's docs/gguf.md, versions 1 to 3 in either byte order. Version 1 has 32-bit counts, the others
64-bit ones.
"""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.reasoning.token_types import TOKENS_KEY, TYPES_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAGIC: Final = b"GGUF"
VERSIONS: Final = (1, 2, 3)
CODES: Final = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""The `struct` codes of the fixed-width value types, by type number."""
INTEGER_CODES: Final = frozenset("BbHhIiQq")
FLOAT_CODES: Final = frozenset("fd")
TEXT_TYPE: Final = 8
ARRAY_TYPE: Final = 9
SHARDS_KEY: Final = "split.count"
ALIGNMENT_KEY: Final = "general.alignment"
ALIGNMENT: Final = 32
"""The alignment of tensors in bytes, unless the file sets another."""
ALPHA_KEY: Final = "adapter.lora.alpha"
TEMPLATE_KEY: Final = "tokenizer.chat_template"
WANTED_KEYS: Final = (TOKENS_KEY, TYPES_KEY, SHARDS_KEY, ALIGNMENT_KEY, ALPHA_KEY, TEMPLATE_KEY)
MAX_KEY_LENGTH: Final = 65535
MAX_KEYS: Final = 65536
"""Far more keys than any model has: a larger count means damage. The same limit holds for tensors."""
MAX_DIMENSIONS: Final = 4
MAX_TEMPLATE_LENGTH: Final = 1 << 20
MAX_DEPTH: Final = 8
"""The deepest nesting of arrays; no known writer nests them at all."""
MAX_TOKEN_LENGTH: Final = 64 * 1024
MAX_ELEMENTS: Final = 1 << 24
"""The most variable-width elements in all arrays together: they are skipped one by one."""
BLOCK: Final = 4096
"""How many types are read at once, then their tokens: the two are far apart in the file."""
PIECE: Final = 1024 * 1024


class GgufError(ValueError):
    """The file is not a readable GGUF, or lacks required data."""


class GgufValue(NamedTuple):
    """The position of a value; of an array, the position of its elements."""

    kind: int
    """The type of the elements, or of the value itself."""
    length: int
    start: int


class GgufHeader(NamedTuple):
    """The facts read from a file's keys."""

    size: int
    """The size of the file in bytes."""
    version: int
    order: str
    """The byte order as a `struct` prefix."""
    tokens: GgufValue
    types: GgufValue
    shards: int
    """How many files the model is split into; 1 for a whole one."""


class Tensor(NamedTuple):
    """A tensor of a file."""

    name: str
    shape: tuple[int, ...]
    """The length of a row first, then the number of rows, and so on."""
    kind: int
    """The ggml number of its type."""
    start: int
    """Its offset from the beginning of the file."""


class GgufLayout(NamedTuple):
    """The structure of a file: its keys and its tensors."""

    order: str
    version: int
    key_count: int
    keys_start: int
    keys_end: int
    alignment: int
    alpha: float
    """The scale of an adapter, to be divided by its rank; 0 if the file is not an adapter."""
    template: str
    """The chat template; often empty."""
    tensors: tuple[Tensor, ...]


class Token(NamedTuple):
    """A token of the vocabulary, and the offset of its type."""

    id: int
    text: str
    type: int
    type_offset: int
    type_width: int


def read_header(file: BinaryIO) -> GgufHeader:
    """Read the keys of a file from its beginning.

    Raises:
        GgufError: it is not a GGUF, is damaged, or lacks a vocabulary with a type for every token.
        OSError: it cannot be read.
    """
    reader = _GgufReader(file)
    found = reader.values()
    tokens, types = found.get(TOKENS_KEY), found.get(TYPES_KEY)
    if tokens is None or types is None:
        raise GgufError("no vocabulary with token types: not a language model, or one part of a split model")
    if tokens.kind != TEXT_TYPE or CODES.get(types.kind) not in INTEGER_CODES or tokens.length != types.length:
        raise GgufError("the vocabulary does not have a type for every token")
    return GgufHeader(
        reader.size, reader.version, reader.order, tokens, types, reader.number_at(found.get(SHARDS_KEY), 1)
    )


def read_layout(file: BinaryIO) -> GgufLayout:
    """Read the keys and the tensor list of a file from its beginning.

    Raises:
        GgufError: it is not a GGUF, or is damaged.
        OSError: it cannot be read.
    """
    reader = _GgufReader(file)
    found = reader.values()
    end = file.tell()
    alignment = reader.number_at(found.get(ALIGNMENT_KEY), ALIGNMENT)
    alpha, template = reader.real_at(found.get(ALPHA_KEY)), reader.text_at(found.get(TEMPLATE_KEY))
    file.seek(end)
    tensors = reader.tensors(alignment)
    return GgufLayout(
        reader.order, reader.version, reader.key_count, reader.keys_start, end, alignment, alpha, template, tensors
    )


def read_tokens(file: BinaryIO, head: GgufHeader) -> Iterator[Token]:
    """Yield the tokens in the order of their ids; one too long to be a tag has an empty text.

    Raises:
        GgufError: the file has changed since its header was read.
    """
    reader = _GgufReader(file)
    code = head.order + CODES[head.types.kind]
    width = struct.calcsize(code)
    at = head.tokens.start
    for first in range(0, head.tokens.length, BLOCK):
        offset = file.seek(head.types.start + first * width)
        types = [reader.number(code) for _ in range(min(BLOCK, head.tokens.length - first))]
        file.seek(at)
        for number, kind in enumerate(types):
            yield Token(first + number, reader.text(MAX_TOKEN_LENGTH), kind, offset + number * width, width)
        at = file.tell()


def type_changes_of(head: GgufHeader, tokens: Mapping[int, int]) -> dict[int, bytes]:
    """The bytes to write, by offset, to change the types of tokens; `tokens` maps ids to types."""
    code = head.order + CODES[head.types.kind]
    width = struct.calcsize(code)
    return {head.types.start + number * width: struct.pack(code, kind) for number, kind in sorted(tokens.items())}


def changed_pieces_of(file: BinaryIO, size: int, changes: Mapping[int, bytes], piece: int = PIECE) -> Iterator[bytes]:
    """Yield the first `size` bytes of a file with `changes` applied, in pieces of at most `piece` bytes.

    Raises:
        GgufError: the file is shorter.
    """
    at = file.seek(0)
    for offset, other in sorted(changes.items()):
        yield from copied_pieces(file, offset - at, piece)
        yield other
        at = file.seek(offset + len(other))
    yield from copied_pieces(file, size - at, piece)


def copied_pieces(file: BinaryIO, length: int, piece: int = PIECE) -> Iterator[bytes]:
    """Yield the next `length` bytes of a file, in pieces of at most `piece` bytes.

    Raises:
        GgufError: the file is shorter.
    """
    while length:
        read = file.read(min(length, piece))
        if not read:
            raise GgufError("the file became shorter while it was read")
        length -= len(read)
        yield read


class _GgufReader:
    """Reads consecutive values in the byte order and with the count width of the file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if self._read(len(MAGIC)) != MAGIC:
            raise GgufError("not a GGUF file")
        version = self._read(4)
        self.order = ">" if int.from_bytes(version, "big") in VERSIONS else "<"
        self.version = int.from_bytes(version, "big" if self.order == ">" else "little")
        if self.version not in VERSIONS:
            raise GgufError(f"GGUF version {self.version} is not supported, only 1 to 3")
        self._count = "I" if self.version == 1 else "Q"
        self._elements = MAX_ELEMENTS
        self._tensors, self.key_count, self.keys_start = 0, 0, 0

    def values(self) -> dict[str, GgufValue]:
        """Read all keys after the version, and return the positions of the values of WANTED_KEYS."""
        self._tensors, self.key_count = self._length(), self._length()
        self.keys_start = self._file.tell()
        if self.key_count > MAX_KEYS:
            raise GgufError(f"damaged header: {self.key_count:,} keys")
        found: dict[str, GgufValue] = {}
        for _ in range(self.key_count):
            key = self.text(MAX_KEY_LENGTH)
            value = self._value(self.number(f"{self.order}I"))
            if key in found:
                raise GgufError(f"damaged header: duplicate key {key}")
            if key in WANTED_KEYS:
                found[key] = value
        return found

    def tensors(self, alignment: int) -> tuple[Tensor, ...]:
        """Read the tensor list, which follows the keys."""
        if self._tensors > MAX_KEYS or not 0 < alignment <= PIECE:
            raise GgufError(f"damaged header: {self._tensors:,} tensors, alignment {alignment:,}")
        listed = [self._tensor() for _ in range(self._tensors)]
        start = -(-self._file.tell() // alignment) * alignment
        return tuple(tensor._replace(start=start + tensor.start) for tensor in listed)

    def _tensor(self) -> Tensor:
        name, dimensions = self.text(MAX_KEY_LENGTH), self.number(f"{self.order}I")
        if dimensions > MAX_DIMENSIONS:
            raise GgufError(f"damaged header: a tensor with {dimensions:,} dimensions")
        shape = tuple(self._length() for _ in range(dimensions))
        return Tensor(name, shape, self.number(f"{self.order}I"), self.number(f"{self.order}Q"))

    def real_at(self, value: GgufValue | None) -> float:
        """The floating-point number of a value; 0 if it is missing or of another type."""
        code = CODES.get(value.kind, "") if value else ""
        if value is None or code not in FLOAT_CODES:
            return 0.0
        self._file.seek(value.start)
        return float(struct.unpack(self.order + code, self._read(struct.calcsize(code)))[0])

    def text_at(self, value: GgufValue | None) -> str:
        """The text of a value; empty if it is missing or of another type."""
        if value is None or value.kind != TEXT_TYPE or value.length != 1:
            return ""
        self._file.seek(value.start)
        return self.text(MAX_TEMPLATE_LENGTH)

    def number_at(self, value: GgufValue | None, default: int) -> int:
        """The integer of a value; `default` if it is missing or of another type."""
        code = CODES.get(value.kind, "") if value else ""
        if value is None or code not in INTEGER_CODES:
            return default
        self._file.seek(value.start)
        return self.number(self.order + code)

    def number(self, code: str) -> int:
        return int(struct.unpack(code, self._read(struct.calcsize(code)))[0])

    def text(self, longest: int) -> str:
        """Read a text; empty if it is longer than `longest`."""
        length = self._length()
        if length <= longest:
            return self._read(length).decode(errors="replace")
        self._skip(length)
        return ""

    def _value(self, kind: int, depth: int = 0) -> GgufValue:
        """Skip a value and return its position."""
        start = self._file.tell()
        if kind == TEXT_TYPE:
            self._skip(self._length())
        elif kind == ARRAY_TYPE:
            return self._array(depth + 1)
        elif kind in CODES:
            self._skip(struct.calcsize(CODES[kind]))
        else:
            raise GgufError(f"damaged header: unknown value type {kind}")
        return GgufValue(kind, 1, start)

    def _array(self, depth: int) -> GgufValue:
        if depth > MAX_DEPTH:
            raise GgufError("damaged header: arrays are nested too deeply")
        kind, length = self.number(f"{self.order}I"), self._length()
        array = GgufValue(kind, length, self._file.tell())
        if kind in CODES:
            self._skip(struct.calcsize(CODES[kind]) * length)
        elif length > self._elements:
            raise GgufError(f"damaged header: an array of {length:,} elements")
        else:
            self._elements -= length
            for _ in range(length):
                self._value(kind, depth)
        return array

    def _length(self) -> int:
        return self.number(self.order + self._count)

    def _skip(self, size: int) -> None:
        self._require_within(size)
        self._file.seek(size, os.SEEK_CUR)

    def _read(self, size: int) -> bytes:
        self._require_within(size)
        read = self._file.read(size)
        if len(read) < size:
            raise GgufError("the file ends inside its header")
        return read

    def _require_within(self, size: int) -> None:
        # A damaged length can be any number: check it before use.
        if self._file.tell() + size > self.size:
            raise GgufError("the file ends inside its header")
