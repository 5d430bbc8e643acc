"""Estimates the memory of a loaded model: weights, cache, buffers.

The rules are those of Ollama 0.32.15 and 0.34.2: server/routes.go and envconfig/config.go.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.models.fit.architecture import Architecture, architecture_from

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.core.messages import RunningModel
    from reflectty.models.fit.placement import Machine


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
"""Bits per weight, averaged over a whole file.

The K and IQ mixtures, Q8_0 and F16 are those that tools/quantize/README.md of llama.cpp (b10488) measured on
Llama 3.1 8B; a smaller model keeps a larger part of its weights in more bits. The uniform ones (Q4_0, Q4_1, Q5_0,
Q5_1, MXFP4) follow from their block sizes in ggml-common.h: 18, 20, 22, 24 and 17 bytes for 32 weights.
"""

COMMON_QUANTIZATIONS: Final = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K", "IQ2_XS")
"""The quantizations commonly offered for download, best first."""


class CacheType(NamedTuple):
    """A number format of the cache: `numbers` per block of `size` bytes (ggml-common.h of llama.cpp)."""

    numbers: int
    size: int

    def row_bytes(self, numbers: int) -> int:
        """The bytes of a row of so many numbers."""
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
"""The values of OLLAMA_KV_CACHE_TYPE; the default is f16."""
DEFAULT_CACHE: Final = "f16"


def cache_type_of(name: str) -> CacheType:
    """The cache type of that name; the default for an unknown one."""
    return CACHE_TYPES.get(name.strip().lower(), CACHE_TYPES[DEFAULT_CACHE])


def bits_per_weight(quantization: str) -> float:
    """The bits per weight of a quantization as `/api/show` names it; 0 when unknown."""
    name = quantization.strip().upper()
    return BITS_PER_WEIGHT.get(name) or BITS_PER_WEIGHT.get(f"{name}_M", 0.0)


DEFAULT_CONTEXT: Final = 4096
"""Ollama's default context on a machine with less than 23 GiB of GPU memory."""
PADDING: Final = 256
"""A context is rounded up to a multiple of this many tokens (llama-context.cpp)."""
STATE_BYTES: Final = 4
"""States are stored as f32."""

_BATCHES: Final = ((32768, 2048), (4096, 1024))
"""Above the first number of context tokens, Ollama processes a prompt in batches of the second (server/sched.go)."""
SMALL_BATCH: Final = 512
_FLOAT, _HALF = 4, 2
_WIDE: Final = 8192
"""The embedding width of a 70B model, used when it is unknown."""
_SMALL, _LARGE = 3 * 10**9, 25 * 10**9
_PER_TOKEN: Final = {_SMALL: 144 << 10, _LARGE: 256 << 10}
_PER_TOKEN_ABOVE: Final = 320 << 10


class LoadOptions(NamedTuple):
    """The options that a model is loaded with."""

    context: int = DEFAULT_CONTEXT
    """Tokens per conversation (num_ctx)."""
    cache_type: str = DEFAULT_CACHE
    """OLLAMA_KV_CACHE_TYPE."""
    parallel: int = 1
    """Parallel conversations (OLLAMA_NUM_PARALLEL)."""
    batch: int = 0
    """Prompt tokens per batch (num_batch); 0 is the server's choice."""


DEFAULT_LOAD: Final = LoadOptions()


class Estimate(NamedTuple):
    """The estimated memory of a model in bytes."""

    weights: int
    cache: int
    buffers: int
    load: LoadOptions
    """As requested, with the context capped at the model's trained context."""
    architecture: Architecture
    quantization: str = ""
    coarse: bool = False
    """True if the cache is an upper bound for models of this size."""

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.buffers

    @property
    def notes(self) -> tuple[str, ...]:
        """What is unknown, one sentence each."""
        return self.architecture.notes


def estimate_memory(
    info: Mapping[str, object], size: int, load: LoadOptions = DEFAULT_LOAD, quantization: str = ""
) -> Estimate:
    """Estimate the memory of an installed model.

    `info` is `model_info` of /api/show, preferably from a request with `verbose`; `size` is the size of /api/tags in
    bytes, including the weights. The weights are mapped or copied as they are on disk. The cache is that of
    llama-kv-cache.cpp and llama-kv-cache-iswa.cpp: for each attention layer and each conversation,
    `cells x (row(keys) + row(values))`, where the cells are the context, or in a windowed layer `window + batch`, both
    rounded up to a multiple of 256; and for each layer with a state, its numbers as f32.
    """
    return _estimate_for(architecture_from(info), size, load, quantization)


def estimate_from_size(size: int, load: LoadOptions = DEFAULT_LOAD, quantization: str = "") -> Estimate:
    """Estimate coarsely, from the size of a download alone."""
    return _estimate_for(Architecture(""), size, load, quantization)


def with_load(made: Estimate, load: LoadOptions) -> Estimate:
    """The estimate of the same model with other load options."""
    return _estimate_for(made.architecture, made.weights, load, made.quantization)


def with_weights(made: Estimate, weights: int, quantization: str) -> Estimate:
    """The estimate of the same model in another quantization."""
    return made._replace(weights=weights, quantization=quantization)


def _estimate_for(model: Architecture, size: int, load: LoadOptions, quantization: str) -> Estimate:
    longest = model.trained_context or load.context
    load = load._replace(context=max(1, min(load.context, longest)), parallel=max(1, load.parallel))
    return Estimate(
        weights=max(0, size),
        cache=_cache(model, load) if model.layers else _largest_cache(size, load),
        buffers=_buffers(model, load),
        load=load,
        architecture=model,
        quantization=quantization,
        coarse=not model.layers,
    )


def _pad_context(tokens: int) -> int:
    return -(-tokens // PADDING) * PADDING


def batch_size_of(load: LoadOptions) -> int:
    """How many prompt tokens the server processes at once if memory allows."""
    if load.batch > 0:
        return load.batch
    held = load.context * load.parallel
    return next((size for above, size in _BATCHES if held > above), SMALL_BATCH)


def layer_caches(model: Architecture, load: LoadOptions) -> tuple[int, ...]:
    """The bytes that each layer keeps."""
    kind = cache_type_of(load.cache_type)
    context = _pad_context(load.context)
    window = _pad_context(min(context, model.window + batch_size_of(load)))
    return tuple(
        load.parallel
        * (
            (window if layer.is_windowed else context) * (kind.row_bytes(layer.keys) + kind.row_bytes(layer.values))
            + layer.state * STATE_BYTES
        )
        for layer in model.layers
    )


def _cache(model: Architecture, load: LoadOptions) -> int:
    return sum(layer_caches(model, load))


def _largest_cache(size: int, load: LoadOptions) -> int:
    """An upper bound of the cache, from what common models of this size need.

    They keep 112 to 144 KiB per token at f16 up to 3 GB (Llama 3.2 3B, Qwen3 4B), up to 256 KiB at 25 GB (Qwen3 32B),
    320 KiB above (Llama 3.1 70B). A shorter context than usual does not lower it: a window may be as long.
    """
    per_token = next((kept for up_to, kept in _PER_TOKEN.items() if size <= up_to), _PER_TOKEN_ABOVE)
    tokens = _pad_context(max(load.context, DEFAULT_CONTEXT))
    return 2 * load.parallel * tokens * cache_type_of(load.cache_type).row_bytes(per_token // 4)


def _buffers(model: Architecture, load: LoadOptions) -> int:
    """The memory for computing one batch of a prompt.

    Per token of the batch: the widest part of a layer as f32, three rows of the feed-forward network and five of the
    embedding, and a mask as f16 over the cells; and a row of logits per conversation.
    Fitted to what llama-server b10488 reserved for gemma 3 270M with 512 to 32,768 tokens of context (within 3 %).
    """
    pieces = batch_size_of(load)
    context = _pad_context(load.context)
    cells = context + (min(context, _pad_context(model.window + pieces)) if model.window else 0)
    embedding = model.embedding or _WIDE
    width = 3 * (model.feed_forward_width or 4 * embedding) + 5 * embedding
    return pieces * (width * _FLOAT + cells * _HALF) + load.parallel * model.vocabulary_size * _FLOAT


LOAD_VARIABLES: Final = ("OLLAMA_CONTEXT_LENGTH", "OLLAMA_KV_CACHE_TYPE", "OLLAMA_NUM_PARALLEL")
"""The variables of a server's environment that decide how it loads a model."""
_TIERS: Final = ((47 << 30, 262_144), (23 << 30, 32_768))
_MOST: Final = 1 << 30


def default_context_of(machine: Machine) -> int:
    """The context that Ollama chooses by the total memory of all GPUs."""
    memory = sum(gpu.total for gpu in machine.gpus)
    return next((context for least, context in _TIERS if memory >= least), DEFAULT_CONTEXT)


def default_load(
    machine: Machine, *, context: int = 0, parameters: str = "", environment: Mapping[str, str] | None = None
) -> LoadOptions:
    """The options that the server loads a model with.

    Args:
        machine: the server's machine.
        context: the num_ctx of the request; 0 when it has none.
        parameters: the model's, as /api/show writes them: one name and value per line.
        environment: the server's environment, as far as it is known.
    """
    given = environment or {}
    own = _model_parameter(parameters, "num_ctx") or _number(given.get("OLLAMA_CONTEXT_LENGTH", ""))
    kind = given.get("OLLAMA_KV_CACHE_TYPE", "").strip().lower()
    return LoadOptions(
        context=context or own or default_context_of(machine),
        cache_type=kind if kind in CACHE_TYPES else DEFAULT_CACHE,
        parallel=_number(given.get("OLLAMA_NUM_PARALLEL", "")) or 1,
        batch=_model_parameter(parameters, "num_batch"),
    )


def assumptions(environment: Mapping[str, str]) -> tuple[str, ...]:
    """What is assumed of the server from this shell's variables, one sentence each."""
    used = (name for name in LOAD_VARIABLES if environment.get(name, "").strip())
    return tuple(f"assuming that {name}={environment[name]} of this shell also applies to the server" for name in used)


def _model_parameter(parameters: str, name: str) -> int:
    found = re.search(rf"^{name}[ \t]+([0-9]{{1,9}})[ \t]*$", parameters, re.MULTILINE)
    return min(int(found[1]), _MOST) if found else 0


def _number(text: str) -> int:
    text = text.strip().strip("\"'")
    return min(int(text), _MOST) if re.fullmatch(r"[0-9]{1,9}", text) else 0


class Comparison(NamedTuple):
    """The estimate compared with the size that /api/ps reports, in bytes."""

    estimate: Estimate
    """Recomputed for the context that the model was loaded with."""
    size: int
    gpu_share: float
    cpu_share: float
    uncounted: int = 0
    """What the server leaves out of `size`."""

    @property
    def expected(self) -> int:
        """What the server should report if the estimate is right."""
        return self.estimate.total - self.uncounted

    @property
    def difference(self) -> int:
        """How much more the model takes than estimated; negative when it takes less."""
        return self.size - self.expected

    @property
    def relative_difference(self) -> float:
        """The difference as a share of what the model takes."""
        return self.difference / self.size


def compare_with_running(made: Estimate, running: RunningModel) -> Comparison | None:
    """The comparison; None if the server does not report the model's size.

    Ollama 0.32.15 sums what llama-server logs by name and device. A model with a window has two caches under one
    name, and the second, that of the window, overwrites the first, so that /api/ps leaves out the larger one. The
    expected size leaves it out as well, unless the reported size is nearer to the full estimate.
    """
    if running.size <= 0:
        return None
    if running.context_length:
        made = with_load(made, made.load._replace(context=running.context_length))
    share = min(1.0, running.size_vram / running.size)
    hidden = _uncounted_bytes(made)
    counted = abs(running.size - made.total) < abs(running.size - (made.total - hidden))
    return Comparison(made, running.size, share, 1.0 - share, 0 if counted else hidden)


def _uncounted_bytes(made: Estimate) -> int:
    layers = made.architecture.layers
    if not any(layer.is_windowed for layer in layers):
        return 0
    caches = layer_caches(made.architecture, made.load)
    return sum(size for layer, size in zip(layers, caches, strict=True) if not layer.is_windowed and not layer.state)
