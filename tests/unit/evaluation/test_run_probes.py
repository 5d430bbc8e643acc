from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reflectty.batch.server import Server
from reflectty.chat.request import Question
from reflectty.core.messages import Chunk
from reflectty.evaluation.arms import parse_arms
from reflectty.evaluation.grader import Grade, Verdict
from reflectty.evaluation.items import Item, digest_of_items
from reflectty.evaluation.plan import RunPlan
from reflectty.evaluation.probe import ProbeTarget, find_target
from reflectty.evaluation.probe_points import ProbeMethod, prefix_without
from reflectty.evaluation.probe_result import ProbeOptions
from reflectty.evaluation.records import (
    ArmSetup,
    ProbeRecord,
    ResultRecord,
    RunManifest,
    StepRecord,
    encode_item,
    encode_manifest,
    encode_probe,
    encode_result,
)
from reflectty.evaluation.run import step_of
from reflectty.evaluation.run_file import RunData, read_run
from reflectty.evaluation.run_probes import candidates_of, probe_run, reply_of_step
from reflectty.evaluation.run_writer import RunContent
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.modes import AskOptions, Mode
from reflectty.reasoning.reply import Reply
from reflectty.reasoning.stated_answers import AnswerKind
from support.scripted_engine import ScriptedEngine

if TYPE_CHECKING:
    from pathlib import Path

ARMS = ("vote-3", "think", "revise")
ITEMS = tuple(Item(f"q{number}", f"How much is {number}?", "9.9", AnswerKind.NUMBER) for number in range(4))
SEGMENTS = (("thinking", "So 9.11."), ("reflection", "No: 9.90."), ("thinking", "So 9.9."), ("answer", "9.9"))
STEP = StepRecord(SEGMENTS, "9.9", corrections=1, family="reflection")
BEFORE, BEHIND = "<thinking>\nSo 9.11.", "<thinking>\nSo 9.11.\n<reflection>\nNo: 9.90.\n</reflection>"
RIGHT, WRONG = ("\n</thinking>\n<output>\n9.9\n</output>",), ("\n</thinking>\n<output>\n9.11\n</output>",)


def setup(arm: str) -> ArmSetup:
    return ArmSetup(arm, options=(("num_predict", 100), ("temperature", 0.5)))


def manifest() -> RunManifest:
    return RunManifest("mine", digest_of_items(ITEMS), "a file", len(ITEMS), 3, tuple(map(setup, ARMS)), "2026-11-30")


def results() -> list[ResultRecord]:
    """Every question in every arm; the first thought of q0 was not corrected, q1 has no answer."""
    found = [
        ResultRecord(item.id, arm, Grade(Verdict.RIGHT, "9.9"), (STEP,) * (1 if arm == "think" else 2))
        for item in ITEMS
        for arm in ARMS
    ]
    found[1] = found[1]._replace(steps=(STEP._replace(corrections=0),))
    found[4] = found[4]._replace(grade=Grade(Verdict.UNFINISHED))
    return found


def run_in(folder: Path, *probes: ProbeRecord) -> RunData:
    path = folder / "run.jsonl"
    lines = [encode_manifest(manifest()), *map(encode_item, ITEMS), *map(encode_result, results())]
    path.write_bytes(b"".join((*lines, *map(encode_probe, probes))))
    return read_run(path)


def probed(run: RunData, engine: ScriptedEngine, count: int) -> tuple[list[bytes], tuple[ProbeRecord, ...]]:
    lines: list[bytes] = []
    plan = RunPlan(RunContent(run.manifest, ITEMS), parse_arms(ARMS), Question("", AskOptions(model="reflection")))

    async def run_all() -> tuple[ProbeRecord, ...]:
        async with Server("s", engine, note=lambda _: None, first_time=lambda _: False) as server:
            return await probe_run(run, plan, lambda _: server, count, ProbeOptions(1, jobs=1), lines.append)

    return lines, asyncio.run(run_all())


def test_thinking_from_a_field_of_its_own_goes_on_in_the_tags_of_its_model() -> None:
    thought = "I add 3 and 4. That is 8. Then 8 times 2 is 16. Wait, that is wrong: 7. So 14."
    reply = Reply("deepseek-r1", FAMILIES["native"], mode="native")
    for chunk in (Chunk(thinking=thought), Chunk("Answer: 14"), Chunk(done=True, done_reason="stop")):
        reply.feed(chunk)
    reply.close()
    question = Question("How much?", AskOptions(Mode.NATIVE, model="deepseek-r1"))
    engine = ScriptedEngine()

    async def target() -> ProbeTarget:
        async with Server("s", engine, note=lambda _: None, first_time=lambda _: False) as server:
            return await find_target(server, question, reply_of_step(step_of(reply), "deepseek-r1", question))

    found = asyncio.run(target())
    before = prefix_without(found.reply.segments, found.points[0], found.family, ProbeMethod.RESAMPLE)
    assert before == "<think>\nI add 3 and 4. That is 8. Then 8 times 2 is 16."


def test_replies_that_think_correct_themselves_and_state_an_answer_are_candidates(tmp_path: Path) -> None:
    run = run_in(tmp_path)
    assert set(candidates_of(run)) == {("q2", "think"), ("q3", "think")}
    assert candidates_of(run) == candidates_of(run_in(tmp_path))


def test_probe_of_a_run_goes_on_as_its_arm_asked(tmp_path: Path) -> None:
    engine = ScriptedEngine(RIGHT, WRONG, RIGHT, RIGHT)
    run = run_in(tmp_path)
    lines, records = probed(run, engine, 5)

    assert engine.so_far == [BEHIND, BEFORE] * 2
    assert [dict(request.options)["num_predict"] for request in engine.requests] == [100] * 4
    assert {request.messages[-1].content.split("?")[0] for request in engine.requests} == {
        "How much is 2",
        "How much is 3",
    }
    assert [(record.item, record.arm) for record in records] == list(candidates_of(run))
    assert [(record.changed, record.compared, record.towards_right) for record in records] == [(1, 1, 1), (0, 1, 0)]
    assert lines == list(map(encode_probe, records))


def test_larger_number_probes_only_what_is_new(tmp_path: Path) -> None:
    _, (first,) = probed(run_in(tmp_path), ScriptedEngine(RIGHT, WRONG), 1)
    _, (second,) = probed(run_in(tmp_path, first), ScriptedEngine(RIGHT, WRONG), 2)
    assert {first.item, second.item} == {"q2", "q3"}
    assert probed(run_in(tmp_path, first, second), ScriptedEngine(), 2) == ([], ())
