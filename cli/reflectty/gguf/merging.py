"""Merges an adapter into the weights that it was made for: one GGUF that needs no adapter; writes no file.

What the adapter changes becomes Q8_0, in which the change is kept: in the five bits that most of it has, much would be
rounded away. All else stays as it is, byte for byte.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

import numpy as np

from reflectty.gguf import MAGIC, PIECE, GgufError, Layout, Tensor, layout
from reflectty.gguf.quants import FORMATS, Q8_0, dequantised, quantised

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

FIRST: Final = ".lora_a"
"""Behind the name of a tensor: what turns an input into as many numbers as the adapter has ranks."""
SECOND: Final = ".lora_b"
"""The same: what turns those into a change of the output."""


class Merge(NamedTuple):
    """What is to be merged, and how long the file will be."""

    base: BinaryIO
    adapter: BinaryIO
    whole: Layout
    changes: Mapping[str, Tensor]
    """The tensors of the adapter."""
    alpha: float
    tensors: tuple[Tensor, ...]
    """As they will be; their places count from the first."""
    head: bytes
    size: int


def prepared(base: BinaryIO, adapter: BinaryIO) -> Merge:
    """Read what both files consist of; they must stay open.

    Raises:
        GgufError: they cannot be merged.
        OSError: they cannot be read.
    """
    whole, changes = layout(base), layout(adapter)
    if whole.order != "<" or changes.order != "<":
        raise GgufError("only files in little-endian order can be merged")
    by_name = {tensor.name: tensor for tensor in changes.tensors}
    _refuse_strangers(by_name, {tensor.name for tensor in whole.tensors})
    tensors, length = _placed(whole, by_name)
    head = _head(base, whole, tensors)
    return Merge(base, adapter, whole, by_name, changes.alpha, tensors, head, len(head) + length)


def pieces(merge: Merge) -> Iterator[bytes]:
    """Yield the merged file in pieces, a changed tensor each, or a part of another one.

    Raises:
        GgufError: a file has become shorter.
        OSError: it cannot be read.
    """
    yield merge.head
    for old, new in zip(merge.whole.tensors, merge.tensors, strict=True):
        if old.name + FIRST in merge.changes:
            yield quantised(_changed(merge, old))
        else:
            yield from _copied(merge.base, old.start, _size(old))
        if padding := -_size(new) % merge.whole.alignment:
            yield bytes(padding)


def _refuse_strangers(changes: Mapping[str, Tensor], known: set[str]) -> None:
    for name in changes:
        if name.removesuffix(FIRST).removesuffix(SECOND) not in known:
            raise GgufError(f"the adapter is one of another model: that has no {name}")
        other = name.removesuffix(FIRST) + SECOND if name.endswith(FIRST) else name.removesuffix(SECOND) + FIRST
        if other not in changes:
            raise GgufError(f"the adapter is damaged: it lacks {other}")


def _placed(whole: Layout, changes: Mapping[str, Tensor]) -> tuple[tuple[Tensor, ...], int]:
    """Return the tensors as they will be, and how long they are together."""
    placed, at = [], 0
    for tensor in whole.tensors:
        new = tensor._replace(start=at, kind=Q8_0 if tensor.name + FIRST in changes else tensor.kind)
        placed.append(new)
        size = _size(new)
        at += size + -size % whole.alignment
    return tuple(placed), at


def _size(tensor: Tensor) -> int:
    if tensor.kind not in FORMATS:
        raise GgufError(f"the type {tensor.kind} of {tensor.name} is not known")
    form = FORMATS[tensor.kind]
    if tensor.shape and tensor.shape[0] % form.numbers:
        raise GgufError(f"it is damaged: the rows of {tensor.name} are no whole blocks")
    return math.prod(tensor.shape) // form.numbers * form.size


def _head(base: BinaryIO, whole: Layout, tensors: tuple[Tensor, ...]) -> bytes:
    """Return all that stands before the first tensor; the keys are those of the base."""
    base.seek(whole.keys_start)
    keys = base.read(whole.keys_end - whole.keys_start)
    count = "I" if whole.version == 1 else "Q"
    head = MAGIC + struct.pack(f"<I{count}{count}", whole.version, len(tensors), whole.keys) + keys
    for tensor in tensors:
        name, dimensions = tensor.name.encode(), len(tensor.shape)
        head += struct.pack(f"<{count}{len(name)}sI{dimensions}{count}", len(name), name, dimensions, *tensor.shape)
        head += struct.pack("<IQ", tensor.kind, tensor.start)
    return head + bytes(-len(head) % whole.alignment)


def _changed(merge: Merge, tensor: Tensor) -> NDArray[np.float32]:
    """Return the numbers of a tensor with the change of the adapter: the product of its two parts, scaled."""
    first, second = (merge.changes[tensor.name + end] for end in (FIRST, SECOND))
    rank = first.shape[-1]
    if (first.shape, second.shape) != ((tensor.shape[0], rank), (rank, tensor.shape[-1])):
        raise GgufError(f"the adapter is one of another model: it does not fit {tensor.name}")
    change = _matrix(merge.adapter, second) @ _matrix(merge.adapter, first)
    # An adapter that does not say its scale is used as it is.
    return _matrix(merge.base, tensor) + np.float32(merge.alpha / rank if merge.alpha else 1) * change


def _matrix(file: BinaryIO, tensor: Tensor) -> NDArray[np.float32]:
    data = b"".join(_copied(file, tensor.start, _size(tensor)))
    return dequantised(tensor.kind, data).reshape(tensor.shape[::-1])


def _copied(file: BinaryIO, start: int, length: int) -> Iterator[bytes]:
    file.seek(start)
    while length:
        read = file.read(min(length, PIECE))
        if not read:
            raise GgufError("it became shorter while it was read")
        length -= len(read)
        yield read
