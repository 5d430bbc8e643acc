"""A scripted HTTP server for tests and benchmarks: sends exact bytes, and records its requests.

    with FakeServer({"/api/chat": reply(["Hello", " there"])}) as server:
        run("reflect", "--host", server.host, "hi")
    assert server.requests[0].json["model"] == "m"

`python -m support.fake_server` in tests/ prints its address and serves one fixed reply until its stdin ends.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Self

from support.fake_replies import (
    CLOSE,
    HANG,
    RESET,
    Answer,
    End,
    Pause,
    Raw,
    Step,
    done,
    error,
    line,
    raw_line,
    raw_reply,
    rendered,
    reply,
    show,
    tags,
    whole,
)

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "BENCHMARK",
    "CLOSE",
    "HANG",
    "RESET",
    "Answer",
    "End",
    "FakeServer",
    "Pause",
    "Raw",
    "ReceivedRequest",
    "done",
    "error",
    "line",
    "raw_line",
    "raw_reply",
    "rendered",
    "reply",
    "show",
    "tags",
    "unless_loading",
    "whole",
]


@dataclass(slots=True)
class ReceivedRequest:
    """A request; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    left: threading.Event = field(default_factory=threading.Event)
    """Set when the client has closed the connection before the end of the answer."""
    left_at: float = 0.0
    """The `time.monotonic()` of that."""

    @property
    def json(self) -> Any:
        return json.loads(self.body)


LOADED = whole({"model": "m", "response": "", "done": True, "done_reason": "load"})
"""The answer of /api/generate to a request that only loads a model."""

Script = Answer | Raw
Route = Script | Sequence[Script] | Callable[[ReceivedRequest], Script]
"""One answer, answers in turn (the last is repeated), or a function of the request."""


class FakeServer:
    """Listens on a loopback port, free or given, or on a unix socket; answers unknown paths as Ollama does."""

    def __init__(self, routes: Mapping[str, Route], socket_path: Path | None = None, port: int = 0) -> None:
        self.routes = dict(routes)
        self.requests: list[ReceivedRequest] = []
        self.connections = 0
        self.port = port
        self._socket_path = socket_path
        self._listener = socket.socket(socket.AF_UNIX if socket_path else socket.AF_INET)
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    @property
    def host(self) -> str:
        """The value for OLLAMA_HOST."""
        return f"unix://{self._socket_path}" if self._socket_path else f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        # Allow the port of a server that has just stopped.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(str(self._socket_path) if self._socket_path else ("127.0.0.1", self.port))
        self._listener.listen(64)
        self.port = 0 if self._socket_path else self._listener.getsockname()[1]
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        with contextlib.suppress(OSError), socket.socket(self._listener.family) as wake:
            wake.connect(self._listener.getsockname())
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(5)
        self._listener.close()

    def asked(self, path: str) -> list[ReceivedRequest]:
        """The requests for a path."""
        return [request for request in self.requests if request.path == path]

    def chatted(self) -> list[ReceivedRequest]:
        """The requests of /api/chat for a reply, without those that only count the prompt."""
        return [one for one in self.asked("/api/chat") if one.json.get("options", {}).get("num_predict") != 1]

    def generated(self) -> list[ReceivedRequest]:
        """The requests of /api/generate for text, without those that only load a model."""
        return [request for request in self.asked("/api/generate") if "prompt" in request.json]

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopped.is_set():
            connection, _ = self._listener.accept()
            with self._lock:
                if self._stopped.is_set():
                    connection.close()
                    return
                self._open.add(connection)
            self.connections += 1
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        if connection.family == socket.AF_INET:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            with connection.makefile("rb") as stream:
                while (asked := _read_request(stream)) and self._answer(connection, asked):
                    pass
        except OSError:
            pass
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _answer(self, connection: socket.socket, asked: ReceivedRequest) -> bool:
        """Play the script; whether the connection stays open."""
        self.requests.append(asked)
        script = self._script(asked)
        try:
            return all(_play(connection, step) for step in script.raw())
        except OSError:
            asked.left_at = time.monotonic()
            asked.left.set()
            return False

    def _script(self, asked: ReceivedRequest) -> Script:
        route = self.routes.get(asked.path) or Answer([b"404 page not found"], 404, content_type="text/plain")
        if isinstance(route, Sequence):
            return route[min(len(self.asked(asked.path)), len(route)) - 1]
        return route if isinstance(route, Answer | Raw) else route(asked)


def unless_loading(*answers: Script) -> Callable[[ReceivedRequest], Script]:
    """A route for /api/generate that answers a load as Ollama does, and prompts in turn."""
    left = list(answers)

    def route(asked: ReceivedRequest) -> Script:
        if "prompt" not in asked.json:
            return LOADED
        return left.pop(0) if len(left) > 1 else left[0]

    return route


def _play(connection: socket.socket, step: Step) -> bool:
    """Do one step; OSError when the client has closed the connection."""
    if isinstance(step, bytes):
        connection.sendall(step)
    elif isinstance(step, Pause):
        _watch(connection, step.seconds)
    elif step == HANG:
        _watch(connection, None)
    elif step == RESET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    else:
        return False
    return True


def _watch(connection: socket.socket, seconds: float | None) -> None:
    readable, _, _ = select.select([connection], [], [], seconds)
    if readable and not connection.recv(1, socket.MSG_PEEK):
        raise ConnectionAbortedError


def _read_request(stream: IO[bytes]) -> ReceivedRequest | None:
    words = stream.readline().decode("latin-1").split()
    if len(words) < 2:
        return None
    headers: dict[str, str] = {}
    while line := stream.readline().decode("latin-1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    body = stream.read(length)
    # A client that is killed while it sends leaves less.
    return ReceivedRequest(words[0], words[1], headers, body) if len(body) == length else None


BENCHMARK = reply([f"word{number} " for number in range(200)], [f"thought{number} " for number in range(20)])


def main() -> None:
    loaded = whole({"models": [{"name": "m:latest", "context_length": 131_072}]})
    routes: dict[str, Route] = {"/api/chat": BENCHMARK, "/api/show": show(), "/api/tags": tags("m:latest")}
    routes |= {"/api/generate": LOADED, "/api/ps": loaded}
    with FakeServer(routes) as server:
        print(server.host, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
