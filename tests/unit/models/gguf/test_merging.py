"""Merging an adapter into small weights: each tensor, the keys, and adapters that do not fit."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest

from reflectty.models import gguf
from reflectty.models.gguf import merge
from reflectty.models.gguf.merge import F32, Q5_0, Q8_0, dequantize, quantize_to_q8_0
from support.gguf_bytes import Making
from support.gguf_tensors import Part, whole

ROWS, COLUMNS, RANK, ALPHA = 3, 64, 2, 4.0
CHANCE = np.random.default_rng(5)


def numbers(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return CHANCE.standard_normal(shape).astype(np.float32)


TOUCHED, FIRST, SECOND = numbers(ROWS, COLUMNS), numbers(RANK, COLUMNS), numbers(ROWS, RANK)
NORM = Part("norm", (5,), F32, struct.pack("<5f", 1, 2, 3, 4, 5))
WEIGHTS = Part("blk.0.q", (COLUMNS, ROWS), F32, TOUCHED.tobytes())
ASIDE = Part("blk.0.k", (32, 1), Q5_0, bytes(range(22)))
A = Part("blk.0.q.lora_a", (COLUMNS, RANK), F32, FIRST.tobytes())
B = Part("blk.0.q.lora_b", (RANK, ROWS), F32, SECOND.tobytes())
BASE = whole([NORM, WEIGHTS, ASIDE])


def merged(base: bytes = BASE, parts: tuple[Part, ...] = (A, B), alpha: float = ALPHA) -> bytes:
    adapter = io.BytesIO(whole(list(parts), alpha=alpha))
    plan = merge.plan_merge(io.BytesIO(base), adapter)
    content = b"".join(merge.merged_pieces_of(plan))
    assert len(content) == plan.size
    return content


def tensors(content: bytes) -> dict[str, gguf.Tensor]:
    return {tensor.name: tensor for tensor in gguf.read_layout(io.BytesIO(content)).tensors}


def test_adapted_tensor_is_changed_and_quantized_to_q8_0() -> None:
    content = merged()
    tensor = tensors(content)["blk.0.q"]
    expected = TOUCHED + np.float32(ALPHA / RANK) * (SECOND @ FIRST)

    assert (tensor.kind, tensor.shape) == (Q8_0, (COLUMNS, ROWS))
    assert content[tensor.start : tensor.start + 34 * 6] == quantize_to_q8_0(expected)
    assert np.abs(dequantize(Q8_0, content[tensor.start : tensor.start + 34 * 6]) - expected.ravel()).max() < 0.1


def test_other_data_is_unchanged_and_at_the_listed_offset() -> None:
    content = merged()
    found = tensors(content)

    assert list(found) == ["norm", "blk.0.q", "blk.0.k"]
    for part in (NORM, ASIDE):
        tensor = found[part.name]
        assert (tensor.kind, tensor.shape, tensor.start % 32) == (part.kind, part.shape, 0)
        assert content[tensor.start : tensor.start + len(part.data)] == part.data
    keys = gguf.read_layout(io.BytesIO(BASE))
    assert content[:8] == BASE[:8]
    assert content[keys.keys_start : keys.keys_end] == BASE[keys.keys_start : keys.keys_end]
    assert len(content) % 32 == 0


def test_adapter_without_a_scale_is_added_unscaled() -> None:
    content = merged(alpha=0)
    tensor = tensors(content)["blk.0.q"]

    assert content[tensor.start : tensor.start + 34 * 6] == quantize_to_q8_0(TOUCHED + SECOND @ FIRST)


@pytest.mark.parametrize(
    ("base", "parts", "said"),
    [
        (BASE, (A,), "blk.0.q.lora_b is missing"),
        (BASE, (A, B, A._replace(name="blk.0.v.lora_b")), "another model: this one has no blk.0.v.lora_b"),
        (BASE, (A._replace(shape=(32, 4)), B), "does not fit blk.0.q"),
        (whole([NORM, WEIGHTS._replace(kind=34)]), (A, B), "tensor type 34 of blk.0.q is not supported"),
        (whole([NORM, WEIGHTS, ASIDE._replace(shape=(31, 1))]), (A, B), "rows of blk.0.k are not whole blocks"),
        (whole([WEIGHTS], Making(order=">")), (A, B), "little-endian"),
        (BASE[:-64], (A, B), "became shorter"),
        (b"GGUF", (A, B), "ends inside its header"),
    ],
    ids=["a half", "a stranger", "another size", "an unknown type", "no whole blocks", "big-endian", "cut", "no GGUF"],
)
def test_invalid_merge_is_refused(base: bytes, parts: tuple[Part, ...], said: str) -> None:
    with pytest.raises(gguf.GgufError, match=said):
        merged(base, parts)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_file_version_is_preserved(version: int) -> None:
    content = merged(whole([NORM, WEIGHTS], Making(version)))

    assert gguf.read_layout(io.BytesIO(content)).version == version
    assert tensors(content)["norm"].shape == (5,)


@pytest.mark.parametrize(
    ("part", "said"),
    [(NORM._replace(shape=(1,) * 5), "5 dimensions"), (NORM._replace(name="x" * 70000), "ends inside its header")],
)
def test_damaged_tensor_list_is_refused(part: Part, said: str) -> None:
    content = whole([part])
    with pytest.raises(gguf.GgufError, match=said):
        gguf.read_layout(io.BytesIO(content[: 3 * len(part.name) // 4] if len(part.name) > 9 else content))
