"""Ollama's protocol: requests to JSON, bytes to chunks and values."""

from reflectty.protocols.decoding import HOST_HINT, Body, NdjsonDecoder, as_text, decode, shorten
from reflectty.protocols.ollama.answers import (
    info_of,
    missing_hint,
    model_of,
    models_of,
    refusal_error_of,
    rendered_prompt_of,
    running_of,
    version_of,
)
from reflectty.protocols.ollama.chat import (
    OllamaChunkDecoder,
    continue_prompt,
    encode,
    encode_load,
    encode_raw,
    encode_render,
    keep_alive_of,
)

__all__ = [
    "HOST_HINT",
    "Body",
    "NdjsonDecoder",
    "OllamaChunkDecoder",
    "as_text",
    "continue_prompt",
    "decode",
    "encode",
    "encode_load",
    "encode_raw",
    "encode_render",
    "info_of",
    "keep_alive_of",
    "missing_hint",
    "model_of",
    "models_of",
    "refusal_error_of",
    "rendered_prompt_of",
    "running_of",
    "shorten",
    "version_of",
]
