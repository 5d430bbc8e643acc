"""The session that a shell continues, and showing the last answer again."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from support.pty_screen import Screen
from support.scripted_servers import MODEL, answering_server
from support.stored_replies import StoredHome

if TYPE_CHECKING:
    from support.command import Reflect

CODE = "Use this:\n\n```python\nprint(1)\n```\n\nor this:\n\n```python\nprint(2)\n```"


def titles(reflect: Reflect) -> dict[str, int]:
    """The number of questions in each session, by its title."""
    return {session.title: session.questions for session in StoredHome(reflect.home).sessions}


class TestNamedSession:
    def test_session_is_created_and_continued_by_its_name(self, reflect: Reflect) -> None:
        with answering_server("<output>\nyes\n</output>") as server:
            ask = reflect.at(server.host)
            first = ask(*MODEL, "--session", "My work", "one")
            second = ask(*MODEL, "--session", "my work", "two")
            history = server.asked("/api/chat")[1].json["messages"]

        assert (first.code, second.code) == (0, 0)
        assert titles(reflect) == {"My work": 2}
        assert [message["content"] for message in history if message["role"] == "user"] == ["one", "two"]

    def test_start_of_an_id_creates_nothing(self, reflect: Reflect) -> None:
        with answering_server("<output>\nyes\n</output>") as server:
            result = reflect.at(server.host)(*MODEL, "--session", "9t2e", "one")
            assert result.code == 0  # Without a file there is no session to continue.
            wrong = reflect.at(server.host)(*MODEL, "--session", "7dmw", "one")

        assert wrong.code == 2
        assert "there is no session '7dmw'" in wrong.err


class TestContinue:
    @pytest.mark.process
    def test_continues_the_session_of_the_terminal_not_that_of_a_script(self, reflect: Reflect) -> None:
        with answering_server("<output>\nyes\n</output>") as server:
            ask = reflect.at(server.host)
            with Screen(ask, *MODEL, "about cats") as screen:
                assert screen.finish() == 0
            assert ask(*MODEL, "--final", "commit message").code == 0
            with Screen(ask, *MODEL, "-c", "and dogs?") as screen:
                assert screen.finish() == 0

        assert titles(reflect) == {"about cats": 2, "commit message": 1}

    def test_continues_the_latest_session_without_a_terminal(self, reflect: Reflect) -> None:
        with answering_server("<output>\nyes\n</output>") as server:
            ask = reflect.at(server.host)
            for words in (("one",), ("two",), ("-c", "three")):
                assert ask(*MODEL, *words).code == 0

        assert titles(reflect) == {"one": 1, "two": 2}


class TestLast:
    def test_answer_thinking_and_code_are_printed_again(self, reflect: Reflect) -> None:
        with answering_server("<thinking>\nhm\n</thinking>\n<output>\n", CODE, "\n</output>") as server:
            reflect.at(server.host)(*MODEL, "how?")

        assert reflect("last").out == f"{CODE}\n"
        assert reflect("last", "--code").out == "print(2)\n"
        assert reflect("last", "--thinking").out == "hm\n"
        assert json.loads(reflect("last", "--json").out)["answer"] == CODE
        assert reflect("sessions", "show").out == reflect("sessions", "show", "how?").out
        assert reflect("sessions", "export").out.startswith("# how?")

    def test_session_can_be_named(self, reflect: Reflect) -> None:
        for question in ("one", "two"):
            with answering_server(f"<output>\nanswer to {question}\n</output>") as server:
                reflect.at(server.host)(*MODEL, question)

        assert reflect("last").out == "answer to two\n"
        assert reflect("last", "one").out == "answer to one\n"

    def test_missing_parts_are_errors(self, reflect: Reflect) -> None:
        empty = reflect("last")
        with answering_server("<output>\nyes\n</output>") as server:
            reflect.at(server.host)(*MODEL, "q")
        no_code, no_thinking = reflect("last", "-x"), reflect("last", "--thinking")

        assert (empty.code, empty.err) == (2, "reflect: there are no sessions (ask a question to start one)\n")
        assert (no_code.code, no_code.out) == (5, "")
        assert "the last reply has no block of code" in no_code.err
        assert "the last reply has no thinking" in no_thinking.err


class TestSessions:
    def test_paragraph_is_one_line_in_a_pipe(self, reflect: Reflect) -> None:
        words = " ".join(f"word{number}" for number in range(80))
        with answering_server(
            f"<thinking>\n{words}\n</thinking>\n<output>\n{words}\n\n---\n\nend\n</output>"
        ) as server:
            reflect.at(server.host)(*MODEL, "q")
        lines = reflect("sessions", "show", COLUMNS="").out.splitlines()
        narrow = reflect("sessions", "show", COLUMNS="60").out.splitlines()

        assert [line.count(words) for line in lines if "word" in line] == [1, 1]
        assert max(map(len, narrow)) <= 60

    def test_old_sessions_are_pruned(self, reflect: Reflect) -> None:
        with answering_server("<output>\nyes\n</output>") as server:
            reflect.at(server.host)(*MODEL, "q")
        kept = json.loads(reflect("sessions", "prune", "--older-than", "1h", "--yes", "--json").out)
        refused = reflect("sessions", "prune", "--older-than", "0h")
        removed = json.loads(reflect("sessions", "prune", "--older-than", "0h", "--yes", "--json").out)
        wrong = reflect("sessions", "prune", "--older-than", "soon", "--yes")

        assert (kept, len(removed), StoredHome(reflect.home).sessions) == ([], 1, ())
        assert (refused.code, wrong.code) == (2, 2)
        assert "--older-than 'soon' is not an age (write 12h, 90d, 8w or 1y)" in wrong.err

    def test_path_is_that_of_the_file(self, reflect: Reflect) -> None:
        with answering_server("<output>\nyes\n</output>") as server:
            reflect.at(server.host)(*MODEL, "q")

        assert reflect("sessions", "path").out == f"{StoredHome(reflect.home).path}\n"

    @pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
    def test_unreadable_file_is_an_error(self, reflect: Reflect) -> None:
        with answering_server("<output>\nyes\n</output>") as server:
            reflect.at(server.host)(*MODEL, "q")
        StoredHome(reflect.home).path.chmod(0)
        result = reflect("sessions")

        assert (result.code, result.out) == (6, "")
        assert "cannot read the sessions" in result.err

    @pytest.mark.parametrize("words", [("sessions",), ("last",), ("-c", "Why?"), ("--session", "x", "Why?")])
    def test_file_of_another_program_is_an_error(self, words: tuple[str, ...], reflect: Reflect) -> None:
        path = reflect.home / ".local/share/reflectty/sessions.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir()
        result = reflect(*words)

        assert (result.code, result.out) == (6, "")
        assert "cannot read the sessions" in result.err
