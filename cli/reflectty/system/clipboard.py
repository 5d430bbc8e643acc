"""Copies text to the desktop, tmux or terminal clipboard, or else to a file."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from base64 import b64encode
from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.core.errors import OutputError, reason_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean
from reflectty.system.files import write_atomically
from reflectty.system.paths import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    Which = Callable[[str], str | None]
    Run = Callable[[Sequence[str], bytes], bool]

COPIED = "copied"
TIMEOUT_SECONDS = 2.0
MAX_OSC52_BYTES = 74_994
"""Maximum size of a text for OSC 52: some terminals accept at most 100,000 bytes of base64 and its envelope."""
_SCREEN_CHUNK = 240
"""GNU screen drops a control string that is longer than 256 bytes."""


class _Tool(NamedTuple):
    """A program that reads the clipboard's text from its stdin."""

    command: tuple[str, ...]
    encoding: str = "utf-8"


_WAYLAND = _Tool(("wl-copy", "--type", "text/plain;charset=utf-8"))
_X11 = (_Tool(("xclip", "-selection", "clipboard")), _Tool(("xsel", "--clipboard", "--input")))
_MAC = _Tool(("pbcopy",))
_WSL = _Tool(("clip.exe",), "utf-16-le")


def run(command: Sequence[str], data: bytes) -> bool:
    """Run a program with this stdin; True if it succeeds in time. A timeout kills it with all its children."""
    try:
        process = subprocess.Popen(  # noqa: S603 - one of the programs above, found on PATH
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        process.communicate(data, timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        _kill(process)
        return False
    return process.returncode == 0


def _kill(process: subprocess.Popen[bytes]) -> None:
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(TIMEOUT_SECONDS)
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


def copy(
    text: str,
    write: Callable[[str], object],
    environment: Mapping[str, str] | None = None,
    which: Which = shutil.which,
    run: Run = run,
) -> str:
    """Copy a text without the control characters that a terminal would obey on pasting; return the outcome.

    `write` sends a sequence to the terminal, which never confirms it.

    Raises:
        OutputError: there is no clipboard, and no file could be written.
    """
    given = os.environ if environment is None else environment
    cleaned = clean(text)
    if not cleaned:
        return "is empty"
    remote = bool(given.get("SSH_TTY") or given.get("SSH_CONNECTION"))
    tool = _copy_by_tool(cleaned, _find_tools(given, remote=remote), which, run)
    if tool and not remote:
        return COPIED
    by_terminal = _copy_by_terminal(cleaned, write, given, which, run)
    outcome = COPIED if tool else by_terminal
    return outcome or f"saved to {_copy_to_file(cleaned)}: {_failure_reason_of(cleaned)}"


def list_clipboards(environment: Mapping[str, str] | None = None, which: Which = shutil.which) -> tuple[str, ...]:
    """The available clipboards, in the order in which `copy` prefers them."""
    given = os.environ if environment is None else environment
    remote = bool(given.get("SSH_TTY") or given.get("SSH_CONNECTION"))
    tools = tuple(tool.command[0] for tool in _find_tools(given, remote=remote) if which(tool.command[0]))
    tmux = ("tmux buffer",) if given.get("TMUX") and which("tmux") else ()
    terminal = () if given.get("TERM", "") in ("", "dumb") else ("terminal (OSC 52, if allowed)",)
    return (*tmux, *terminal, *tools) if remote else (*tools, *tmux, *terminal)


def _find_tools(environment: Mapping[str, str], *, remote: bool) -> Iterable[_Tool]:
    """The tools that reach the user's screen: over SSH only those for a forwarded display."""
    if environment.get("WAYLAND_DISPLAY") and not remote:
        yield _WAYLAND
    if environment.get("DISPLAY"):
        yield from _X11
    if not remote and sys.platform == "darwin":
        yield _MAC
    if not remote and (environment.get("WSL_DISTRO_NAME") or environment.get("WSL_INTEROP")):
        yield _WSL


def _copy_by_tool(text: str, tools: Iterable[_Tool], which: Which, run: Run) -> str:
    for tool in tools:
        path = which(tool.command[0])
        if path and run((path, *tool.command[1:]), text.encode(tool.encoding)):
            return tool.command[0]
    return ""


def _copy_by_terminal(
    text: str, write: Callable[[str], object], environment: Mapping[str, str], which: Which, run: Run
) -> str:
    buffer = _copy_by_tmux(text.encode(), which, run) if environment.get("TMUX") else ""
    if environment.get("TERM", "") in ("", "dumb") or len(text.encode()) > MAX_OSC52_BYTES:
        return buffer
    write(_wrap_for_multiplexer(_osc52_sequence_of(text), environment))
    return buffer or "copied, if the terminal allows it (OSC 52)"


def _copy_by_tmux(data: bytes, which: Which, run: Run) -> str:
    """Fill tmux's buffer, and through it the terminal's clipboard, for which tmux before 3.2 has no command.

    tmux ignores OSC 52 from an application, unless `set-clipboard` is `on` or `allow-passthrough` is.
    """
    path = which("tmux")
    if not path:
        return ""
    if run((path, "load-buffer", "-w", "-"), data):
        return COPIED
    return "copied to the tmux buffer" if run((path, "load-buffer", "-"), data) else ""


def _failure_reason_of(text: str) -> str:
    return "too long for the terminal clipboard" if len(text.encode()) > MAX_OSC52_BYTES else "no clipboard"


def _osc52_sequence_of(text: str) -> str:
    return f"\x1b]52;c;{b64encode(text.encode()).decode()}\x07"


def _wrap_for_multiplexer(sequence: str, environment: Mapping[str, str]) -> str:
    """The sequence in the form that tmux or GNU screen passes on to its terminal."""
    if environment.get("TMUX"):
        doubled = sequence.replace("\x1b", "\x1b\x1b")
        return f"\x1bPtmux;{doubled}\x1b\\"
    if environment.get("STY"):
        pieces = (sequence[at : at + _SCREEN_CHUNK] for at in range(0, len(sequence), _SCREEN_CHUNK))
        return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
    return sequence


def _copy_to_file(text: str) -> str:
    path = state_folder() / "copied.txt"
    try:
        write_atomically(path, text, 0o600, with_folder=True, synced=False)
    except OSError as error:
        raise OutputError(f"cannot copy: {reason_of(error)}", "no clipboard") from error
    return str(path)
