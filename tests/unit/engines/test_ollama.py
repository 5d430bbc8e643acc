from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import IncompleteError, ModelMissingError, RefusedError, UnreachableError
from reflectty.core.messages import Message, Request, RunningModel, Timeouts
from reflectty.engines import open_engine
from reflectty.engines.connection import Connection
from reflectty.engines.hosts import parse_host
from reflectty.engines.ollama import OllamaEngine
from reflectty.engines.server_client import ADVICE_TIME
from support.engine_outcome import FADING, PATIENT, REQUEST, ask, collect, using
from support.event_loops import ClockedLoop
from support.fake_server import (
    HANG,
    Answer,
    FakeServer,
    Pause,
    Raw,
    error,
    line,
    raw_reply,
    rendered,
    reply,
    show,
    tags,
    whole,
)
from support.waiting import PATIENCE, until

if TYPE_CHECKING:
    from reflectty.core.messages import Engine

ENDLESS = Answer(lambda: itertools.chain([line("one ")], itertools.cycle([Pause(0.01), line("more ")])))
BUSY = error(503, "busy", **{"Retry-After": "5"})
CHAT = "/api/chat"


def test_chat_is_one_request_and_yields_its_chunks() -> None:
    with FakeServer({CHAT: reply(["4", "2"], ["I count"])}) as server:
        outcome = ask(server.host)
    assert [(chunk.thinking, chunk.content) for chunk in outcome.chunks] == [
        ("I count", ""),
        ("", "4"),
        ("", "2"),
        ("", ""),
    ]
    assert outcome.complete
    (asked,) = server.requests
    assert (asked.method, asked.path) == ("POST", CHAT)
    assert asked.json["truncate"] is asked.json["shift"] is False
    assert asked.headers["user-agent"] == "reflectty"


def test_engine_is_opened_by_host() -> None:
    async def run(host: str) -> bool:
        async with open_engine(host, timeouts=PATIENT) as engine:
            kept: Engine = engine
            return (await collect(kept.chat(REQUEST))).complete

    with FakeServer({CHAT: reply(["hi"])}) as server:
        assert asyncio.run(run(server.host))


def test_lone_surrogates_in_a_prompt_are_sent() -> None:
    with FakeServer({CHAT: reply(["hi"])}) as server:
        assert ask(server.host, Request("m", (Message("user", "caf\udce9"),))).complete
    assert server.requests[0].json["messages"][0]["content"] == "caf\udce9"


def test_a_path_prefix_stays_before_the_path() -> None:
    with FakeServer({"/gpu/api/chat": reply(["hi"])}) as server:
        assert ask(f"{server.host}/gpu/").text == "hi"


def test_unix_socket_works_like_any_other_server(tmp_path: Path) -> None:
    with FakeServer({CHAT: reply(["hi"]), "/api/tags": tags("m")}, tmp_path / "s.sock") as server:
        assert ask(server.host).text == "hi"
        assert using(server.host, OllamaEngine.models)[0].name == "m"


def test_reply_is_resumed_after_the_rendered_prompt() -> None:
    with FakeServer({CHAT: rendered("Q: hi\nA: "), "/api/generate": raw_reply(["right", "</thinking>"])}) as server:
        outcome = using(server.host, lambda engine: collect(engine.resume(REQUEST, "<thinking>All ")))
    assert outcome.text == "right</thinking>"
    render, raw = server.requests
    assert render.json["_debug_render_only"] is True
    assert raw.json["prompt"] == "Q: hi\nA: <thinking>All "
    assert raw.json["raw"] is True
    assert raw.json["think"] is False


def test_an_opener_that_the_template_wrote_is_not_repeated() -> None:
    with FakeServer({CHAT: rendered("Q: hi\nA: <think>\n"), "/api/generate": raw_reply(["."])}) as server:
        using(server.host, lambda engine: collect(engine.resume(REQUEST, "<think>\nAll ")))
    assert server.requests[1].json["prompt"] == "Q: hi\nA: <think>\nAll "


def test_resume_is_refused_if_the_server_cannot_render() -> None:
    with FakeServer({CHAT: whole({"message": {"content": "x"}, "done": True})}) as server:
        outcome = using(server.host, lambda engine: collect(engine.resume(REQUEST, "so far")))
    assert type(outcome.error) is RefusedError
    assert len(server.requests) == 1


def test_models_and_show_are_read() -> None:
    with FakeServer({"/api/tags": tags("a:latest", "b"), "/api/show": show(capabilities=["thinking"])}) as server:
        models = using(server.host, OllamaEngine.models)
        model = using(server.host, lambda engine: engine.show("a"))
    assert [model.name for model in models] == ["a:latest", "b"]
    assert (model.name, model.capabilities, model.context_length) == ("a", ("thinking",), 131072)
    assert server.asked("/api/show")[0].json == {"model": "a"}


def test_running_models_and_version_are_parsed() -> None:
    loaded = {"models": [{"name": "m:latest", "size": 3, "size_vram": 2, "context_length": 512}]}
    with FakeServer({"/api/ps": whole(loaded), "/api/version": whole({"version": "0.32.15"})}) as server:
        assert using(server.host, OllamaEngine.running_models) == (RunningModel("m:latest", 3, 2, 512),)
        assert using(server.host, OllamaEngine.version) == "0.32.15"
    assert [(asked.method, asked.path) for asked in server.requests] == [("GET", "/api/ps"), ("GET", "/api/version")]


@pytest.mark.parametrize("answer", [Raw([b"HTTP/1.1 200 OK\r\n\r\n<html>"]), whole([1]), Answer([b"x" * 9])])
def test_answer_that_is_not_an_object_is_not_ollama(answer: Answer | Raw) -> None:
    with FakeServer({"/api/tags": answer}) as server, pytest.raises(UnreachableError, match="not an Ollama server"):
        using(server.host, OllamaEngine.models)


def test_endless_answer_is_aborted() -> None:
    async def run(host: str) -> bytes:
        connection = Connection(parse_host(host), PATIENT)
        try:
            async with connection.request("GET", "/") as response:
                return await connection.read_body(response, 1_000_000)
        finally:
            await connection.aclose()

    with (
        FakeServer({"/": Answer(lambda: itertools.repeat(b"x" * 65536))}) as server,
        pytest.raises(IncompleteError, match="more than 1,000,000 bytes"),
    ):
        asyncio.run(run(server.host))


def test_missing_model_error_suggests_installed_models() -> None:
    missing = error(404, "model 'reflecton' not found")
    with FakeServer({CHAT: missing, "/api/show": missing, "/api/tags": tags("reflection:latest")}) as server:
        outcome = ask(server.host, Request("reflecton", REQUEST.messages))
        with pytest.raises(ModelMissingError, match="reflecton is not installed"):
            using(server.host, lambda engine: engine.show("reflecton"))
    assert type(outcome.error) is ModelMissingError
    assert "did you mean reflection?" in outcome.error.hint


@pytest.mark.parametrize("answer", [error(500, "no"), Raw([HANG]), Raw([])])
def test_missing_model_is_named_even_if_the_list_is_unavailable(answer: Answer | Raw) -> None:
    loop = ClockedLoop()

    def late(_: object) -> Answer | Raw:
        if answer == Raw([HANG]):
            loop.ahead += ADVICE_TIME
            loop.call_soon_threadsafe(int)
        return answer

    with FakeServer({CHAT: error(404, "model 'm' not found"), "/api/tags": late}) as server:
        outcome = ask(server.host, loop=loop)
    assert type(outcome.error) is ModelMissingError
    assert "reflect models pull m" in outcome.error.hint


@pytest.mark.parametrize("through_httpx", [False, True], ids=["local", "httpx"])
def test_closing_the_reply_closes_the_connection_at_once(through_httpx: bool) -> None:
    async def close(engine: OllamaEngine) -> None:
        async with aclosing(engine.chat(REQUEST)) as chunks:
            await anext(chunks)
        # The connection closes before the engine does.
        assert await asyncio.to_thread(server.requests[0].left.wait, PATIENCE)

    with FakeServer({CHAT: ENDLESS}) as server:
        using(server.host, close, through_httpx=through_httpx)


@pytest.mark.parametrize("through_httpx", [False, True], ids=["local", "httpx"])
@pytest.mark.parametrize("answer", [Raw([HANG]), Answer([line("one"), HANG]), ENDLESS, BUSY])
def test_canceling_closes_the_connection_at_any_point(answer: Answer | Raw, through_httpx: bool) -> None:
    async def cancel(engine: OllamaEngine) -> None:
        heard = asyncio.Event()
        task = asyncio.create_task(collect(engine.chat(REQUEST), heard.set))
        if isinstance(answer, Answer) and answer is not BUSY:
            await heard.wait()
        assert await asyncio.to_thread(until, lambda: server.requests)
        # Let the client reach its wait instead of being canceled before it.
        await asyncio.sleep(0.05)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()

    with FakeServer({CHAT: answer}) as server:
        using(server.host, cancel, timeouts=Timeouts(), through_httpx=through_httpx)
        assert len(server.requests) == 1
        assert answer is BUSY or server.requests[0].left.wait(PATIENCE)


def test_the_first_bytes_may_take_longer_than_the_next() -> None:
    whole_reply = b"".join(reply(["hi"]).steps)  # type: ignore[arg-type] # bytes here
    with FakeServer({CHAT: Answer([Pause(2 * FADING.idle), whole_reply])}) as server:
        assert ask(server.host, timeouts=FADING).complete


def test_concurrent_requests_do_not_interfere() -> None:
    async def run(host: str) -> list[str]:
        async with OllamaEngine(parse_host(host)) as engine:
            return [
                outcome.text for outcome in await asyncio.gather(*(collect(engine.chat(REQUEST)) for _ in range(8)))
            ]

    words = [f"{number} " for number in range(20)]
    with FakeServer({CHAT: reply(words, pause=0.002)}) as server:
        assert asyncio.run(run(server.host)) == ["".join(words)] * 8


MEASURE = """
import re, sys
from pathlib import Path
from support.engine_outcome import ask
from reflectty.core.messages import Timeouts
outcome = ask(sys.argv[1], timeouts=Timeouts())
print(type(outcome.error).__name__, re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of its memory from /proc")
def test_endless_line_is_refused_with_little_memory() -> None:
    with FakeServer({CHAT: Answer(lambda: itertools.chain([line("one ")], itertools.repeat(b"x" * 65536)))}) as server:
        command = (sys.executable, "-c", MEASURE, server.host)
        beside = Path(__file__).parents[2]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True, cwd=beside)
    name, kilobytes = done.stdout.split()
    assert name == "IncompleteError"
    assert int(kilobytes) <= 100_000


LOADED = """
import sys
from reflectty.engines import open_engine
import reflectty.protocols.ollama
print([name for name in ("asyncio", "httpx") if name in sys.modules])
open_engine()
print([name for name in ("httpcore", "h11", "anyio") if name in sys.modules])
open_engine("gpu.example")
print("httpcore" in sys.modules)
"""


def test_nothing_is_imported_early_and_httpcore_only_for_another_machine() -> None:
    done = subprocess.run((sys.executable, "-c", LOADED), capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.split("\n") == ["[]", "[]", "True", ""]
