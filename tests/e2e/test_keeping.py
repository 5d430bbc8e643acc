"""The store after a run of the real command, whatever interrupts it."""

from __future__ import annotations

import signal
import stat
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from reflectty.core.session import Attachment, ReplyStatus
from reflectty.store import open_store
from support.command import COMMAND
from support.fake_server import CLOSE, HANG, Answer, Raw, ReceivedRequest, error, line, reply
from support.scripted_servers import (
    ANSWER,
    ANSWERED,
    MODEL,
    THOUGHT,
    Gate,
    answering_server,
    chat_server,
    endless,
    unfinished,
)
from support.stored_replies import StoredHome
from support.waiting import PATIENCE, until

if TYPE_CHECKING:
    from support.command import Reflect


class TestOneShotQuestion:
    @pytest.mark.parametrize("form", [(), ("--final",), ("--json",), ("--raw",)], ids=str)
    def test_question_is_saved_with_its_reply(self, reflect: Reflect, form: tuple[str, ...]) -> None:
        with answering_server(THOUGHT, "<output>\n", ANSWER, "\n</output>") as server:
            result = reflect.at(server.host)(*MODEL, *form, "-o", "seed=4", "Which is larger?\nQuick.")
        kept = StoredHome(reflect.home)
        (session,) = kept.sessions

        assert (result.code, result.err) == (0, "")
        assert (session.title, session.model, session.questions) == ("Which is larger?", "reflection", 1)
        assert kept.turns[0].text == "Which is larger?\nQuick."
        assert (kept.said.answer, kept.said.raw, kept.said.ended) == (ANSWER, ANSWERED, ReplyStatus.COMPLETE)
        assert (kept.said.options, kept.said.digest) == ((("seed", 4),), "d" * 64)

    @pytest.mark.process
    def test_saved_sessions_are_private_to_the_user(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            reflect.at(server.host)(*MODEL, "q")
        folder = StoredHome(reflect.home).path.parent
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}

        assert modes == {"reflectty": 0o700, "sessions.db": 0o600}

    def test_attachments_are_saved_apart_from_the_question(self, reflect: Reflect) -> None:
        (reflect.home / "a.py").write_text("x = 1\n")
        with answering_server(ANSWERED) as server:
            reflect.at(server.host)(*MODEL, "-f", "a.py", "Explain", stdin=b"a log\n")
        (question, _) = StoredHome(reflect.home).turns

        assert question.text == "Explain"
        assert question.attachments == (Attachment("a.py", "file", "x = 1\n"), Attachment("stdin", "file", "a log\n"))

    def test_question_from_a_pipe_is_saved_as_the_question(self, reflect: Reflect) -> None:
        with answering_server(ANSWERED) as server:
            reflect.at(server.host)(*MODEL, stdin=b"Which?\n")
        (question, _) = StoredHome(reflect.home).turns

        assert (question.text, question.attachments) == ("Which?\n", ())

    @pytest.mark.parametrize(("words", "setting"), [(("--no-store",), ""), ((), "0")])
    def test_question_is_not_saved_when_the_store_is_off(
        self, reflect: Reflect, words: tuple[str, ...], setting: str
    ) -> None:
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, *words, "q", REFLECTTY_STORE=setting)

        assert (result.code, result.out) == (0, f"{ANSWER}\n")
        assert not any(reflect.home.rglob("sessions.db*"))
        assert server.asked("/api/tags") == []

    @pytest.mark.parametrize(
        "chat", [error(500, "no"), error(404, "model 'reflection' not found"), reply([])], ids=["no", "missing", "mute"]
    )
    def test_question_without_any_reply_is_not_saved(self, reflect: Reflect, chat: Answer) -> None:
        with chat_server(chat) as server:
            result = reflect.at(server.host)(*MODEL, "q")

        assert result.code in (4, 5)
        assert StoredHome(reflect.home).sessions == ()

    def test_question_refused_late_is_not_saved(self, reflect: Reflect) -> None:
        def refused(_: ReceivedRequest) -> Raw:
            # The question is stored after a second of silence.
            assert until(StoredHome(reflect.home).path.exists)
            return Raw([b"HTTP/1.1 500 No\r\nContent-Length: 2\r\n\r\nno"])

        with chat_server(refused) as server:
            result = reflect.at(server.host)(*MODEL, "q")

        assert result.code == 4
        assert StoredHome(reflect.home).path.exists()
        assert StoredHome(reflect.home).sessions == ()

    def test_cut_reply_is_saved_with_the_reason(self, reflect: Reflect) -> None:
        with chat_server(Answer([line(THOUGHT), line("<output>\n9."), CLOSE])) as server:
            result = reflect.at(server.host)(*MODEL, "q")
        said = StoredHome(reflect.home).said

        assert result.code == 5
        assert said.ended is ReplyStatus.INCOMPLETE
        assert said.error in result.err
        assert said.answer == "9."


class TestFailures:
    def test_interrupted_reply_is_saved_in_part(self, reflect: Reflect) -> None:
        with (
            chat_server(unfinished(THOUGHT, "<output>\nOne, two")) as server,
            reflect.at(server.host).start(*MODEL, "q") as run,
        ):
            assert run.says("One, two")
            result = run.signalled(signal.SIGINT)
        said = StoredHome(reflect.home).said

        assert (result.code, result.err) == (130, "")
        assert (said.ended, said.answer, said.error) == (ReplyStatus.INTERRUPTED, "One, two", "")

    def test_closed_pipe_saves_the_partial_reply(self, reflect: Reflect) -> None:
        with chat_server(endless()) as server:
            command = (*COMMAND, "--host", server.host, *MODEL, "q")
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=reflect.environment()
            )
            with process:
                assert process.stdout is not None
                process.stdout.read(20)
                process.stdout.close()
                code = process.wait(PATIENCE)

        assert code == 141
        assert StoredHome(reflect.home).said.ended is ReplyStatus.INTERRUPTED
        assert "line 1\n" in StoredHome(reflect.home).said.answer

    def test_a_killed_program_loses_the_last_second_at_most(self, reflect: Reflect) -> None:
        gate = Gate()
        counted = "".join(f"{number} " for number in range(25))
        chat = gate.between(f"<thinking>\n{counted}", "25 ", HANG)
        with chat_server(chat) as server, reflect.at(server.host).start(*MODEL, "--show", "thinking", "q") as run:
            # The last text before a silence is stored a second later.
            assert until(lambda: any(turn.said and "24 " in turn.said.raw for turn in StoredHome(reflect.home).turns))
            gate.open()
            assert run.until(lambda run: b" 25" in run.stderr)
            run.process.kill()
            run.finish()
        question, reply = StoredHome(reflect.home).turns

        assert question.text == "q"
        assert reply.said is not None
        assert reply.said.ended is ReplyStatus.INTERRUPTED
        assert reply.said.raw.startswith(f"<thinking>\n{counted}")
        assert "has ended" in reply.said.error

    @pytest.mark.process
    def test_unwritable_home_costs_one_warning_and_no_answer(self, reflect: Reflect) -> None:
        (reflect.home / ".local").write_text("in the way")
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "q")

        assert (result.code, result.out) == (0, f"{ANSWER}\n")
        assert len(result.err.splitlines()) == 1
        assert result.err.startswith("reflect: ")

    def test_a_damaged_store_costs_one_line_and_no_answer(self, reflect: Reflect) -> None:
        path = StoredHome(reflect.home).path
        path.parent.mkdir(parents=True)
        path.write_bytes(b"no database" * 1000)
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "q")

        assert (result.code, result.out) == (0, f"{ANSWER}\n")
        assert len(result.err.splitlines()) == 1
        assert StoredHome(reflect.home).said.answer == ANSWER

    def test_quiet_hides_store_warnings(self, reflect: Reflect) -> None:
        (reflect.home / ".local").write_text("in the way")
        with answering_server(ANSWERED) as server:
            result = reflect.at(server.host)(*MODEL, "--quiet", "q")

        assert (result.code, result.out, result.err) == (0, f"{ANSWER}\n", "")

    def test_answer_is_printed_before_the_store_is_opened(self, reflect: Reflect) -> None:
        """Another program locks the store: the answer is out at once, and storing waits for its turn."""
        with answering_server(ANSWERED) as server:
            reflect.at(server.host)(*MODEL, "q")
            store = open_store(StoredHome(reflect.home).path, pytest.fail)
            store.database.connection.execute("BEGIN IMMEDIATE")
            with reflect.at(server.host).start(*MODEL, "q") as run:
                assert run.says(f"{ANSWER}\n")
                waits = run.process.poll() is None
                time.sleep(0.3)
                still = run.process.poll() is None
                store.database.connection.execute("ROLLBACK")
                result = run.finish()
            store.close()

        assert waits
        assert still
        assert (result.code, result.err) == (0, "")
        assert len(StoredHome(reflect.home).sessions) == 2
