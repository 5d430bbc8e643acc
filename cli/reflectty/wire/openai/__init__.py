"""The protocol of OpenAI-compatible servers as data: requests to JSON objects, bytes to chunks and values; no I/O.

What is said of llama-server was seen with b10488; what is said of vLLM and SGLang stands in their documentation and
sources.
"""

from reflectty.wire.openai.answers import (
    LLAMA_SERVER,
    SGLANG,
    VLLM,
    Listed,
    missing,
    missing_hint,
    model_of,
    models_of,
    refusal,
    rendered,
    running_of,
    version_of,
)
from reflectty.wire.openai.choosing import can_chat, picked
from reflectty.wire.openai.chunks import ChunkDecoder
from reflectty.wire.openai.requests import encode, encode_continued, encode_raw, encode_render, ignored
from reflectty.wire.openai.serving import (
    KINDS,
    LITELLM,
    OLLAMA,
    decode_list,
    is_complete,
    maker_of,
    served_as,
    unlisted,
)
from reflectty.wire.openai.telling import capacity_of, load_of
from reflectty.wire.openai.wording import HOST_HINT, KEY_NAMES, SERVER

__all__ = [
    "HOST_HINT",
    "KEY_NAMES",
    "KINDS",
    "LITELLM",
    "LLAMA_SERVER",
    "OLLAMA",
    "SERVER",
    "SGLANG",
    "VLLM",
    "ChunkDecoder",
    "Listed",
    "can_chat",
    "capacity_of",
    "decode_list",
    "encode",
    "encode_continued",
    "encode_raw",
    "encode_render",
    "ignored",
    "is_complete",
    "load_of",
    "maker_of",
    "missing",
    "missing_hint",
    "model_of",
    "models_of",
    "picked",
    "refusal",
    "rendered",
    "running_of",
    "served_as",
    "unlisted",
    "version_of",
]
