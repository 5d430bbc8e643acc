"""The frozen weights of the base model, read from its GGUF file; knows nothing of how they are used."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import gguf
import numpy as np
import torch

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

FUSED = {
    "attn_qkv": ("attn_q", "attn_k", "attn_v"),
    "attn_output": ("attn_output",),
    "ffn_gate_up": ("ffn_gate", "ffn_up"),
    "ffn_down": ("ffn_down",),
}
_HAS = torch.cpu.get_capabilities()
WORK = torch.bfloat16 if _HAS.get("avx512_bf16") or _HAS.get("amx_bf16") else torch.float32
"""What matrices are multiplied in: bfloat16 only where the processor does that itself, elsewhere it is much slower."""
NORMS = ("attn_norm", "attn_q_norm", "attn_k_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")


class Shape(NamedTuple):
    """The numbers of a model, as its file gives them."""

    layers: int
    width: int
    heads: int
    head: int
    hidden: int
    window: int
    epsilon: float
    base: float


class Base(NamedTuple):
    """The frozen weights: matrices in `WORK`, norms in float32."""

    shape: Shape
    embedding: Tensor
    norm: Tensor
    matrices: dict[str, Tensor]
    norms: dict[str, Tensor]
    sizes: dict[str, tuple[int, ...]]
    """How many rows of a fused matrix belong to each of its parts."""


def load(path: Path) -> Base:
    """Read a GGUF file and undo its quantisation."""
    reader = gguf.GGUFReader(path)
    found = {tensor.name: tensor for tensor in reader.tensors}
    shape = _shape(reader)
    matrices, norms, sizes = {}, {}, {}
    for layer in range(shape.layers):
        for fused, parts in FUSED.items():
            rows = [_plain(found[f"blk.{layer}.{part}.weight"]).to(WORK) for part in parts]
            matrices[f"{layer}.{fused}"] = torch.cat(rows)
            sizes[fused] = tuple(len(part) for part in rows)
        for norm in NORMS:
            norms[f"{layer}.{norm}"] = _plain(found[f"blk.{layer}.{norm}.weight"])
    embedding = _plain(found["token_embd.weight"]).to(WORK)
    return Base(shape, embedding, _plain(found["output_norm.weight"]), matrices, norms, sizes)


def _shape(reader: gguf.GGUFReader) -> Shape:
    def field(name: str) -> float:
        return reader.fields[f"gemma3.{name}"].contents()

    if field("attention.head_count_kv") != 1:
        raise ValueError("this network has one head of keys and values")
    return Shape(
        layers=int(field("block_count")),
        width=int(field("embedding_length")),
        heads=int(field("attention.head_count")),
        head=int(field("attention.key_length")),
        hidden=int(field("feed_forward_length")),
        window=int(field("attention.sliding_window")),
        epsilon=field("attention.layer_norm_rms_epsilon"),
        base=field("rope.freq_base"),
    )


def _plain(tensor: gguf.ReaderTensor) -> Tensor:
    values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
    return torch.from_numpy(np.array(values, dtype=np.float32))
