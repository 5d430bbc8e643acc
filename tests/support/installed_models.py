"""Answers of a scripted server about its installed models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.fake_server import Answer, show, whole

if TYPE_CHECKING:
    from support.fake_server import Route

LAYER = "sha256:" + "1" * 64
SUCCESS = b'{"status":"success"}\n'
EMPTY = Answer([], headers={"Content-Length": "0"})
LISTED = {
    "name": "reflection:70b",
    "size": 42_520_397_704,
    "digest": "5084e77c1e1000",
    "modified_at": "2024-09-07T03:04:05.123456789Z",
    "details": {"parameter_size": "70.6B", "quantization_level": "Q4_0"},
}
SPLIT = {"name": "reflection:70b", "size": 44_000_000_000, "size_vram": 22_000_000_000, "context_length": 4096}
SHOWN = show(details=LISTED["details"], system="Be exact.", license="free\nto use", capabilities=["completion"])


def routes(**more: Route) -> dict[str, Route]:
    given: dict[str, Route] = {"tags": whole({"models": [LISTED]}), "ps": whole({"models": [SPLIT]}), "show": SHOWN}
    return {f"/api/{name}": route for name, route in (given | more).items()}
