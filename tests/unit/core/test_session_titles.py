from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.chat.recorder import Recorder, RecordTarget
from reflectty.core.session import MAX_TITLE_LENGTH, Attachment, ReplyStatus, title_for
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.modes import AskOptions
from reflectty.reasoning.reply import Reply
from reflectty.store import open_store
from reflectty.tui.conversation import Conversation
from support.recorder_harness import SAID

if TYPE_CHECKING:
    from pathlib import Path

LONG = "What is the difference between a list and a tuple in Python, and when?"
CUT = "What is the difference between a list and a tuple in Python…"
FILES = (Attachment("a.py", "file", "x"), Attachment("b.png", "image", "x"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Which is larger?", "Which is larger?"),
        ("\n  Which?  \nThis or that", "Which?"),
        ("---\n```\nWhich?", "Which?"),
        ("\n???\n!", "???"),
        (LONG, CUT),
        ("a" * 60, "a" * 60),
        ("a" * 61, "a" * 59 + "…"),
        ("word " * 20, "word " * 11 + "word…"),
        ("a" * 60 + " b", "a" * 59 + "…"),
        ("a" * 59 + " b", "a" * 59 + "…"),
        ("a " * 5 + "b" * 90, "a " * 5 + "b" * 49 + "…"),
        ("one " * 14 + "three four", "one " * 13 + "one…"),
        ("", ""),
    ],
)
def test_title_is_the_first_line_of_the_question_with_a_word(text: str, expected: str) -> None:
    assert title_for(text) == expected
    assert len(title_for(text)) <= MAX_TITLE_LENGTH


def test_title_without_a_question_names_the_attachments() -> None:
    assert title_for(" \n", FILES) == "a.py, b.png"
    assert title_for("Which?", FILES) == "Which?"


@pytest.mark.parametrize("text", [LONG, "", "```\nx = 1"])
def test_chat_and_shell_give_a_session_the_same_title(text: str, tmp_path: Path) -> None:
    store = open_store(tmp_path / "sessions.db", pytest.fail)
    recorder = Recorder(lambda _: store, RecordTarget(text, FILES))
    recorder.begin(SAID, Reply("m", FAMILIES["reflection"]), pytest.fail)
    recorder.end(ReplyStatus.COMPLETE)
    Conversation(store, AskOptions()).add_question(text, FILES)

    titles = {session.title for session in store.sessions(9)}
    store.close()

    assert titles == {title_for(text, FILES)}
