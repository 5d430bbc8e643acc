"""Write a trained adapter as the GGUF file that llama.cpp and Ollama load beside the base model, or read one again."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import gguf
import numpy as np
import torch

from mini import gemma
from mini.adapter import Adapter
from mini.weights import base_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mini.adapter import Lora

TYPES = {"q8_0": gguf.GGMLQuantizationType.Q8_0, "f16": gguf.GGMLQuantizationType.F16}


def tensors(name: str, lora: Lora) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the two matrices of each part of a fused matrix, with the names of the base's tensors."""
    layer, fused = name.split(".")
    downs = lora.downs.split(lora.rank)
    for part, down, up in zip(gemma.FUSED[fused], downs, lora.ups, strict=True):
        yield f"blk.{layer}.{part}.weight.lora_a", down.numpy()
        yield f"blk.{layer}.{part}.weight.lora_b", up.numpy()


def write(adapter: Adapter, out: Path, kind: str) -> None:
    """Write the file; rows must be divisible by 32 for Q8_0, and so must the rank."""
    writer = gguf.GGUFWriter(out, "gemma3")
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    scale = next(iter(adapter.loras.values())).scale
    writer.add_float32("adapter.lora.alpha", adapter.rank * scale)
    for name, lora in adapter.loras.items():
        for tensor, values in tensors(name, lora):
            packed = gguf.quants.quantize(np.ascontiguousarray(values), TYPES[kind])
            writer.add_tensor(tensor, packed, raw_dtype=TYPES[kind])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def read(adapter: Adapter, path: Path) -> None:
    """Give an adapter of the same rank the numbers of a file that was written here, as exact as the file keeps them."""
    found = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    for name, lora in adapter.loras.items():
        for tensor, values in tensors(name, lora):
            np.copyto(values, gguf.quants.dequantize(found[tensor].data, found[tensor].tensor_type))
    adapter.refresh()


def main() -> None:
    """Read the command line and write the file."""
    parser = argparse.ArgumentParser(prog="python -m mini.export", description=__doc__)
    parser.add_argument("run", type=Path, help="last.pt of a run")
    parser.add_argument("out", type=Path, help="the GGUF file to write")
    parser.add_argument("--base", type=Path, help="the GGUF file of the base model, if not the installed one")
    parser.add_argument("--type", choices=TYPES, default="q8_0", help="how the numbers are kept")
    parser.add_argument(
        "--average", type=Path, help="an exported adapter, the one that the run began with, to average with"
    )
    parser.add_argument("--share", type=float, default=0.7, help="the share of the run in that average")
    options = parser.parse_args()
    state = torch.load(options.run)
    base = gemma.load(options.base or base_path())
    adapter = Adapter(base, state["rank"], seed=0)
    with torch.no_grad():
        adapter.numbers.copy_(state["numbers"])
        if options.average:
            before = Adapter(base, state["rank"], seed=0)
            read(before, options.average)
            adapter.numbers.copy_(before.numbers + (adapter.numbers - before.numbers) * options.share)
    write(adapter, options.out, options.type)
    print(f"{options.out}: {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
