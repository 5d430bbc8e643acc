from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.errors import UsageError
from reflectty.evaluation.grader import Grade, Verdict
from reflectty.evaluation.records import (
    ProbeRecord,
    ResultRecord,
    encode_item,
    encode_line,
    encode_probe,
    encode_result,
)
from reflectty.evaluation.run_file import RunTexts, read_run
from reflectty.evaluation.transitions import Transition, transition_of
from support.evaluation_runs import RIGHT, WRONG, item_of, realistic_run, result_of, run_bytes, run_of

if TYPE_CHECKING:
    from pathlib import Path

THREE = run_bytes({"cot": "+-+", "reflect": "++~"}, {"reflect": "+--"})


def read(tmp_path: Path, data: bytes) -> Any:
    path = tmp_path / "run.jsonl"
    path.write_bytes(data)
    return read_run(path)


def test_facts_of_a_run_are_those_of_its_file(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"cot": "+-+", "reflect": "++~"}, {"reflect": "+--"}, groups="aab")
    assert run.arms == ("cot", "reflect")
    assert [(one.id, one.group) for one in run.items.values()] == [("q00000", "a"), ("q00001", "a"), ("q00002", "b")]
    assert [one.verdict for one in run.results_of("reflect").values()] == [RIGHT, RIGHT, Verdict.UNFINISHED]
    assert [one.transition for one in run.results_of("reflect").values()] == ["right-right", "fixed", "other-wrong"]
    fact = run.results["q00001", "reflect"]
    assert (fact.thinking_tokens, fact.answer_tokens, fact.tokens, fact.seconds, fact.corrections) == (
        90,
        20,
        110,
        4.5,
        1,
    )
    assert run.notes == ()


def test_texts_are_read_where_they_stand(tmp_path: Path) -> None:
    run = read(tmp_path, realistic_run(30))
    with RunTexts(run) as texts:
        for name in reversed(run.items):
            assert texts.item(name) == item_of(int(name[1:]), run.items[name].group)
            results = [texts.result(name, arm) for arm in run.arms]
            assert [(one.item, one.arm) for one in results if one] == [(name, arm) for arm in run.arms]
        assert texts.result("q00000", "vote-5") is None


def test_the_last_probe_of_each_correction_is_read(tmp_path: Path) -> None:
    probe = ProbeRecord("q00001", "reflect", 1, changed=1)
    lines = [probe, probe._replace(correction=2), probe._replace(changed=3), probe._replace(arm="think")]
    run = read(tmp_path, THREE + b"".join(map(encode_probe, lines)))
    assert run.probes == (probe._replace(changed=3), probe._replace(correction=2))


def test_a_later_result_replaces_an_earlier_one(tmp_path: Path) -> None:
    again = encode_result(result_of(item_of(1), "cot", RIGHT))
    run = read(tmp_path, THREE + again)
    assert run.results["q00001", "cot"].verdict is RIGHT
    with RunTexts(run) as texts:
        found = texts.result("q00001", "cot")
    assert found is not None
    assert found.grade.verdict is RIGHT


@pytest.mark.parametrize("lost", [1, 20, 200])
def test_a_torn_last_line_is_left_out_with_a_note(tmp_path: Path, lost: int) -> None:
    run = read(tmp_path, THREE[:-lost] if lost > 1 else THREE[:-3])
    assert len(run.results) == 5
    assert len(run.notes) == 1
    assert "line 10 is cut off" in run.notes[0]


def test_a_last_line_without_its_line_break_counts(tmp_path: Path) -> None:
    run = read(tmp_path, THREE[:-1])
    assert (len(run.results), run.notes) == (6, ())


def test_blank_lines_count_as_nothing(tmp_path: Path) -> None:
    lines = THREE.splitlines(keepends=True)
    run = read(tmp_path, b"\n".join(lines))
    assert (len(run.items), len(run.results)) == (3, 6)
    with RunTexts(run) as texts:
        assert texts.item("q00002").id == "q00002"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "not the file of a run"),
        (b"\x00\xff\n", "not the file of a run"),
        (encode_item(item_of(1)), "not the file of a run"),
        (b'{"run": {"version": 1}}\n', "not the file of a run"),
        (b'{"run": []}\n', "not the file of a run"),
        (b"[" * 100_000, "not the file of a run"),
        (encode_line("run", {"version": 2, "other": 1}), "written by a newer reflectty (format 2)"),
        (THREE.replace(b'{"item": {"id": "q00001"', b'{"item": {"id" "q00001"'), "line 5 is damaged"),
        (THREE.replace(b'"verdict": "wrong"', b'"verdict": "dubious"', 1), "line 6 is damaged"),
        (THREE + b"\x00\x00\n" + encode_item(item_of(9)), "line 11 is damaged"),
    ],
)
def test_what_is_not_a_whole_run_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    with pytest.raises(UsageError, match=r"run\.jsonl") as caught:
        read(tmp_path, data)
    assert said in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_run(tmp_path / name)


def test_results_of_unknown_items_and_arms_are_left_out_with_a_note(tmp_path: Path) -> None:
    strays = encode_result(result_of(item_of(7), "cot", RIGHT)) + encode_result(result_of(item_of(1), "vote-5", RIGHT))
    run = read(tmp_path, THREE + strays)
    assert len(run.results) == 6
    assert run.notes == ("2 results of an unknown item or arm left out",)


def test_texts_of_a_file_that_changed_are_refused(tmp_path: Path) -> None:
    run = read(tmp_path, THREE)
    run.path.write_bytes(THREE.replace(b"q00001", b"q1"))
    with RunTexts(run) as texts, pytest.raises(UsageError, match="changed while it was read"):
        texts.item("q00002")
    with RunTexts(run) as texts, pytest.raises(UsageError, match="changed while it was read"):
        texts.result("q00002", "cot")


def test_lines_of_a_later_kind_are_passed_over(tmp_path: Path) -> None:
    run = read(tmp_path, THREE + b'{"mood": {"item": "q00001"}}\n' + encode_item(item_of(5)))
    assert (len(run.items), len(run.results), run.notes) == (4, 6, ())


def test_a_member_of_a_later_version_is_left_out(tmp_path: Path) -> None:
    more = {"item": "q00001", "arm": "cot", "steps": [], "grade": {"verdict": "right", "mood": 1}, "mood": "good"}
    run = read(tmp_path, THREE + json.dumps({"result": more}).encode() + b"\n")
    assert run.results["q00001", "cot"].verdict is RIGHT


@pytest.mark.parametrize(
    ("draft", "final", "transition"),
    [
        (Grade(RIGHT, "7"), Grade(RIGHT, "7"), Transition.KEPT_RIGHT),
        (Grade(WRONG, "8"), Grade(RIGHT, "7"), Transition.FIXED),
        (Grade(RIGHT, "7"), Grade(WRONG, "8"), Transition.BROKEN),
        (Grade(RIGHT, "7"), Grade(Verdict.UNFINISHED), Transition.LOST),
        (Grade(RIGHT, "7"), Grade(Verdict.NO_ANSWER), Transition.LOST),
        (Grade(WRONG, "8"), Grade(WRONG, "8"), Transition.SAME_WRONG),
        (Grade(WRONG, "North "), Grade(WRONG, "north"), Transition.SAME_WRONG),
        (Grade(WRONG, "8"), Grade(WRONG, "9"), Transition.OTHER_WRONG),
        (Grade(WRONG, ""), Grade(WRONG, ""), Transition.OTHER_WRONG),
        (Grade(WRONG, "8"), Grade(Verdict.UNFINISHED), Transition.OTHER_WRONG),
        (None, Grade(RIGHT, "7"), Transition.NO_DRAFT),
        (Grade(Verdict.NO_ANSWER), Grade(RIGHT, "7"), Transition.NO_DRAFT),
        (Grade(Verdict.UNFINISHED), Grade(RIGHT, "7"), Transition.NO_DRAFT),
        (Grade(RIGHT, "7"), Grade(Verdict.ERROR), Transition.FAILED),
        (None, Grade(Verdict.ERROR), Transition.FAILED),
    ],
)
def test_a_draft_and_its_answer_are_one_transition(draft: Grade | None, final: Grade, transition: Transition) -> None:
    assert transition_of(ResultRecord("q", "reflect", final, draft=draft)) is transition
