"""Blocks of ggml read as numbers, and numbers written as Q8_0, against values calculated by hand."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.models.gguf.merge import F16, F32, FORMATS, Q4_K, Q5_0, Q6_K, Q8_0, dequantize, quantize_to_q8_0

HALF = struct.pack("<e", 0.5)
ONE = struct.pack("<e", 1.0)
RISING = bytes(range(16))


def q5_0() -> tuple[bytes, list[float]]:
    """Numbers 0 to 15 in the low halves and 15 in the high ones; the fifth bit is set in the first and the last."""
    high = 1 | 1 << 31
    low = bytes(number | 15 << 4 for number in range(16))
    first = [(16 if number == 0 else number) - 16 for number in range(16)]
    last = [(31 if number == 15 else 15) - 16 for number in range(16)]
    return HALF + struct.pack("<I", high) + low, [0.5 * number for number in first + last]


def q4_k() -> tuple[bytes, list[float]]:
    """Scales 1, 2, 3, 4, 17, 34, 51, 63 and minima 5, 6, 7, 8, 21, 38, 55, 62, each over two places of the block."""
    scales, minima = (1, 2, 3, 4, 17, 34, 51, 63), (5, 6, 7, 8, 21, 38, 55, 62)
    packed = bytes(scales[at] | scales[at + 4] >> 4 << 6 for at in range(4))
    packed += bytes(minima[at] | minima[at + 4] >> 4 << 6 for at in range(4))
    packed += bytes(scales[at + 4] & 15 | (minima[at + 4] & 15) << 4 for at in range(4))
    numbers = [[(group + at) % 16 for at in range(32)] for group in range(8)]
    body = b"".join(
        bytes(low | high << 4 for low, high in zip(numbers[two], numbers[two + 1], strict=True))
        for two in range(0, 8, 2)
    )
    expected = [0.5 * scales[group] * number - minima[group] for group, row in enumerate(numbers) for number in row]
    return HALF + ONE + packed + body, expected


def q6_k() -> tuple[bytes, list[float]]:
    """Numbers of all 64 sizes, and sixteen scales, half of them below 0."""
    numbers = [(7 * at + 3) % 64 for at in range(256)]
    scales = [at - 8 for at in range(16)]
    low, high = bytearray(128), bytearray(64)
    for at, number in enumerate(numbers):
        half, place = divmod(at, 128)
        row, column = divmod(place, 32)
        low[64 * half + 32 * (row % 2) + column] |= (number & 15) << 4 * (row // 2)
        high[32 * half + column] |= (number >> 4) << 2 * row
    expected = [0.5 * scales[at // 16] * (number - 32) for at, number in enumerate(numbers)]
    return bytes(low + high) + struct.pack("16b", *scales) + HALF, expected


@pytest.mark.parametrize(
    ("kind", "block", "expected"),
    [
        (F32, struct.pack("<2f", 1.5, -2), [1.5, -2]),
        (F16, HALF + ONE, [0.5, 1]),
        (Q8_0, HALF + struct.pack("32b", *range(-16, 16)), [0.5 * number for number in range(-16, 16)]),
        (Q5_0, *q5_0()),
        (Q4_K, *q4_k()),
        (Q6_K, *q6_k()),
    ],
    ids=["F32", "F16", "Q8_0", "Q5_0", "Q4_K", "Q6_K"],
)
def test_blocks_are_dequantized(kind: int, block: bytes, expected: list[float]) -> None:
    assert dequantize(kind, block).tolist() == expected
    assert dequantize(kind, block * 3).tolist() == expected * 3


def test_largest_number_becomes_127_and_halves_round_away_from_zero() -> None:
    numbers = np.array([127, -126.5, 0.5, -0.5, 2.5, 1.49, *[0.0] * 26], np.float32)

    assert quantize_to_q8_0(numbers) == ONE + struct.pack("32b", 127, -127, 1, -1, 3, 1, *[0] * 26)


def test_zero_block_stays_zero() -> None:
    assert quantize_to_q8_0(np.zeros(64, np.float32)) == bytes(68)


@given(st.lists(st.floats(-1000, 1000, width=32), min_size=32, max_size=32))
def test_quantization_error_is_at_most_half_a_step(numbers: list[float]) -> None:
    block = quantize_to_q8_0(np.array(numbers, np.float32))
    step = max(map(abs, numbers)) / 127

    assert len(block) == FORMATS[Q8_0].size
    # The scale has 11 bits, and fewer below 0.00006.
    assert np.abs(dequantize(Q8_0, block) - numbers).max() <= 0.5 * step + 127 * (step / 2048 + 2**-24)


def test_partial_block_is_refused() -> None:
    with pytest.raises(ValueError, match="reshape"):
        dequantize(Q8_0, bytes(35))
