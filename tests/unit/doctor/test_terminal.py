from __future__ import annotations

import os
import select
import termios
import threading
from typing import TYPE_CHECKING

import pytest

from reflectty.core.findings import FindingState
from reflectty.doctor.terminal import (
    ASK_KIND,
    KIND_ANSWER,
    ask_terminal,
    check_clipboard,
    check_keyboard,
    make_terminal_asker,
)
from reflectty.doctor.terminal import check_terminal as display
from reflectty.models.hardware import ProbeEnvironment
from reflectty.system.clipboard import list_clipboards
from reflectty.system.terminal import Sink, Terminal, detect_color_support
from support.doctor_harness import doctor_context, facts, findings_of, terminal
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("environment", "tty", "colours", "why"),
    [
        ({"TERM": "xterm-256color"}, True, 256, "TERM=xterm-256color"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, True, 0, "NO_COLOR is set"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, True, 1 << 24, "COLORTERM=truecolor"),
        ({"TERM": "xterm-direct"}, True, 1 << 24, "TERM=xterm-direct"),
        ({"TERM": "dumb"}, True, 0, "TERM=dumb"),
        ({"TERM": "xterm", "CLICOLOR": "0"}, True, 0, "CLICOLOR=0"),
        ({"TERM": "xterm"}, False, 0, "not a terminal"),
        ({"TERM": "xterm", "CLICOLOR_FORCE": "1"}, False, 16, "TERM=xterm"),
        ({}, True, 16, "TERM is not set"),
    ],
)
def test_colors_are_reported_with_their_cause(environment: dict[str, str], tty: bool, colours: int, why: str) -> None:
    assert detect_color_support(environment, tty=tty) == (colours, why)


@pytest.mark.parametrize(
    ("here", "environment", "states", "text"),
    [
        (
            terminal(),
            {"TERM": "xterm-256color"},
            [FindingState.OK],
            "80 columns, 256 colors (TERM=xterm-256color), UTF-8",
        ),
        (terminal(), {"TERM": "x", "TMUX": "1", "SSH_TTY": "/dev/x"}, [FindingState.OK], "UTF-8, in tmux over ssh"),
        (terminal(), {"NO_COLOR": "1"}, [FindingState.OK], "no colors (NO_COLOR is set)"),
        (terminal(unicode=False), {}, [FindingState.OK, FindingState.WARNING], "not UTF-8"),
        (terminal(width=30), {}, [FindingState.OK, FindingState.NOTE], "30 columns"),
        (terminal()._replace(can_redraw=False), {}, [FindingState.OK, FindingState.NOTE], "80 columns"),
        (terminal(tty=False), {}, [FindingState.OK], "stdout is not a terminal, no colors, UTF-8"),
    ],
)
def test_terminal_is_reported_with_its_capabilities(
    here: Terminal, environment: dict[str, str], states: list[FindingState], text: str
) -> None:
    findings = findings_of(display, doctor_context(terminal=here, environment=environment))
    assert [one.state for one in findings] == states
    assert text in findings[0].text


@pytest.mark.parametrize(
    ("environment", "tools", "expected"),
    [
        ({}, (), ()),
        ({"TERM": "dumb"}, (), ()),
        ({"DISPLAY": ":0"}, ("xsel",), ("xsel",)),
        ({"WAYLAND_DISPLAY": "w"}, ("wl-copy",), ("wl-copy",)),
        ({"TMUX": "1"}, ("tmux",), ("tmux buffer",)),
        ({"DISPLAY": ":0", "TMUX": "1", "SSH_TTY": "x"}, ("xclip", "tmux"), ("tmux buffer", "xclip")),
    ],
)
def test_clipboards_match_those_used_for_copying(
    environment: dict[str, str], tools: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert list_clipboards(environment, lambda name: name if name in tools else None) == expected


def test_terminal_may_offer_osc_52_clipboard() -> None:
    (way,) = list_clipboards({"TERM": "xterm"}, lambda _: None)
    assert "OSC 52" in way


@pytest.mark.parametrize(
    ("known_ways", "state"), [(("xclip", "tmux buffer"), FindingState.OK), ((), FindingState.NOTE)]
)
def test_clipboard_is_reported(known_ways: tuple[str, ...], state: FindingState) -> None:
    (finding,) = findings_of(check_clipboard, doctor_context(clipboards=known_ways))
    assert finding.state is state
    assert (finding.advice == "") == bool(known_ways)


@pytest.mark.parametrize(
    ("said", "state", "kitty"),
    [
        (b"\x1b[?1u\x1b[?62c", FindingState.OK, True),
        (b"\x1b[?62;4c", FindingState.NOTE, False),
        (b"", FindingState.NOTE, None),
        (b"\x1b[?0u\x1b[?6c", FindingState.OK, True),
        (b"cc\x1b[?1;2c", FindingState.NOTE, False),
    ],
)
def test_keyboard_protocol_is_detected_from_the_reply(said: bytes, state: FindingState, kitty: bool | None) -> None:
    (finding,) = findings_of(check_keyboard, doctor_context(ask_terminal=lambda _, __: said))
    assert (finding.state, facts(finding)["kitty_protocol"]) == (state, kitty)


def test_no_query_is_sent_without_a_terminal() -> None:
    (finding,) = findings_of(check_keyboard, doctor_context())
    assert finding.state is FindingState.UNCHECKED
    assert make_terminal_asker(terminal()) is None
    assert make_terminal_asker(Terminal(None, stdin_tty=False, out=Sink(None), err=Sink(None))) is None


def tmux_saying(folder: Path, text: str) -> ProbeEnvironment:
    program = folder / "tmux"
    program.write_text(f"#!/bin/sh\necho '{text}'\n")
    program.chmod(0o755)
    return ProbeEnvironment(path=str(folder))


@pytest.mark.parametrize(("said", "count"), [("500", 2), ("100", 2), ("99", 1), ("10", 1), ("no server", 1), ("²", 1)])
def test_slow_escape_time_in_tmux_is_reported(tmp_path: Path, said: str, count: int) -> None:
    here = doctor_context(
        ask_terminal=lambda _, __: b"", environment={"TMUX": "1"}, probe_environment=tmux_saying(tmp_path, said)
    )
    findings = findings_of(check_keyboard, here)
    assert len(findings) == count
    assert len(findings_of(check_keyboard, here._replace(environment={}))) == 1


class Talking:
    """A pseudo-terminal whose other end answers."""

    def __init__(self, reply: bytes) -> None:
        self.leader, self.follower = os.openpty()
        self.seen = b""
        self._reply = reply
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()

    def _answer(self) -> None:
        while ASK_KIND not in self.seen:
            self.seen += os.read(self.leader, 64)
        os.write(self.leader, self._reply)

    def close(self) -> None:
        self._thread.join(PATIENCE)
        os.close(self.leader)
        os.close(self.follower)


def test_terminal_query_returns_the_reply_and_restores_the_settings() -> None:
    end = Talking(b"\x1b[?1u\x1b[?62c")
    before = termios.tcgetattr(end.follower)
    assert ask_terminal(end.follower, end.follower, ASK_KIND, KIND_ANSWER, PATIENCE) == b"\x1b[?1u\x1b[?62c"
    assert termios.tcgetattr(end.follower) == before
    end.close()


def test_pending_input_is_left_for_the_next_reader() -> None:
    leader, follower = os.openpty()
    os.write(leader, b"cls\n")
    assert select.select([follower], [], [], PATIENCE)[0]
    assert ask_terminal(follower, follower, ASK_KIND, KIND_ANSWER, PATIENCE) == b""
    assert os.read(follower, 64) == b"cls\n"
    os.close(leader)
    os.close(follower)


def test_silent_terminal_is_not_waited_for() -> None:
    leader, follower = os.openpty()
    assert ask_terminal(follower, follower, ASK_KIND, KIND_ANSWER, 0.05) == b""
    os.close(leader)
    os.close(follower)


def test_pipe_gives_no_reply() -> None:
    read, write = os.pipe()
    assert ask_terminal(read, write, ASK_KIND, KIND_ANSWER, 0.05) == b""
    os.close(read)
    os.close(write)
