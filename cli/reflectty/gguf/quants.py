"""Turns the blocks of quantised tensors into numbers, and numbers into blocks of Q8_0; reads no file.

The layouts are those of ggml-common.h, the arithmetic is that of ggml-quants.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

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
"""What the largest number of a block of Q8_0 becomes."""
_KEPT_AS_0: Final = np.float32(1e-30)
"""Far below the least that 16 bits can hold, and far above what has no inverse in 32."""


class BlockFormat(NamedTuple):
    """How a type keeps its numbers."""

    numbers: int
    """In a block."""
    size: int
    """Of a block, in bytes."""
    read: Callable[[Bytes], Numbers]
    """From blocks, one a row, to numbers, one block a row."""


def dequantised(kind: int, data: bytes) -> Numbers:
    """Return the numbers of a tensor, one after the other.

    Raises:
        KeyError: the type is none that can be read.
        ValueError: it does not consist of whole blocks.
    """
    form = FORMATS[kind]
    return form.read(np.frombuffer(data, np.uint8).reshape(-1, form.size)).reshape(-1)


def quantised(numbers: Numbers) -> bytes:
    """Return numbers as blocks of Q8_0: 32 each, by the largest of them."""
    blocks = numbers.reshape(-1, FORMATS[Q8_0].numbers)
    scale = np.abs(blocks).max(axis=1, keepdims=True) / np.float32(LARGEST)
    # A scale that is kept as 0 makes 0 of all numbers.
    inverse = np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale > _KEPT_AS_0)
    scaled = blocks * inverse
    # Halves go away from 0, as in C, and not to the even number.
    whole = np.trunc(scaled + np.copysign(np.float32(0.5), scaled)).astype(np.int8)
    return np.concatenate([scale.astype("<f2").view(np.uint8), whole.view(np.uint8)], axis=1).tobytes()


def _halves(data: Bytes) -> Numbers:
    return np.ascontiguousarray(data).view("<f2").astype(np.float32)


def _singles(data: Bytes) -> Numbers:
    return np.ascontiguousarray(data).view("<f4").astype(np.float32)


def _signed(data: Bytes) -> NDArray[np.int8]:
    return np.ascontiguousarray(data).view(np.int8)


def _q8_0(blocks: Bytes) -> Numbers:
    """A scale, and 32 numbers of 8 bits."""
    return _halves(blocks[:, :2]) * _signed(blocks[:, 2:])


def _q5_0(blocks: Bytes) -> Numbers:
    """A scale, the highest bits of 32 numbers, and the lower four of each: the first half low, the second high."""
    high = np.unpackbits(blocks[:, 2:6], axis=1, bitorder="little")
    low = np.concatenate([blocks[:, 6:] & 15, blocks[:, 6:] >> 4], axis=1)
    numbers: Numbers = _halves(blocks[:, :2]) * ((high << 4 | low).astype(np.int8) - np.int8(16))
    return numbers


def _q4_k(blocks: Bytes) -> Numbers:
    """Two scales, eight scales and minima of 6 bits for 32 numbers each, and the numbers: of 4 bits, 64 in 32 bytes."""
    first, last, mixed = blocks[:, 4:8], blocks[:, 8:12], blocks[:, 12:16]
    scales = np.concatenate([first & 63, (mixed & 15) | (first >> 6 << 4)], axis=1)
    minima = np.concatenate([last & 63, (mixed >> 4) | (last >> 6 << 4)], axis=1)
    pairs = blocks[:, 16:].reshape(-1, 4, 1, 32)
    whole = np.concatenate([pairs & 15, pairs >> 4], axis=2).reshape(-1, 8, 32)
    by, less = _halves(blocks[:, :2]) * scales, _halves(blocks[:, 2:4]) * minima
    numbers: Numbers = by[:, :, None] * whole - less[:, :, None]
    return numbers.reshape(len(blocks), -1)


def _q6_k(blocks: Bytes) -> Numbers:
    """The lower four bits of 256 numbers, the upper two, sixteen scales for 16 numbers each, and a scale of those."""
    pairs = blocks[:, :128].reshape(-1, 2, 1, 64)
    low = np.concatenate([pairs & 15, pairs >> 4], axis=2).reshape(-1, 2, 4, 32)
    shifts = np.arange(0, 8, 2, dtype=np.uint8).reshape(4, 1)
    high = blocks[:, 128:192].reshape(-1, 2, 1, 32) >> shifts & 3
    whole = (high << 4 | low).astype(np.int8).reshape(-1, 16, 16) - np.int8(32)
    by = _halves(blocks[:, 208:]) * _signed(blocks[:, 192:208])
    numbers: Numbers = by[:, :, None] * whole
    return numbers.reshape(len(blocks), -1)


FORMATS: Final = {
    F32: BlockFormat(1, 4, _singles),
    F16: BlockFormat(1, 2, _halves),
    Q5_0: BlockFormat(32, 22, _q5_0),
    Q8_0: BlockFormat(32, 34, _q8_0),
    Q4_K: BlockFormat(256, 144, _q4_k),
    Q6_K: BlockFormat(256, 210, _q6_k),
}
"""What the weights and the adapter of the built-in model are made of."""
