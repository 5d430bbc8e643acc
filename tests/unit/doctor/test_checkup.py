from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from reflectty.config import Settings
from reflectty.core.errors import IncompleteError, ReflecttyError, StalledError, UnreachableError, UsageError
from reflectty.core.findings import Finding, FindingState
from reflectty.core.messages import Timeouts
from reflectty.doctor import CHECKS, Check, DoctorState, run_checks
from reflectty.doctor.context import run_in_thread
from support.doctor_harness import all_findings, doctor_context
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.doctor import DoctorContext

FINE = Finding("fine", FindingState.OK, "all is well")


async def fine(_: DoctorContext, __: DoctorState) -> Sequence[Finding]:
    return [FINE]


async def hangs(_: DoctorContext, __: DoctorState) -> Sequence[Finding]:
    await asyncio.Event().wait()
    return []


def failing(error: Exception) -> Check:
    async def look(_: DoctorContext, __: DoctorState) -> Sequence[Finding]:
        raise error

    return Check("broken", "breaking", look)


@pytest.mark.parametrize(
    ("error", "text", "advice"),
    [
        (UnreachableError("nobody there", "look"), "nobody there", "look"),
        (
            ZeroDivisionError("\x1b[2J"),
            "internal error: ZeroDivisionError: \x1b[2J",
            "please report it",
        ),
        (OSError(5, "Broken disk", "/store"), "/store: broken disk", ""),
    ],
)
@pytest.mark.parametrize("needed", [True, False])
def test_a_check_that_fails_is_a_finding_and_stops_no_other(
    error: Exception, text: str, advice: str, needed: bool
) -> None:
    learnt = DoctorState()
    broken = failing(error)._replace(is_required=needed)
    findings = all_findings(doctor_context(), learnt, (broken, Check("fine", "", fine)))
    state = FindingState.WRONG if needed else FindingState.UNCHECKED
    assert findings == [Finding("broken", state, text, advice), FINE]
    assert (learnt.blocking_error is not None) == needed


def test_hanging_check_times_out() -> None:
    learnt = DoctorState()
    findings = all_findings(
        doctor_context(), learnt, (Check("slow", "", hangs, 0.05, is_required=True), Check("fine", "", fine))
    )
    assert [(one.check, one.state) for one in findings] == [("slow", FindingState.WRONG), ("fine", FindingState.OK)]
    assert isinstance(learnt.blocking_error, StalledError)


def test_blocking_work_times_out_too() -> None:
    never = threading.Event()

    async def look(_: DoctorContext, __: DoctorState) -> Sequence[Finding]:
        await run_in_thread(never.wait)
        return []

    (finding,) = all_findings(doctor_context(), DoctorState(), (Check("disk", "", look, 0.05),))
    never.set()
    assert finding.state is FindingState.UNCHECKED


def test_exceptions_in_the_thread_are_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        asyncio.run(run_in_thread(lambda: 1 // 0))


def test_check_without_a_limit_uses_the_reply_timeout() -> None:
    here = doctor_context(settings=Settings(timeouts=Timeouts(first=0.03, idle=0.02)))
    (finding,) = all_findings(here, DoctorState(), (Check("slow", "", hangs, 0.0),))
    assert finding.text == "no result within 0.05 s"


def test_first_blocking_error_is_reported() -> None:
    learnt, first = DoctorState(), UsageError("first")
    second = failing(IncompleteError("second"))._replace(is_required=True)
    all_findings(doctor_context(), learnt, (failing(first)._replace(is_required=True), second))
    assert learnt.blocking_error is first


@pytest.mark.parametrize("gone", [None, UnreachableError("nobody")])
def test_engine_is_always_closed(gone: ReflecttyError | None) -> None:
    engine = ScriptedEngine(("9.9",))
    engine.gone = gone
    all_findings(doctor_context(engine), DoctorState(), CHECKS)
    assert engine.closed


def test_leaving_early_closes_the_engine() -> None:
    engine = ScriptedEngine()

    async def leave() -> None:
        events = run_checks(doctor_context(engine), DoctorState())
        async for event in events:
            if isinstance(event, Finding) and event.check == "server":
                break
        await events.aclose()

    asyncio.run(leave())
    assert engine.closed


def test_every_check_starts_before_its_finding() -> None:
    async def events() -> list[str]:
        return [
            event.name if isinstance(event, Check) else f"found {event.check}" async for event in run_checks(here, k)
        ]

    here, k = doctor_context(ScriptedEngine(*[("a ", "b ")] * 20)), DoctorState()
    seen = asyncio.run(events())
    begun: set[str] = set()
    for name in seen:
        if name.startswith("found "):
            assert name.removeprefix("found ") in begun
        else:
            begun.add(name)
    assert begun == {check.name for check in CHECKS}
    assert {name.removeprefix("found ") for name in seen if name.startswith("found ")} == begun


def test_unreachable_server_leaves_dependent_checks_unchecked() -> None:
    engine = ScriptedEngine()
    engine.gone = UnreachableError("cannot reach it", "start it")
    learnt = DoctorState()
    states = {one.check: one.state for one in all_findings(doctor_context(engine), learnt, CHECKS)}
    assert states["server"] is FindingState.WRONG
    assert {name for name, state in states.items() if state is FindingState.UNCHECKED} >= {
        *("models", "model", "question", "tags", "GPU", "context", "parallel"),
    }
    assert learnt.blocking_error is engine.gone
