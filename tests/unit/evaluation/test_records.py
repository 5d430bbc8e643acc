from __future__ import annotations

import json

import pytest

from reflectty.evaluation.grader import Grade, Verdict
from reflectty.evaluation.items import Item, digest_of_items, sample_items
from reflectty.evaluation.records import (
    ArmSetup,
    ProbeRecord,
    ResultRecord,
    RunManifest,
    StepRecord,
    decode_line,
    encode_item,
    encode_manifest,
    encode_probe,
    encode_result,
)
from reflectty.reasoning.stated_answers import AnswerKind

ITEM = Item("a-1", "How many?\u2028", "12", AnswerKind.NUMBER, group="counting")
CHOICE = Item("b-1", "Which?", "B", AnswerKind.CHOICE, ("one", "zwei ü"))
MANIFEST = RunManifest(
    "builtin", "0" * 64, "seed 1", 2, 1, (ArmSetup("cot", "direct", options=(("temperature", 0),)),), "2026-11-30"
)
STEP = StepRecord((("thinking", "Hm."), ("answer", "Answer: 12")), "Answer: 12", thinking_tokens=3, answer_tokens=4)
RESULT = ResultRecord("a-1", "cot", Grade(Verdict.RIGHT, "12", "answer-line"), (STEP, STEP), Grade(Verdict.WRONG, "11"))

PROBE = ProbeRecord("a-1", "think", 1, text="No: ü.", is_right=True, changed=2, answers=(("12", 3, 1), ("11", 0, 2)))


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (encode_manifest(MANIFEST), MANIFEST),
        (encode_item(ITEM), ITEM),
        (encode_item(CHOICE), CHOICE),
        (encode_result(RESULT), RESULT),
        (encode_probe(PROBE), PROBE),
        (
            encode_result(RESULT._replace(draft=None, steps=(), error="x")),
            RESULT._replace(draft=None, steps=(), error="x"),
        ),
    ],
)
def test_what_is_encoded_is_decoded_from_one_line_of_ascii(line: bytes, value: object) -> None:
    assert decode_line(line) == value
    assert line.isascii()
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")


def test_members_of_a_later_version_are_left_out() -> None:
    object_ = json.loads(encode_result(RESULT))
    object_["result"]["new"] = 1
    object_["result"]["steps"][0]["new"] = 1
    object_["result"]["grade"]["new"] = 1
    assert decode_line(json.dumps(object_).encode()) == RESULT


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"{}", b'{"run": 1}', b'{"item": {}}', b'{"result": {"steps": [1]}}', b'{"other": {}}', b"\xff"],
)
def test_what_is_no_line_of_a_run_is_none(line: bytes) -> None:
    assert decode_line(line) is None


def test_tokens_and_seconds_are_those_of_all_steps() -> None:
    result = RESULT._replace(steps=(STEP._replace(seconds=1.5), STEP._replace(seconds=2.0)))
    assert (result.tokens, result.seconds) == (14, 3.5)


@pytest.mark.parametrize(
    ("step", "is_runaway"),
    [
        (STEP, False),
        (STEP._replace(ended_by="loop"), True),
        (STEP._replace(ended_by="budget"), False),
        (STEP._replace(done_reason="length"), False),
        (STEP._replace(done_reason="length", answer=""), True),
    ],
)
def test_a_runaway_repeats_itself_or_never_gets_to_its_answer(step: StepRecord, *, is_runaway: bool) -> None:
    assert RESULT._replace(steps=(step,)).is_runaway is is_runaway


def test_a_choice_is_asked_with_its_letters() -> None:
    assert CHOICE.text == "Which?\nA) one\nB) zwei ü"


def test_a_sample_depends_on_the_seed_and_the_ids_alone() -> None:
    items = [ITEM._replace(id=f"a-{number}") for number in range(50)]
    drawn = sample_items(items, 10, 1)
    assert sample_items(reversed(items), 10, 1) == drawn
    assert sample_items(items, 20, 1)[:10] == drawn
    assert sample_items(items, 10, 2) != drawn
    assert len(set(drawn)) == 10


def test_another_key_gives_another_digest() -> None:
    assert digest_of_items([ITEM]) != digest_of_items([ITEM._replace(answer="13")])
    assert digest_of_items([ITEM, CHOICE]) != digest_of_items([CHOICE, ITEM])
