"""What a list of models tells of the server: who wrote it, and whether the list is all that it answers with; no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.chat import Model
from reflectty.wire.openai.answers import GOING_ON, LLAMA_SERVER, NAMED, OLLAMA, SGLANG, VLLM, by_name
from reflectty.wire.values import decode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.wire.openai.answers import Listed
    from reflectty.wire.values import Body

LITELLM: Final = "litellm"
LITELLM_CREATED: Final = 1_677_610_602
"""What LiteLLM 1.105 says of every model as the time when it was made; its owner is `openai`, whatever it is."""
KINDS: Final = {
    LLAMA_SERVER: "llama-server",
    VLLM: "vLLM",
    SGLANG: "SGLang",
    LITELLM: "LiteLLM",
    OLLAMA: "Ollama's OpenAI-compatible API",
}
"""What the servers are called that say who they are."""
COMPLETE: Final = frozenset({LLAMA_SERVER, VLLM, SGLANG, OLLAMA})
"""Servers that list every model that they answer with."""


def decode_list(data: bytes) -> Body:
    """Return the answer of /v1/models; mlx-lm 0.32 sends nothing where there is no Hugging Face cache.

    Raises:
        ValueError: it is no object.
    """
    return decode(data) if data.strip() else {"data": []}


def maker_of(listed: Sequence[Listed]) -> str:
    """Return who wrote the server, as far as the owners of its models and their dates tell."""
    owners = {one.maker for one in listed}
    if listed and all(one.created == LITELLM_CREATED for one in listed):
        return LITELLM
    if OLLAMA in owners:
        return OLLAMA
    return owners.pop() if len(owners) == 1 else ""


def is_complete(listed: Sequence[Listed]) -> bool:
    """Whether a list is known to name everything that the server answers with: only such a list refuses a name.

    transformers serve lists no model of a local folder, mlx-lm answers to `default_model`, gateways to patterns.
    """
    return maker_of(listed) in COMPLETE


def served_as(name: str, listed: Sequence[Listed]) -> Listed | None:
    """Return the model that a name means; Ollama takes names without `:latest`, and any case, and lists ids."""
    found = next((one for one in listed if name in one.names), None)
    if found is not None:
        return found
    wanted = {name.lower(), f"{name.lower()}:latest"} if maker_of(listed) == OLLAMA else set()
    return next((one for one in listed if one.model.name.lower() in wanted), None)


def unlisted(name: str, listed: Sequence[Listed], ignores: tuple[str, ...]) -> Model:
    """Return a model that was named and that the server does not list."""
    ids = [one.model.name for one in listed]
    others = ", ".join(ids[:NAMED]) + (f" and {len(ids) - NAMED} more" if len(ids) > NAMED else "")
    text = f"it lists {others}" if ids else "it lists no model"
    note = f"{name} is not in the server's list of models ({text}), and is asked for all the same"
    return Model(name, by_name(name), ignores=ignores, notices=(note,), resumes=maker_of(listed) in GOING_ON)
