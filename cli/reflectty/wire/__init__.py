"""Ollama's protocol as data: requests to JSON objects, bytes to chunks and values; no I/O."""

from reflectty.wire.answers import missing_hint, model_of, models_of, refusal, rendered, running_of, version_of
from reflectty.wire.chunks import ChunkDecoder
from reflectty.wire.requests import continued, encode, encode_raw, encode_render
from reflectty.wire.values import HOST_HINT, Body, decode, shorten

__all__ = [
    "HOST_HINT",
    "Body",
    "ChunkDecoder",
    "continued",
    "decode",
    "encode",
    "encode_raw",
    "encode_render",
    "missing_hint",
    "model_of",
    "models_of",
    "refusal",
    "rendered",
    "running_of",
    "shorten",
    "version_of",
]
