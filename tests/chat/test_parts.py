from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reflectty.chat.recorder import stored_reply_of
from reflectty.core.messages import Chunk
from reflectty.core.segments import Kind, Reclassification
from reflectty.core.session import Attachment, ReplyMetrics, ReplyStatus, StoredReply
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply
from reflectty.view.parts import NotePart, QuestionPart, Scene, ThinkingView
from reflectty.view.reply_part import ReplyPart
from reflectty.view.rows import text_of_row
from reflectty.view.stack import anchor_of, row_of
from support.cases import cases
from support.chat_app import ANSWERED, THOUGHT, chatting
from support.conversations import page
from support.properties import examples

if TYPE_CHECKING:
    from reflectty.view.parts import Part
    from support.chat_app import Reader

WHOLE = THOUGHT + ANSWERED
MARKDOWN = (
    "<thinking>\n1. one\n\n2. two\n<reflection>\nno\n</reflection>\n</thinking>\n<output>\n# Head\n\n- a\n- b\n\n"
    "```python\nprint(1)\n\n\nx = 2\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> quote\n\nlast *line* 你好 👍\n</output>"
)
TWICE = "<think>a\n</think>\none\n<think>b\nc</think>\ntwo"
ORPHAN = "no opener here\n\n- at all\n</thinking>\n<output>\ndone\n</output>"
PIECES = [
    "<thinking>",
    "</thinking>",
    "<reflection>",
    "</reflection>",
    "<output>",
    "</output>",
    "\n",
    "\n\n",
    "word ",
    "a" * 90,
]
PIECES += [
    "- item\n",
    "```\n",
    "| a | b |\n|---|---|\n",
    "1. ",
    "你好",
    "👩\u200d🚀",
    "\x1b[31m",
    "\t",
    "**bold",
    "3*4*5 $x^2$ ",
    "\\[\n",
    "\\] ",
    "$$\n",
    "```markdown\n```py\n",
    "| `a|b` | c | d |\n",
    "<",
    ">",
    "\u202e",
    "Wait, no, that is wrong. ",
    "Let me double-check the sum once more. ",
    "Alternatively, one could subtract. ",
    "Wait! ",
    "I read the task and its numbers now. ",
]
texts = st.one_of(
    st.sampled_from([WHOLE, MARKDOWN, TWICE, ORPHAN, ""]),
    st.lists(st.sampled_from(PIECES), max_size=40).map("".join),
    st.sampled_from([case["text"] * min(case.get("repeat", 1), 50) for case in cases("hostile.jsonl")]),
)
widths = st.sampled_from([8, 20, 40, 80, 130, 300])
views = st.sampled_from(list(ThinkingView))
PALETTE = page(80, colours=256, tty=True, look="ink").palette


def scene(width: int, view: ThinkingView, height: int = 24) -> Scene:
    return Scene(PALETTE, width, height, view, (("steer", "alt+s"), ("cancel", "esc")))


def rows(part: Part) -> list[str]:
    return [text_of_row(part.row(at)) for at in range(part.height)]


def pieces(text: str, cuts: list[int]) -> list[str]:
    ends = [*sorted({min(cut, len(text)) for cut in cuts}), len(text)]
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False) if end > start]


def whole(reply: Reply) -> StoredReply:
    """The reply as stored, with metrics that do not depend on the clock."""
    metrics = reply.metrics
    measured = ReplyMetrics(
        thinking_tokens=7,
        answer_tokens=3,
        corrections=metrics.corrections,
        thinking_ms=1_000.0,
        readings=metrics.readings,
    )
    return stored_reply_of(StoredReply(reply.model, ended=ReplyStatus.COMPLETE), reply)._replace(measured=measured)


def live(text: str, cuts: list[int], on: Scene, *, look: bool) -> tuple[ReplyPart, Reply]:
    """The part of a reply that arrives in these pieces; `look` draws its rows between them."""
    reply, part = Reply("m", FAMILIES["any"]), ReplyPart("m")
    part.lay_out(on)
    part.begin(reply)
    for piece in pieces(text, cuts):
        for event in reply.feed(Chunk(piece)):
            part.show(event)
        if look:
            part.tick(1.0)
            assert len(rows(part)) == part.height
            assert part.stable_height <= part.height
    for event in reply.close():
        part.show(event)
    return part, reply


scenes = st.builds(scene, widths, views)


@given(text=texts, cuts=st.lists(st.integers(0, 400), max_size=30), width=widths, view=views, look=st.booleans())
@example(text="Wait, no, that is wrong. </thinking>", cuts=[], width=40, view=ThinkingView.FOLDED, look=False)
@examples(120)
def test_streamed_reply_looks_like_the_stored_one(
    text: str, cuts: list[int], width: int, view: ThinkingView, look: bool
) -> None:
    part, reply = live(text, cuts, scene(width, view), look=look)
    # The reading of the screen is stored, so that it is not made again.
    reply.readings = part.end_text()
    part.end(whole(reply))
    stored = ReplyPart.from_stored(whole(reply))
    stored.lay_out(scene(width, view))
    assert rows(part) == rows(stored)
    assert part.turning_rows == stored.turning_rows


@given(text=texts, cuts=st.lists(st.integers(0, 400), max_size=30), scenes=st.tuples(scenes, scenes))
@examples(60)
def test_changing_width_or_view_mid_stream_does_not_change_the_result(
    text: str, cuts: list[int], scenes: tuple[Scene, Scene]
) -> None:
    before, after = scenes
    part, reply = ReplyPart("m"), Reply("m", FAMILIES["any"])
    part.lay_out(before)
    part.begin(reply)
    for at, piece in enumerate(pieces(text, cuts)):
        if at == len(cuts) // 2:
            part.lay_out(after)
        for event in reply.feed(Chunk(piece)):
            part.show(event)
        assert len(rows(part)) == part.height
    for event in reply.close():
        part.show(event)
    part.lay_out(after)
    part.end(whole(reply))
    stored = ReplyPart.from_stored(whole(reply))
    stored.lay_out(after)
    assert rows(part) == rows(stored)


@given(text=texts, cuts=st.lists(st.integers(0, 400), max_size=30), width=widths, toggles=st.integers(0, 3))
@examples(60)
def test_folding_works_the_same_for_streamed_and_stored_replies(
    text: str, cuts: list[int], width: int, toggles: int
) -> None:
    part, reply = live(text, cuts, scene(width, ThinkingView.LIVE), look=True)
    stored = ReplyPart.from_stored(whole(reply))
    stored.lay_out(scene(width, ThinkingView.LIVE))
    for _ in range(toggles):
        part.toggle()
    part.end(whole(reply))
    for _ in range(toggles):
        stored.toggle()
    assert rows(part) == rows(stored)


@given(text=texts, cuts=st.lists(st.integers(0, 400), max_size=30), width=widths)
@examples(60)
def test_stable_rows_do_not_change(text: str, cuts: list[int], width: int) -> None:
    reply, part = Reply("m", FAMILIES["reflection"]), ReplyPart("m")
    part.lay_out(scene(width, ThinkingView.LIVE))
    part.begin(reply)
    for piece in pieces(text, cuts):
        before = rows(part)[1 : part.stable_height]
        for event in reply.feed(Chunk(piece)):
            if isinstance(event, Reclassification):
                return  # Text that turns out to be thinking is redrawn.
            part.show(event)
        assert rows(part)[1 : 1 + len(before)] == before


@pytest.mark.parametrize("view", list(ThinkingView))
def test_unclosed_thinking_tag_inside_an_answer_is_drawn_as_answer(view: ThinkingView) -> None:
    text = "Models write:\n\n<think>\n\nbefore they reason."
    reply, part = Reply("m", FAMILIES["any"]), ReplyPart("m")
    part.lay_out(scene(60, view))
    part.begin(reply)
    for piece in (*(Chunk(char) for char in text), Chunk(done=True, done_reason="stop")):
        for event in reply.feed(piece):
            part.show(event)
    for event in reply.close():
        part.show(event)
    part.end(whole(reply))
    stored = ReplyPart.from_stored(whole(reply))
    stored.lay_out(scene(60, view))

    assert part.text == text
    assert rows(part) == rows(stored)


@given(text=texts, width=widths, view=views, row=st.integers(0, 200))
@examples(60)
def test_anchor_maps_back_to_its_row_and_folding_keeps_the_answer_rows(
    text: str, width: int, view: ThinkingView, row: int
) -> None:
    part, reply = live(text, [], scene(width, view), look=False)
    part.end(whole(reply))
    if row <= part.height:
        assert row_of(anchor_of(part, row)) == row
    answers = bool(reply.segments) and reply.segments[-1][0] is Kind.ANSWER and bool(reply.segments[-1][1].strip())
    answer = [at for at in range(part.height if answers else 0) if anchor_of(part, at).section == part.spans[-1][0]]
    shown = [(text_of_row(part.row(at)), anchor_of(part, at)) for at in answer]
    part.toggle()
    assert [text_of_row(part.row(row_of(place))) for _, place in shown] == [text for text, _ in shown]


@pytest.mark.parametrize("width", [1, 2, 3, 8, 40, 200])
@pytest.mark.parametrize("text", ["", "x", "word " * 50, "a\tb\n\n\n c", "\x1b[2J" * 9, "x" * 5_000, "\n" * 90])
def test_question_and_note_parts_have_as_many_rows_as_their_height(text: str, width: int) -> None:
    for part in (QuestionPart(text, (Attachment(text, "file", text),), is_queued=True), NotePart(text, wrong=True)):
        part.lay_out(scene(width, ThinkingView.LIVE))
        assert len(rows(part)) == part.height
        assert "\x1b" not in "".join(rows(part))


def test_reply_of_which_only_the_raw_text_is_stored_is_shown() -> None:
    part = ReplyPart.from_stored(StoredReply("m", raw="as it came", ended=ReplyStatus.INTERRUPTED))
    part.lay_out(scene(60, ThinkingView.LIVE))
    assert rows(part) == ["  stopped", "", "  as it came"]


def test_branch_that_does_not_fit_beside_the_summary_stands_below_it() -> None:
    part = ReplyPart.from_stored(SAID)
    part.branch = (2, 3)
    part.lay_out(scene(20, ThinkingView.FOLDED))
    assert rows(part)[:2] == ["▸ thought", "  reply 2 of 3"]


# The whole transcript


def lines(reader: Reader) -> list[str]:
    """Every line of the transcript, drawn alone."""
    transcript = reader.chat.transcript
    stack = transcript._stack  # noqa: SLF001 - the screen is drawn from it
    return [text_of_row(stack.row(line)) for line in range(transcript.virtual_size.height)]


def stacked_parts(reader: Reader) -> list[str]:
    stack = reader.chat.transcript._stack  # noqa: SLF001 - there is no public list of parts with a layout
    shown = [rows(part) for part in stack.parts[stack.first :] if part.height]
    return [row for part in shown for row in (*part, "")][:-1]


@given(
    steps=st.lists(
        st.sampled_from(["toggle", "drop", "add", "insert", "wide", "narrow", "fold", "live", "up", "end", "frame"]),
        max_size=8,
    )
)
@examples(12)
def test_transcript_stacks_its_parts_in_order(steps: list[str]) -> None:
    async def use(reader: Reader) -> None:
        transcript = reader.chat.transcript
        transcript.fill(ReplyPart.from_stored(SAID) if at % 2 else QuestionPart(f"question {at}") for at in range(6))
        for step in steps:
            await STEPS[step](reader)
        await reader.settle()
        assert lines(reader) == stacked_parts(reader)

    chatting(use)


SAID = StoredReply(
    "m", segments=((Kind.THINKING, "thought\n" * 5), (Kind.ANSWER, "word " * 60)), ended=ReplyStatus.COMPLETE
)


async def _toggle(reader: Reader) -> None:
    part = next((part for part in reader.chat.turns.parts.replies), None)
    if part:
        reader.chat.transcript.change(part, part.toggle)


async def _drop(reader: Reader) -> None:
    if reader.chat.transcript.parts:
        reader.chat.transcript.drop(reader.chat.transcript.parts[-1])


async def _add(reader: Reader) -> None:
    reader.chat.transcript.add(NotePart("note " * 30))


async def _insert(reader: Reader) -> None:
    reader.chat.transcript.insert(0, ReplyPart.from_stored(SAID))


async def _wide(reader: Reader) -> None:
    await reader.resize(120, 40)


async def _narrow(reader: Reader) -> None:
    await reader.resize(40, 12)


async def _fold(reader: Reader) -> None:
    transcript = reader.chat.transcript
    transcript.set_scene(transcript.scene._replace(view=ThinkingView.FOLDED))


async def _live(reader: Reader) -> None:
    transcript = reader.chat.transcript
    transcript.set_scene(transcript.scene._replace(view=ThinkingView.LIVE))


async def _up(reader: Reader) -> None:
    reader.chat.transcript.go_by_page(-1)


async def _end(reader: Reader) -> None:
    reader.chat.transcript.go_to_end()


async def _frame(_: Reader) -> None:
    await asyncio.sleep(0.04)


STEPS: dict[str, Any] = {
    "toggle": _toggle,
    "drop": _drop,
    "add": _add,
    "insert": _insert,
    "wide": _wide,
    "narrow": _narrow,
    "fold": _fold,
    "live": _live,
    "up": _up,
    "end": _end,
    "frame": _frame,
}
