"""Reads the memory-relevant architecture of a model from its GGUF keys.

Keys and rules are those of llama.cpp b10488 (src/llama-arch.cpp, src/llama-hparams.cpp, src/models/*.cpp), which
Ollama 0.32.15 runs. Without `verbose`, /api/show leaves an array of more than five elements empty, since 0.34.1 one of
more than 1,024.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.protocols.decoding import as_number, as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_LAYERS: Final = 512
"""The most layers that llama.cpp accepts (LLAMA_MAX_LAYERS)."""

_PERIODS: Final = {
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "gemma-embedding": 6,
    "gpt-oss": 2,
    "gptoss": 2,
    "llama4": 4,
    "cohere2": 4,
    "olmo2": 4,
    "exaone4": 4,
    "exaone-moe": 4,
    "plamo3": 8,
    "afmoe": 4,
    "mellum": 4,
    "muse-glimmer": 4,
}
"""Architectures whose layers attend to a window, except the last layer of each period."""
_PERIODS_FROM_FIRST: Final = {"smallthinker": 4, "laguna": 4, "cohere2moe": 4, "modern-bert": 3}
"""Architectures whose layers attend to a window, except the first layer of each period."""
_PATTERNED: Final = {"gemma4", "mimo2", "step35"}
"""Architectures that mark the windowed layers in an array."""
_WINDOWS: Final = {"gemma2": 4096, "llama4": 8192, "exaone-moe": 128, "exaone4": 4096}
"""Windows of architectures whose files may leave them out."""
_RECURRENT: Final = {"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"}
_INTERVALS: Final = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4}
"""Architectures that keep a cache in one layer of each interval and a state in the others."""
_WITHOUT_DRAFT_CACHE: Final = {"step35", "hy-v3", "glm-dsa", "mimo2", "deepseek32", *_INTERVALS}
"""Architectures whose draft layers (speculative decoding) keep no cache."""
_UNCOUNTED_KEYS: Final = ("kda.head_dim", "attention.indexer.key_length")
"""Keys of architectures that keep more than is counted here."""


class ModelLayer(NamedTuple):
    """What one layer keeps in memory, as a count of numbers."""

    keys: int = 0
    """Per token."""
    values: int = 0
    is_windowed: bool = False
    """True if it keeps only the tokens of the window."""
    state: int = 0
    """Per conversation, of any length."""


class Architecture(NamedTuple):
    """What the memory of a model depends on, besides its weights."""

    name: str
    layers: tuple[ModelLayer, ...] = ()
    """Empty when unknown."""
    window: int = 0
    embedding: int = 0
    feed_forward_width: int = 0
    """Width of the feed-forward network, with all experts that are active at once; 0 when unknown."""
    vocabulary_size: int = 0
    """0 when unknown."""
    trained_context: int = 0
    """The longest context the model was trained for; 0 when unknown."""
    parameter_count: int = 0
    experts: int = 0
    notes: tuple[str, ...] = ()
    """What is unknown, one sentence each."""


class _Info(NamedTuple):
    """`model_info`, with keys read under the name of its architecture."""

    info: Mapping[str, object]
    name: str

    def get(self, key: str) -> object:
        return self.info.get(f"{self.name}.{key}")

    def number(self, key: str, otherwise: int = 0) -> int:
        value = self.get(key)
        if isinstance(value, list):
            return max((int(as_number(item)) for item in value), default=otherwise)
        return otherwise if value is None else int(as_number(value))

    def numbers_by_layer(self, key: str, layers: int, otherwise: int = 0) -> list[int]:
        """One number per layer; the default for layers that an array does not name."""
        value = self.get(key)
        if not isinstance(value, list):
            return [self.number(key, otherwise)] * layers
        named = [int(item) if isinstance(item, bool) else int(as_number(item)) for item in value[:layers]]
        return named + [otherwise] * (layers - len(named))

    def is_left_out(self, key: str) -> bool:
        """True if the server left the array out of its answer."""
        return self.get(key) == []


def architecture_from(info: Mapping[str, object]) -> Architecture:
    """The architecture that `model_info` describes; its notes name what is missing."""
    read = _Info(info, as_text(info.get("general.architecture")))
    layers, notes = _layers(read)
    return Architecture(
        name=read.name,
        layers=layers,
        window=_window(read),
        embedding=read.number("embedding_length"),
        feed_forward_width=max(
            read.number("feed_forward_length"),
            read.number("expert_feed_forward_length") * read.number("expert_used_count"),
        ),
        vocabulary_size=_vocabulary(read),
        trained_context=read.number("context_length"),
        parameter_count=int(as_number(info.get("general.parameter_count"))),
        experts=read.number("expert_count"),
        notes=notes,
    )


def _vocabulary(read: _Info) -> int:
    tokens = read.info.get("tokenizer.ggml.tokens")
    return (len(tokens) if isinstance(tokens, list) else 0) or read.number("vocab_size")


def _layers(read: _Info) -> tuple[tuple[ModelLayer, ...], tuple[str, ...]]:
    count = read.number("block_count")
    if not 0 < count <= MOST_LAYERS:
        return (), ("the server does not report the number of layers",)
    if read.is_left_out("attention.head_count_kv") or read.is_left_out("attention.head_count"):
        return (), ("the server does not report how the layers differ",)
    if read.name not in _RECURRENT and not read.number("attention.head_count"):
        return (), ("the server does not report the number of attention heads",)
    windowed, notes = _windowed_layers(read, count)
    more = tuple(f"{key} is not included" for key in _UNCOUNTED_KEYS if read.get(key))
    kept = zip(_cache_widths(read, count), windowed, _states(read, count), strict=True)
    return tuple(ModelLayer(*pair, window, state) for pair, window, state in kept), (*notes, *more)


def _window(read: _Info) -> int:
    if read.name == "llama4" and read.get("attention.sliding_window") != 0:
        return _WINDOWS["llama4"]
    return read.number("attention.sliding_window", _WINDOWS.get(read.name, 0))


def _windowed_layers(read: _Info, count: int) -> tuple[list[bool], tuple[str, ...]]:
    """Whether each layer attends to a window; False for all when that is left out, which is the upper bound."""
    key = "attention.sliding_window_pattern"
    first = read.name in _PERIODS_FROM_FIRST
    period = _PERIODS_FROM_FIRST.get(read.name) or _PERIODS.get(read.name, 0)
    if not _window(read) or not (period or read.name in _PATTERNED):
        return [False] * count, ()
    pattern = read.get(key)
    if isinstance(pattern, list) and pattern:
        return [bool(item) for item in read.numbers_by_layer(key, count)], ()
    if read.name in _PATTERNED:
        return [False] * count, (
            "the server does not report which layers use a small window: the cache may be smaller",
        )
    period = read.number(key, period) or period
    return [at % period != 0 if first else at % period < period - 1 for at in range(count)], ()


def _cache_widths(read: _Info, count: int) -> list[tuple[int, int]]:
    """How many numbers of keys and of values each layer keeps per token.

    An attention layer keeps `heads x length` of both. Where keys and values are one compressed row (MLA, marked by
    `key_length_mla`), it keeps no values.
    """
    heads = read.numbers_by_layer("attention.head_count_kv", count, read.number("attention.head_count"))
    usual = read.number("embedding_length") // max(1, read.number("attention.head_count"))
    keys, values = _lengths(read, "key_length", usual, count), _lengths(read, "value_length", usual, count)
    compressed = bool(read.number("attention.key_length_mla") and read.number("attention.value_length_mla"))
    keeps = _caching_layers(read, count)
    return [
        (each * key, 0 if compressed else each * value) if kept else (0, 0)
        for each, key, value, kept in zip(heads, keys, values, keeps, strict=True)
    ]


def _lengths(read: _Info, key: str, usual: int, count: int) -> list[int]:
    full = read.number(f"attention.{key}", usual)
    narrow = read.number(f"attention.{key}_swa", full)
    return [narrow if window else full for window in _windowed_layers(read, count)[0]]


def _caching_layers(read: _Info, count: int) -> list[bool]:
    """Whether each layer has a cache of its own."""
    if read.name in _RECURRENT:
        return [False] * count
    attending = [not recurrent for recurrent in _recurrent_layers(read, count)]
    own = attending if read.name in _INTERVALS else [True] * count
    last = count - (read.number("nextn_predict_layers") if read.name in _WITHOUT_DRAFT_CACHE else 0)
    if read.name == "gemma3n":
        last = 20
    last = min(last, count - read.number("attention.shared_kv_layers"))
    return [keeps and at < last for at, keeps in enumerate(own)]


def _recurrent_layers(read: _Info, count: int) -> list[bool]:
    """Whether each layer keeps a state."""
    if read.name in _RECURRENT or read.name == "falcon-h1":
        return [True] * count
    if read.name in _INTERVALS:
        if read.get("attention.recurrent_layers"):
            return [bool(item) for item in read.numbers_by_layer("attention.recurrent_layers", count)]
        interval = read.number("full_attention_interval", _INTERVALS[read.name]) or 1
        return [(at + 1) % interval != 0 for at in range(count)]
    heads = read.numbers_by_layer("attention.head_count_kv", count, 1)
    forward = read.numbers_by_layer("feed_forward_length", count) if read.name.startswith("nemotron_h") else [0] * count
    return [not each and not width for each, width in zip(heads, forward, strict=True)]


def _states(read: _Info, count: int) -> list[int]:
    state = _state(read)
    return [state if recurrent else 0 for recurrent in _recurrent_layers(read, count)]


def _state(read: _Info) -> int:
    """How many numbers one state has: `n_embd_r` and `n_embd_s` of llama-hparams.cpp."""
    embedding = read.number("embedding_length")
    if head := read.number("wkv.head_size"):
        return read.number("token_shift_count", 2) * embedding + embedding * head
    if kernel := read.number("shortconv.l_cache"):
        return embedding * (kernel - 1)
    inner, size = read.number("ssm.inner_size"), read.number("ssm.state_size")
    before = max(0, read.number("ssm.conv_kernel") - 1)
    return before * (inner + 2 * read.number("ssm.group_count") * size) + size * inner
