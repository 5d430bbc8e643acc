"""The estimate beside the memory that a real server reserves and reports, for one model at several context lengths."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.models.estimate import LoadOptions, compare_with_running, estimate_memory
from reflectty.protocols.ollama.answers import running_of
from reflectty.view import memory_fit as words
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from reflectty.models.estimate import Estimate
    from support.real_ollama import Server

pytestmark = pytest.mark.server

RESERVED = re.compile(r"(model|KV|compute|output) buffer size = +([\d.]+) MiB")
MIB = 1 << 20


def asked(server: Server, path: str, **body: Any) -> dict[str, Any]:
    """The last object of the server's answer."""
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(
        urllib.request.Request(f"http://{server.host}{path}", data), timeout=PATIENCE
    ) as answer:
        return dict(json.loads(answer.read().splitlines()[-1]))


def estimated(server: Server, context: int) -> Estimate:
    shown = asked(server, "/api/show", model="plain", verbose=True)
    listed = asked(server, "/api/tags")["models"]
    size = next(model["size"] for model in listed if model["name"] == "plain:latest")
    return estimate_memory(shown["model_info"], size, LoadOptions(context), shown["details"]["quantization_level"])


@pytest.mark.parametrize("context", [512, 2048, 8192])
def test_estimate_is_close_to_the_memory_the_server_reports(ollama: Server, context: int) -> None:
    before = ollama.log.stat().st_size
    asked(ollama, "/api/generate", model="plain", keep_alive=0)
    asked(ollama, "/api/generate", model="plain", options={"num_ctx": context})
    running = next(one for one in running_of(asked(ollama, "/api/ps")) if one.name == "plain:latest")
    log = ollama.log.read_bytes()[before:].decode(errors="replace")
    reserved = [(kind, float(size) * MIB) for kind, size in RESERVED.findall(log)]
    made = estimated(ollama, context)
    found = compare_with_running(made, running)

    assert sum(size for kind, size in reserved if kind == "KV") == made.cache
    assert sum(size for _, size in reserved) == pytest.approx(made.total, rel=0.05)
    assert found is not None
    assert running.context_length == context
    assert abs(found.difference) < 0.05 * running.size
    assert words.describe_comparison(found).startswith("estimated ")
