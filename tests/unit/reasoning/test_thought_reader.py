from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.messages import Chunk
from reflectty.core.segments import Kind, SecondThoughtKind
from reflectty.core.session import Readings
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply
from reflectty.reasoning.thought_reader import ThoughtMark, ThoughtReader, marks_in, sentence_at
from support.properties import examples

CORRECTION, CHECK, ALTERNATIVE = SecondThoughtKind
OPENING = "The task gives two sums. One is six. The other is nine. "
SENTENCES = (
    "Wait, no, it is seven. ",
    "Let me double-check the second sum. ",
    "Alternatively, one could subtract. ",
    "Wait! ",
    "So the sum is nine.\n\n",
    "I add the two numbers. ",
    "Hmm, ",
)
thoughts = st.lists(st.sampled_from(SENTENCES), max_size=20).map(lambda found: OPENING + "".join(found))


def reply_of(text: str, cuts: list[int]) -> Reply:
    reply = Reply("m", FAMILIES["reflection"])
    ends = [*sorted({min(cut, len(text)) for cut in cuts}), len(text)]
    for start, end in zip([0, *ends], ends, strict=False):
        reply.feed(Chunk(text[start:end]))
        _ = reply.second_thoughts
    reply.feed(Chunk(done=True, done_reason="stop"))
    reply.close()
    return reply


def _sure(kind: SecondThoughtKind, block: int, at: int) -> ThoughtMark:
    return ThoughtMark(kind, is_sure=True, block=block, at=at)


def test_marks_have_their_block_and_their_place_in_it() -> None:
    first, second = f"{OPENING}Wait, no, it is seven.", "Let me double-check the second sum."
    found = marks_in(((Kind.THINKING, first), (Kind.REFLECTION, "No: eight."), (Kind.THINKING, second)))

    assert found == (_sure(CORRECTION, 0, len(OPENING)), _sure(CHECK, 2, 0))


def test_tagged_corrections_and_answers_are_not_read() -> None:
    text = f"{OPENING}Wait, no, it is seven."
    assert marks_in(((Kind.REFLECTION, text), (Kind.ANSWER, text))) == ()


def test_sentence_of_a_mark_is_one_line() -> None:
    segments = ((Kind.THINKING, f"{OPENING}Wait, no,  it is   seven. So it is odd."),)
    assert sentence_at(segments, marks_in(segments)[0]) == "Wait, no, it is seven."


def test_only_sure_ones_are_counted() -> None:
    text = f"{OPENING}Wait, no, it is seven. Unless they mean the product. Let me double-check the second sum."
    reply = reply_of(f"<thinking>\n{text}\n</thinking>\n<output>\n7\n</output>", [])

    assert [mark.is_sure for mark in reply.second_thoughts] == [True, False, True]
    assert reply.metrics.readings == Readings(corrections=1, checks=1)


def test_nothing_is_counted_until_it_is_asked_for() -> None:
    reply = Reply("m", FAMILIES["reflection"])
    reply.feed(Chunk(f"<thinking>\n{OPENING}Wait, no, it is seven.\n</thinking>\n"))

    assert reply.metrics.readings is None


@given(text=thoughts, correction=st.booleans(), cuts=st.lists(st.integers(0, 400), max_size=30))
@examples(60)
def test_marks_of_a_stream_are_those_of_the_whole(text: str, correction: bool, cuts: list[int]) -> None:
    middle = "\n<reflection>\nNo.\n</reflection>\n" if correction else ""
    reply = reply_of(f"<thinking>\n{text}{middle}{text}\n</thinking>\n<output>\n7\n</output>", cuts)
    streamed, whole = reply.second_thoughts, marks_in(reply.segments)
    blocks = sorted({mark.block for mark in streamed})

    assert [mark._replace(block=0) for mark in streamed] == [mark._replace(block=0) for mark in whole]
    assert len(blocks) == len({mark.block for mark in whole})


@given(text=thoughts, cuts=st.lists(st.integers(0, 400), max_size=30))
@examples(60)
def test_no_mark_begins_before_what_is_certain(text: str, cuts: list[int]) -> None:
    reader = ThoughtReader()
    reader.begin(0)
    certain = 0
    ends = [*sorted({min(cut, len(text)) for cut in cuts}), len(text)]
    for start, end in zip([0, *ends], ends, strict=False):
        found = reader.feed(text[start:end])
        assert all(mark.at >= certain for mark in found)
        certain = reader.certain_to
    assert all(mark.at >= certain for mark in reader.close())
