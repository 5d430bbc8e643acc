from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.reasoning.loops import LONGEST_CYCLE, Loop, LoopDetector
from support.labelled_thoughts import own_thoughts

START = "The lamp has three switches. One of them is broken. "
NOUNS = ("lamp", "switch", "cable", "fuse", "socket", "meter", "battery", "screw")


def loop_in(text: str, size: int = 0) -> Loop | None:
    detector = LoopDetector()
    for at in range(0, len(text), size or max(len(text), 1)):
        detector.feed(text[at : at + (size or len(text))])
    return detector.close()


def cycle_of(length: int) -> str:
    return "".join(f"So the {noun} has to be looked at first. " for noun in NOUNS[:length])


@pytest.mark.parametrize("length", range(1, LONGEST_CYCLE + 1))
def test_a_cycle_is_found_in_its_third_round(length: int) -> None:
    cycle = cycle_of(length)
    assert loop_in(START + cycle * 2) is None
    assert loop_in(START + cycle * 3) == Loop(length, len(START))


@pytest.mark.parametrize(
    "rounds",
    [
        ("The lamp is on the left side.", "the lamp is on the left side!", "THE LAMP is on the left side."),
        (
            "So the lamp is on the left side.",
            "Wait, so the lamp is on the left side.",
            "But then the lamp is on the left side.",
        ),
        ("The lamp is on the left side.", "**The lamp** is on the left side.", "The lamp is “on the left side”."),
        ("The lamp is on the left side.", "The lamp is probably on the left side.", "The lamp is on the left side."),
        ("等等，开关应该在左边，不是右边，我们再想一想，灯泡也许已经坏了。",) * 3,
        ("Der Schalter ist links, und die Lampe ist kaputt.",) * 3,
    ],
)
def test_rounds_may_differ_a_little(rounds: tuple[str, ...]) -> None:
    found = loop_in(f"{START}{' '.join(rounds)}")
    assert found is not None
    assert found.sentences == 1


def test_a_loop_over_paragraphs_is_found() -> None:
    assert loop_in(START + "\n\nI should try the left switch.\n\nBut the lamp stays dark." * 3)


def test_a_cycle_too_long_is_not_looked_for() -> None:
    long = cycle_of(LONGEST_CYCLE) + "And the last part is the housing of it. "
    assert loop_in(START + long * 5) is None


def test_short_words_may_come_three_times() -> None:
    assert loop_in(f"{START}Hmm. Hmm. Hmm. Now the lamp.") is None
    assert loop_in(f"{START}No. No. No. Now the lamp.") is None
    assert loop_in(START + "Wait. " * 6) is not None


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"The number {n} is not divisible by seven. " for n in range(30)),
        "".join(f"- The number {n} is not divisible by seven.\n" for n in range(30)),
        "".join(f"{n}. The lamp is off.\n" for n in range(3)),
        "".join(f"- the {noun} is broken\n" for noun in NOUNS * 3),
        "".join(
            f"If the thief is {name} then the note in the kitchen would be a lie. "
            for name in ("Ana", "Ben", "Cem", "Dov")
        ),
        "".join(f"| {n} | {n * n} | odd |\n" for n in range(30)),
        "| a | 0 | 0 |\n" * 3,
        "".join(f"Step {n}: press the switch. The lamp is on after {n} seconds. " for n in range(20)),
        "".join(f"Try x = {n}. Then it is {n * 3}. Too small. " for n in range(20)),
        "The lamp is on. The lamp is not on. The lamp is on. The lamp is on the left.",
        "It is on the left side of it. It is not on the left side of it. It is on the left side of it.",
        "```\n" + "x = press(left_switch, lamp)\n" * 50 + "```\n",
        "~~~\n" + "x = press(left_switch, lamp)\n" * 50,
        "\n" * 1000,
        "--- " * 100,
        "",
        "\ud800" * 20,
    ],
)
def test_honest_text_is_no_loop(text: str) -> None:
    assert loop_in(f"{START}\n{text}") is None


def test_a_long_sentence_is_compared_to_its_end() -> None:
    long = "the lamp is on and " * 40
    assert loop_in(f"{long}left. {long}above. {long}behind. ") is None
    assert loop_in(f"{long}left. " * 3) is not None


def test_honest_thoughts_are_no_loops() -> None:
    thoughts = own_thoughts()
    assert [thought.family for thought in thoughts if loop_in(thought.text)] == []


PIECES = st.sampled_from(
    [
        "The lamp is off. ",
        "Wait, ",
        "so it is left. ",
        "- ",
        "1. ",
        "\n",
        "```\n",
        "...",
        " ",
        "。",
        "| ",
        "No. ",
        "12 ",
        "x",
    ]
)


@given(st.lists(PIECES, max_size=50).map("".join), st.integers(1, 3), st.integers(1, 12))
def test_the_cut_of_the_stream_changes_nothing(text: str, times: int, size: int) -> None:
    assert loop_in(text * times, size) == loop_in(text * times)


def test_the_loop_is_told_as_soon_as_it_is_there() -> None:
    detector = LoopDetector()
    assert detector.feed(START + cycle_of(2) * 2 + "So the lamp has to be looked at first. ") is None
    found = detector.feed("So the switch has to be looked at first. ")
    assert found == Loop(2, len(START))
    assert detector.feed("And it goes on. ") == found
    assert detector.close() == found


@pytest.mark.parametrize("piece", ["a", "a ", ".", "no. ", "等等。", "x = 1\n", "word and "])
def test_long_text_is_read_in_linear_time_and_little_memory(piece: str) -> None:
    def seconds(sentences: int) -> float:
        text = "".join(f"{n} {piece}" for n in range(sentences))
        detector = LoopDetector()
        start = time.process_time()
        assert detector.feed(text) is None
        spent = time.process_time() - start
        assert len(repr(vars(detector))) + len(repr(vars(detector._scanner))) < 20_000  # noqa: SLF001 - shows nowhere
        return spent

    assert min(seconds(16_000) for _ in range(2)) < 16 * max(min(seconds(2_000) for _ in range(2)), 0.02)
