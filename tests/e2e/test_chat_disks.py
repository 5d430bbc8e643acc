"""The chat over full, read-only and broken disks: it answers, and warns once."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from typing import TYPE_CHECKING

import pytest

from reflectty.core.session import ReplyStatus
from support.chat_process import Chat, database, ended_as, serving, stored_sessions
from support.fake_server import Answer, reply
from support.scripted_servers import ANSWER, ANSWERED, MODEL
from support.small_disks import small_disk
from support.store_programs import health
from support.stored_sessions import filled

if TYPE_CHECKING:
    from support.command import Reflect


def asks_twice(reflect: Reflect, *replies: Answer) -> str:
    """Ask two questions and get answers; return the transcript."""
    with serving([*replies, reply([ANSWERED])]) as server, Chat(reflect.at(server.host), *MODEL, rows=60) as chat:
        assert chat.opened()
        for number in range(2):
            chat.ask(f"question {number}")
            assert chat.matches(f"(?s){'.*'.join([re.escape(ANSWER)] * (number + 1))}")
            assert chat.shows("ctrl+j new line")
        assert chat.lacks("▌ using")
        # The scroll bar stands between the rows of a note.
        text = re.sub(r"[▁-█]?\s+", " ", chat.text)
        assert chat.leave() == 0
        assert chat.left_behind == []
    return text


class TestUnwritableStore:
    def test_blocked_store_folder_is_reported_once_and_loses_no_answer(self, reflect: Reflect) -> None:
        (reflect.home / ".local").write_text("a file where a folder should be")
        text = asks_twice(reflect)

        assert text.count(" ! ") == 1
        assert "sessions" in text

    @pytest.mark.slow
    def test_store_of_a_newer_version_is_reported_once_and_left_unchanged(self, reflect: Reflect) -> None:
        database(reflect).parent.mkdir(parents=True)
        filled(database(reflect))
        with sqlite3.connect(database(reflect)) as connection:
            connection.execute("PRAGMA user_version = 9999")
        connection.close()
        before = database(reflect).read_bytes()
        text = asks_twice(reflect)

        assert text.count("nothing new is saved") == 1
        assert text.count("in memory only") == 1
        assert database(reflect).read_bytes() == before

    @pytest.mark.slow
    def test_full_disk_is_reported_once_and_the_session_continues(self, reflect: Reflect) -> None:
        with small_disk(database(reflect).parent, "-o", "size=300k"):
            thought = "<thinking>\n" + "a long thought, " * 20_000 + "\n</thinking>\n"
            pieces = [thought[at : at + 4_000] for at in range(0, len(thought), 4_000)]
            text = asks_twice(reflect, reply([*pieces, f"<output>\n{ANSWER}\n</output>"], pause=0.01))

            assert text.count(" ! ") == 1
            assert "the disk is full: this session is now in memory only" in text
            assert health(database(reflect)) == ()

    @pytest.mark.slow
    def test_read_only_disk_is_reported_once(self, reflect: Reflect) -> None:
        folder = database(reflect).parent
        with small_disk(folder):
            filled(database(reflect))
            subprocess.run(("mount", "-o", "remount,ro", str(folder)), check=True)
            text = asks_twice(reflect)

        assert text.count(" ! ") == 1

    @pytest.mark.slow
    def test_session_removed_by_another_process_is_reported_once(self, reflect: Reflect) -> None:
        with serving(reply([ANSWERED])) as server, Chat(reflect.at(server.host), *MODEL, rows=60) as chat:
            assert chat.opened()
            chat.ask("question 0")
            assert chat.shows("▾ ")
            ((session, _),) = stored_sessions(reflect)
            assert reflect("sessions", "remove", session.id, "--yes").code == 0
            chat.ask("question 1")
            assert chat.until(lambda text: text.count(ANSWER) == 2)
            assert chat.rests()
            said = re.sub(r"\s+", " ", chat.text)
            chat.hit("new")
            assert chat.lacks(ANSWER)
            chat.ask("question 2")
            assert chat.answered(ANSWER)
            assert chat.leave() == 0
        sent = server.asked("/api/chat")[1].json["messages"]

        assert said.count("in memory only") == 1
        assert [message["content"] for message in sent] == ["question 0", ANSWER, "question 1"]
        assert [session.title for session, _ in stored_sessions(reflect)] == ["question 2"]

    def test_damaged_store_is_one_line_and_the_next_start_creates_a_new_one(self, reflect: Reflect) -> None:
        path = database(reflect)
        path.parent.mkdir(parents=True)
        filled(path)
        data = bytearray(path.read_bytes())
        pages = len(data) // 4096
        for page in range(int(pages * 0.3), int(pages * 0.6)):
            data[page * 4096 : (page + 1) * 4096] = b"\xa5" * 4096
        path.write_bytes(data)
        with serving(reply([ANSWERED])) as server:
            with Chat(reflect.at(server.host), *MODEL, "-c") as chat:
                assert chat.finish() == 6
                assert chat.left_behind == []
                assert b"Traceback" not in chat.raw
                assert "damaged" in chat.text
            with Chat(reflect.at(server.host), *MODEL) as chat:
                assert chat.shows("new file created")
                chat.ask("well?")
                assert chat.answered(ANSWER)
                assert chat.leave() == 0

        assert list(path.parent.glob("*corrupt*"))
        assert ended_as(reflect) == [(ReplyStatus.COMPLETE, ANSWER)]
