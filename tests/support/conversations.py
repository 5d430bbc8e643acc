"""Helpers for the tests of stored sessions: conversations as values, and a page to draw them on."""

from __future__ import annotations

import io
from typing import Any

from reflectty.core.messages import Usage
from reflectty.core.segments import Kind
from reflectty.core.session import (
    Attachment,
    ReplyMetrics,
    ReplyOrigin,
    ReplyStatus,
    Session,
    SessionSettings,
    StoredReply,
    Turn,
)
from reflectty.output.tables import Page
from reflectty.system import theme
from reflectty.system.terminal import Sink, Terminal

THINKING, REFLECTION, ANSWER = Kind
MEASURED = ReplyMetrics(
    thinking_tokens=64,
    answer_tokens=12,
    corrections=1,
    thinking_ms=2_400.0,
    first_token_ms=120.0,
    total_ms=5_000.0,
    tokens_per_second=41.2,
    usage=Usage(24, 76, 5_000.0, 10.0, 20.0, 4_000.0),
)
QUESTION = "Which is larger, 9.11 or 9.9?"
THOUGHT = (
    (THINKING, "\nBoth start with 9, so I compare the decimals.\n\n1. 11 is more than 9.\n2. So 9.11 is larger.\n"),
    (REFLECTION, "\nI must compare the same number of digits: 9.9 is 9.90.\n"),
    (THINKING, "\n90 against 11: 9.9 is larger.\n"),
)
ANSWERED = (
    "\n**9.9** is larger.\n\n- 9.90 has `90`\n- 9.11 has `11`\n\n```python\nprint(9.9 > 9.11)  # True\n```\n\n"
    "| a | b |\n|---|--:|\n| 1 | 2 |\n"
)


def stored_reply(answer: str = ANSWERED, thought: tuple[tuple[Kind, str], ...] = THOUGHT, **values: Any) -> StoredReply:
    """A complete reply, changed by `values`."""
    complete = StoredReply(
        model="reflection:70b",
        digest="sha256:abc",
        mode="native",
        family="reflection",
        options=(("num_ctx", 4096), ("stop", ("a", "b"))),
        segments=(*thought, (ANSWER, answer)),
        answer=answer.strip(),
        raw="<thinking>…</thinking>",
        ended=ReplyStatus.COMPLETE,
        done_reason="stop",
        measured=MEASURED,
    )
    return complete._replace(**values)


def plain_reply(answer: str, **values: Any) -> StoredReply:
    """A reply without thinking."""
    return stored_reply(answer, (), measured=ReplyMetrics(answer_tokens=3, total_ms=900.0), **values)


TURNS = (
    Turn(1, None, 1_000.0, QUESTION),
    Turn(2, 1, 1_001.0, said=stored_reply()),
    Turn(3, 2, 1_002.0, "And in Roman numerals?\nBriefly.", (Attachment("notes.txt", "file", "IX\n```\nX"),)),
    Turn(4, 3, 1_003.0, said=plain_reply("There are none for fractions."), label="short"),
    Turn(5, 3, 1_004.0, said=stored_reply("None.", THOUGHT[:1], origin=ReplyOrigin.STEERED)),
    Turn(6, 2, 1_005.0, "Why?"),
    Turn(
        7,
        6,
        1_006.0,
        said=stored_reply("Becau", ended=ReplyStatus.INTERRUPTED, error="stopped by the user", warnings=("slow",)),
    ),
)
SETTINGS = SessionSettings(mode="reflect", effort="", system="Be brief.", options=(("temperature", 0.3),))
SESSION = Session("k3f9x2", QUESTION, 1_000.0, 1_006.0, "reflection:70b", 7, 3, SETTINGS)


def page(width: int = 60, *, colours: int = 0, tty: bool = False, unicode: bool = True, look: str = "") -> Page:
    """A page that collects its output."""
    sink = Sink(io.StringIO(), tty=tty, color_count=colours, unicode=unicode)
    terminal = Terminal(None, stdin_tty=False, out=sink, err=sink, width=width, can_redraw=tty, forced_columns=width)
    from reflectty.system import assets

    loaded = (
        theme.load_theme(look, (assets.find_asset_folder("themes"),))
        if look
        else theme.LoadedTheme(theme.TERMINAL_THEME)
    )
    return Page(terminal, loaded.theme)


def written(on: Page) -> str:
    """The text on a page."""
    file = on.terminal.out.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()
