"""Identifies a server's software, and reads its capacity and workload."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.core.messages import Capacity, Model, Workload
from reflectty.protocols.decoding import as_number, decode
from reflectty.protocols.openai.answers import (
    LLAMA_SERVER,
    MOST_NAMES,
    OLLAMA,
    RESUMING_SERVERS,
    SGLANG,
    VLLM,
    capabilities_of_name,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.protocols.decoding import Body
    from reflectty.protocols.openai.answers import ListedModel


LITELLM: Final = "litellm"
LITELLM_CREATED: Final = 1_677_610_602
"""What LiteLLM 1.105 says of every model as the time when it was made; its owner is `openai`, whatever it is."""
SERVER_NAMES: Final = {
    LLAMA_SERVER: "llama-server",
    VLLM: "vLLM",
    SGLANG: "SGLang",
    LITELLM: "LiteLLM",
    OLLAMA: "Ollama's OpenAI-compatible API",
}
"""What the servers are called that say who they are."""
SERVERS_WITH_FULL_LIST: Final = frozenset({LLAMA_SERVER, VLLM, SGLANG, OLLAMA})
"""Servers that list every model that they answer with."""


def decode_list(data: bytes) -> Body:
    """Return the answer of /v1/models; mlx-lm 0.32 sends nothing where there is no Hugging Face cache.

    Raises:
        ValueError: it is no object.
    """
    return decode(data) if data.strip() else {"data": []}


def maker_of(listed: Sequence[ListedModel]) -> str:
    """Return who wrote the server, as far as the owners of its models and their dates tell."""
    owners = {one.maker for one in listed}
    if listed and all(one.created == LITELLM_CREATED for one in listed):
        return LITELLM
    if OLLAMA in owners:
        return OLLAMA
    return owners.pop() if len(owners) == 1 else ""


def is_full_list(listed: Sequence[ListedModel]) -> bool:
    """Whether a list is known to name everything that the server answers with: only such a list refuses a name.

    transformers serve lists no model of a local folder, mlx-lm answers to `default_model`, gateways to patterns.
    """
    return maker_of(listed) in SERVERS_WITH_FULL_LIST


def find_listed_model(name: str, listed: Sequence[ListedModel]) -> ListedModel | None:
    """Return the model that a name means; Ollama takes names without `:latest`, and any case, and lists ids."""
    found = next((one for one in listed if name in one.names), None)
    if found is not None:
        return found
    wanted = {name.lower(), f"{name.lower()}:latest"} if maker_of(listed) == OLLAMA else set()
    return next((one for one in listed if one.model.name.lower() in wanted), None)


def unlisted_model_of(name: str, listed: Sequence[ListedModel], ignores: tuple[str, ...]) -> Model:
    """Return a model that was named and that the server does not list."""
    ids = [one.model.name for one in listed]
    others = ", ".join(ids[:MOST_NAMES]) + (f" and {len(ids) - MOST_NAMES} more" if len(ids) > MOST_NAMES else "")
    text = f"it lists {others}" if ids else "it lists no model"
    note = f"{name} is not in the server's list of models ({text}), and is asked for all the same"
    return Model(
        name,
        capabilities_of_name(name),
        unsupported_options=ignores,
        notices=(note,),
        can_resume=maker_of(listed) in RESUMING_SERVERS,
    )


METRIC: Final = re.compile(
    rb"^(vllm:num_requests_running|vllm:num_requests_waiting|sglang:num_running_reqs|sglang:num_queue_reqs)"
    rb"(?:\{[^}\n]*\})? ([0-9]{1,9}(?:\.[0-9]{1,9})?)(?:e\+?0)?\s*$",
    re.MULTILINE,
)
"""A count among a server's metrics; there is one for each of several engines behind one port."""


def capacity_of(props: Body) -> Capacity:
    """Return how many requests a llama-server answers at the same time, as its /props tell.

    With more slots than one, they may share one context of `n_ctx` tokens: b10970 does by default, and ends all
    replies with HTTP 500, `Context size has been exceeded.`, once they fill it together. A server that was started
    with `--parallel` gives each slot its own, and says nothing of the difference.
    """
    settings = props.get("default_generation_settings")
    slots = int(as_number(props.get("total_slots")))
    room = int(as_number(settings.get("n_ctx") if isinstance(settings, dict) else 0))
    return Capacity(slots, room if slots > 1 else 0)


def workload_of(data: bytes) -> Workload:
    """Return what a server is doing, as its /metrics tell: vLLM 0.32 always, SGLang where it is started with them.

    Raises:
        ValueError: they do not tell.
    """
    counts: dict[bytes, float] = {}
    for name, value in METRIC.findall(data):
        counts[name] = counts.get(name, 0.0) + float(value)
    running = counts.get(b"vllm:num_requests_running", counts.get(b"sglang:num_running_reqs"))
    waiting = counts.get(b"vllm:num_requests_waiting", counts.get(b"sglang:num_queue_reqs"))
    if running is None or waiting is None:
        raise ValueError("no count of requests")
    return Workload(int(running), int(waiting))
