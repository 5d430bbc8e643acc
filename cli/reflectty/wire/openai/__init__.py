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
from reflectty.wire.openai.chunks import ChunkDecoder
from reflectty.wire.openai.requests import encode, encode_continued, encode_raw, encode_render, ignored
from reflectty.wire.openai.wording import HOST_HINT, KEY_NAMES, SERVER

__all__ = [
    "HOST_HINT",
    "KEY_NAMES",
    "LLAMA_SERVER",
    "SERVER",
    "SGLANG",
    "VLLM",
    "ChunkDecoder",
    "Listed",
    "encode",
    "encode_continued",
    "encode_raw",
    "encode_render",
    "ignored",
    "missing",
    "missing_hint",
    "model_of",
    "models_of",
    "refusal",
    "rendered",
    "running_of",
    "version_of",
]
