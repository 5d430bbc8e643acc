"""Estimates how much memory a loaded model takes: weights, cache, buffers.

Keys are those of GGUF files as /api/show reports them; an array of many elements is empty there without `verbose`. The
rules are those of Ollama 0.32.15 and 0.34.2 (server/routes.go, envconfig/config.go) and llama.cpp b10488.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.protocols.decoding import as_number, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.core.messages import RunningModel


# What a model's memory depends on

_MAX_LAYERS: Final = 512
"""The most layers that llama.cpp accepts (LLAMA_MAX_LAYERS)."""
_FULL_ATTENTION_PERIODS: Final = {"gemma2": 2, "gemma3": 6, "gemma3n": 5, "gpt-oss": 2, "gptoss": 2, "cohere2": 4}
"""Architectures of which the last layer of each period attends to everything, the others to a window.

Files of these architectures lack it. For others that lack it, each layer counts in full, which is the upper bound.
"""


class ModelLayer(NamedTuple):
    """What the cache of one layer keeps."""

    width: int
    """Numbers per token, keys and values together."""
    is_windowed: bool = False
    """True if it keeps only the tokens of the window."""


class Architecture(NamedTuple):
    """What the memory of a model depends on, besides its weights; 0 for an unknown number."""

    layers: tuple[ModelLayer, ...] = ()
    """Empty when unknown."""
    window: int = 0
    embedding: int = 0
    feed_forward_width: int = 0
    """Width of the feed-forward network, with all experts that are active at once."""
    vocabulary_size: int = 0
    trained_context: int = 0
    """The longest context the model was trained for."""
    experts: int = 0
    notes: tuple[str, ...] = ()
    """What is unknown, one sentence each."""


class _ModelInfo(NamedTuple):
    """`model_info`, with keys read under the name of its architecture."""

    info: Mapping[str, object]
    name: str

    def get(self, key: str) -> object:
        return self.info.get(f"{self.name}.{key}")

    def number(self, key: str, default: int = 0) -> int:
        value = self.get(key)
        if isinstance(value, list):
            return max((int(as_number(item)) for item in value), default=default)
        return default if value is None else int(as_number(value))

    def numbers_by_layer(self, key: str, count: int, default: int = 0) -> list[int]:
        """One number per layer; the default for layers that an array does not name."""
        value = self.get(key)
        if not isinstance(value, list):
            return [self.number(key, default)] * count
        named = [int(item) if isinstance(item, bool) else int(as_number(item)) for item in value[:count]]
        return named + [default] * (count - len(named))


def architecture_from(info: Mapping[str, object]) -> Architecture:
    """The architecture that `model_info` describes; its notes name what is missing."""
    read = _ModelInfo(info, as_text(info.get("general.architecture")))
    layers, notes = _layers(read)
    tokens = info.get("tokenizer.ggml.tokens")
    return Architecture(
        layers=layers,
        window=read.number("attention.sliding_window"),
        embedding=read.number("embedding_length"),
        feed_forward_width=max(
            read.number("feed_forward_length"),
            read.number("expert_feed_forward_length") * read.number("expert_used_count"),
        ),
        vocabulary_size=(len(tokens) if isinstance(tokens, list) else 0) or read.number("vocab_size"),
        trained_context=read.number("context_length"),
        experts=read.number("expert_count"),
        notes=notes,
    )


def _layers(read: _ModelInfo) -> tuple[tuple[ModelLayer, ...], tuple[str, ...]]:
    count = read.number("block_count")
    if not 0 < count <= _MAX_LAYERS:
        return (), ("the server does not report the number of layers",)
    if [] in (read.get("attention.head_count_kv"), read.get("attention.head_count")):
        return (), ("the server does not report how the layers differ",)
    if read.get("attention.head_count") is None:
        return (), ("the server does not report the number of attention heads",)
    windowed, notes = _windowed_layers(read, count)
    widths = _cache_widths(read, windowed)
    return tuple(ModelLayer(width, window) for width, window in zip(widths, windowed, strict=True)), notes


def _windowed_layers(read: _ModelInfo, count: int) -> tuple[list[bool], tuple[str, ...]]:
    """Whether each layer attends to a window; False for all when that is unknown."""
    key, window = "attention.sliding_window_pattern", read.number("attention.sliding_window")
    pattern = read.get(key)
    if not window:
        return [False] * count, ()
    if isinstance(pattern, list) and pattern:
        return [bool(item) for item in read.numbers_by_layer(key, count)], ()
    period = read.number(key) or _FULL_ATTENTION_PERIODS.get(read.name, 0)
    if period:
        return [at % period < period - 1 for at in range(count)], ()
    note = "the server does not report which layers use a small window: the cache may be smaller"
    return [False] * count, (note,) if window < read.number("context_length", window + 1) else ()


def _cache_widths(read: _ModelInfo, windowed: list[bool]) -> list[int]:
    """How many numbers each layer keeps per token.

    An attention layer keeps `heads x length` of keys and of values. Where both are one compressed row (MLA, marked by
    `key_length_mla`), it keeps no values. Layers without attention keep a state of a few MB, which is not counted.
    """
    count = len(windowed)
    heads = read.numbers_by_layer("attention.head_count_kv", count, read.number("attention.head_count"))
    usual = read.number("embedding_length") // max(1, read.number("attention.head_count"))
    is_compressed = read.number("attention.key_length_mla") and read.number("attention.value_length_mla")

    def length(key: str, *, window: bool) -> int:
        full = read.number(f"attention.{key}", usual)
        return read.number(f"attention.{key}_swa", full) if window else full

    lengths = {
        window: length("key_length", window=window) + (0 if is_compressed else length("value_length", window=window))
        for window in (False, True)
    }
    own = _caching_layers(read, count)
    return [each * lengths[window] if keeps else 0 for each, window, keeps in zip(heads, windowed, own, strict=True)]


def _caching_layers(read: _ModelInfo, count: int) -> list[bool]:
    """Whether each layer has a cache of its own."""
    interval = read.number("full_attention_interval") or 1
    recurrent = read.numbers_by_layer("attention.recurrent_layers", count)
    last = count - read.number("attention.shared_kv_layers")
    return [not recurrent[at] and (at + 1) % interval == 0 and at < last for at in range(count)]


# How a model is loaded

_BLOCK: Final = 32
DEFAULT_CACHE: Final = "f16"
CACHE_TYPES: Final = {
    "f32": 128, "f16": 64, "bf16": 64, "q8_0": 34, "q5_1": 24, "q5_0": 22, "q4_1": 20, "q4_0": 18, "iq4_nl": 18,
}  # fmt: skip
"""The bytes of a block of 32 numbers by the value of OLLAMA_KV_CACHE_TYPE (ggml-common.h of llama.cpp)."""
DEFAULT_CONTEXT: Final = 4096
"""Ollama's default context on a machine with less than 23 GiB of GPU memory."""
_BATCHES: Final = ((32768, 2048), (4096, 1024))
"""Above the first number of context tokens, Ollama processes a prompt in batches of the second (server/sched.go)."""
SMALL_BATCH: Final = 512


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


# The estimate

PADDING: Final = 256
"""A context is rounded up to a multiple of this many tokens (llama-context.cpp)."""
_FLOAT, _HALF = 4, 2
_WIDE: Final = 8192
"""The embedding width of a 70B model, used when it is unknown."""
_COARSE_WIDTHS: Final = ((3 * 10**9, 72 << 10), (25 * 10**9, 128 << 10))
"""Up to so many bytes of weights, how many numbers the cache of common models keeps per token."""
_MAX_COARSE_WIDTH: Final = 160 << 10


class Estimate(NamedTuple):
    """The estimated memory of a model in bytes."""

    weights: int
    cache: int
    buffers: int
    load: LoadOptions
    """As requested, with the context capped at the model's trained context."""
    architecture: Architecture
    quantization: str = ""

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.buffers

    @property
    def coarse(self) -> bool:
        """True if the cache is an upper bound for models of this size."""
        return not self.architecture.layers

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
    llama-kv-cache.cpp and llama-kv-cache-iswa.cpp: for each attention layer and each conversation, `cells x width`,
    where the cells are the context, or in a windowed layer `window + batch`, both rounded up to a multiple of 256.
    """
    return _estimate_for(architecture_from(info), size, load, quantization)


def estimate_from_size(size: int, load: LoadOptions = DEFAULT_LOAD, quantization: str = "") -> Estimate:
    """Estimate coarsely, from the size of a download alone."""
    return _estimate_for(Architecture(), size, load, quantization)


def with_load(estimate: Estimate, load: LoadOptions) -> Estimate:
    """The estimate of the same model with other load options."""
    return _estimate_for(estimate.architecture, estimate.weights, load, estimate.quantization)


def _estimate_for(model: Architecture, size: int, load: LoadOptions, quantization: str) -> Estimate:
    longest = model.trained_context or load.context
    load = load._replace(context=max(1, min(load.context, longest)), parallel=max(1, load.parallel))
    return Estimate(
        weights=max(0, size),
        cache=sum(layer_caches(model, load)) if model.layers else _coarse_cache(size, load),
        buffers=_buffers(model, load),
        load=load,
        architecture=model,
        quantization=quantization,
    )


def _pad_context(tokens: int) -> int:
    return -(-tokens // PADDING) * PADDING


def batch_size_of(load: LoadOptions) -> int:
    """How many prompt tokens the server processes at once if memory allows."""
    if load.batch > 0:
        return load.batch
    tokens = load.context * load.parallel
    return next((size for above, size in _BATCHES if tokens > above), SMALL_BATCH)


def _cache_bytes(numbers: int, load: LoadOptions) -> int:
    return load.parallel * numbers * CACHE_TYPES.get(load.cache_type, CACHE_TYPES[DEFAULT_CACHE]) // _BLOCK


def layer_caches(model: Architecture, load: LoadOptions) -> tuple[int, ...]:
    """The bytes that each layer keeps."""
    context = _pad_context(load.context)
    window = _pad_context(min(context, model.window + batch_size_of(load)))
    return tuple(_cache_bytes(layer.width * (window if layer.is_windowed else context), load) for layer in model.layers)


def _coarse_cache(size: int, load: LoadOptions) -> int:
    """An upper bound of the cache, from what common models of this size need.

    They keep 112 to 144 KiB per token at f16 up to 3 GB (Llama 3.2 3B, Qwen3 4B), up to 256 KiB at 25 GB (Qwen3 32B),
    320 KiB above (Llama 3.1 70B). A shorter context than usual does not lower it: a window may be as long.
    """
    width = next((width for up_to, width in _COARSE_WIDTHS if size <= up_to), _MAX_COARSE_WIDTH)
    return _cache_bytes(_pad_context(max(load.context, DEFAULT_CONTEXT)) * width, load)


def _buffers(model: Architecture, load: LoadOptions) -> int:
    """The memory for computing one batch of a prompt.

    Per token of the batch: the widest part of a layer as f32, three rows of the feed-forward network and five of the
    embedding, and a mask as f16 over the cells; and a row of logits per conversation.
    Fitted to what llama-server b10488 reserved for gemma 3 270M with 512 to 32,768 tokens of context (within 3 %).
    """
    batch, context = batch_size_of(load), _pad_context(load.context)
    cells = context + (min(context, _pad_context(model.window + batch)) if model.window else 0)
    embedding = model.embedding or _WIDE
    width = 3 * (model.feed_forward_width or 4 * embedding) + 5 * embedding
    return batch * (width * _FLOAT + cells * _HALF) + load.parallel * model.vocabulary_size * _FLOAT


class Comparison(NamedTuple):
    """The estimate compared with the size that /api/ps reports, in bytes."""

    estimate: Estimate
    """Recomputed for the context that the model was loaded with."""
    size: int
    gpu_share: float
    uncounted: int = 0
    """What the server leaves out of `size`."""

    @property
    def cpu_share(self) -> float:
        return 1.0 - self.gpu_share

    @property
    def expected(self) -> int:
        """What the server should report if the estimate is right."""
        return self.estimate.total - self.uncounted

    @property
    def difference(self) -> int:
        """How much more the model takes than estimated; negative when it takes less."""
        return self.size - self.expected


def compare_with_running(estimate: Estimate, running: RunningModel) -> Comparison | None:
    """The comparison; None if the server does not report the model's size.

    Ollama 0.32.15 sums what llama-server logs by name and device. A model with a window has two caches under one
    name, and the second, that of the window, overwrites the first, so that /api/ps leaves out the larger one. The
    expected size leaves it out as well, unless the reported size is nearer to the full estimate.
    """
    if running.size <= 0:
        return None
    if running.context_length:
        estimate = with_load(estimate, estimate.load._replace(context=running.context_length))
    layers = estimate.architecture.layers
    caches = zip(layers, layer_caches(estimate.architecture, estimate.load), strict=True)
    hidden = sum(size for layer, size in caches if not layer.is_windowed)
    if not any(layer.is_windowed for layer in layers) or 2 * (running.size - estimate.total) > -hidden:
        hidden = 0
    return Comparison(estimate, running.size, min(1.0, running.size_vram / running.size), hidden)
