"""What the built-in model is, as Ollama's protocol tells it; asks no process."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reflectty.engines.embedded.terms import licence
from reflectty.engines.embedded.weights import SHA256, SIZE
from reflectty.mini import NAME, PARAMETERS, TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.engines.embedded.places import Places
    from reflectty.wire import Body

CONTEXT: Final = 8192
"""Tokens of the context that it is loaded with; a request cannot change it."""
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


def prompt(messages: Iterable[Body]) -> str:
    """Return the prompt as the template renders it: what the system says stands before the first question."""
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


def shown(places: Places) -> Body:
    """Return what /api/show answers."""
    return {
        "license": licence(places.adapter.parent),
        "modelfile": "",
        "parameters": _parameters(),
        "template": TEMPLATE,
        "details": DETAILS,
        "model_info": INFO,
        "capabilities": ["completion"],
        "modified_at": _modified(places),
    }


def listed(places: Places) -> Body:
    """Return the entry of /api/tags; reads the adapter for its digest."""
    weights = f"{SHA256} {hashlib.sha256(places.adapter.read_bytes()).hexdigest()}"
    return {
        "name": f"{NAME}:latest",
        "model": f"{NAME}:latest",
        "modified_at": _modified(places),
        "size": _size(places),
        "digest": hashlib.sha256(weights.encode()).hexdigest(),
        "details": DETAILS | {"context_length": CONTEXT},
        "capabilities": ["completion"],
    }


def running(places: Places, until: float) -> Body:
    """Return the entry of /api/ps for a model that stays until a time, in seconds since 1970."""
    entry = listed(places)
    return entry | {"size_vram": 0, "context_length": CONTEXT, "expires_at": moment(until)}


def moment(seconds: float) -> str:
    """Return a time, in seconds since 1970, as Ollama writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _modified(places: Places) -> str:
    return moment(places.adapter.stat().st_mtime)


def _size(places: Places) -> int:
    return SIZE + places.adapter.stat().st_size


def _parameters() -> str:
    """Return the text of the parameters as /api/show has it: a key, blanks, a value, one line for each of several."""
    each = ((name, one) for name, value in PARAMETERS for one in (value if isinstance(value, tuple) else (value,)))
    return "\n".join(f"{name:<30} {json.dumps(one)}" for name, one in each)
