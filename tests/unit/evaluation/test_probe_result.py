from __future__ import annotations

from math import comb

import pytest

from reflectty.core.segments import Kind, SecondThoughtKind
from reflectty.core.session import ReplyMetrics, StoredReply
from reflectty.evaluation.probe_points import ProbeMethod, ProbePoint
from reflectty.evaluation.probe_report import probe_object, sentence_of
from reflectty.evaluation.probe_result import ProbeResult, ProbeSample, cost_of, difference_p

POINT = ProbePoint(1, SecondThoughtKind.CORRECTION, "No.", 1, 0, 3, is_tagged=True)


def sample(text: str, *, given: bool, key: str = "") -> ProbeSample:
    """A continuation: `9` is its answer, `9*` one that corrected itself anyway, `` one without an answer, `!` a cut one."""
    answer = text.rstrip("*!")
    is_right = answer == key if key and answer else None
    return ProbeSample(
        given, 0, answer, is_complete="!" not in text, corrected_again=text.endswith("*"), is_right=is_right
    )


def result(own: str, given: str, left_out: str, key: str = "") -> ProbeResult:
    samples = (
        *(sample(text, given=True, key=key) for text in given.split(",")),
        *(sample(text, given=False, key=key) for text in left_out.split(",")),
    )
    return ProbeResult(POINT, ProbeMethod.RESAMPLE, samples, own, own == key if key else None)


@pytest.mark.parametrize(
    ("found", "reference", "figures", "sentence"),
    [
        (result("9", "9,9,9", "8,8,9"), "9", (2, 3, 0, 0), "changed the answer in 2 of 3"),
        (result("9", "9,9,9", "8,8,7", key="9"), "9", (3, 3, 3, 0), "towards right in 3"),
        (result("9", "9,9,9", "8,7,9", key="8"), "9", (2, 3, 0, 1), "away from right in 1"),
        (result("9", "9,9,9", "8,8,8", key="5"), "9", (3, 3, 0, 0), "changed the answer in 3 of 3"),
        (result("9", "9,9", "9,9"), "9", (0, 2, 0, 0), "changed none of 2"),
        (result("9", "8,8,9", "9,9,8"), "9", (1, 3, 0, 0), "with it 2 of 3 differ, too"),
        (result("", "8,8,9", "9,9,8"), "8", (2, 3, 0, 0), "with it 1 of 3 differ, too"),
        (result("9", "9,9", "8,9*,9*"), "9", (1, 1, 0, 0), "in 2 it corrected itself anyway"),
        (result("9", "9,9", "9*,9*"), "9", (0, 0, 0, 0), "corrected itself anyway in all 2"),
        (result("9", "9,!", ",!"), "9", (0, 0, 0, 0), "3 continuations were cut or state no answer"),
        (result("", "!,!", "8,9"), "", (0, 0, 0, 0), "2 continuations were cut or state no answer"),
    ],
)
def test_changes_are_counted_against_the_answer_with_the_correction(
    found: ProbeResult, reference: str, figures: tuple[int, int, int, int], sentence: str
) -> None:
    assert found.reference == reference
    assert (found.changed, found.compared, found.towards_right, found.away_from_right) == figures
    assert sentence in sentence_of(found)
    assert probe_object(found)["changed"] == found.changed


def test_few_changes_are_said_to_be_chance() -> None:
    assert "chance" in sentence_of(result("9", "9,9,9", "8,9,9"))
    assert "chance" not in sentence_of(result("9", "9,9,9,9", "8,8,8,8"))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((5, 0), (0, 5), 2 / comb(10, 5)),
        ((3, 1), (1, 3), 34 / 70),
        ((4, 0), (3, 1), 1.0),
        ((2, 0, 0), (0, 1, 1), 2 / comb(4, 2)),
        ((0, 0), (3, 1), 1.0),
        ((), (), 1.0),
    ],
)
def test_p_counts_the_draws_that_differ_as_much(one: tuple[int, ...], other: tuple[int, ...], expected: float) -> None:
    """The first two are Fisher's exact test: R gives 0.007937 and 0.4857."""
    assert difference_p(one, other) == pytest.approx(expected)


def test_cost_counts_what_follows_each_correction() -> None:
    segments = ((Kind.THINKING, "x" * 50), (Kind.REFLECTION, "x" * 25), (Kind.ANSWER, "x" * 25))
    measured = ReplyMetrics(thinking_tokens=80, answer_tokens=20, tokens_per_second=50)
    reply = StoredReply("m", segments=segments, measured=measured)
    cost = cost_of(reply, [POINT, POINT._replace(segment=0, start=10)], 5)
    assert (cost.replies, cost.tokens, cost.seconds) == (20, 500 + 900, 28)
    assert str(cost) == "20 continuations of about 70 tokens, about 28 s one by one"
    assert str(cost_of(reply._replace(measured=ReplyMetrics()), [POINT], 1)) == "2 continuations of about 12 tokens"
