"""The chat under signals, hangups and internal errors: the terminal is restored, and the text so far is stored."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from reflectty.core.session import ReplyStatus
from support.chat_process import HALF, Chat, ended_as, serving
from support.command import COMMAND
from support.fake_server import reply
from support.scripted_servers import ANSWERED, MODEL, unfinished
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Reflect

SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}
TAKES_PASTES = b"\x1b[?2004h"
"""The sequence that a chat writes when it begins to read keys."""
by_signal = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)


class TestSignal:
    @by_signal
    def test_signal_during_a_reply_saves_it_and_restores_the_terminal(
        self, reflect: Reflect, number: signal.Signals
    ) -> None:
        with serving(unfinished(HALF)) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.ask("well?")
            assert chat.shows("Half of an answer")
            assert "the alternate screen" in chat.left_behind
            chat.process.send_signal(number)
            code = chat.finish()
            behind = chat.left_behind
            left = server.asked("/api/chat")[0].left.wait(PATIENCE)

        assert (code, behind) == (SIGNALS[number], [])
        assert left
        assert ended_as(reflect) == [(ReplyStatus.INTERRUPTED, "Half of an answer")]

    @pytest.mark.parametrize(
        "number",
        [
            pytest.param(number, id=number.name, marks=() if number is signal.SIGTERM else pytest.mark.slow)
            for number in SIGNALS
        ],
    )
    def test_signal_while_idle_restores_the_terminal(self, reflect: Reflect, number: signal.Signals) -> None:
        with serving(reply([ANSWERED])) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.shows("● ")
            chat.process.send_signal(number)
            assert chat.finish() == SIGNALS[number]
            assert chat.left_behind == []

    def test_signal_while_a_dialog_is_open_restores_the_terminal(self, reflect: Reflect) -> None:
        with serving(reply([ANSWERED])) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.hit("palette")
            assert chat.shows("type to filter")
            chat.process.send_signal(signal.SIGTERM)
            assert chat.finish() == SIGNALS[signal.SIGTERM]
            assert chat.left_behind == []

    def test_interrupt_key_pressed_twice_quits(self, reflect: Reflect) -> None:
        with serving(reply([ANSWERED])) as server, Chat(reflect.at(server.host), *MODEL) as chat:
            assert chat.opened()
            chat.hit("interrupt")
            assert chat.shows("press ctrl+c again to quit")
            chat.hit("interrupt")
            assert chat.finish() == 0
            assert chat.left_behind == []

    @pytest.mark.parametrize("trap", ["", pytest.param("HUP", marks=pytest.mark.slow)], ids=["plain", "nohup"])
    def test_lost_terminal_without_a_signal_ends_the_chat(self, reflect: Reflect, trap: str) -> None:
        with serving(unfinished(HALF)) as server:
            leader, follower = os.openpty()
            # The terminal is no process's controlling terminal: its end is a failed read and not a signal.
            process = subprocess.Popen(
                ("sh", "-c", f'trap "" {trap}; exec "$@"', "sh", *COMMAND, *MODEL),
                stdin=follower,
                stdout=follower,
                stderr=follower,
                env=reflect.at(server.host).environment(TERM="xterm"),
                cwd=reflect.home,
                start_new_session=True,
            )
            os.close(follower)
            with process:
                shown = b""
                while TAKES_PASTES not in shown:
                    shown += os.read(leader, 1 << 16)
                os.write(leader, b"well?\r")
                while b"Half of an answer" not in shown:
                    shown += os.read(leader, 1 << 16)
                os.close(leader)
                try:
                    code = process.wait(PATIENCE)
                finally:
                    process.kill()

        assert code == 129
        assert ended_as(reflect) == [(ReplyStatus.INTERRUPTED, "Half of an answer")]


BROKEN = """
from reflectty.tui.widgets.transcript import Transcript

def go_by_page(self, direction):
    secret = "what only the reader may see"
    raise ZeroDivisionError("made to fail")

Transcript.go_by_page = go_by_page
"""


class TestInternalError:
    @pytest.fixture
    def broken(self, tmp_path: Path) -> str:
        (tmp_path / "sitecustomize.py").write_text(BROKEN)
        return str(tmp_path)

    def test_internal_error_is_one_line_after_the_terminal_is_restored(self, reflect: Reflect, broken: str) -> None:
        with (
            serving(unfinished(HALF)) as server,
            Chat(reflect.at(server.host), *MODEL, PYTHONPATH=broken) as chat,
        ):
            assert chat.opened()
            chat.ask("well?")
            assert chat.shows("Half of an answer")
            chat.hit("page up")
            assert chat.finish() == 1
            assert chat.left_behind == []
            said = chat.raw[chat.raw.rfind(b"\x1b[?1049l") :].decode()

        assert "reflect: internal error: ZeroDivisionError: made to fail" in said
        assert "Traceback" not in said
        assert "secret" not in said
        assert ended_as(reflect) == [(ReplyStatus.INTERRUPTED, "Half of an answer")]

    def test_internal_error_has_a_traceback_in_debug_mode(self, reflect: Reflect, broken: str) -> None:
        with Chat(reflect, *MODEL, PYTHONPATH=broken, REFLECTTY_DEBUG="1") as chat:
            assert chat.opened()
            chat.hit("page up")
            assert chat.finish() == 1
            assert b"in page" in chat.raw
