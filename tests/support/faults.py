"""Faults of a server, for the tests of each protocol."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from support.engine_outcome import PATIENT
from support.fake_server import RESET, Answer
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.core.errors import ReflecttyError
    from reflectty.core.messages import Timeouts
    from support.fake_replies import Step
    from support.fake_server import Script

PAGE = b"<!DOCTYPE html>\n<html><body>Please sign in</body></html>"
NOW = {"Retry-After": "0"}
HEARD = threading.Event()
"""Set when the engine has delivered the first chunk of a reply: a reset before that would drop the bytes."""


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    script: Script
    error: type[ReflecttyError] | None
    kept: str = ""
    says: str = ""
    timeouts: Timeouts = PATIENT


def reset_after(data: bytes, content_type: str = "application/x-ndjson") -> Answer:
    """Answer with some bytes, and reset the connection once they are read."""

    def steps() -> Iterator[Step]:
        yield data
        HEARD.wait(PATIENCE)
        yield RESET

    return Answer(steps, content_type=content_type)


def cut(data: bytes, size: int) -> tuple[bytes, ...]:
    return tuple(data[start : start + size] for start in range(0, len(data), size))


def page(status: int) -> Answer:
    return Answer([PAGE], status, content_type="text/html")


def params(*tables: dict[str, tuple[Fault, ...]]) -> list[Any]:
    return [
        pytest.param(fault, id=f"{group}: {fault.name}")
        for table in tables
        for group, faults in table.items()
        for fault in faults
    ]


def closed_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"
