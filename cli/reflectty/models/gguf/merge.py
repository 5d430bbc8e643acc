"""Merges a LoRA adapter into quantized weights.

The block layouts are those of ggml-common.h, the arithmetic is that of ggml-quants.c.

Tensors that the adapter changes become Q8_0, which preserves the change: the five bits that most of them have would
round much of it away. All others are copied byte for byte.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from reflectty.core.named_tuple import NamedTuple
from reflectty.models.gguf import MAGIC, GgufError, GgufLayout, Tensor, copied_pieces, read_layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

    Numbers = NDArray[np.float32]


F32: Final = 0
F16: Final = 1
Q5_0: Final = 6
Q8_0: Final = 8
Q4_K: Final = 12
Q6_K: Final = 14
LARGEST: Final = 127
"""The quantized value of the largest number in a Q8_0 block."""
_KEPT_AS_0: Final = np.float32(1e-30)
"""Far below the smallest float16, and far above what has no inverse in float32."""


class BlockFormat(NamedTuple):
    """How a tensor type stores its numbers."""

    numbers: int
    """Per block."""
    size: int
    """Bytes per block."""
    read: Callable[[Bytes], Numbers]
    """Converts blocks, one per row, to numbers, one block per row."""


def dequantize(kind: int, data: bytes) -> Numbers:
    """The numbers of a tensor in a flat array.

    Raises:
        KeyError: the type is not supported.
        ValueError: the data are not whole blocks.
    """
    form = FORMATS[kind]
    return form.read(np.frombuffer(data, np.uint8).reshape(-1, form.size)).reshape(-1)


def quantize_to_q8_0(numbers: Numbers) -> bytes:
    """Quantize numbers to Q8_0: blocks of 32, each scaled by its largest."""
    blocks = numbers.reshape(-1, FORMATS[Q8_0].numbers)
    scale = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(LARGEST)
    # A scale that is stored as 0 turns all numbers into 0.
    inverse = np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale > _KEPT_AS_0)
    scaled = blocks * inverse
    # Round halves away from 0, as in C, not to even.
    whole = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).astype(np.int8)
    return np.concatenate([scale.astype("<f2").view(np.uint8), whole.view(np.uint8)], axis=1).tobytes()


def _read_float16(data: Bytes) -> Numbers:
    return np.ascontiguousarray(data).view("<f2").astype(np.float32)


def _read_float32(data: Bytes) -> Numbers:
    return np.ascontiguousarray(data).view("<f4").astype(np.float32)


def _read_int8(data: Bytes) -> NDArray[np.int8]:
    return np.ascontiguousarray(data).view(np.int8)


def _q8_0(blocks: Bytes) -> Numbers:
    """A scale, and 32 numbers of 8 bits."""
    return _read_float16(blocks[:, :2]) * _read_int8(blocks[:, 2:])


def _q5_0(blocks: Bytes) -> Numbers:
    """A scale, the highest bits of 32 numbers, and the lower four of each: the first half low, the second high."""
    high = np.unpackbits(blocks[:, 2:6], axis=1, bitorder="little")
    low = np.concatenate([blocks[:, 6:] & 15, blocks[:, 6:] >> 4], axis=1)
    numbers: Numbers = _read_float16(blocks[:, :2]) * ((high << 4 | low).astype(np.int8) - np.int8(16))
    return numbers


def _q4_k(blocks: Bytes) -> Numbers:
    """Two scales, eight scales and minima of 6 bits for 32 numbers each, and the numbers: of 4 bits, 64 in 32 bytes."""
    first, last, mixed = blocks[:, 4:8], blocks[:, 8:12], blocks[:, 12:16]
    scales = np.concatenate([first & 63, (mixed & 15) | (first >> 6 << 4)], axis=1)
    minima = np.concatenate([last & 63, (mixed >> 4) | (last >> 6 << 4)], axis=1)
    pairs = blocks[:, 16:].reshape(-1, 4, 1, 32)
    whole = np.concatenate([pairs & 15, pairs >> 4], axis=2).reshape(-1, 8, 32)
    by, less = _read_float16(blocks[:, :2]) * scales, _read_float16(blocks[:, 2:4]) * minima
    numbers: Numbers = by[:, :, None] * whole - less[:, :, None]
    return numbers.reshape(len(blocks), -1)


def _q6_k(blocks: Bytes) -> Numbers:
    """The lower four bits of 256 numbers, the upper two, sixteen scales for 16 numbers each, and a scale of those."""
    pairs = blocks[:, :128].reshape(-1, 2, 1, 64)
    low = np.concatenate([pairs & 15, pairs >> 4], axis=2).reshape(-1, 2, 4, 32)
    shifts = np.arange(0, 8, 2, dtype=np.uint8).reshape(4, 1)
    high = blocks[:, 128:192].reshape(-1, 2, 1, 32) >> shifts & 3
    whole = (high << 4 | low).astype(np.int8).reshape(-1, 16, 16) - np.int8(32)
    by = _read_float16(blocks[:, 208:]) * _read_int8(blocks[:, 192:208])
    numbers: Numbers = by[:, :, None] * whole
    return numbers.reshape(len(blocks), -1)


FORMATS: Final = {
    F32: BlockFormat(1, 4, _read_float32),
    F16: BlockFormat(1, 2, _read_float16),
    Q5_0: BlockFormat(32, 22, _q5_0),
    Q8_0: BlockFormat(32, 34, _q8_0),
    Q4_K: BlockFormat(256, 144, _q4_k),
    Q6_K: BlockFormat(256, 210, _q6_k),
}
"""The tensor types of the built-in model's weights and adapter."""

LORA_A: Final = ".lora_a"
"""Suffix of the tensor that projects an input to the rank of the adapter."""
LORA_B: Final = ".lora_b"
"""Suffix of the tensor that projects the rank to a change of the output."""


class MergePlan(NamedTuple):
    """The files and tensors to merge, and the size of the result."""

    base: BinaryIO
    adapter: BinaryIO
    base_layout: GgufLayout
    adapter_tensors: Mapping[str, Tensor]
    alpha: float
    tensors: tuple[Tensor, ...]
    """The tensors of the result; offsets count from the first."""
    head: bytes
    size: int


def plan_merge(base: BinaryIO, adapter: BinaryIO) -> MergePlan:
    """Plan the merge of two files, which must stay open.

    Raises:
        GgufError: they cannot be merged.
        OSError: they cannot be read.
    """
    whole, changes = read_layout(base), read_layout(adapter)
    if whole.order != "<" or changes.order != "<":
        raise GgufError("only little-endian files can be merged")
    by_name = {tensor.name: tensor for tensor in changes.tensors}
    _refuse_unknown_tensors(by_name, {tensor.name for tensor in whole.tensors})
    tensors, length = _place_tensors(whole, by_name)
    head = _head(base, whole, tensors)
    return MergePlan(base, adapter, whole, by_name, changes.alpha, tensors, head, len(head) + length)


def merged_pieces_of(merge: MergePlan) -> Iterator[bytes]:
    """Yield the merged file in pieces: a whole changed tensor, or part of an unchanged one.

    Raises:
        GgufError: a file has become shorter.
        OSError: it cannot be read.
    """
    yield merge.head
    for old, new in zip(merge.base_layout.tensors, merge.tensors, strict=True):
        if old.name + LORA_A in merge.adapter_tensors:
            yield quantize_to_q8_0(_changed_numbers(merge, old))
        else:
            merge.base.seek(old.start)
            yield from copied_pieces(merge.base, _size(old))
        if padding := -_size(new) % merge.base_layout.alignment:
            yield bytes(padding)


def _refuse_unknown_tensors(changes: Mapping[str, Tensor], known: set[str]) -> None:
    for name in changes:
        if name.removesuffix(LORA_A).removesuffix(LORA_B) not in known:
            raise GgufError(f"the adapter belongs to another model: this one has no {name}")
        other = name.removesuffix(LORA_A) + LORA_B if name.endswith(LORA_A) else name.removesuffix(LORA_B) + LORA_A
        if other not in changes:
            raise GgufError(f"the adapter is damaged: {other} is missing")


def _place_tensors(whole: GgufLayout, changes: Mapping[str, Tensor]) -> tuple[tuple[Tensor, ...], int]:
    """The tensors of the result, and their total length."""
    placed, at = [], 0
    for tensor in whole.tensors:
        new = tensor._replace(start=at, kind=Q8_0 if tensor.name + LORA_A in changes else tensor.kind)
        placed.append(new)
        size = _size(new)
        at += size + -size % whole.alignment
    return tuple(placed), at


def _size(tensor: Tensor) -> int:
    if tensor.kind not in FORMATS:
        raise GgufError(f"tensor type {tensor.kind} of {tensor.name} is not supported")
    form = FORMATS[tensor.kind]
    if tensor.shape and tensor.shape[0] % form.numbers:
        raise GgufError(f"damaged file: the rows of {tensor.name} are not whole blocks")
    return math.prod(tensor.shape) // form.numbers * form.size


def _head(base: BinaryIO, whole: GgufLayout, tensors: tuple[Tensor, ...]) -> bytes:
    """The bytes before the first tensor, with the keys of the base."""
    base.seek(whole.keys_start)
    keys = base.read(whole.keys_end - whole.keys_start)
    count = "I" if whole.version == 1 else "Q"
    head = MAGIC + struct.pack(f"<I{count}{count}", whole.version, len(tensors), whole.key_count) + keys
    for tensor in tensors:
        name, dimensions = tensor.name.encode(), len(tensor.shape)
        head += struct.pack(f"<{count}{len(name)}sI{dimensions}{count}", len(name), name, dimensions, *tensor.shape)
        head += struct.pack("<IQ", tensor.kind, tensor.start)
    return head + bytes(-len(head) % whole.alignment)


def _changed_numbers(merge: MergePlan, tensor: Tensor) -> NDArray[np.float32]:
    """The numbers of a tensor plus the adapter's change: the scaled product of its two parts."""
    first, second = (merge.adapter_tensors[tensor.name + end] for end in (LORA_A, LORA_B))
    rank = first.shape[-1]
    if (first.shape, second.shape) != ((tensor.shape[0], rank), (rank, tensor.shape[-1])):
        raise GgufError(f"the adapter belongs to another model: it does not fit {tensor.name}")
    change = _matrix(merge.adapter, second) @ _matrix(merge.adapter, first)
    # An adapter without alpha is not scaled.
    return _matrix(merge.base, tensor) + np.float32(merge.alpha / rank if merge.alpha else 1) * change


def _matrix(file: BinaryIO, tensor: Tensor) -> NDArray[np.float32]:
    file.seek(tensor.start)
    data = b"".join(copied_pieces(file, _size(tensor)))
    return dequantize(tensor.kind, data).reshape(tensor.shape[::-1])
