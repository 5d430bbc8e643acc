"""Estimates the memory that a model takes when it is loaded: weights, cache, buffers; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.fitting.architecture import Architecture, architecture
from reflectty.fitting.quantisation import DEFAULT_CACHE, cache_type

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_CONTEXT: Final = 4096
"""What Ollama loads on a machine with less than 23 GiB of GPU memory, unless told otherwise."""
PADDING: Final = 256
"""A context is filled up to a multiple of this many tokens (llama-context.cpp)."""
STATE_BYTES: Final = 4
"""States are kept as f32."""

_BATCHES: Final = ((32768, 2048), (4096, 1024))
"""Above so many tokens of context Ollama reads a prompt in pieces of so many (server/sched.go)."""
SMALL_BATCH: Final = 512
_FLOAT, _HALF = 4, 2
_WIDE: Final = 8192
"""The embedding of a model of 70 billion parameters, taken where it is not known."""
_SMALL, _LARGE = 3 * 10**9, 25 * 10**9
_PER_TOKEN: Final = {_SMALL: 144 << 10, _LARGE: 256 << 10}
_PER_TOKEN_ABOVE: Final = 320 << 10


class Load(NamedTuple):
    """How a server is asked to load a model."""

    context: int = DEFAULT_CONTEXT
    """Tokens of one conversation (num_ctx)."""
    cache_type: str = DEFAULT_CACHE
    """OLLAMA_KV_CACHE_TYPE."""
    parallel: int = 1
    """Conversations at once (OLLAMA_NUM_PARALLEL)."""
    batch: int = 0
    """Tokens of a prompt that are read at once (num_batch); 0 is the server's choice."""


USUAL: Final = Load()


class Estimate(NamedTuple):
    """Bytes that a model takes; not measured."""

    weights: int
    cache: int
    buffers: int
    load: Load
    """As asked for, but no longer a context than the model was made for."""
    architecture: Architecture
    quantisation: str = ""
    coarse: bool = False
    """Whether the cache is only what models of this size need at most."""

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.buffers

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be known, a sentence each."""
        return self.architecture.notes


def estimate(info: Mapping[str, object], size: int, load: Load = USUAL, quantisation: str = "") -> Estimate:
    """Return the memory that an installed model takes.

    `info` is `model_info` of /api/show, best asked for with `verbose`; `size` is that of /api/tags in bytes, and
    with the weights in it. The weights are mapped or copied as they lie on the disk. The cache is that of
    llama-kv-cache.cpp and llama-kv-cache-iswa.cpp: for each layer that attends, and each conversation,
    `cells x (row(keys) + row(values))`, where the cells are the context, or in a layer that attends to a window
    `window + batch`, both filled up to a multiple of 256; and for each layer that keeps a state, its numbers as f32.
    """
    return _estimated(architecture(info), size, load, quantisation)


def from_size(size: int, load: Load = USUAL, quantisation: str = "") -> Estimate:
    """Return a coarse estimate from the size of a download alone."""
    return _estimated(Architecture(""), size, load, quantisation)


def loaded(made: Estimate, load: Load) -> Estimate:
    """Return the estimate of the same model, loaded in another way."""
    return _estimated(made.architecture, made.weights, load, made.quantisation)


def weighing(made: Estimate, weights: int, quantisation: str) -> Estimate:
    """Return the estimate of the same model in another quantisation."""
    return made._replace(weights=weights, quantisation=quantisation)


def _estimated(model: Architecture, size: int, load: Load, quantisation: str) -> Estimate:
    longest = model.trained_context or load.context
    load = load._replace(context=max(1, min(load.context, longest)), parallel=max(1, load.parallel))
    return Estimate(
        weights=max(0, size),
        cache=_cache(model, load) if model.layers else _most_cache(size, load),
        buffers=_buffers(model, load),
        load=load,
        architecture=model,
        quantisation=quantisation,
        coarse=not model.layers,
    )


def _padded(tokens: int) -> int:
    return -(-tokens // PADDING) * PADDING


def batch(load: Load) -> int:
    """Return how many tokens of a prompt the server reads at once, where there is room."""
    if load.batch > 0:
        return load.batch
    held = load.context * load.parallel
    return next((size for above, size in _BATCHES if held > above), SMALL_BATCH)


def layer_caches(model: Architecture, load: Load) -> tuple[int, ...]:
    """Return the bytes that each layer keeps."""
    kind = cache_type(load.cache_type)
    context = _padded(load.context)
    window = _padded(min(context, model.window + batch(load)))
    return tuple(
        load.parallel
        * (
            (window if layer.windowed else context) * (kind.row(layer.keys) + kind.row(layer.values))
            + layer.state * STATE_BYTES
        )
        for layer in model.layers
    )


def _cache(model: Architecture, load: Load) -> int:
    return sum(layer_caches(model, load))


def _most_cache(size: int, load: Load) -> int:
    """Return what the cache of a model takes at most, by what common models of its size need.

    They keep 112 to 144 KiB of a token at f16 up to 3 GB (Llama 3.2 3B, Qwen3 4B), up to 256 KiB at 25 GB (Qwen3 32B),
    320 KiB above (Llama 3.1 70B). A context shorter than usual is not counted for less: a window may be as long.
    """
    per_token = next((kept for up_to, kept in _PER_TOKEN.items() if size <= up_to), _PER_TOKEN_ABOVE)
    tokens = _padded(max(load.context, DEFAULT_CONTEXT))
    return 2 * load.parallel * tokens * cache_type(load.cache_type).row(per_token // 4)


def _buffers(model: Architecture, load: Load) -> int:
    """Return the memory for computing a piece of a prompt.

    For each token of the piece: what the widest part of a layer works on as f32, three rows of the feed-forward
    network and five of the embedding, and a mask as f16 over the cells; and a row of logits for each conversation.
    Fitted to what llama-server b10488 reserved for gemma 3 270M with 512 to 32,768 tokens of context (within 3 %).
    """
    pieces = batch(load)
    context = _padded(load.context)
    cells = context + (min(context, _padded(model.window + pieces)) if model.window else 0)
    embedding = model.embedding or _WIDE
    width = 3 * (model.forward or 4 * embedding) + 5 * embedding
    return pieces * (width * _FLOAT + cells * _HALF) + load.parallel * model.vocabulary * _FLOAT
