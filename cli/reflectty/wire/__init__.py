"""Ollama's protocol as data: requests to JSON objects, bytes to chunks and values; no I/O."""

from reflectty.wire.answers import info_of, missing_hint, model_of, models_of, refusal, rendered, running_of, version_of
from reflectty.wire.chunks import ChunkDecoder
from reflectty.wire.objects import LineDecoder
from reflectty.wire.requests import continued, encode, encode_load, encode_raw, encode_render, keep_alive
from reflectty.wire.values import HOST_HINT, Body, as_text, decode, shorten

__all__ = [
    "HOST_HINT",
    "Body",
    "ChunkDecoder",
    "LineDecoder",
    "as_text",
    "continued",
    "decode",
    "encode",
    "encode_load",
    "encode_raw",
    "encode_render",
    "info_of",
    "keep_alive",
    "missing_hint",
    "model_of",
    "models_of",
    "refusal",
    "rendered",
    "running_of",
    "shorten",
    "version_of",
]
