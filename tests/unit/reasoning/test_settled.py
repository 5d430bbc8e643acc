from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.segments import Kind
from reflectty.reasoning.settled import settled_at, settled_in

EGGS = "She has 16 eggs. 3 and 4 are gone, which leaves 9. So 9 * 2 = |18. Let me check: 16-3=13, 13-4=9, 9*2=18. Yes."


@pytest.mark.parametrize(
    ("thinking", "answer"),
    [
        (EGGS, "She makes 9 * 2 = 18 dollars.\nAnswer: 18"),
        (EGGS, "$18"),
        ("The answer is 15. Wait, that is wrong: 6*3 = |18. So 18.", "Answer: 18"),
        ("18? The answer is |18. Or is it 20? No, 18.", "18"),
        ("So 18. But then \\boxed{20}. No: the answer is |18.", "\\boxed{18}"),
        ("It could be A or B. The answer is A. Hmm, option B is wrong? No. The answer is |B.", "Answer: B"),
        ("Is it Paris or Lyon? The capital is |Paris. Yes, Paris.", "Answer: Paris"),
        ("The answer is Lyon. No, wait. It is |Paris.", "**Paris**"),
        ("Is 9.9 larger? 9.90 > 9.11, so |9.9 is larger.", "Answer: 9.9"),
        ("x = -18? No: x = 36/2 = |18", "Answer: 18"),
    ],
)
def test_a_thinking_settles_where_the_answer_first_stands_and_stays(thinking: str, answer: str) -> None:
    offset = thinking.index("|")
    text = thinking.replace("|", "")
    settled = settled_at(text, answer)
    assert settled
    assert text[settled.offset :] == text[offset:]
    assert settled.share == pytest.approx(offset / len(text))


@pytest.mark.parametrize(
    ("thinking", "answer"),
    [
        (
            "So 18.",
            "Because of the eggs that are sold and those that are not, one cannot say. It is a matter of taste.",
        ),
        ("So 18.", ""),
        ("", "18"),
        ("I see 18 eggs.", "18"),
        ("Then 18 + 2.", "18"),
        ("So 18. The answer is 20.", "Answer: 18"),
        ("Is it 18?", "18"),
        ("A, B, C: hard to tell.", "Answer: B"),
        ("It is a city in France, near a river.", "Paris"),
        ("So it is a long story of a city.", "a long story of a city in the north"),
    ],
)
def test_what_never_stood_did_not_settle(thinking: str, answer: str) -> None:
    assert settled_at(thinking, answer) is None


def test_corrections_count_as_thinking_and_line_breaks_between_do_not() -> None:
    segments = (
        (Kind.THINKING, "5*3, so the answer is 15."),
        (Kind.REFLECTION, "No."),
        (Kind.THINKING, "Six rows: 6*3 = 18."),
        (Kind.ANSWER, "Answer: 18"),
    )
    settled = settled_in(segments)
    thinking = "".join(text for kind, text in segments if kind is not Kind.ANSWER)
    assert settled
    assert thinking[settled.offset :] == "18."
    assert settled.share == pytest.approx(settled.offset / len(thinking))


@pytest.mark.parametrize("segments", [(), ((Kind.ANSWER, "18"),), ((Kind.THINKING, "So 18"),)])
def test_a_reply_without_thinking_or_answer_did_not_settle(segments: tuple[tuple[Kind, str], ...]) -> None:
    assert settled_in(segments) is None


@given(st.lists(st.tuples(st.sampled_from(Kind), st.text(alphabet="so 18=9.?\nA", max_size=20)), max_size=5))
def test_the_place_is_in_the_thinking(segments: list[tuple[Kind, str]]) -> None:
    settled = settled_in(segments)
    length = sum(len(text) for kind, text in segments if kind is not Kind.ANSWER)
    assert settled is None or (0 <= settled.offset < length and 0 <= settled.share < 1)


@pytest.mark.parametrize("piece", ["so 18 ", "= 18 ", "18", "is Paris ", "the answer is 5. "])
def test_a_long_thinking_takes_time_in_proportion(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        started = time.process_time()
        settled_at(text, "Paris" if "Paris" in piece else "18")
        return time.process_time() - started

    seconds(2_000)
    assert seconds(80_000) < 15 * seconds(20_000) + 0.05
