from __future__ import annotations

import asyncio
from itertools import repeat

import pytest

from reflectty.batch.server import Server
from reflectty.chat.request import Question
from reflectty.core.errors import IncompleteError, RefusedError, UnreachableError
from reflectty.core.messages import Model
from reflectty.core.session import ReplyStatus, StoredReply
from reflectty.evaluation.probe import Probe, find_target, run_probe, temperature_note
from reflectty.evaluation.probe_judge import judge_for
from reflectty.evaluation.probe_result import ProbeOptions, ProbeResult
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.modes import AskOptions, Mode
from reflectty.reasoning.reply import Reply
from support.scripted_engine import ScriptedEngine, Step

RAW = "<thinking>\nSo 9.11.\n<reflection>\nNo: 9.90.\n</reflection>\n</thinking>\n<output>\n9.9\n</output>"
BEFORE, THROUGH = "<thinking>\nSo 9.11.", "<thinking>\nSo 9.11.\n<reflection>\nNo: 9.90.\n</reflection>"
WRONG = ("\n</thinking>\n<output>\n9.11\n</output>",)
RIGHT = ("\n</thinking>\n<output>\n9.9\n</output>",)
AGAIN = ("\n<reflection>\nNo: 9.90.\n</reflection>\n</thinking>\n<output>\n9.9\n</output>",)
CUT = ("\nSo", IncompleteError("the reply ended before it was complete"))
GONE = (UnreachableError("nothing listens"),)


def stored(**options: float) -> StoredReply:
    reply = Reply("reflection", FAMILIES["reflection"])
    reply.begin_from(RAW)
    reply.close()
    return StoredReply(
        "reflection",
        mode="native",
        family="reflection",
        segments=reply.segments,
        answer=reply.answer,
        raw=RAW,
        ended=ReplyStatus.COMPLETE,
        options=tuple(options.items()),
    )


def probed(engine: ScriptedEngine, options: ProbeOptions, reply: StoredReply, key: str = "") -> tuple[ProbeResult, str]:
    async def run() -> tuple[ProbeResult, str]:
        question = Question("Which?", AskOptions(Mode.NATIVE, model="reflection", options=reply.options))
        async with Server("s", engine, note=lambda _: None, first_time=lambda _: False) as server:
            target = await find_target(server, question, reply)
            probe = Probe(target, target.points[0], options, judge_for(reply.answer, key))
            return await run_probe(server, probe), temperature_note(target)

    return asyncio.run(run())


def probed_with(*scripts: tuple[Step, ...], key: str = "") -> ProbeResult:
    """A probe whose continuations come in this order: with the correction, without it, with it …"""
    engine = ScriptedEngine(*scripts)
    return probed(engine, ProbeOptions(len(scripts) // 2, jobs=1), stored(), key)[0]


def test_continuations_begin_before_and_behind_the_correction_with_a_seed_each() -> None:
    engine = ScriptedEngine(RIGHT, WRONG, RIGHT, WRONG)
    found, note = probed(engine, ProbeOptions(2, seed=7, jobs=1), stored(temperature=0.5), key="9.9")
    assert engine.so_far == [THROUGH, BEFORE, THROUGH, BEFORE]
    asked = [dict(request.options) for request in engine.requests]
    assert [options["seed"] for options in asked] == [7, 7, 8, 8]
    assert {options["temperature"] for options in asked} == {0.5}
    assert note == ""
    assert (found.changed, found.compared, found.towards_right) == (2, 2, 2)
    assert [sample.seed for sample in found.samples] == [7, 7, 8, 8]


@pytest.mark.parametrize("parameters", ["", "temperature 0"])
def test_temperature_of_zero_is_raised(parameters: str) -> None:
    models = (Model("reflection", ("completion",), parameters=parameters),)
    engine = ScriptedEngine(RIGHT, WRONG, models=models)
    reply = stored() if parameters else stored(temperature=0)
    _, note = probed(engine, ProbeOptions(1, jobs=1), reply)
    assert [dict(request.options)["temperature"] for request in engine.requests] == [0.7, 0.7]
    assert "0.7" in note


def test_corrections_made_anyway_and_cut_continuations_are_told_apart() -> None:
    found = probed_with(RIGHT, WRONG, CUT, AGAIN, RIGHT, CUT)
    assert (found.changed, found.compared) == (1, 1)
    assert (found.corrected_again, found.without_answer) == (1, 2)
    assert [sample.error for sample in found.samples if sample.error] == ["the reply ended before it was complete"] * 2
    assert found.counts == (("9.9", 2, 0), ("9.11", 0, 1))


def test_error_of_a_server_that_is_gone_is_raised() -> None:
    with pytest.raises(UnreachableError):
        probed_with(*repeat(GONE, 4))


def test_server_that_cannot_continue_is_refused() -> None:
    engine = ScriptedEngine(models=(Model("reflection", ("completion",), can_resume=False),))
    with pytest.raises(RefusedError, match="cannot be steered or continued"):
        probed(engine, ProbeOptions(1), stored())
    assert engine.requests == []
