"""Files streamed to a server, and its answers."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import RefusedError, StalledError, UnreachableError
from support.engine_outcome import PATIENT, SILENT, using
from support.event_loops import ClockedLoop
from support.fake_server import Answer, FakeServer, error, whole
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from reflectty.core.messages import Timeouts

DIGEST = "sha256:" + "a" * 64
BLOB = f"/api/blobs/{DIGEST}"
EMPTY = {"Content-Length": "0"}
PIECE = b"0123456789abcdef" * 4096


async def pieces(number: int, pause: float = 0.0) -> AsyncIterator[bytes]:
    for _ in range(number):
        await asyncio.sleep(pause)
        yield PIECE


def send(host: str, number: int = 3, pause: float = 0.0, timeouts: Timeouts = PATIENT, *, far: bool = False) -> None:
    """Send a file of `number` pieces; `far` uses httpx's own transport, as to another machine."""
    size = number * len(PIECE)
    using(
        host,
        lambda engine: engine.send_blob(DIGEST, size, pieces(number, pause)),
        timeouts=timeouts,
        through_httpx=far,
    )


@contextmanager
def rude(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that handles one connection by `behave`, once it has read the head of a request."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            read = b""
            while b"\r\n\r\n" not in read:
                read += connection.recv(4096)
            behave(connection)

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}"
        thread.join(PATIENCE)


@pytest.mark.parametrize("how", ["tcp", "socket", "far"])
def test_file_is_sent_unchanged_with_its_content_length(how: str, tmp_path: Path) -> None:
    path = tmp_path / "s.sock" if how == "socket" else None
    with FakeServer({BLOB: Answer([], 201, EMPTY)}, path) as server:
        send(server.host, far=how == "far")
    (asked,) = server.requests

    assert (asked.method, asked.body) == ("POST", PIECE * 3)
    assert asked.headers["content-length"] == str(len(PIECE) * 3)
    assert "transfer-encoding" not in asked.headers


@pytest.mark.parametrize("far", [False, True])
@pytest.mark.parametrize(("said", "status"), [("no space left on device", 500), ("digest mismatch", 400)])
def test_refusal_message_for_a_file_is_raised(said: str, status: int, far: bool) -> None:
    with FakeServer({BLOB: error(status, said)}) as server, pytest.raises(RefusedError, match=said):
        send(server.host, far=far)


@pytest.mark.parametrize("far", [False, True])
def test_early_refusal_is_reported(far: bool) -> None:
    def refuse(connection: socket.socket) -> None:
        body = b'{"error":"no space left on device"}'
        connection.sendall(b"HTTP/1.1 500 no\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        while connection.recv(1 << 16):
            pass

    with rude(refuse) as host, pytest.raises(RefusedError, match="no space left"):
        send(host, 60, 0.01, far=far)


@pytest.mark.parametrize("far", [False, True])
def test_server_that_disconnects_while_receiving_is_unreachable(far: bool) -> None:
    with rude(lambda connection: connection.close()) as host, pytest.raises(UnreachableError):
        send(host, 1000, far=far)


@pytest.mark.parametrize("far", [False, True])
def test_server_that_stops_reading_stalls(far: bool) -> None:
    left = threading.Event()

    def sit(_: socket.socket) -> None:
        left.wait(PATIENCE)

    with rude(sit) as host:
        try:
            with pytest.raises(StalledError):
                send(host, 1000, timeouts=SILENT, far=far)
        finally:
            left.set()


@pytest.mark.parametrize("far", [False, True])
def test_sending_a_file_may_exceed_the_timeout(far: bool) -> None:
    loop = ClockedLoop()

    async def slow() -> AsyncIterator[bytes]:
        for _ in range(4):
            loop.ahead += PATIENT.first * 0.9
            await asyncio.sleep(0)
            yield PIECE

    with FakeServer({BLOB: Answer([], 201, EMPTY)}) as server:
        size = 4 * len(PIECE)
        using(server.host, lambda engine: engine.send_blob(DIGEST, size, slow()), through_httpx=far, loop=loop)
    assert server.requests[0].body == 4 * PIECE


@pytest.mark.parametrize("far", [False, True])
def test_unreadable_file_aborts_sending(far: bool) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield PIECE
        raise OSError(5, "Input/output error")

    with FakeServer({BLOB: Answer([], 201, EMPTY)}) as server, pytest.raises(OSError, match="Input/output"):
        using(server.host, lambda engine: engine.send_blob(DIGEST, 2 * len(PIECE), broken()), through_httpx=far)
    assert all(len(asked.body) < 2 * len(PIECE) for asked in server.requests)


def test_sending_to_another_kind_of_server_raises() -> None:
    with FakeServer({}) as server, pytest.raises(UnreachableError):
        send(server.host)


@pytest.mark.parametrize(("status", "has"), [(200, True), (404, False)])
def test_server_reports_whether_it_has_a_file(status: int, has: bool) -> None:
    with FakeServer({BLOB: Answer([], status, EMPTY)}) as server:
        assert using(server.host, lambda engine: engine.has_blob(DIGEST)) is has
    assert server.requests[0].method == "HEAD"


def test_failed_blob_check_raises() -> None:
    with FakeServer({BLOB: Answer([], 400, EMPTY)}) as server, pytest.raises(RefusedError):
        using(server.host, lambda engine: engine.has_blob(DIGEST))


def test_model_is_created_without_streaming() -> None:
    with FakeServer({"/api/create": whole({"status": "success"})}) as server:
        using(server.host, lambda engine: engine.create({"model": "n"}))
    assert server.requests[0].json == {"model": "n", "stream": False}


def test_failed_creation_raises() -> None:
    unable = error(500, "llama-quantize unavailable")
    with FakeServer({"/api/create": unable}) as server, pytest.raises(RefusedError, match="llama-quantize unavailable"):
        using(server.host, lambda engine: engine.create({"model": "n"}))
