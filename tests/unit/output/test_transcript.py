from __future__ import annotations

import re
from typing import Any

import pytest

from reflectty.core.safety import clean
from reflectty.core.session import (
    Attachment,
    ReplyOrigin,
    ReplyStatus,
    SearchHit,
    Session,
    StoredReply,
    Turn,
    branch_to,
)
from reflectty.output.sessions import (
    positions_on_all_branches,
    positions_on_branch,
    search_hit_rows,
    session_rows,
    transcript_rows,
)
from reflectty.view.rows import text_of_row
from support.conversations import (
    ANSWER,
    QUESTION,
    REFLECTION,
    SESSION,
    THINKING,
    TURNS,
    page,
    plain_reply,
    stored_reply,
    written,
)
from support.hostile_texts import hostile_texts, is_let_through, text_of

NOW = 5_000.0
CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def drawn(
    turns: tuple[Turn, ...], leaf: int | None = None, *, width: int = 60, thinking: bool = True, **values: Any
) -> list[str]:
    """The rows of a branch, or of every branch without a leaf, as they are written."""
    on = page(width, **values)
    places = positions_on_all_branches(turns) if leaf is None else positions_on_branch(turns, branch_to(turns, leaf))
    for rows in transcript_rows(places, on, thinking=thinking):
        on.write(rows)
    return written(on).split("\n")[:-1]


def alone(reply: StoredReply) -> list[str]:
    """The rows of one reply to one question, below the question."""
    return drawn((Turn(1, None, 0.0, "q"), Turn(2, 1, 0.0, said=reply)), 2)[2:]


def test_branch_is_drawn_with_a_gutter() -> None:
    assert drawn(TURNS, 4) == [
        "▌ Which is larger, 9.11 or 9.9?",
        "",
        "▾ thought 2 s · 64 tokens · 1 correction",
        "│ Both start with 9, so I compare the decimals.",
        "│",
        "│ 1. 11 is more than 9.",
        "│ 2. So 9.11 is larger.",
        "↺ I must compare the same number of digits: 9.9 is 9.90.",
        "│ 90 against 11: 9.9 is larger.",
        "",
        "  **9.9** is larger.",
        "",
        "  • 9.90 has `90`",
        "  • 9.11 has `11`",
        "",
        "    print(9.9 > 9.11)  # True",
        "",
        "  a   b",
        "  ─   ─",
        "  1   2",
        "",
        "▌ And in Roman numerals?",
        "▌ Briefly.",
        "▌ + notes.txt",
        "▌ question 1 of 2",
        "",
        "  answered in 0.9 s · 3 tokens   reply 1 of 2",
        "",
        "  There are none for fractions.",
    ]


def test_every_branch_is_shown_once_with_its_branch_point() -> None:
    rows = drawn(TURNS, thinking=False)
    assert [row for row in rows if row[:1] in ("▌", "▸") or "──" in row or "reply" in row] == [
        "▌ Which is larger, 9.11 or 9.9?",
        "▸ thought 2 s · 64 tokens · 1 correction",
        "▌ And in Roman numerals?",
        "▌ Briefly.",
        "▌ + notes.txt",
        "▌ question 1 of 2",
        "  answered in 0.9 s · 3 tokens   reply 1 of 2",
        "  ── branch 2 of 2, from And in Roman numerals? Briefly.",
        "▸ ✎ steered · thought 2 s · 64 tokens · 1 correction",
        "  reply 2 of 2",
        "  ── branch 2 of 2, from Which is larger, 9.11 or 9.9?",
        "▌ Why?",
        "▌ question 2 of 2",
        "▸ thought 2 s · 64 tokens · 1 correction",
    ]


def test_repeated_first_question_branches_at_the_beginning() -> None:
    turns = (Turn(1, None, 0.0, "one"), Turn(2, None, 0.0, "two"))
    assert drawn(turns) == [
        "▌ one",
        "▌ question 1 of 2",
        "",
        "  ── branch 2 of 2, from the beginning",
        "",
        "▌ two",
        "▌ question 2 of 2",
    ]


def test_turns_with_lost_or_cyclic_parents_are_still_shown() -> None:
    turns = (Turn(3, 99, 0.0, "orphan"), Turn(4, 5, 0.0, "loop"), Turn(5, 4, 0.0, said=plain_reply("an answer")))
    rows = drawn(turns)
    assert [text for text in ("orphan", "loop", "an answer") if not any(text in row for row in rows)] == []


def test_five_thousand_nested_turns_are_drawn() -> None:
    turns = tuple(
        Turn(at, at - 1 or None, 0.0, "q", said=plain_reply(f"answer {at}") if at % 2 == 0 else None)
        for at in range(1, 5_001)
    )
    assert drawn(turns)[-1] == "  answer 5000"


@pytest.mark.parametrize(
    ("values", "last"),
    [
        ({"ended": ReplyStatus.INTERRUPTED}, ["! stopped: the reply is incomplete"]),
        ({"ended": ReplyStatus.INTERRUPTED, "error": "the program is gone"}, ["! the program is gone"]),
        ({"ended": ReplyStatus.INCOMPLETE}, ["! the reply was cut off"]),
        ({"ended": ReplyStatus.INCOMPLETE, "error": "the token limit"}, ["! the token limit"]),
        ({"ended": ReplyStatus.FAILED, "segments": ()}, ["! no reply"]),
        ({"ended": ReplyStatus.STREAMING}, ["  still being written"]),
        ({"warnings": ("tags were lost",)}, ["  tags were lost"]),
    ],
)
def test_reply_that_ended_badly_shows_why(values: dict[str, Any], last: list[str]) -> None:
    assert alone(plain_reply("x", **values))[-1:] == last


@pytest.mark.parametrize(
    ("origin", "word"),
    [(ReplyOrigin.STEERED, "steered"), (ReplyOrigin.CONCLUDED, "concluded"), (ReplyOrigin.CONTINUED, "continued")],
)
def test_user_interventions_are_marked(origin: ReplyOrigin, word: str) -> None:
    assert alone(stored_reply("x", origin=origin))[0].startswith(f"▾ ✎ {word} · thought 2 s")


def test_reply_without_segments_shows_its_raw_text() -> None:
    assert alone(plain_reply("")._replace(segments=(), answer="", raw="as it came")) == ["  as it came"]


def test_thinking_after_an_answer_is_apart_from_it() -> None:
    segments = ((THINKING, "a"), (ANSWER, "one"), (THINKING, "b"), (ANSWER, "two"))
    rows = alone(stored_reply("", ())._replace(segments=segments))
    assert rows[1:] == ["│ a", "", "  one", "", "│ b", "", "  two"]


def test_replaced_control_characters_are_counted() -> None:
    assert alone(plain_reply("a\x1b"))[1:] == ["", "  1 control character shown as text, such as ^["]


def test_long_question_is_printed_whole() -> None:
    turns = (Turn(1, None, 0.0, "line\n" * 60, (Attachment("name " * 30, "file", ""),)),)
    rows = drawn(turns)
    assert rows.count("▌ line") == 60
    assert " ".join(row.removeprefix("▌ ") for row in rows[60:]).split() == ["+", *["name"] * 30]


@hostile_texts
def test_hostile_text_is_cleaned_everywhere(hostile: tuple[dict[str, Any], ...]) -> None:
    for case in hostile:
        out = everywhere(text_of(case))
        assert not CONTROLS.search(out.replace("\n", "")), case["id"]
        assert not is_let_through(case, out), case["id"]


def everywhere(text: str) -> str:
    """Draw a conversation, a list and a search with a text in every possible place."""
    reply = stored_reply(
        text, ((THINKING, text), (REFLECTION, text)), model=text, error=text, ended=ReplyStatus.FAILED, warnings=(text,)
    )
    turns = (
        Turn(1, None, 0.0, text, (Attachment(text, "file", text),)),
        Turn(2, 1, 0.0, said=reply),
        Turn(3, None, 0.0, text),
        Turn(4, 1, 0.0, said=reply),
    )
    session = Session(text[:40], text, 0.0, 0.0, text, 2, 1)
    found = [SearchHit(session, 2, "thinking", ((text, False), (text, True)))]
    on = page()
    on.write([*session_rows((session,), on, NOW), *(row for rows in search_hit_rows(found, on, NOW) for row in rows)])
    return "\n".join([written(on), *drawn(turns)])


class TestSessionList:
    OTHER = SESSION._replace(id="abcdef", title="x" * 90, model="llama3.1:8b-instruct-q4", questions=1_200, updated=0.0)

    def rows(self, width: int, *, tty: bool) -> list[str]:
        on = page(width, tty=tty)
        return [text_of_row(row).rstrip() for row in session_rows((SESSION, self.OTHER), on, NOW)]

    @pytest.mark.parametrize("width", [10, 20, 30, 50, 80, 200])
    def test_fits_the_terminal(self, width: int) -> None:
        assert all(len(row) < max(width, 12) for row in self.rows(width, tty=True))

    def test_narrow_list_drops_the_least_important_columns_first(self) -> None:
        heads = [self.rows(width, tty=True)[0].split() for width in (90, 50, 40, 30)]
        assert heads == [
            ["id", "when", "model", "asked", "title"],
            ["id", "when", "asked", "title"],
            ["id", "when", "title"],
            ["id", "title"],
        ]

    def test_is_complete_and_without_a_header_in_a_pipe(self) -> None:
        assert self.rows(20, tty=False) == [
            f"k3f9x2  1 h ago  reflection:70b               3  {QUESTION}",
            f"abcdef  1 h ago  llama3.1:8b-instruct-q4  1,200  {'x' * 90}",
        ]

    def test_measures_wide_characters(self) -> None:
        wide = SESSION._replace(title="你好" * 40)
        rows = [text_of_row(row) for row in session_rows((wide,), page(40, tty=True), NOW)]
        assert rows[1].count("你好") + rows[1].count("你") / 2 < 20


class TestSearchHits:
    FOUND = SearchHit(
        SESSION, 2, "reflection", (("compare  the\nsame ", False), ("number", True), (" of digits", False))
    )

    def rows(self, *found: SearchHit, **values: Any) -> list[str]:
        on = page(**values)
        for rows in search_hit_rows(found or (self.FOUND,), on, NOW):
            on.write(rows)
        return written(on).split("\n")[:-1]

    def test_shows_the_location_and_marks_the_match_in_a_pipe(self) -> None:
        assert self.rows() == [
            f"k3f9x2  {QUESTION} · 1 h ago",
            "  correction: compare the same «number» of digits",
        ]

    def test_marks_the_match_in_bold_on_a_terminal(self) -> None:
        (row,) = [row for row in self.rows(tty=True, colours=16) if "number" in row]
        assert "\x1b[1mnumber\x1b[0m" in row
        assert "«" not in row

    def test_is_ascii_without_unicode(self) -> None:
        assert self.rows(unicode=False)[1].endswith("same *number* of digits")

    def test_names_a_session_once_for_all_its_hits(self) -> None:
        other = self.FOUND._replace(session=SESSION._replace(id="other2"))
        rows = self.rows(self.FOUND, self.FOUND._replace(part="answer"), other)
        assert [row.split()[0] for row in rows if row] == ["k3f9x2", "correction:", "answer:", "other2", "correction:"]


def test_wide_question_is_wrapped_with_its_gutter() -> None:
    rows = drawn((Turn(1, None, 0.0, "word " * 30),), width=40)
    assert len(rows) > 3
    assert all(row.startswith("▌ word") for row in rows)


def test_long_answer_loses_nothing() -> None:
    words = [f"w{number}" for number in range(5_000)]
    reply = stored_reply(" ".join(words), ((THINKING, " ".join(words)), (ANSWER, "first")))
    shown = " ".join(alone(reply)).replace("│", "").split()
    assert [word for word in shown if clean(word).startswith("w")] == words * 2
