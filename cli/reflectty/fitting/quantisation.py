"""How many bits a weight takes in each quantisation, and how many bytes a row of the cache; decides nothing."""

from __future__ import annotations

from typing import Final, NamedTuple

BITS_PER_WEIGHT: Final = {
    "F32": 32.0,
    "BF16": 16.0,
    "F16": 16.0,
    "Q8_0": 8.5008,
    "Q6_K": 6.5633,
    "Q5_K_M": 5.7036,
    "Q5_1": 6.0,
    "Q5_K_S": 5.5704,
    "Q5_0": 5.5,
    "Q4_1": 5.0,
    "Q4_K_M": 4.8944,
    "IQ4_NL": 4.6818,
    "Q4_K_S": 4.6672,
    "Q4_0": 4.5,
    "IQ4_XS": 4.4597,
    "Q3_K_L": 4.2979,
    "MXFP4": 4.25,
    "Q3_K_M": 3.9960,
    "IQ3_M": 3.7628,
    "IQ3_S": 3.6606,
    "Q3_K_S": 3.6429,
    "IQ3_XS": 3.4977,
    "IQ3_XXS": 3.2548,
    "Q2_K": 3.1593,
    "Q2_K_S": 2.9697,
    "IQ2_M": 2.9294,
    "IQ2_S": 2.7403,
    "IQ2_XS": 2.5882,
    "IQ2_XXS": 2.3824,
    "IQ1_M": 2.1460,
    "IQ1_S": 2.0042,
}
"""Bits of a weight, averaged over a whole file.

The K and IQ mixtures, Q8_0 and F16 are those that tools/quantize/README.md of llama.cpp (b10488) measured on
Llama 3.1 8B; a smaller model keeps a larger part of its weights in more bits. The uniform ones (Q4_0, Q4_1, Q5_0,
Q5_1, MXFP4) are the size of their blocks in ggml-common.h: 18, 20, 22, 24 and 17 bytes for 32 weights.
"""

LADDER: Final = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K", "IQ2_XS")
"""The quantisations that are commonly offered for download, the best first."""


class CacheType(NamedTuple):
    """How the cache keeps its numbers: blocks of some numbers in some bytes (ggml-common.h of llama.cpp)."""

    numbers: int
    size: int

    def row(self, numbers: int) -> int:
        """Return the bytes of a row of so many numbers."""
        return -(-numbers // self.numbers) * self.size


CACHE_TYPES: Final = {
    "f32": CacheType(1, 4),
    "f16": CacheType(1, 2),
    "bf16": CacheType(1, 2),
    "q8_0": CacheType(32, 34),
    "q5_1": CacheType(32, 24),
    "q5_0": CacheType(32, 22),
    "q4_1": CacheType(32, 20),
    "q4_0": CacheType(32, 18),
    "iq4_nl": CacheType(32, 18),
}
"""What OLLAMA_KV_CACHE_TYPE may name; without it the cache is f16."""
DEFAULT_CACHE: Final = "f16"


def cache_type(name: str) -> CacheType:
    """Return the type of that name; the default for one that does not exist."""
    return CACHE_TYPES.get(name.strip().lower(), CACHE_TYPES[DEFAULT_CACHE])


def bits_per_weight(quantisation: str) -> float:
    """Return the bits of a weight in a quantisation as `/api/show` names it; 0 when it is not known."""
    name = quantisation.strip().upper()
    return BITS_PER_WEIGHT.get(name) or BITS_PER_WEIGHT.get(f"{name}_M", 0.0)
