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
"""The date that LiteLLM 1.105 gives every model; the owner it gives is always `openai`."""
SERVER_NAMES: Final = {
    LLAMA_SERVER: "llama-server",
    VLLM: "vLLM",
    SGLANG: "SGLang",
    LITELLM: "LiteLLM",
    OLLAMA: "Ollama's OpenAI-compatible API",
}
"""The display names of the server software that can be identified."""
SERVERS_WITH_FULL_LIST: Final = frozenset({LLAMA_SERVER, VLLM, SGLANG, OLLAMA})
"""Servers whose list has every model they serve."""


def decode_list(data: bytes) -> Body:
    """Decode a response of /v1/models, which mlx-lm 0.32 leaves empty if there is no Hugging Face cache.

    Raises:
        ValueError: the response is not an object.
    """
    return decode(data) if data.strip() else {"data": []}


def maker_of(listed: Sequence[ListedModel]) -> str:
    """The server software by the owners and dates of its models; empty if unknown."""
    owners = {one.maker for one in listed}
    if listed and all(one.created == LITELLM_CREATED for one in listed):
        return LITELLM
    if OLLAMA in owners:
        return OLLAMA
    return owners.pop() if len(owners) == 1 else ""


def is_full_list(listed: Sequence[ListedModel]) -> bool:
    """Whether a list is known to have every model of the server, so that other names can be refused.

    transformers serve does not list models of a local folder, mlx-lm accepts `default_model`, gateways accept patterns.
    """
    return maker_of(listed) in SERVERS_WITH_FULL_LIST


def find_listed_model(name: str, listed: Sequence[ListedModel]) -> ListedModel | None:
    """Find a model by name; Ollama lists ids, and accepts names in any case and without `:latest`."""
    exact = next((one for one in listed if name in one.names), None)
    if exact is not None:
        return exact
    names = {name.lower(), f"{name.lower()}:latest"} if maker_of(listed) == OLLAMA else set()
    return next((one for one in listed if one.model.name.lower() in names), None)


def unlisted_model_of(name: str, listed: Sequence[ListedModel], ignores: tuple[str, ...]) -> Model:
    """Make a `Model` for a requested name that the server does not list."""
    ids = [one.model.name for one in listed]
    others = ", ".join(ids[:MOST_NAMES]) + (f" and {len(ids) - MOST_NAMES} more" if len(ids) > MOST_NAMES else "")
    text = f"it lists {others}" if ids else "it lists no models"
    note = f"{name} is not in the server's list of models ({text}); requesting it anyway"
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
"""A request count in a server's metrics, which have one for each engine behind the port."""


def capacity_of(props: Body) -> Capacity:
    """The number of requests that a llama-server handles in parallel, from its /props.

    Several slots may share one context of `n_ctx` tokens: in b10970 they do by default, and once they fill it all
    replies end with HTTP 500, `Context size has been exceeded.`. A server started with `--parallel` gives each slot
    its own context; /props does not show the difference.
    """
    settings = props.get("default_generation_settings")
    slots = int(as_number(props.get("total_slots")))
    room = int(as_number(settings.get("n_ctx") if isinstance(settings, dict) else 0))
    return Capacity(slots, room if slots > 1 else 0)


def workload_of(data: bytes) -> Workload:
    """The running and waiting requests in /metrics, which vLLM 0.32 always has and SGLang if started with them.

    Raises:
        ValueError: the metrics lack these counts.
    """
    counts: dict[bytes, float] = {}
    for name, value in METRIC.findall(data):
        counts[name] = counts.get(name, 0.0) + float(value)
    running = counts.get(b"vllm:num_requests_running", counts.get(b"sglang:num_running_reqs"))
    waiting = counts.get(b"vllm:num_requests_waiting", counts.get(b"sglang:num_queue_reqs"))
    if running is None or waiting is None:
        raise ValueError("no count of requests")
    return Workload(int(running), int(waiting))
