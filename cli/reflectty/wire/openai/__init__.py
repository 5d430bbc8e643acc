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
from reflectty.wire.openai.choosing import can_chat, picked
from reflectty.wire.openai.chunks import ChunkDecoder
from reflectty.wire.openai.refused import missed, refused_fields, without
from reflectty.wire.openai.rendering import Glimpse, first_tokens_of, prompt_of, tokens_of
from reflectty.wire.openai.requests import (
    FIRST_TOKENS,
    encode,
    encode_continued,
    encode_first_tokens,
    encode_glimpse,
    encode_raw,
    encode_render,
    encode_tokenize,
    ignored,
)
from reflectty.wire.openai.serving import (
    KINDS,
    LITELLM,
    decode_list,
    is_complete,
    maker_of,
    served_as,
    unlisted,
)
from reflectty.wire.openai.telling import capacity_of, load_of
from reflectty.wire.openai.wording import HOST_HINT, KEY_NAMES, SERVER
from reflectty.wire.values import Body

__all__ = [
    "FIRST_TOKENS",
    "HOST_HINT",
    "KEY_NAMES",
    "KINDS",
    "LITELLM",
    "LLAMA_SERVER",
    "OLLAMA",
    "SERVER",
    "SGLANG",
    "VLLM",
    "Body",
    "ChunkDecoder",
    "Glimpse",
    "Listed",
    "can_chat",
    "capacity_of",
    "counted_too_long",
    "decode_list",
    "encode",
    "encode_continued",
    "encode_first_tokens",
    "encode_glimpse",
    "encode_raw",
    "encode_render",
    "encode_tokenize",
    "first_tokens_of",
    "ignored",
    "is_complete",
    "load_of",
    "maker_of",
    "missed",
    "missing",
    "missing_hint",
    "model_of",
    "models_of",
    "ollama_model",
    "picked",
    "prompt_of",
    "refusal",
    "refused_fields",
    "rendered",
    "rendered_model",
    "running_of",
    "served_as",
    "standing",
    "tokens_of",
    "unlisted",
    "version_of",
    "without",
]
