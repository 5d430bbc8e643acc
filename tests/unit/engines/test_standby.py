"""A server with the built-in model as its fallback: who gets each request, and the notes about it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

import pytest

from reflectty.core.errors import BusyError, ModelMissingError, RefusedError, StalledError, UnreachableError
from reflectty.core.messages import Capacity, Message, Model, Request, RunningModel, Workload
from reflectty.engines.embedded.install import how_to_install
from reflectty.engines.fallback import FallbackEngine, FallbackRules
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from reflectty.core.errors import ReflecttyError

    T = TypeVar("T")

OWN = Model("mini", ("completion",), "own", digest="sha256:own")
OTHERS = (Model("reflection", ("completion",)),)
GONE = UnreachableError("cannot reach it", "is it running?")


class Scene(NamedTuple):
    """A server with the built-in model as its fallback, and the recorded switches."""

    engine: FallbackEngine
    server: ScriptedEngine
    own: ScriptedEngine
    reached: list[bool]


class BuiltInEngine(ScriptedEngine):
    """An engine that describes its model with the digest, as the built-in one does."""

    async def show(self, model: str) -> Model:
        return (await super().show(model))._replace(digest=OWN.digest)


def scene(
    *models: Model,
    gone: ReflecttyError | None = None,
    installed: bool = True,
    stands_in: bool = False,
    advice: str = "",
    alone: bool = False,
) -> Scene:
    server, own = ScriptedEngine(("from the server",), models=models), BuiltInEngine(("from here",), models=(OWN,))
    server.gone = gone
    reached: list[bool] = []
    rules = FallbackRules(
        lambda: installed,
        lambda: stands_in,
        builtin_note,
        lambda: advice,
        lambda: reached.append(True),
    )
    engine = FallbackEngine(own if alone else server, lambda: own, rules, builtin_only=alone)
    return Scene(engine, server, own, reached)


async def builtin_note(asked: bool) -> tuple[str, ...]:
    return ("asked" if asked else "unasked",)


def run(work: Callable[[], Awaitable[T]]) -> T:
    async def main() -> T:
        return await work()

    return asyncio.run(main())


def failing(work: Callable[[], Awaitable[object]]) -> ReflecttyError:
    with pytest.raises((UnreachableError, RefusedError, StalledError)) as failed:
        run(work)
    return failed.value


async def answer_of(engine: FallbackEngine, model: str) -> str:
    return "".join([chunk.content async for chunk in engine.chat(Request(model, (Message("user", "q"),)))])


class Rendering(ScriptedEngine):
    """A server that renders its prompts."""

    async def prompt(self, request: Request) -> str:
        return f"{request.model}: <think>"

    async def opener(self, request: Request) -> str:
        return "<think>" if request.model else ""


@pytest.mark.parametrize(
    ("server", "expected"), [(Rendering(), ("m: <think>", "<think>")), (ScriptedEngine(), ("", ""))]
)
def test_prompt_and_opener_are_delegated_to_the_server(server: ScriptedEngine, expected: tuple[str, str]) -> None:
    async def ask() -> tuple[str, str]:
        request = Request("m", (Message("user", "q"),))
        return await engine.prompt(request), await engine.opener(request)

    engine = FallbackEngine(server, ScriptedEngine, scene().engine._rules)  # noqa: SLF001 - the rules do not matter
    assert run(ask) == expected


@pytest.mark.parametrize("name", ["mini", "Mini", "mini:latest"])
@pytest.mark.parametrize(
    "gone", [None, GONE, BusyError("busy"), StalledError("silent")], ids=["lacks it", "gone", "busy", "silent"]
)
def test_mini_is_available_if_the_server_does_not_show_it(name: str, gone: ReflecttyError | None) -> None:
    there = scene(*OTHERS, gone=gone)
    found = run(lambda: there.engine.show(name))

    assert (found.template, found.digest, found.notices) == ("own", "sha256:own", ("asked",))
    assert run(lambda: answer_of(there.engine, name)) == "from here"


def test_server_that_refuses_is_not_bypassed() -> None:
    wrong_key = RefusedError("Invalid API Key")
    there = scene(*OTHERS, gone=wrong_key)

    assert failing(lambda: there.engine.show("mini")) is wrong_key


def test_mini_on_the_server_takes_precedence() -> None:
    there = scene(*OTHERS, Model("mini", template="theirs"))
    found = run(lambda: there.engine.show("mini"))

    assert (found.template, found.notices) == ("theirs", ())
    assert run(lambda: answer_of(there.engine, "mini")) == "from the server"
    assert not there.own.requests


@pytest.mark.parametrize("stands_in", [True, False])
@pytest.mark.parametrize("gone", [GONE, None], ids=["gone", "lacks it"])
def test_mini_never_answers_for_another_model(stands_in: bool, gone: ReflecttyError | None) -> None:
    there = scene(gone=gone, stands_in=stands_in)
    error = failing(lambda: there.engine.show("reflection"))

    assert error is gone or isinstance(error, ModelMissingError)


def test_mini_is_listed_if_it_may_replace_an_unreachable_server() -> None:
    there = scene(*OTHERS, gone=GONE, stands_in=True)
    (found,) = run(there.engine.models)

    assert (found.name, found.notices) == ("mini", ("unasked",))
    assert there.engine.using_fallback
    assert run(there.engine.version) == "0.32.15"


@pytest.mark.parametrize(
    ("gone", "installed", "stands_in"),
    [(GONE, False, True), (GONE, True, False), (StalledError("silent"), True, True), (BusyError("busy"), True, True)],
    ids=["not installed", "it may not", "a server that is silent", "a server that is busy"],
)
def test_mini_is_not_listed_otherwise(gone: ReflecttyError, installed: bool, stands_in: bool) -> None:
    there = scene(gone=gone, installed=installed, stands_in=stands_in)

    assert failing(there.engine.models) is gone
    assert not there.engine.using_fallback


def test_mini_is_not_listed_alongside_a_reachable_server() -> None:
    there = scene(*OTHERS, stands_in=True)

    assert run(there.engine.models) == OTHERS
    assert there.reached


def test_notice_is_given_once() -> None:
    there = scene(gone=GONE)
    first, second = (run(lambda: there.engine.show("mini")) for _ in range(2))

    assert (first.notices, second.notices) == (("asked",), ())


def test_recovered_server_is_used_again() -> None:
    there = scene(*OTHERS, gone=GONE, stands_in=True)
    run(there.engine.models)
    there.server.gone = None

    assert run(there.engine.models) == OTHERS
    assert not there.engine.using_fallback
    assert run(lambda: answer_of(there.engine, "reflection")) == "from the server"


def test_running_models_of_both_are_reported() -> None:
    there = scene(*OTHERS)
    there.server.loaded, there.own.loaded = (RunningModel("reflection"),), (RunningModel("mini"),)
    before = run(there.engine.running_models)
    run(lambda: there.engine.show("mini"))
    both = run(there.engine.running_models)
    there.engine.using_fallback = True

    assert [[one.name for one in found] for found in (before, both)] == [["reflection"], ["reflection", "mini"]]
    assert [one.name for one in run(there.engine.running_models)] == ["mini"]


def test_reached_server_is_recorded_and_unreachable_error_has_the_advice() -> None:
    there = scene(*OTHERS, gone=UnreachableError("cannot reach it", "is it running?"), advice="or else")
    error = failing(lambda: there.engine.show("reflection"))

    assert (error.hint, there.reached) == ("is it running?; or else", [])
    there.server.gone = None
    run(lambda: there.engine.show("reflection"))
    assert there.reached == [True]


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        (None, "the built-in model mini is not installed, and the server has no model of that name"),
        (UnreachableError("gone", "start it"), "the built-in model mini is not installed; gone"),
        (BusyError("busy", "wait"), "the built-in model mini is not installed; busy"),
    ],
    ids=["lacks it", "gone", "busy"],
)
def test_missing_mini_error_explains_how_to_install_it(gone: ReflecttyError | None, says: str) -> None:
    there = scene(*OTHERS, gone=gone, installed=False)
    error = failing(lambda: there.engine.show("mini"))

    assert (str(error), error.hint) == (says, f"install it with {how_to_install()}")


def test_mini_works_without_a_server() -> None:
    there = scene(alone=True)
    (found,) = run(there.engine.models)
    error = failing(lambda: there.engine.show("reflection"))
    run(there.engine.aclose)

    assert (found.name, found.notices, there.engine.using_fallback) == ("mini", ("asked",), True)
    assert isinstance(error, ModelMissingError)
    assert run(lambda: answer_of(there.engine, "mini")) == "from here"
    assert there.own.closed


def test_both_are_closed() -> None:
    there = scene(*OTHERS)
    run(lambda: there.engine.show("mini"))
    run(there.engine.aclose)

    assert (there.server.closed, there.own.closed) == (True, True)


def test_other_local_server_is_mentioned_with_the_fallback() -> None:
    gone = UnreachableError(
        "cannot reach it", "is it running?", other_server_hint="a llama-server responds at 127.0.0.1:8080"
    )
    engine = scene(gone=gone, stands_in=True).engine
    (own,) = run(engine.models)

    assert own.notices == ("unasked", "a llama-server responds at 127.0.0.1:8080")
    assert gone.hint == "is it running?; a llama-server responds at 127.0.0.1:8080"


class Telling(ScriptedEngine):
    """An engine that reports its software and its capacity."""

    manages_models = False
    reports_memory = False
    software = "vLLM"

    async def capacity(self, model: str) -> Capacity | None:  # noqa: ARG002 - the same for all
        return Capacity(4, 2048)

    async def workload(self) -> Workload | None:
        return Workload(3, 1)


def test_server_properties_are_passed_through() -> None:
    async def quiet(_: object) -> tuple[str, ...]:
        return ()

    rules = FallbackRules(lambda: True, lambda: False, quiet, str, lambda: None)
    telling = FallbackEngine(Telling(), ScriptedEngine, rules)
    silent = scene().engine

    def facts(engine: FallbackEngine) -> tuple[object, ...]:
        return (
            engine.manages_models,
            engine.reports_memory,
            engine.software,
            run(lambda: engine.capacity("m")),
            run(engine.workload),
        )

    assert facts(telling) == (False, False, "vLLM", Capacity(4, 2048), Workload(3, 1))
    assert facts(silent) == (True, True, "", None, None)
