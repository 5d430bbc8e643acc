from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from reflectty.chat import Timeouts
from reflectty.checking import CHECKS, Check, Known, checkup
from reflectty.checking.aside import aside
from reflectty.config import Settings
from reflectty.errors import IncompleteError, ReflecttyError, StalledError, UnreachableError, UsageError
from reflectty.finding import Finding, State
from support.doctor_harness import all_found, around
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.checking import Around

FINE = Finding("fine", State.OK, "all is well")


async def fine(_: Around, __: Known) -> Sequence[Finding]:
    return [FINE]


async def hangs(_: Around, __: Known) -> Sequence[Finding]:
    await asyncio.Event().wait()
    return []


def failing(error: Exception) -> Check:
    async def look(_: Around, __: Known) -> Sequence[Finding]:
        raise error

    return Check("broken", "breaking", look)


@pytest.mark.parametrize(
    ("error", "text", "advice"),
    [
        (UnreachableError("nobody there", "look"), "nobody there", "look"),
        (ZeroDivisionError("\x1b[2J"), "internal error: ZeroDivisionError: \x1b[2J", "please report it"),
        (OSError(5, "broken disk"), "internal error: OSError: [Errno 5] broken disk", "please report it"),
    ],
)
@pytest.mark.parametrize("needed", [True, False])
def test_a_check_that_fails_is_a_finding_and_stops_no_other(
    error: Exception, text: str, advice: str, needed: bool
) -> None:
    learnt = Known()
    broken = failing(error)._replace(needed=needed)
    findings = all_found(around(), learnt, (broken, Check("fine", "", fine)))
    state = State.WRONG if needed else State.UNCHECKED
    assert findings == [Finding("broken", state, text, advice), FINE]
    assert (learnt.obstacle is not None) == needed


def test_a_check_that_hangs_is_given_up() -> None:
    learnt = Known()
    findings = all_found(around(), learnt, (Check("slow", "", hangs, 0.05, needed=True), Check("fine", "", fine)))
    assert [(one.check, one.state) for one in findings] == [("slow", State.WRONG), ("fine", State.OK)]
    assert isinstance(learnt.obstacle, StalledError)


def test_work_that_blocks_for_good_is_given_up_as_well() -> None:
    never = threading.Event()

    async def look(_: Around, __: Known) -> Sequence[Finding]:
        await aside(never.wait)
        return []

    (finding,) = all_found(around(), Known(), (Check("disk", "", look, 0.05),))
    never.set()
    assert finding.state is State.UNCHECKED


def test_what_goes_wrong_beside_is_told_here() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(aside(lambda: 1 // 0))


def test_a_check_without_a_limit_of_its_own_has_as_long_as_a_reply() -> None:
    here = around(settings=Settings(timeouts=Timeouts(first=0.03, idle=0.02)))
    (finding,) = all_found(here, Known(), (Check("slow", "", hangs, 0.0),))
    assert finding.found == "nothing came of it within 0.05 s"


def test_the_first_thing_in_the_way_is_what_counts() -> None:
    learnt, first = Known(), UsageError("first")
    second = failing(IncompleteError("second"))._replace(needed=True)
    all_found(around(), learnt, (failing(first)._replace(needed=True), second))
    assert learnt.obstacle is first


@pytest.mark.parametrize("gone", [None, UnreachableError("nobody")])
def test_the_engine_is_closed_whatever_happened(gone: ReflecttyError | None) -> None:
    engine = ScriptedEngine(("9.9",))
    engine.gone = gone
    all_found(around(engine), Known(), CHECKS)
    assert engine.closed


def test_whoever_leaves_early_closes_the_engine_too() -> None:
    engine = ScriptedEngine()

    async def leave() -> None:
        events = checkup(around(engine), Known())
        async for event in events:
            if isinstance(event, Finding) and event.check == "server":
                break
        await events.aclose()

    asyncio.run(leave())
    assert engine.closed


def test_every_check_is_begun_before_it_finds_something() -> None:
    async def events() -> list[str]:
        return [event.name if isinstance(event, Check) else f"found {event.check}" async for event in checkup(here, k)]

    here, k = around(ScriptedEngine(*[("a ", "b ")] * 20)), Known()
    seen = asyncio.run(events())
    begun: set[str] = set()
    for name in seen:
        if name.startswith("found "):
            assert name.removeprefix("found ") in begun
        else:
            begun.add(name)
    assert begun == {check.name for check in CHECKS}
    assert {name.removeprefix("found ") for name in seen if name.startswith("found ")} == begun


def test_where_no_server_answers_all_that_needs_one_is_not_checked() -> None:
    engine = ScriptedEngine()
    engine.gone = UnreachableError("cannot reach it", "start it")
    learnt = Known()
    states = {one.check: one.state for one in all_found(around(engine), learnt, CHECKS)}
    assert states["server"] is State.WRONG
    assert {name for name, state in states.items() if state is State.UNCHECKED} >= {
        *("models", "model", "question", "tags", "GPU", "context", "parallel"),
    }
    assert learnt.obstacle is engine.gone
