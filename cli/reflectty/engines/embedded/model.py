"""Describes the built-in model and renders its prompts."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from reflectty.core.messages import Model, RunningModel, VocabularyTags
from reflectty.core.model_spec import MINI_NAME, MINI_PARAMETERS, MINI_TEMPLATE
from reflectty.engines.embedded.install import WEIGHTS_SHA256, WEIGHTS_SIZE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reflectty.core.messages import Message
    from reflectty.engines.embedded.runtime_files import EmbeddedPaths


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
DETAILS: Final[dict[str, Any]] = {"parameter_size": "268.10M", "quantization": "Q4_K_M"}
LISTED_NAME: Final = f"{MINI_NAME}:latest"
INFO: Final[dict[str, object]] = {
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


def render_prompt(messages: Iterable[Message]) -> str:
    """The prompt as the template renders it: system messages go before the first question."""
    system = "\n\n".join(message.content for message in messages if message.role == "system" and message.content)
    text = ""
    for message in messages:
        if message.role == "user":
            before, system = (f"{system}\n\n" if system else ""), ""
            text += f"{USER}{before}{message.content}{END}\n{MODEL}"
        elif message.role == "assistant":
            text += f"{message.content}{END}\n"
    return text


def mini_model(paths: EmbeddedPaths, name: str = LISTED_NAME) -> Model:
    """The model under a name; reads the adapter for its digest."""
    weights = f"{WEIGHTS_SHA256} {hashlib.sha256(paths.adapter.read_bytes()).hexdigest()}"
    return Model(
        name,
        ("completion",),
        MINI_TEMPLATE,
        parameters=_parameters(),
        context_length=CONTEXT,
        digest=hashlib.sha256(weights.encode()).hexdigest(),
        modified_at=timestamp_of(paths.adapter.stat().st_mtime),
        size=_size(paths),
        license=read_license(paths.adapter.parent),
        grammar="llguidance",
        tags=VocabularyTags(),
        **DETAILS,
    )


def running_model(paths: EmbeddedPaths, until: float) -> RunningModel:
    """The model in memory until a time, in seconds since 1970."""
    return RunningModel(LISTED_NAME, _size(paths), context_length=CONTEXT, expires_at=timestamp_of(until), **DETAILS)


def timestamp_of(seconds: float) -> str:
    """A time, in seconds since 1970, as Ollama writes it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _size(paths: EmbeddedPaths) -> int:
    return WEIGHTS_SIZE + paths.adapter.stat().st_size


def _parameters() -> str:
    """The parameters as /api/show formats them: key, spaces, value; one line for each of several values."""
    pairs = (
        (name, one) for name, value in MINI_PARAMETERS for one in (value if isinstance(value, tuple) else (value,))
    )
    return "\n".join(f"{name:<30} {json.dumps(one)}" for name, one in pairs)
