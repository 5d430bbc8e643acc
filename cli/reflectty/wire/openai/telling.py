"""What servers tell beside the protocol of how much they do at once, as values; no I/O."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.chat import Capacity, Workload
from reflectty.wire.values import as_number

if TYPE_CHECKING:
    from reflectty.wire.values import Body

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


def load_of(data: bytes) -> Workload:
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
