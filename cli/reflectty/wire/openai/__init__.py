"""The protocol of OpenAI-compatible servers as data: requests to JSON objects, bytes to chunks and values; no I/O.

What is said of llama-server was seen with b10488, of vLLM with 0.32, of Ollama's /v1 with 0.32.15; what is said of
SGLang stands in its documentation and sources.
"""

from reflectty.wire.openai.answers import (
    LLAMA_SERVER,
    OLLAMA,
    SGLANG,
    VLLM,
    Listed,
    counted_too_long,
    missing,
    missing_hint,
    model_of,
    models_of,
    ollama_model,
    refusal,
    rendered,
    rendered_model,
    running_of,
    standing,
    version_of,
)
from reflectty.wire.openai.chunks import ChunkDecoder
from reflectty.wire.openai.refused import missed, refused_fields, without
from reflectty.wire.openai.rendering import OPENERS, Glimpse, opener_of, prompt_of, tokens_of
from reflectty.wire.openai.requests import (
    FIRST_TOKENS,
    encode,
    encode_continued,
    encode_glimpse,
    encode_raw,
    encode_render,
    encode_tokenize,
    ignored,
)
from reflectty.wire.openai.wording import HOST_HINT, KEY_NAMES, SERVER
from reflectty.wire.values import Body

__all__ = [
    "FIRST_TOKENS",
    "HOST_HINT",
    "KEY_NAMES",
    "LLAMA_SERVER",
    "OLLAMA",
    "OPENERS",
    "SERVER",
    "SGLANG",
    "VLLM",
    "Body",
    "ChunkDecoder",
    "Glimpse",
    "Listed",
    "counted_too_long",
    "encode",
    "encode_continued",
    "encode_glimpse",
    "encode_raw",
    "encode_render",
    "encode_tokenize",
    "ignored",
    "missed",
    "missing",
    "missing_hint",
    "model_of",
    "models_of",
    "ollama_model",
    "opener_of",
    "prompt_of",
    "refusal",
    "refused_fields",
    "rendered",
    "rendered_model",
    "running_of",
    "standing",
    "tokens_of",
    "version_of",
    "without",
]
