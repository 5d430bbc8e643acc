"""Describes the built-in model in the terms of Ollama's protocol."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reflectty.core.model_spec import MINI_NAME, MINI_PARAMETERS, MINI_TEMPLATE
from reflectty.engines.embedded.install import WEIGHTS_SHA256, WEIGHTS_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reflectty.engines.embedded.runtime_files import EmbeddedPaths
    from reflectty.protocols.ollama import Body


LICENSE_FILES: Final = ("NOTICE", "GEMMA_TERMS.txt")
"""Files in the adapter's folder."""


def read_license(folder: Path) -> str:
    """The license texts from the adapter's folder.

    Raises:
        OSError: a file cannot be read.
    """
    return "\n".join((folder / name).read_text("utf-8") for name in LICENSE_FILES)


CONTEXT: Final = 8192
"""Context size in tokens; a request cannot change it."""
USER, MODEL, END = "<start_of_turn>user\n", "<start_of_turn>model\n", "<end_of_turn>"
DETAILS: Final[Body] = {
    "parent_model": "",
    "format": "gguf",
    "family": "gemma3",
    "families": ["gemma3"],
    "parameter_size": "268.10M",
    "quantization_level": "Q4_K_M",
}
INFO: Final[Body] = {
    "general.architecture": "gemma3",
    "general.basename": "gemma-3",
    "general.file_type": 15,
    "general.license": "gemma",
    "general.parameter_count": 268_098_176,
    "general.quantization_version": 2,
    "general.size_label": "270M",
    "general.type": "model",
    "gemma3.attention.head_count": 4,
    "gemma3.attention.head_count_kv": 1,
    "gemma3.attention.key_length": 256,
    "gemma3.attention.layer_norm_rms_epsilon": 1e-06,
    "gemma3.attention.sliding_window": 512,
    "gemma3.attention.value_length": 256,
    "gemma3.block_count": 18,
    "gemma3.context_length": CONTEXT,
    "gemma3.embedding_length": 640,
    "gemma3.feed_forward_length": 2048,
    "gemma3.rope.freq_base": 1_000_000.0,
    "tokenizer.ggml.model": "llama",
}


def render_prompt(messages: Iterable[Body]) -> str:
    """The prompt as the template renders it: system messages go before the first question."""
    listed = [(message.get("role"), str(message.get("content") or "")) for message in messages]
    system = "\n\n".join(content for role, content in listed if role == "system" and content)
    text = ""
    for role, content in listed:
        if role == "user":
            before, system = (f"{system}\n\n" if system else ""), ""
            text += f"{USER}{before}{content}{END}\n{MODEL}"
        elif role == "assistant":
            text += f"{content}{END}\n"
    return text


def show_answer_of(places: EmbeddedPaths) -> Body:
    """The answer of /api/show."""
    return {
        "license": read_license(places.adapter.parent),
        "modelfile": "",
        "parameters": _parameters(),
        "template": MINI_TEMPLATE,
        "details": DETAILS,
        "model_info": INFO,
        "capabilities": ["completion"],
        "modified_at": _modified(places),
    }


def tags_entry_of(places: EmbeddedPaths) -> Body:
    """The entry of /api/tags; reads the adapter for its digest."""
    weights = f"{WEIGHTS_SHA256} {hashlib.sha256(places.adapter.read_bytes()).hexdigest()}"
    return {
        "name": f"{MINI_NAME}:latest",
        "model": f"{MINI_NAME}:latest",
        "modified_at": _modified(places),
        "size": _size(places),
        "digest": hashlib.sha256(weights.encode()).hexdigest(),
        "details": DETAILS | {"context_length": CONTEXT},
        "capabilities": ["completion"],
    }


def ps_entry_of(places: EmbeddedPaths, until: float) -> Body:
    """The entry of /api/ps for a model that stays loaded until a time, in seconds since 1970."""
    entry = tags_entry_of(places)
    return entry | {"size_vram": 0, "context_length": CONTEXT, "expires_at": timestamp_of(until)}


def timestamp_of(seconds: float) -> str:
    """A time, in seconds since 1970, as Ollama writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _modified(places: EmbeddedPaths) -> str:
    return timestamp_of(places.adapter.stat().st_mtime)


def _size(places: EmbeddedPaths) -> int:
    return WEIGHTS_SIZE + places.adapter.stat().st_size


def _parameters() -> str:
    """The parameters as /api/show formats them: key, spaces, value; one line for each of several values."""
    each = ((name, one) for name, value in MINI_PARAMETERS for one in (value if isinstance(value, tuple) else (value,)))
    return "\n".join(f"{name:<30} {json.dumps(one)}" for name, one in each)
