from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.segments import SecondThoughtKind
from reflectty.reasoning.second_thoughts import SecondThought, SecondThoughts
from support.labelled_thoughts import LabelledThought, marks_of, own_thoughts, score, thoughts_in

CORRECTION, CHECK, ALTERNATIVE = SecondThoughtKind
OWN = own_thoughts()
NAMED = os.environ.get("REFLECTTY_CASES")
LABELLED = thoughts_in(Path(NAMED)) if NAMED else []
TASK = "The task gives two sums. One is six. The other is nine. "
"""Three sentences that read a task, and an open paragraph."""


def kinds(text: str) -> list[str]:
    return [str(mark.kind) for mark in marks_of(text)]


# ------------------------------------------------------------------------------------------------------ the figures


def test_the_own_thoughts_are_many_and_of_many_families() -> None:
    sentences = sum(thought.text.count("\n") + thought.text.count(". ") for thought in OWN)
    assert sentences > 150
    assert len({thought.family for thought in OWN}) >= 10
    assert sum(not thought.labels for thought in OWN) == 0


def test_the_own_thoughts_are_read_well() -> None:
    found = score(OWN)
    assert found.f1 >= 0.95
    assert found.precision >= 0.95
    assert score(OWN, with_kind=True).f1 >= 0.92
    assert score(OWN, "correction").precision >= 0.9


def test_sure_marks_of_the_own_thoughts_are_right() -> None:
    assert score(OWN, only_sure=True, with_kind=True).precision >= 0.97
    assert score(OWN, only_sure=True).recall >= 0.35


@pytest.mark.parametrize("thought", OWN, ids=lambda thought: thought.family)
def test_no_family_is_read_badly(thought: LabelledThought) -> None:
    assert score([thought]).f1 >= 0.8


@pytest.mark.skipif(not LABELLED, reason="REFLECTTY_CASES names no folder with labelled thoughts")
class TestNamedFolder:
    def test_second_thoughts_are_found(self) -> None:
        found = score(LABELLED)
        assert found.f1 >= 0.88
        assert found.precision >= 0.9

    def test_their_kinds_are_told_apart(self) -> None:
        assert score(LABELLED, with_kind=True).f1 >= 0.78
        assert score(LABELLED, "correction").precision >= 0.75

    def test_sure_marks_are_right(self) -> None:
        assert score(LABELLED, only_sure=True).precision >= 0.95
        assert score(LABELLED, "correction", only_sure=True).precision >= 0.85

    def test_straight_thoughts_have_no_sure_mark(self) -> None:
        straight = [thought for thought in LABELLED if not thought.labels]
        assert [thought.family for thought in straight if any(mark.is_sure for mark in marks_of(thought.text))] == []


# ------------------------------------------------------------------------------------------------------ what is a mark


@pytest.mark.parametrize(
    ("text", "kind", "is_sure"),
    [
        ("Wait, no, it is seven.", CORRECTION, True),
        ("Hmm, okay, wait, that is too much.", CORRECTION, True),
        ("wait, that is too much.", CORRECTION, True),
        ("Scratch that.", CORRECTION, True),
        ("Actually, it is seven.", CORRECTION, False),
        ("Unless they mean the product.", ALTERNATIVE, False),
        ("No, the sum is odd.", CORRECTION, False),
        ("I think I am missing a term here.", CORRECTION, False),
        ("I made a mistake in the second sum.", CORRECTION, True),
        ("Wait, the sum has a sign.", CORRECTION, False),
        ("That gives 8, not 9.", CORRECTION, False),
        ("The sum is fine, but wait, it has a sign.", CORRECTION, False),
        ("Let me double-check the second sum.", CHECK, True),
        ("Wait, let me check that.", CHECK, True),
        ("Wait, the question says something else.", CHECK, False),
        ("Is there any other sum?", CHECK, False),
        ("Alternatively, one could subtract.", ALTERNATIVE, True),
        ("Another way is to subtract.", ALTERNATIVE, True),
        ("**Alternatively**, one could subtract.", ALTERNATIVE, True),
        ("But maybe the sums overlap.", ALTERNATIVE, False),
        ("Wait, maybe it's a product.", ALTERNATIVE, True),
        ("Wait, actually — look at the second sum.", CHECK, True),
        ("Let me look at the sums once more.", CHECK, False),
        ("Check the wording:", CHECK, False),
        ("Sanity check: six and nine are fifteen.", CHECK, False),
        ("Need to double-check the second sum.", CHECK, False),
        ("One last detail: the sign.", CHECK, False),
        ("Is it a sum or a product?", CHECK, False),
        ("Wait — six and nine are fifteen ✓", CHECK, False),
        ("But the sum is impossible.", CORRECTION, False),
        ("But does the sum have a sign?", CORRECTION, False),
        ("But we must be careful: the sum has a sign.", CORRECTION, False),
        ("However, I should look at the sign.", CORRECTION, False),
        ("But wait, what if the sum has a sign?", CORRECTION, False),
        ("No — the sum is odd.", CORRECTION, False),
        ("Actually — the sum is odd.", CORRECTION, False),
        ("Too many terms.", CORRECTION, False),
        ("This is getting rather complicated.", CORRECTION, False),
        ("I must have made a mistake somewhere.", CORRECTION, False),
        ("Verify the requirements:", CHECK, False),
        ("Check for a second sign.", CHECK, False),
        ("Actually, looking at the signs, one is missing.", CHECK, False),
        ("Wait, I should ensure that both are there.", CHECK, False),
        ("But before we finish, the sign is to be read.", CHECK, False),
        ("That step was wrong, as the sign shows.", CORRECTION, False),
        ("The sign is plus — actually they say minus.", CORRECTION, False),
        ("But the rules of the sum name no sign.", CORRECTION, False),
        ("Unless, of course, the sign is minus.", ALTERNATIVE, False),
        ("Wait, there might be a third sum.", ALTERNATIVE, False),
        ("There may be another sum.", ALTERNATIVE, False),
        ("Hmm, what if the sums overlap?", ALTERNATIVE, False),
        ("Let me consider the opposite.", ALTERNATIVE, False),
        ("Could also subtract.", ALTERNATIVE, False),
        ("Or, if the sums overlap, six.", ALTERNATIVE, False),
        ("Wait, could the sums overlap?", ALTERNATIVE, False),
        ("Warte, das ist zu viel.", CORRECTION, False),
        ("Ich sollte das noch einmal überprüfen.", CHECK, False),
        ("等等，这里有问题。", CORRECTION, False),
        ("让我再检查一下。", CHECK, False),
    ],
)
def test_an_opening_is_a_mark(text: str, kind: SecondThoughtKind, is_sure: bool) -> None:
    assert marks_of(TASK + text) == (SecondThought(kind, is_sure, len(TASK)),)


@pytest.mark.parametrize(
    "text",
    [
        "Wait for the second pulse.",
        "Wait until it is done.",
        "Waiting costs nothing.",
        "Wait times are short.",
        "The user says wait, and then goes on.",
        "Actually quite small, this sum.",
        "No comments are asked for.",
        "Unless required by law, it is even.",
        "| wait | the word, wait, opens it |",
        "actually uses the sum.",
        "But if it is six, then it is even.",
        "But the task is only about sums.",
        "Then perform an integrity check: add the sums.",
        "(No, the sum is odd.)",
        "Hmm.",
        "Let me add the sums.",
        "So maybe six.",
        '"Wait, that is wrong," says the clerk.',
        '"Wait. That is wrong. Let me double-check it." These are the words of the clerk.',
        "“Wait. That is wrong.” These are the words of the clerk.",
        "`wait, no` is what it prints.",
        "The word 'wait' is a verb.",
        "> Wait, no, that is wrong.",
        "```\nWait, no. Scratch that.\n```",
        "```python\n# Wait, no, this is wrong.\nx = 1\n```\nThe code is short.",
        "1. ```sh\nwait, no\n```",
        "~~~\nAlternatively, do this.\n~~~",
        "````\n```\nWait, no, this is text.\n```\n````",
        "~~~\n```\nWait, no, this is text.\n~~~",
    ],
)
def test_straight_text_quotations_mentions_and_code_are_no_marks(text: str) -> None:
    assert marks_of(f"{TASK}\n{text}") == ()


def test_a_quotation_mark_without_its_like_hides_no_more_than_what_is_near() -> None:
    filler = "The sum goes on. " * 40
    assert kinds(f'{TASK}The board is 5" wide. {filler}Wait, no, that is wrong.') == ["correction"]


def test_what_follows_code_and_quotations_is_read_again() -> None:
    assert kinds(f"{TASK}\n```\nWait, no.\n```\nWait, no, that is wrong.") == ["correction"]
    assert kinds(f"{TASK}Use ```wait``` there.\nWait, no, that is wrong.") == ["correction"]
    assert kinds(f'{TASK}He says "wait. No." Wait, no, that is wrong.') == ["correction"]
    assert kinds(f'{TASK}The board is 5" wide.\nWait, no, that is wrong.') == ["correction"]


def test_the_first_sentences_read_the_task() -> None:
    assert kinds("Let me check the question. It has two sums.") == []
    assert kinds(f"{TASK}Let me check the question.") == ["check"]


def test_an_interjection_takes_the_kind_of_what_follows_it() -> None:
    at = len(TASK)
    assert marks_of(f"{TASK}Wait! Let me double-check the sum.") == (SecondThought(CHECK, is_sure=True, at=at),)
    assert marks_of(f"{TASK}Wait! The sum has a sign.") == (SecondThought(CORRECTION, is_sure=False, at=at),)
    assert marks_of(f"{TASK}Hmm. The sum has a sign.") == ()
    assert marks_of(f"{TASK}Wait") == (SecondThought(CORRECTION, is_sure=False, at=at),)
    assert kinds(f"{TASK}Is it even? No. It is odd.") == []


def test_an_interjection_before_code_is_a_correction() -> None:
    assert kinds(f"{TASK}Wait!\n```\nx = 1\n```\n") == ["correction"]


# ------------------------------------------------------------------------------------------------------ as it streams


def test_a_clear_opening_is_marked_by_its_fifth_word() -> None:
    reader = SecondThoughts()
    assert reader.feed(f"{TASK}Wait, no, that is wrong") == ()
    assert reader.feed(" ") == (SecondThought(CORRECTION, is_sure=True, at=len(TASK)),)
    assert reader.feed("and goes on. And on.") == ()
    assert reader.close() == ()


def test_the_rest_is_marked_at_the_end_of_its_sentence() -> None:
    reader = SecondThoughts()
    assert reader.feed(f"{TASK}The sum is fine, but wait, it has a sign.") == ()
    assert [mark.kind for mark in reader.feed("\n")] == [CORRECTION]


PIECES = st.one_of(
    st.sampled_from(
        ["Wait", ", ", "no", ". ", "... ", "…", "\n", "\n\n", "```", "~~~", '"', "“", "”", "? ", "! ", "。"]
    ),
    st.sampled_from(["But ", "maybe ", "Let me check ", "Alternatively, ", "the sum is 4", "another way ", "hmm", "x"]),
    st.sampled_from(["> ", "- ", "1. ", " ", "e.g. ", "不对", "或者可能", "Warte, ", "\ud800", "\r\n", "\u2028"]),
)


@given(st.lists(PIECES, max_size=40).map("".join), st.integers(1, 12))
def test_the_cut_of_the_stream_changes_nothing(text: str, size: int) -> None:
    whole = marks_of(text)
    assert marks_of(text, size) == whole
    assert [mark.at for mark in whole] == sorted({mark.at for mark in whole})


@pytest.mark.parametrize("thought", OWN, ids=lambda thought: thought.family)
@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_the_cut_of_an_own_thought_changes_nothing(thought: LabelledThought, size: int) -> None:
    assert marks_of(thought.text, size) == marks_of(thought.text)


@given(st.lists(PIECES, max_size=30).map("".join), st.lists(PIECES, max_size=20).map("".join))
def test_a_mark_stays_whatever_follows(start: str, rest: str) -> None:
    reader = SecondThoughts()
    shown = reader.feed(start)
    assert marks_of(start + rest)[: len(shown)] == shown


# ------------------------------------------------------------------------------------------------------ bad inputs


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n\n", "\ud800", "\udfff\ud800", "\x00\x1b[0m", "``` ", '"', "。。。", "..."]
)
def test_bad_text_has_no_mark(text: str) -> None:
    assert marks_of(text) == ()
    assert marks_of(text, 1) == ()


def test_half_surrogates_leave_the_offsets_alone() -> None:
    assert marks_of(f"{TASK}\ud83d Wait, no.\nWait, no, \ude00 it is odd.")[-1].at == len(f"{TASK}\ud83d Wait, no.\n")


def test_a_thought_in_two_languages_is_read_in_both() -> None:
    text = f"{TASK}\n不对，应该是七。\nWait, no, it is eight.\nWarte, das stimmt nicht.\n或者可能是九？\n"
    assert kinds(text) == ["correction", "correction", "correction", "alternative"]


@pytest.mark.parametrize("code", ["x = wait(1)  # wait, no\n", "    # Actually, this is wrong.\n"])
def test_only_code_has_no_mark(code: str) -> None:
    assert marks_of(f"```python\n{code * 200}```") == ()
    assert marks_of(f"```python\n{code * 200}") == ()


LONG = [
    "a",
    ".",
    "is it or ",
    "wait, ",
    "but ",
    "hm, okay, so ",
    "等等",
    "再，",
    '" ',
    "let me ",
    "But not x. ",
    "* ",
    "`",
]


@pytest.mark.parametrize("piece", LONG)
def test_long_text_is_read_in_linear_time_and_little_memory(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        reader = SecondThoughts()
        start = time.process_time()
        for at in range(0, len(text), 1000):
            reader.feed(text[at : at + 1000])
        spent = time.process_time() - start
        assert len(repr(vars(reader))) + len(repr(vars(reader._scanner))) < 5_000  # noqa: SLF001 - shows nowhere else
        return spent

    def least(size: int) -> float:
        # A busy machine makes any run slower, and none faster.
        return min(seconds(size) for _ in range(2))

    assert least(80_000) < 16 * max(least(10_000), 0.02)


@pytest.mark.parametrize("piece", ["word ", "wait, ", "."])
def test_a_mark_after_a_megabyte_in_one_line_has_its_place(piece: str) -> None:
    line = piece * (1_000_000 // len(piece))
    marks = marks_of(f"{TASK}{line}\nWait, no, that is wrong.")
    assert marks[-1] == SecondThought(CORRECTION, is_sure=True, at=len(TASK) + len(line) + 1)
