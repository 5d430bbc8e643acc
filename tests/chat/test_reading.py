from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from textual.geometry import Offset
from textual.selection import Selection

from reflectty import config
from reflectty.core.segments import Kind
from reflectty.core.session import Readings, ReplyMetrics
from reflectty.view.parts import ThinkingView
from reflectty.view.rows import text_of_row
from support.chat_app import IN_THOUGHT, QUESTION, REPLY, chatting, in_a_chat, plain_stored_reply, store_exchanges
from support.osc52 import copied
from support.scripted_engine import HOLD, cut

if TYPE_CHECKING:
    from reflectty.core.session import Session, StoredReply
    from reflectty.store import Store
    from support.chat_app import Reader

LONG_THOUGHT = tuple(f"{at}. step number {at}\n" for at in range(1, 61))


def corrected(at: int, *corrections: str) -> StoredReply:
    """Reply number `at`, with corrections."""
    segments = [(Kind.THINKING, f"thought {at}")]
    for text in corrections:
        segments += [(Kind.REFLECTION, text), (Kind.THINKING, "then on\n" * 6)]
    return plain_stored_reply(
        f"answer {at}",
        *segments,
        measured=ReplyMetrics(thinking_tokens=50, corrections=len(corrections), thinking_ms=2_000.0),
    )


def some(store: Store) -> Session:
    return store_exchanges(
        store,
        ("First?", corrected(1, "oops one")),
        ("Second?", corrected(2)),
        ("Third?", corrected(3, "oops two", "oops three")),
    )


def many(store: Store, exchanges: int = 150) -> Session:
    return store_exchanges(store, *((f"question {at}", corrected(at)) for at in range(1, exchanges + 1)))


def long(store: Store) -> Session:
    thinking = (Kind.THINKING, "".join(LONG_THOUGHT))
    said = plain_stored_reply("\n\n".join(f"paragraph {at}" for at in range(60)), thinking)
    return store_exchanges(store, ("First?", said), ("Second?", said))


def first_rows(reader: Reader, number: int = 3) -> list[str]:
    return [row for row in reader.rows()[2:] if row.strip()][:number]


# Display of thinking


@pytest.mark.parametrize(
    ("view", "seen", "rows"),
    [
        (ThinkingView.LIVE, 60, [" │ 59. step number 59", " │ 60. step number 60"]),
        (ThinkingView.PEEK, 3, [" │ 58. step number 58", " │ 59. step number 59", " │ 60. step number 60"]),
        (ThinkingView.FOLDED, 0, ["· 60. step number 60"]),
        (ThinkingView.OFF, 0, ["· 60. step number 60"]),
    ],
)
@in_a_chat(("<thinking>\n", *LONG_THOUGHT, HOLD, "</thinking>\n<output>done</output>"), size=(100, 80))
async def test_streaming_thinking_follows_the_thinking_view(
    reader: Reader, view: ThinkingView, seen: int, rows: list[str]
) -> None:
    await reader.send(f"/thinking {view}")
    await reader.ask_held(QUESTION, "60. step number 60")
    assert len([row for row in reader.rows() if row.startswith(" │")]) == seen
    assert [row for row in rows if row not in reader.text] == []
    reader.engine.release()
    await reader.at_rest()
    shown = [row for row in reader.rows() if "step number" in row]
    assert len(shown) == {ThinkingView.LIVE: 60, ThinkingView.PEEK: 3}.get(view, 0)
    assert [row for row in reader.rows() if re.search(r"[▾▸] thought", row)] != [] or view is ThinkingView.OFF


@in_a_chat(before=some, size=(80, 60))
async def test_thinking_view_key_cycles_and_is_saved(reader: Reader) -> None:
    seen = []
    for _ in ThinkingView:
        await reader.press("alt+t")
        seen.append((reader.chat.transcript.scene.view, config.recall_choice("thinking"), "oops one" in reader.text))
    assert seen == [
        (ThinkingView.PEEK, "peek", False),
        (ThinkingView.FOLDED, "folded", False),
        (ThinkingView.OFF, "off", False),
        (ThinkingView.LIVE, "live", True),
    ]


@in_a_chat(before=some, size=(80, 60))
async def test_thinking_off_shows_only_answers(reader: Reader) -> None:
    await reader.send("/thinking off")
    rows = [row.strip() for row in reader.rows()[2:22] if row.strip()]
    assert rows == ["▌ First?", "answer 1", "▌ Second?", "answer 2", "▌ Third?", "answer 3"]


@in_a_chat(before=some, size=(80, 60))
async def test_summary_shows_duration_tokens_and_corrections(reader: Reader) -> None:
    heads = [row for row in reader.rows() if "▾" in row]
    assert heads == [
        " ▾ thought 2 s · 50 tokens · 1 correction",
        " ▾ thought 2 s · 50 tokens",
        " ▾ thought 2 s · 50 tokens · 2 corrections   alt+n next   alt+o fold",
    ]


@in_a_chat(before=some, size=(80, 60))
async def test_fold_key_toggles_the_thinking_of_the_last_reply(reader: Reader) -> None:
    await reader.press("alt+o")
    assert reader.sees("thought 3", "thought 2", "▸ thought 2 s · 50 tokens · 2 corrections") == [
        "thought 2",
        "▸ thought 2 s · 50 tokens · 2 corrections",
    ]
    await reader.press("alt+o")
    assert reader.sees("│ thought 3") == ["│ thought 3"]


@in_a_chat(before=some, size=(80, 60))
async def test_a_click_on_a_summary_folds_its_thinking(reader: Reader) -> None:
    at = next(at for at, row in enumerate(reader.rows()) if "▾" in row)
    await reader.pilot.click(offset=(10, at))
    await reader.settle()
    assert reader.sees("oops one", "oops two") == ["oops two"]


@in_a_chat(before=long, size=(80, 24))
async def test_click_on_more_below_scrolls_to_the_end(reader: Reader) -> None:
    await reader.press("pageup")
    at = next(at for at, row in enumerate(reader.rows()) if "lines below" in row)
    await reader.pilot.click(offset=(10, at))
    await reader.settle()
    assert reader.sees("lines below", "paragraph 59") == ["paragraph 59"]


@in_a_chat(size=(80, 60))
async def test_thinking_folded_while_streaming_stays_folded(reader: Reader) -> None:
    reader.engine.add(*IN_THOUGHT)
    await reader.ask_held(QUESTION, "90 is more")
    await reader.press("alt+o")
    assert reader.sees("│ 90 is more", "90 is more") == ["90 is more"]
    reader.engine.release()
    await reader.at_rest()
    assert reader.sees("│ 90 is more", "9.9 is larger.") == ["9.9 is larger."]


# Corrections


def marked(reader: Reader) -> list[str]:
    """The rows of the corrections that are marked."""
    parts = [part for part in reader.chat.turns.parts.replies if part.marked_row >= 0]
    return ["".join(text for text, _ in part.row(part.marked_row)) for part in parts]


@in_a_chat(before=some, size=(80, 20))
async def test_next_correction_key_cycles_through_corrections(reader: Reader) -> None:
    seen = []
    for _ in range(4):
        await reader.press("alt+n")
        seen.append(marked(reader))
        assert [row for row in seen[-1] if row not in reader.text] == []
    assert seen == [["↺ oops two"], ["↺ oops three"], ["↺ oops one"], ["↺ oops two"]]


@in_a_chat(before=some, size=(80, 20))
async def test_previous_correction_key_starts_from_the_last(reader: Reader) -> None:
    seen = []
    for _ in range(4):
        await reader.press("alt+p")
        seen.append(marked(reader))
    assert seen == [["↺ oops three"], ["↺ oops two"], ["↺ oops one"], ["↺ oops three"]]


@in_a_chat(before=some, size=(80, 20))
async def test_jumping_to_a_correction_opens_folded_thinking(reader: Reader) -> None:
    await reader.send("/thinking folded")
    await reader.press("alt+p", "alt+p", "alt+p")
    assert reader.row("oops one") == " ↺ oops one"


@in_a_chat(REPLY)
async def test_correction_key_reports_when_there_is_no_correction(reader: Reader) -> None:
    await reader.press("alt+n")
    reader.row("no corrections here ─╯")


# Following


@in_a_chat(
    ("<thinking>\n", *LONG_THOUGHT, HOLD, *(f"{at}. late\n" for at in range(30)), "</thinking>\nDone."), size=(80, 24)
)
async def test_transcript_follows_the_end_until_scrolled_up(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "60. step number 60")
    await reader.press("pageup")
    top = first_rows(reader)
    assert "lines below" in reader.text
    reader.engine.release()
    await reader.at_rest()
    assert first_rows(reader) == top
    below = int(reader.row("lines below").split()[1])
    transcript = reader.chat.transcript
    assert below == transcript.max_scroll_y - transcript.scroll_offset.y + 1
    await reader.press("ctrl+end")
    assert reader.sees("lines below", "Done.") == ["Done."]


@in_a_chat(
    ("<thinking>\n", *LONG_THOUGHT, HOLD, *(f"{at}. late\n" for at in range(30)), "</thinking>\nDone."), size=(80, 24)
)
async def test_paging_down_to_the_end_resumes_following(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "60. step number 60")
    await reader.press("pageup", "pagedown")
    assert "lines below" not in reader.text
    reader.engine.release()
    await reader.at_rest()
    assert "Done." in reader.text


@in_a_chat(before=long, size=(80, 24))
async def test_folding_above_the_viewport_keeps_the_scroll_position(reader: Reader) -> None:
    transcript, first = reader.chat.transcript, reader.chat.turns.parts.replies[0]
    transcript.reveal(first, 85)
    await reader.settle()
    rows = first_rows(reader, 8)
    assert "paragraph" in rows[0]
    transcript.change(first, first.toggle)
    await reader.settle()
    assert first_rows(reader, 8) == rows
    transcript.change(first, first.toggle)
    await reader.settle()
    assert first_rows(reader, 8) == rows


@in_a_chat(cut("New.\n"), before=long, size=(80, 24))
async def test_asking_goes_to_the_end(reader: Reader) -> None:
    await reader.press("ctrl+home")
    assert first_rows(reader, 1) == [" ▌ First?"]
    await reader.ask("Third?")
    assert reader.sees("▌ Third?", "New.") == ["▌ Third?", "New."]


# Earlier turns


def laid(reader: Reader) -> int:
    return sum(part.height > 0 for part in reader.chat.transcript.parts)


@in_a_chat(before=many, size=(80, 30))
async def test_long_history_is_laid_out_lazily(reader: Reader) -> None:
    assert len(reader.chat.transcript.parts) == 300
    opened = laid(reader)
    assert opened <= 26
    assert "answer 150" in reader.text
    reader.chat.transcript.scroll_to(y=0, animate=False)
    top = first_rows(reader)
    await reader.settle()
    assert opened < laid(reader) < 100
    assert first_rows(reader) == top or top[0] in reader.text


@pytest.mark.slow
@in_a_chat(before=many, size=(80, 30))
async def test_scrolling_up_through_the_history_shows_every_turn_once(reader: Reader) -> None:
    seen: list[str] = []
    for _ in range(200):
        rows = [row for row in reader.rows() if row.startswith((" ▌ question", "   answer"))]
        seen = [row for row in rows if row not in seen] + seen
        if " ▌ question 1" in rows:
            break
        await reader.press("pageup")
    expected = [row for at in range(1, 151) for row in (f" ▌ question {at}", f"   answer {at}")]
    assert seen == expected
    assert laid(reader) == 300


@in_a_chat(before=many, size=(80, 30))
async def test_ctrl_home_goes_to_the_first_question(reader: Reader) -> None:
    await reader.press("ctrl+home")
    assert first_rows(reader, 1) == [" ▌ question 1"]
    await reader.press("alt+down")
    assert reader.chat.cursor.message is reader.chat.transcript.parts[1]
    await reader.press("alt+down", "alt+up")
    assert reader.chat.cursor.message is reader.chat.transcript.parts[1]


@pytest.mark.parametrize(("width", "height"), [(60, 30), (120, 30), (80, 16), (80, 50)])
@in_a_chat(before=many, size=(80, 30))
async def test_resize_keeps_the_reading_position(reader: Reader, width: int, height: int) -> None:
    await reader.press("ctrl+home")
    part = reader.chat.transcript.parts[150]
    reader.chat.transcript.reveal(part)
    await reader.settle()
    top = first_rows(reader, 1)
    await reader.resize(width, height)
    assert first_rows(reader, 1) == top


# Changes during a reply


@pytest.mark.parametrize(("width", "height"), [(40, 10), (300, 80)])
@in_a_chat()
async def test_resize_during_a_reply_loses_nothing(reader: Reader, width: int, height: int) -> None:
    reader.engine.add(*IN_THOUGHT)
    await reader.ask_held(QUESTION, "90 is more")
    await reader.resize(width, height)
    assert reader.sees("90 is more than 11.") == ["90 is more than 11."]
    reader.engine.release()
    await reader.at_rest()
    assert reader.sees("9.9 is larger.") == ["9.9 is larger."]
    assert [row for row in reader.rows() if len(row) > width] == []
    await reader.resize(80, 30)
    assert reader.sees(f"▌ {QUESTION}", "↺ The same number", "   9.9 is larger.") == [
        f"▌ {QUESTION}",
        "↺ The same number",
        "   9.9 is larger.",
    ]


@in_a_chat(IN_THOUGHT)
async def test_theme_change_during_a_reply_loses_nothing(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.send("/theme paper")
    assert reader.chat.theme.selected_theme.name == "paper"
    assert config.recall_choice("theme") == "paper"
    assert reader.sees("↺ The same", "90 is more") == ["↺ The same", "90 is more"]
    ground = reader.chat.transcript.render_line(0)
    assert {str(segment.style.bgcolor.name) for segment in ground if segment.style and segment.style.bgcolor} == {
        reader.chat.theme.selected_theme.colors.background
    }
    reader.engine.release()
    await reader.at_rest()
    assert reader.sees("9.9 is larger.") == ["9.9 is larger."]


# Copying with the mouse


@in_a_chat(REPLY)
async def test_selected_text_excludes_the_gutter(reader: Reader) -> None:
    await reader.ask(QUESTION)
    transcript = reader.chat.transcript
    selected = transcript.get_selection(Selection(Offset(0, 0), Offset(200, transcript.virtual_size.height)))
    assert selected is not None
    lines = selected[0].split("\n")
    assert lines[0] == QUESTION
    assert [line for line in lines if line][1:] == [
        "Both start with 9.",
        "11 is more than 9, so 9.11.",
        "The same number of digits: 9.90.",
        "90 is more than 11.",
        "9.9 is larger.",
    ]
    assert transcript.get_selection(Selection(Offset(8, 0), Offset(10, 0))) == ("is", "\n")


@pytest.mark.parametrize(
    ("clicks", "text"),
    [
        (2, "larger"),
        (3, "9.9 is larger, as both have the same whole part and nine tenths are more than eleven hundredths."),
    ],
)
@in_a_chat(cut("9.9 is larger, as both have the same whole part and nine tenths are more than eleven hundredths."))
async def test_clicks_select_a_word_or_a_paragraph_which_ctrl_c_copies(reader: Reader, clicks: int, text: str) -> None:
    await reader.ask(QUESTION)
    rows = reader.rows()
    line = next(at for at, row in enumerate(rows) if "9.9 is larger, as" in row)
    region = reader.chat.transcript.region
    place = (rows[line].index("larger") - region.x, line - region.y)
    await reader.pilot.click(reader.chat.transcript, offset=place, times=clicks)
    await reader.settle()
    assert reader.sees("ctrl+c copy the selection") == ["ctrl+c copy the selection"]
    await reader.press("ctrl+c")
    await reader.until(lambda: bool(reader.written))
    assert copied(reader) == [text]
    assert reader.sees("ctrl+c copy the selection") == []


SECOND_THOUGHT = (
    "<thinking>\nThe task has two sums. One is six. The other is nine. Wait, no, it is seven.\n</thinking>\n",
    "<output>\n7\n</output>",
)


@pytest.mark.parametrize("reads", [True, False])
def test_second_thoughts_of_a_running_reply_are_read_unless_switched_off(reads: bool) -> None:
    async def ask(reader: Reader) -> None:
        await reader.ask("Which?")
        shown = reader.sees("~1 correction", "↶")
        assert shown == (["~1 correction", "↶"] if reads else [])
        assert reader.stored_reply.measured.readings == (Readings(corrections=1) if reads else None)

    chatting(ask, SECOND_THOUGHT, reads_thoughts=reads)


STEPS = "\n".join(
    f"{number}. Step number{number} is long enough to fill two rows on a narrow screen." for number in range(90)
)


def long_reply(store: Store) -> Session:
    return store_exchanges(store, ("Why?", plain_stored_reply(STEPS.replace("number", "part"), (Kind.THINKING, STEPS))))


def shown_rows(reader: Reader) -> list[str]:
    """All rows of the transcript."""
    stack = reader.chat.transcript._stack  # noqa: SLF001 - there is no public view of the rows out of sight
    return [text_of_row(stack.row(line)) for line in range(stack.height)]


@pytest.mark.parametrize("word", ["number20", "part50"])
def test_reader_keeps_his_line_at_another_width(word: str) -> None:
    async def use(reader: Reader) -> None:
        transcript = reader.chat.transcript
        await reader.press("ctrl+home")
        row = next(at for at, text in enumerate(shown_rows(reader)) if word in text)
        transcript.scroll_to(y=row, animate=False)
        await reader.settle()
        assert word in reader.rows()[2]
        for width, height in ((120, 30), (50, 16), (80, 24)):
            await reader.resize(width, height)
            assert word in " ".join(reader.rows()[2:5])

    chatting(use, before=long_reply)


@in_a_chat(before=long_reply)
async def test_search_replaces_the_note_before_it(reader: Reader) -> None:
    await reader.press("alt+t")
    await reader.shows("thinking: peek")
    await reader.send("/find part70")
    await reader.shows("alt+n next")
