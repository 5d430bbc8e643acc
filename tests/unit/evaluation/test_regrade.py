from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.batch.append_file import AppendFile
from reflectty.core.errors import OutputError, UsageError
from reflectty.evaluation.grader import Grade
from reflectty.evaluation.records import (
    ProbeRecord,
    ResultRecord,
    StepRecord,
    encode_item,
    encode_manifest,
    encode_probe,
    encode_result,
)
from reflectty.evaluation.regrade import regrade_run
from reflectty.evaluation.run_file import read_run
from support.evaluation_runs import ERROR, NO_ANSWER, RIGHT, UNFINISHED, WRONG, item_of, manifest_of, run_of

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.evaluation.run_file import RunData

ITEM = item_of(3)  # the key is 21


def reply(text: str, *, thinking: str = "", is_complete: bool = True) -> StepRecord:
    thoughts = (("thinking", thinking), ("reflection", "No."), ("thinking", "So.")) if thinking else ()
    reason = "stop" if is_complete else "length"
    return StepRecord((*thoughts, ("answer", text)), text, is_complete=is_complete, done_reason=reason)


def file_of(folder: Path, *results: ResultRecord) -> RunData:
    arms = tuple(dict.fromkeys(result.arm for result in results))
    path = folder / "run.jsonl"
    lines = (encode_manifest(manifest_of(arms, 1)), encode_item(ITEM), *map(encode_result, results))
    path.write_bytes(b"".join(lines))
    return read_run(path)


def test_wrong_grades_are_replaced_and_all_else_is_kept(tmp_path: Path) -> None:
    right = ResultRecord(
        ITEM.id, "cot", Grade(WRONG, "7", "last-number", is_weak=True), (reply("Answer: 21"),), at="2026"
    )
    failed = ResultRecord(ITEM.id, "think", Grade(ERROR), error="refused")
    run = file_of(tmp_path, right, failed)
    tail = encode_probe(ProbeRecord(ITEM.id, "cot", 1)) + b'{"later": {}}\n{"result": {"item": '
    before = run.path.read_bytes() + tail
    run.path.write_bytes(before)
    cot, think = regrade_run(run, writes=True)
    assert cot == ("cot", 1, 0, 1, 1, 0)
    assert think == ("think", 0, 0, 0, 0, 0)
    after = run.path.read_bytes()
    assert after.endswith(encode_result(failed) + tail)
    assert encode_result(right._replace(grade=Grade(RIGHT, "21", "answer-line"))) in after


def test_a_dry_run_counts_and_writes_nothing(tmp_path: Path) -> None:
    run = file_of(tmp_path, ResultRecord(ITEM.id, "cot", Grade(WRONG), (reply("Answer: 21"),)))
    before = run.path.read_bytes()
    assert regrade_run(run, writes=False) == (("cot", 1, 0, 1, 1, 0),)
    assert run.path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["run.jsonl"]


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"cot": "+-0~!", "reflect": "+-+~0"}, {"reflect": "+-.+-"})
    regrade_run(run, writes=True)
    once = run.path.read_bytes()
    again = regrade_run(read_run(run.path), writes=True)
    assert run.path.read_bytes() == once
    assert [(one.verdicts, one.drafts) for one in again] == [(0, 0), (0, 0)]


@pytest.mark.parametrize(
    ("arm", "steps", "final", "draft"),
    [
        ("cot", (reply("It is 21."),), RIGHT, None),
        ("cot", (reply("I cannot tell."),), NO_ANSWER, None),
        ("cot", (reply("Answer: 2", is_complete=False),), UNFINISHED, None),
        ("reflect", (reply("Answer: 21", thinking="Answer: 20"),), RIGHT, WRONG),
        ("revise", (reply("Answer: 21"), reply("Answer: 22")), WRONG, RIGHT),
        ("vote-3", (reply("Answer: 22"), reply("Answer: 21"), reply("Answer: 21")), RIGHT, None),
    ],
)
def test_each_way_of_asking_is_graded_as_in_a_run(
    tmp_path: Path, arm: str, steps: tuple[StepRecord, ...], final: str, draft: str | None
) -> None:
    before = Grade(RIGHT if final == WRONG else WRONG)
    run = file_of(tmp_path, ResultRecord(ITEM.id, arm, before, steps))
    regrade_run(run, writes=True)
    fact = read_run(run.path).results[ITEM.id, arm]
    assert fact.verdict is final
    assert (fact.transition == "no-draft") is (draft is None)


def test_a_run_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    run = file_of(tmp_path, ResultRecord(ITEM.id, "cot", Grade(WRONG), (reply("Answer: 21"),)))
    with AppendFile(run.path, "run.jsonl") as file:
        file.lock("reflect eval")
        with pytest.raises(UsageError, match="another reflect eval is writing"):
            regrade_run(run, writes=True)
    assert read_run(run.path).results[ITEM.id, "cot"].verdict is WRONG


def test_a_file_that_cannot_be_replaced_is_kept(tmp_path: Path) -> None:
    run = file_of(tmp_path, ResultRecord(ITEM.id, "cot", Grade(WRONG), (reply("Answer: 21"),)))
    before = run.path.read_bytes()
    run.path.with_name("other").symlink_to("/dev/null")
    with pytest.raises(OutputError, match="cannot write"):
        regrade_run(run._replace(path=run.path.with_name("other")), writes=True)
    assert run.path.read_bytes() == before
