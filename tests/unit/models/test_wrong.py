"""Errors of the library: unknown models, invalid names, servers that are old or unreachable."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import ModelMissingError, RefusedError, StalledError, UnreachableError, UsageError
from reflectty.core.messages import Timeouts
from reflectty.engines.hosts import parse_host
from reflectty.engines.ollama import OllamaEngine
from reflectty.models.installed import InstalledModel, ModelVariant, ProgressUpdate
from reflectty.models.manager import ModelLibrary
from support.fake_server import HANG, Answer, FakeServer, error, whole
from support.model_server_harness import LOADED, SUCCESS, every, routes, using

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


CALLS: dict[str, Callable[[ModelLibrary, str], Awaitable[object]]] = {
    "show": lambda library, name: library.show(name),
    "pull": lambda library, name: every(library.pull(name)),
    "create": lambda library, name: every(library.create(ModelVariant(name, name))),
    "copy": lambda library, name: library.copy(name, name),
    "delete": lambda library, name: library.remove(name),
    "load": lambda library, name: library.load(name),
    "unload": lambda library, name: library.unload(name),
}
MISSING = error(404, "model 'mm' not found")


@pytest.mark.parametrize("call", [name for name in CALLS if name != "pull"])
def test_unknown_model_error_suggests_similar_names(call: str) -> None:
    given = routes(show=MISSING, copy=MISSING, delete=MISSING)
    with FakeServer(given) as server, pytest.raises(ModelMissingError, match="mm is not installed") as caught:
        using(server.host, lambda library: CALLS[call](library, "mm"))
    assert "did you mean m" in caught.value.hint


@pytest.mark.parametrize("call", CALLS)
def test_invalid_name_is_refused_without_a_request(call: str) -> None:
    with FakeServer(routes()) as server:
        for name in ("", "../x", "/etc/passwd", "a b", "a\x1b[2J", "a/b/c/d", "a:b:c", "-rf", "a\n", "ä"):
            with pytest.raises(UsageError):
                using(server.host, lambda library, name=name: CALLS[call](library, name))  # type: ignore[misc]
        assert server.requests == []


@pytest.mark.parametrize("answer", [Answer([b"404 page not found"], 404), Answer([b"405 method not allowed"], 405)])
def test_unsupported_call_reports_the_server_version(answer: Answer) -> None:
    given = routes(pull=answer, version=whole({"version": "0.1.2"}))
    with FakeServer(given) as server, pytest.raises(RefusedError, match=r"0\.1\.2.*/api/pull") as caught:
        using(server.host, lambda library: every(library.pull("m")))
    assert "update" in caught.value.hint


def test_other_server_is_not_called_too_old() -> None:
    with FakeServer({}) as server, pytest.raises(UnreachableError):
        using(server.host, lambda library: every(library.pull("m")))


@pytest.mark.parametrize("call", CALLS)
def test_server_that_is_down_is_unreachable(call: str) -> None:
    with FakeServer({}) as server:
        host = server.host
    with pytest.raises(UnreachableError):
        using(host, lambda library: CALLS[call](library, "m"))


def test_stalled_pull_differs_from_a_broken_one() -> None:
    async def work() -> None:
        async with ModelLibrary(OllamaEngine(parse_host(server.host), timeouts=Timeouts(idle=0.1))) as library:
            await every(library.pull("m"))

    stalled = Answer([b'{"status":"pulling manifest"}\n', HANG])
    with FakeServer(routes(pull=stalled)) as server, pytest.raises(StalledError) as caught:
        asyncio.run(work())
    assert "run the same command to continue" in caught.value.hint


def test_model_without_details_is_found_and_an_unknown_one_is_not() -> None:
    with FakeServer(routes(show=error(500, "unreadable"))) as server:
        found = using(server.host, lambda library: library.find("M:LATEST"))
        with pytest.raises(ModelMissingError, match="mm is not installed") as caught:
            using(server.host, lambda library: library.find("mm"))
    assert found.name == "m:latest"
    assert "did you mean m" in caught.value.hint


def test_library_returns_only_its_own_types() -> None:
    with FakeServer(routes(pull=Answer([SUCCESS]), ps=LOADED)) as server:
        parts = using(server.host, lambda library: every(library.pull("m")))
        one = using(server.host, lambda library: library.show("m"))
    assert type(parts[0]) is ProgressUpdate
    assert type(one) is InstalledModel
    json.dumps([parts, one])
