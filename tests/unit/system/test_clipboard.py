from __future__ import annotations

import os
import pty
import re
import shutil
import stat
import subprocess
import sys
import time
from base64 import b64decode
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from reflectty import config
from reflectty.core.errors import OutputError
from reflectty.system import clipboard
from reflectty.system.clipboard import MAX_OSC52_BYTES, copy, run
from support.command import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SSH = {"SSH_TTY": "/dev/pts/1"}
TMUX = {"TMUX": "/tmp/tmux-0/default,1,0"}  # noqa: S108 - a socket's address in tmux's format
OSC52 = re.compile("\x1b\\]52;c?;([A-Za-z0-9+/=]*)\x07")


class FakeMachine:
    """A machine with these programs, of which some fail; it records their input and that of the terminal."""

    def __init__(self, *installed: str, failing: Sequence[str] = ()) -> None:
        self.installed = installed
        self.failing = failing
        self.ran: list[tuple[str, bytes]] = []
        self.written = ""

    def which(self, name: str) -> str | None:
        return f"/bin/{name}" if name in self.installed else None

    def run(self, command: Sequence[str], data: bytes) -> bool:
        words = " ".join(command).removeprefix("/bin/")
        self.ran.append((words, data))
        return words not in self.failing

    def write(self, text: str) -> None:
        self.written += text

    def copy(self, text: str, **environment: str) -> str:
        return copy(text, self.write, {"TERM": "xterm", **environment}, self.which, self.run)


def unwrapped(written: str) -> str:
    """The text that a terminal copies, after tmux or screen has unwrapped it."""
    doubled = re.fullmatch("\x1bPtmux;((?:[^\x1b]|\x1b\x1b)*)\x1b\\\\", written)
    if doubled:
        written = doubled[1].replace("\x1b\x1b", "\x1b")
    elif written.startswith("\x1bP"):
        written = "".join(re.findall("\x1bP(.*?)\x1b\\\\", written, re.DOTALL))
    found = OSC52.fullmatch(written)
    return b64decode(found[1]).decode() if found else ""


@pytest.mark.skipif(sys.platform != "linux", reason="on a Mac pbcopy is there as well")
@pytest.mark.parametrize(
    ("installed", "environment", "command"),
    [
        (("wl-copy", "xclip"), {"WAYLAND_DISPLAY": "w", "DISPLAY": ":0"}, "wl-copy --type"),
        (("xclip", "xsel"), {"WAYLAND_DISPLAY": "w", "DISPLAY": ":0"}, "xclip -selection"),
        (("xsel",), {"DISPLAY": ":0"}, "xsel --clipboard"),
        (("clip.exe",), {"WSL_DISTRO_NAME": "U"}, "clip.exe"),
        (("xclip", "tmux"), {"DISPLAY": ":0", **TMUX}, "xclip -selection"),
    ],
)
def test_desktop_clipboard_is_tried_first(
    installed: tuple[str, ...], environment: dict[str, str], command: str
) -> None:
    desk = FakeMachine(*installed)

    assert desk.copy("a é", **environment) == "copied"
    (ran,) = desk.ran
    assert ran[0].startswith(command)
    assert ran[1].decode("utf-16-le" if "clip.exe" in command else "utf-8") == "a é"
    assert desk.written == ""


@pytest.mark.parametrize(
    ("desk", "environment"),
    [
        (FakeMachine(), {"DISPLAY": ":0", "WAYLAND_DISPLAY": "w"}),
        (FakeMachine("wl-copy", "xclip", "xsel"), {}),
        (FakeMachine("wl-copy"), {"DISPLAY": ":0"}),
        (FakeMachine("xclip", failing=["xclip -selection clipboard"]), {"DISPLAY": ":0"}),
        (FakeMachine("wl-copy"), {"WAYLAND_DISPLAY": "w", **SSH}),
        (FakeMachine("clip.exe"), {"WSL_DISTRO_NAME": "U", "SSH_CONNECTION": "1 2 3 4"}),
        (FakeMachine(), {"STY": "1.pts"}),
        (FakeMachine(), TMUX),
    ],
)
@pytest.mark.parametrize("text", ["hello é 漢", "x" * 2000, "line\nline\n"])
def test_terminal_clipboard_is_used_without_a_desktop_clipboard(
    desk: FakeMachine, environment: dict[str, str], text: str
) -> None:
    desk.written = ""

    assert desk.copy(text, **environment) == "copied, if the terminal allows it (OSC 52)"
    assert unwrapped(desk.written) == text


def test_ssh_with_a_forwarded_display_copies_to_both_clipboards() -> None:
    desk = FakeMachine("xclip")

    assert desk.copy("a", DISPLAY="localhost:10", **SSH) == "copied"
    assert unwrapped(desk.written) == "a"


def test_text_for_gnu_screen_is_split_into_short_strings() -> None:
    desk = FakeMachine()
    desk.copy("x" * 2000, STY="1.pts")

    assert max(len(piece) for piece in desk.written.split("\x1b\\")) <= 256


@pytest.mark.parametrize(
    ("failing", "where", "commands"),
    [
        ((), "copied", ["tmux load-buffer -w -"]),
        (("tmux load-buffer -w -",), "copied to the tmux buffer", ["tmux load-buffer -w -", "tmux load-buffer -"]),
        (("tmux load-buffer -w -", "tmux load-buffer -"), "copied, if the terminal allows it (OSC 52)", None),
    ],
)
def test_tmux_gets_the_text_by_load_buffer_and_by_osc_52(
    failing: tuple[str, ...], where: str, commands: list[str] | None
) -> None:
    desk = FakeMachine("tmux", failing=failing)

    assert desk.copy("a", **TMUX) == where
    assert commands is None or desk.ran == [(command, b"a") for command in commands]
    assert unwrapped(desk.written) == "a"


@pytest.mark.parametrize(
    ("text", "copied"),
    [("a\x1b[31mb", "a^[[31mb"), ("a\rb", "a^Mb"), ("\x1b[201~rm", "^[[201~rm"), ("a\u202eb", "a<U+202E>b")],
)
def test_control_characters_are_escaped_before_copying(text: str, copied: str) -> None:
    desk = FakeMachine()
    desk.copy(text)

    assert unwrapped(desk.written) == copied


def test_empty_text_leaves_the_clipboard_unchanged() -> None:
    desk = FakeMachine("xclip", "tmux")

    assert desk.copy("", DISPLAY=":0", **TMUX) == "is empty"
    assert (desk.written, desk.ran) == ("", [])


@pytest.mark.parametrize(
    ("text", "term", "reason"),
    [
        ("é" * (MAX_OSC52_BYTES // 2 + 1), "xterm", "too long for the terminal clipboard"),
        ("a", "dumb", "no clipboard"),
        ("a", "", "no clipboard"),
    ],
)
def test_text_is_saved_to_a_file_when_the_terminal_cannot_copy_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, term: str, reason: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    desk = FakeMachine()
    path = config.state_folder() / "copied.txt"
    where = [desk.copy(text, TERM=term) for _ in range(2)]

    assert where == [f"saved to {path}: {reason}"] * 2
    assert path.read_text("utf-8") == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["copied.txt"]
    assert desk.written == ""


def test_text_of_the_maximum_length_is_copied_by_the_terminal() -> None:
    desk = FakeMachine()

    assert desk.copy("x" * MAX_OSC52_BYTES) == "copied, if the terminal allows it (OSC 52)"
    assert len(desk.written) <= 100_000


def test_text_too_long_for_osc_52_is_in_the_tmux_buffer() -> None:
    desk = FakeMachine("tmux")

    assert desk.copy("x" * (MAX_OSC52_BYTES + 1), **TMUX) == "copied"
    assert [command for command, _ in desk.ran] == ["tmux load-buffer -w -"]
    assert desk.written == ""


def test_copy_raises_when_no_clipboard_and_no_file_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/nowhere")
    with pytest.raises(OutputError, match="cannot copy"):
        FakeMachine().copy("a", TERM="dumb")


@pytest.fixture(name="script")
def _script(tmp_path: Path) -> Callable[[str], str]:
    def script(body: str) -> str:
        path = tmp_path / "tool"
        path.write_text(f"#!/bin/sh\ncd {tmp_path}\n{body}\n")
        path.chmod(0o755)
        return str(path)

    return script


def test_run_passes_the_text_on_stdin(script: Callable[[str], str], tmp_path: Path) -> None:
    assert run((script("cat > got"),), b"text " * 100_000)
    assert (tmp_path / "got").read_bytes() == b"text " * 100_000


@pytest.mark.parametrize("body", ["exit 3", "kill -9 $$", "exec 0<&-; exit 1"])
def test_run_returns_false_when_the_program_fails(script: Callable[[str], str], body: str) -> None:
    assert not run((script(body),), b"x" * 1_000_000)


def test_run_returns_false_when_the_program_is_missing(tmp_path: Path) -> None:
    assert not run((str(tmp_path / "none"),), b"")


@pytest.mark.parametrize("body", ["sleep 3600", "cat > /dev/null; sleep 3600", "sleep 3600 & wait"])
def test_program_that_hangs_is_killed_with_its_children(
    script: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setattr(clipboard, "TIMEOUT_SECONDS", 0.5)
    os.mkfifo(tmp_path / "alive")
    alive = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert not run((script(f"exec 3> alive; {body}"),), b"x" * 1_000_000)
        assert has_ended(alive)
    finally:
        os.close(alive)


def has_ended(pipe: int) -> bool:
    """Wait until a pipe has no writer any more."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        try:
            return os.read(pipe, 1) == b""
        except BlockingIOError:
            time.sleep(0.01)
    return False


def test_run_does_not_wait_for_a_program_that_serves_the_clipboard(
    script: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clipboard, "TIMEOUT_SECONDS", PATIENCE)
    os.mkfifo(tmp_path / "asked")
    os.mkfifo(tmp_path / "served")

    # The program serves the next reader of the text, which comes after the wait for the program has ended.
    assert run((script("cat > got; (cat asked > /dev/null; cat got > served) &"),), b"a")
    (tmp_path / "asked").write_bytes(b"")
    assert (tmp_path / "served").read_bytes() == b"a"


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_real_tmux_stores_the_text_and_passes_it_to_its_terminal(tmp_path: Path) -> None:
    program = tmp_path / "copies.py"
    program.write_text(
        "import os, sys, time\nfrom reflectty.system import clipboard\nfrom reflectty.system.clipboard import copy\n"
        f"clipboard.TIMEOUT_SECONDS = {PATIENCE}\n"
        "def write(text):\n    sys.stdout.write(text)\n    sys.stdout.flush()\n"
        f"where = copy('h\\u00e9llo', write)\nopen({str(tmp_path / 'where')!r}, 'w').write(where)\ntime.sleep({PATIENCE})\n"
    )
    socket = str(tmp_path / "socket")
    command = ["tmux", "-S", socket, "-f", "/dev/null", "new-session", sys.executable, str(program)]
    left = {name: value for name, value in os.environ.items() if name not in {"TMUX", "DISPLAY", "WAYLAND_DISPLAY"}}
    main, follower = pty.openpty()
    client = subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env={**left, "TERM": "xterm-256color"}
    )
    try:
        seen = read_until(main, lambda text: bool(OSC52.search(text)) and is_filled(tmp_path / "where"))
        buffer = subprocess.run(
            ["tmux", "-S", socket, "show-buffer"], capture_output=True, check=True, timeout=PATIENCE
        ).stdout
    finally:
        subprocess.run(["tmux", "-S", socket, "kill-server"], check=False, timeout=PATIENCE)
        client.wait(PATIENCE)
        os.close(main)
        os.close(follower)

    found = OSC52.search(seen)
    assert buffer.decode() == "héllo"
    assert found is not None
    assert b64decode(found[1]).decode() == "héllo"
    assert (tmp_path / "where").read_text() == "copied"


def read_until(descriptor: int, done: Callable[[str], bool]) -> str:
    seen, ends = "", time.monotonic() + PATIENCE
    os.set_blocking(descriptor, False)
    while not done(seen) and time.monotonic() < ends:
        with suppress(BlockingIOError):
            seen += os.read(descriptor, 1 << 16).decode("utf-8", "replace")
        time.sleep(0.05)
    return seen


def is_filled(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0
