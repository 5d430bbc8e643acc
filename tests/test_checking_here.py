from __future__ import annotations

import os
import sqlite3
import termios
import threading
from pathlib import Path
from typing import Any

import pytest

from checked import around, facts, found, terminal
from reflectty.checking import Known
from reflectty.checking.display import clipboard
from reflectty.checking.display import terminal as display
from reflectty.checking.keys import ASK_KIND, answering, ask, keyboard
from reflectty.checking.sessions import store
from reflectty.checking.settings import config, usable
from reflectty.config import Settings
from reflectty.devices import Place
from reflectty.errors import UsageError
from reflectty.finding import State
from reflectty.terminal import Sink, Terminal, coloured
from reflectty.tui.clipboard import ways
from stored import filled


@pytest.mark.parametrize(
    ("environment", "tty", "colours", "why"),
    [
        ({"TERM": "xterm-256color"}, True, 256, "TERM=xterm-256color"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, True, 0, "NO_COLOR is set"),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, True, 1 << 24, "COLORTERM=truecolor"),
        ({"TERM": "xterm-direct"}, True, 1 << 24, "TERM=xterm-direct"),
        ({"TERM": "dumb"}, True, 0, "TERM=dumb"),
        ({"TERM": "xterm", "CLICOLOR": "0"}, True, 0, "CLICOLOR=0"),
        ({"TERM": "xterm"}, False, 0, "it is no terminal"),
        ({"TERM": "xterm", "CLICOLOR_FORCE": "1"}, False, 16, "TERM=xterm"),
        ({}, True, 16, "TERM is not set"),
    ],
)
def test_colours_are_told_with_what_decides_them(
    environment: dict[str, str], tty: bool, colours: int, why: str
) -> None:
    assert coloured(environment, tty=tty) == (colours, why)


@pytest.mark.parametrize(
    ("here", "environment", "states", "text"),
    [
        (terminal(), {"TERM": "xterm-256color"}, [State.OK], "80 columns, 256 colours (TERM=xterm-256color), UTF-8"),
        (terminal(), {"TERM": "x", "TMUX": "1", "SSH_TTY": "/dev/x"}, [State.OK], "UTF-8, in tmux over ssh"),
        (terminal(), {"NO_COLOR": "1"}, [State.OK], "no colours (NO_COLOR is set)"),
        (terminal(unicode=False), {}, [State.OK, State.WARNING], "no UTF-8"),
        (terminal(width=30), {}, [State.OK, State.NOTE], "30 columns"),
        (terminal()._replace(motion=False), {}, [State.OK, State.NOTE], "80 columns"),
        (terminal(tty=False), {}, [State.OK], "stdout is no terminal, no colours, UTF-8"),
    ],
)
def test_a_terminal_is_told_with_what_it_can_show(
    here: Terminal, environment: dict[str, str], states: list[State], text: str
) -> None:
    findings = found(display, around(terminal=here, environment=environment))
    assert [one.state for one in findings] == states
    assert text in findings[0].found


@pytest.mark.parametrize(
    ("environment", "tools", "expected"),
    [
        ({}, (), ()),
        ({"TERM": "dumb"}, (), ()),
        ({"DISPLAY": ":0"}, ("xsel",), ("xsel",)),
        ({"WAYLAND_DISPLAY": "w"}, ("wl-copy",), ("wl-copy",)),
        ({"TMUX": "1"}, ("tmux",), ("tmux's buffer",)),
        ({"DISPLAY": ":0", "TMUX": "1", "SSH_TTY": "x"}, ("xclip", "tmux"), ("tmux's buffer", "xclip")),
    ],
)
def test_the_ways_to_a_clipboard_are_those_that_copying_takes(
    environment: dict[str, str], tools: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert ways(environment, lambda name: name if name in tools else None) == expected


def test_a_terminal_has_a_clipboard_of_its_own_perhaps() -> None:
    (way,) = ways({"TERM": "xterm"}, lambda _: None)
    assert "OSC 52" in way


@pytest.mark.parametrize(("known_ways", "state"), [(("xclip", "tmux's buffer"), State.OK), ((), State.NOTE)])
def test_a_clipboard_is_told(known_ways: tuple[str, ...], state: State) -> None:
    (finding,) = found(clipboard, around(clipboards=known_ways))
    assert finding.state is state
    assert (finding.advice == "") == bool(known_ways)


@pytest.mark.parametrize(
    ("said", "state", "kitty"),
    [
        (b"\x1b[?1u\x1b[?62c", State.OK, True),
        (b"\x1b[?62;4c", State.NOTE, False),
        (b"", State.NOTE, None),
        (b"typed ahead\x1b[?0u\x1b[?6c", State.OK, True),
    ],
)
def test_a_keyboard_is_what_the_terminal_says(said: bytes, state: State, kitty: bool | None) -> None:
    (finding,) = found(keyboard, around(answered=lambda _, __: said))
    assert (finding.state, facts(finding)["kitty_protocol"]) == (state, kitty)


def test_no_terminal_is_asked_where_there_is_none() -> None:
    (finding,) = found(keyboard, around())
    assert finding.state is State.UNCHECKED
    assert answering(terminal()) is None
    assert answering(Terminal(None, stdin_tty=False, out=Sink(None), err=Sink(None))) is None


def tmux_saying(folder: Path, text: str) -> Place:
    program = folder / "tmux"
    program.write_text(f"#!/bin/sh\necho '{text}'\n")
    program.chmod(0o755)
    return Place(path=str(folder))


@pytest.mark.parametrize(("said", "count"), [("500", 2), ("100", 2), ("99", 1), ("10", 1), ("no server", 1), ("²", 1)])
def test_a_slow_escape_in_tmux_is_told(tmp_path: Path, said: str, count: int) -> None:
    here = around(answered=lambda _, __: b"", environment={"TMUX": "1"}, place=tmux_saying(tmp_path, said))
    findings = found(keyboard, here)
    assert len(findings) == count
    assert len(found(keyboard, here._replace(environment={}))) == 1


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
        self._thread.join(5)
        os.close(self.leader)
        os.close(self.follower)


def test_a_terminal_is_asked_unseen_and_left_as_it_was() -> None:
    end = Talking(b"\x1b[?1u\x1b[?62c")
    before = termios.tcgetattr(end.follower)
    assert ask(end.follower, end.follower, ASK_KIND, b"c", 10.0) == b"\x1b[?1u\x1b[?62c"
    assert termios.tcgetattr(end.follower) == before
    end.close()


def test_a_terminal_that_says_nothing_is_not_waited_for() -> None:
    leader, follower = os.openpty()
    assert ask(follower, follower, ASK_KIND, b"c", 0.05) == b""
    os.close(leader)
    os.close(follower)


def test_what_is_no_terminal_says_nothing() -> None:
    read, write = os.pipe()
    assert ask(read, write, ASK_KIND, b"c", 0.05) == b""
    os.close(read)
    os.close(write)


def sessions_at(path: Path, **given: Any) -> list[Any]:
    return found(store, around(store_path=path, **given))


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "reflectty" / "sessions.db"
    path.parent.mkdir(mode=0o700)
    filled(path)
    return path


def test_a_sound_file_is_told_and_left_as_it_was(kept: Path) -> None:
    before = {path.name: path.read_bytes() for path in kept.parent.iterdir()}
    (finding,) = sessions_at(kept)
    assert finding.state is State.OK
    assert (facts(finding)["sessions"], facts(finding)["sound"]) == (1, True)
    assert {path.name: path.read_bytes() for path in kept.parent.iterdir()} == before


def test_no_file_is_made(tmp_path: Path) -> None:
    (finding,) = sessions_at(tmp_path / "deep" / "sessions.db")
    assert (finding.state, "no session yet" in finding.found) == (State.OK, True)
    assert not list(tmp_path.iterdir())


def test_a_path_under_home_is_written_as_people_do(tmp_path: Path) -> None:
    (finding,) = sessions_at(tmp_path / "sessions.db", environment={"HOME": str(tmp_path)})
    assert finding.found.endswith(" ~/sessions.db")
    assert facts(finding)["path"] == str(tmp_path / "sessions.db")


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"no database at all" * 100, "file is not a database"), (b"", "0 sessions")],
)
def test_a_file_that_holds_no_sessions_is_told_and_not_moved(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "sessions.db"
    path.write_bytes(content)
    path.chmod(0o600)
    (finding,) = sessions_at(path)
    assert text in finding.found
    assert [one.name for one in tmp_path.iterdir()] == ["sessions.db"]
    assert path.read_bytes() == content


def test_damage_inside_is_found(kept: Path) -> None:
    with kept.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(b"\xa5" * 4096 * 4)
    finding = sessions_at(kept)[0]
    assert finding.state is State.WRONG
    assert facts(finding).get("sound", False) is False


def test_a_file_of_another_program_is_told(tmp_path: Path) -> None:
    path = tmp_path / "sessions.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    path.chmod(0o600)
    (finding,) = sessions_at(path)
    assert (finding.state, "another program" in finding.found) == (State.WRONG, True)


def test_a_newer_file_is_a_warning(kept: Path) -> None:
    with sqlite3.connect(kept) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()
    assert [one.state for one in sessions_at(kept)] == [State.WARNING]


def test_a_file_that_others_can_read_is_a_warning(kept: Path) -> None:
    kept.chmod(0o644)
    (_, finding) = sessions_at(kept)
    assert (finding.state, "mode 644" in finding.found) == (State.WARNING, True)


def test_a_folder_in_the_place_of_the_file_is_wrong(tmp_path: Path) -> None:
    (finding,) = sessions_at(tmp_path)
    assert (finding.state, "no file" in finding.found) == (State.WRONG, True)


def test_a_place_where_nothing_can_be_made_is_a_warning() -> None:
    (finding,) = sessions_at(Path("/proc/version/reflectty/sessions.db"))
    assert finding.state is State.WARNING


def test_a_file_that_was_moved_aside_is_told(kept: Path) -> None:
    kept.with_name("sessions.db.corrupt-2026-01-01-000000").write_bytes(b"x")
    assert "corrupt-2026" in sessions_at(kept)[-1].found


def test_where_nothing_is_to_be_kept_that_is_said(tmp_path: Path) -> None:
    findings = sessions_at(tmp_path / "sessions.db", settings=Settings(store=False))
    assert [one.state for one in findings] == [State.NOTE]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_no_file_means_the_defaults(file: Path) -> None:
    assert usable({}, file) == (Settings(), (), ())
    (finding,) = found(config, around(config_path=file))
    assert (finding.state, "defaults" in finding.found) == (State.OK, True)


def test_every_mistake_is_named_and_the_rest_holds(file: Path) -> None:
    file.write_text('model = "mini"\nmode = "loud"\nnosuch = 1\nhost = "box"\n')
    got = usable({"REFLECTTY_THINKING": "loud", "REFLECTTY_MODEL": "other"}, file)
    assert len(got.mistakes) == 3
    assert (got.settings.model, got.settings.host, got.settings.mode) == ("other", "box", "auto")
    assert (got.source("model"), got.source("host"), got.source("mode")) == ("REFLECTTY_MODEL", "config.toml", "")
    learnt = Known()
    findings = found(config, around(config_path=file, mistakes=got.mistakes), learnt)
    assert [one.state for one in findings] == [State.WRONG] * 3
    assert learnt.obstacle is got.mistakes[0]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"model = ", b"[[[["])
def test_a_file_that_cannot_be_read_leaves_the_environment(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    got = usable({"OLLAMA_HOST": "box"}, file)
    assert (len(got.mistakes), got.settings.host) == (1, "box")


def test_a_profile_says_what_comes_from_it(file: Path) -> None:
    file.write_text('profile = "fast"\n[profiles.fast]\nmodel = "mini"\n')
    got = usable({}, file)
    assert (got.settings.model, got.source("model")) == ("mini", "the profile fast")


def test_what_only_the_chat_cannot_use_is_a_warning_and_not_in_the_way(file: Path) -> None:
    learnt = Known()
    (finding,) = found(config, around(config_path=file, oddities=(UsageError("no theme"),)), learnt)
    assert (finding.state, learnt.obstacle) == (State.WARNING, None)
