from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import UnreachableError
from reflectty.core.messages import Timeouts
from reflectty.engines.connection import Connection, server_finder_for
from reflectty.engines.discovery import LlamaServer, find_llama_servers, llama_server_hint_of
from reflectty.engines.hosts import parse_host
from support.fake_replies import HANG, Answer, Raw, whole
from support.fake_server import FakeServer
from support.openai_replies import model_list

if TYPE_CHECKING:
    from support.fake_server import Route


def named(answer: Answer, server: str) -> Answer:
    """An answer with the name of a server in its head."""
    return replace(answer, headers={**answer.headers, "Server": server})


LISTED = model_list("m", maker="llamacpp")
LOCKED = whole({"error": {"message": "Invalid API Key", "type": "authentication_error", "code": 401}}, 401)


@pytest.mark.parametrize(
    ("answer", "locked"),
    [
        (named(LISTED, "llama.cpp"), False),
        (named(LOCKED, "llama.cpp"), True),
        (named(whole({"error": {"message": "Loading model", "code": 503}}, 503), "llama.cpp"), False),
    ],
)
def test_a_llama_server_is_found_whatever_it_answers(answer: Answer, locked: bool) -> None:
    with FakeServer({"/v1/models": answer}) as server, FakeServer({}) as other:
        found = asyncio.run(find_llama_servers((other.port, server.port)))

    assert found == (LlamaServer(server.host, locked),)
    assert [asked.path for asked in server.requests] == ["/v1/models"] * len(server.requests)
    assert all("authorization" not in asked.headers for asked in server.requests)


@pytest.mark.parametrize(
    "answer",
    [
        LISTED,
        named(LISTED, "uvicorn"),
        whole({"detail": "Not Found"}, 404),
        Answer([b"<html>"]),
        Answer([HANG]),
        Raw([b"SSH-2.0-OpenSSH_9.2\r\n"]),
        Raw([]),
    ],
)
def test_other_servers_are_not_taken_for_a_llama_server(answer: Route) -> None:
    with FakeServer({"/v1/models": answer}) as server:
        assert asyncio.run(find_llama_servers((server.port,))) == ()


def test_hint_explains_one_time_and_permanent_use() -> None:
    assert llama_server_hint_of([]) == ""
    assert llama_server_hint_of([LlamaServer("127.0.0.1:9931"), LlamaServer("127.0.0.1:8080")]) == (
        "a llama-server responds at 127.0.0.1:9931: use --engine openai --host 127.0.0.1:9931,"
        " or permanently: reflect config set engine openai && reflect config set host 127.0.0.1:9931"
    )
    assert "(requires a key: REFLECTTY_API_KEY)" in llama_server_hint_of(
        [LlamaServer("127.0.0.1:8080", needs_key=True)]
    )


@pytest.mark.parametrize(
    ("host", "port", "looks"),
    [
        ("", 11434, True),
        ("", 8000, True),
        ("localhost:11434", 11434, True),
        ("127.0.0.1:1", 11434, False),
        ("box", 11434, False),
        ("box:8000", 8000, False),
        ("unix:///tmp/o.sock", 11434, False),
        ("127.0.0.1:11434/team", 11434, False),
    ],
)
def test_search_runs_only_for_the_default_local_server(host: str, port: int, looks: bool) -> None:
    assert (server_finder_for(parse_host(host, port)) is not None) is looks


def test_unreachable_error_mentions_another_server_once() -> None:
    looked = []

    async def elsewhere() -> str:
        looked.append(1)
        return "a llama-server responds at 127.0.0.1:8080"

    async def ask() -> list[str]:
        connection = Connection(parse_host("127.0.0.1:1"), Timeouts(), look_for_other_server=elsewhere)
        hints = []
        for _ in range(3):
            with pytest.raises(UnreachableError, match="cannot reach") as caught:
                async with connection.request("GET", "/"):
                    pass
            hints.append(caught.value.hint)
        await connection.aclose()
        return hints

    first, *others = asyncio.run(ask())

    assert first.endswith("OLLAMA_HOST; a llama-server responds at 127.0.0.1:8080")
    assert [hint.endswith("OLLAMA_HOST") for hint in others] == [True, True]
    assert looked == [1]
