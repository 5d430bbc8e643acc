"""Checks the terminal, its keyboard and the clipboard."""

from __future__ import annotations

import os
import re
import select
import shutil
import time
from contextlib import contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from reflectty.core.findings import Finding, FindingState
from reflectty.system.programs import run_program
from reflectty.system.terminal import TRUECOLOR, detect_color_support

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from reflectty.doctor.context import DoctorContext, DoctorState
    from reflectty.system.terminal import Sink, Terminal


NARROW_COLUMNS: Final = 40
"""Columns below which the chat leaves out more than it shows."""
_INTERMEDIARIES: Final = (("TMUX", "tmux"), ("STY", "GNU screen"), ("SSH_CONNECTION", "ssh"), ("SSH_TTY", "ssh"))


async def check_terminal(context: DoctorContext, _: DoctorState) -> Sequence[Finding]:
    """Report the terminal's width, colors, characters and intermediaries."""
    terminal, environment = context.terminal, context.environment
    sink = terminal.out if terminal.out.tty else terminal.err
    colors, reason = detect_color_support(environment, tty=sink.tty)
    facts = (
        ("terminal", terminal.out.tty),
        ("columns", terminal.width),
        ("colours", colors),
        ("why", reason),
        ("utf8", sink.unicode),
        ("within", find_intermediaries(environment)),
    )
    colors_text = "no colors" if not sink.tty and not colors else _colors_text(colors, reason)
    text = f"{_width_text(terminal, sink)}, {colors_text}, {_charset_text(sink)}{_intermediaries_text(environment)}"
    return [Finding("terminal", FindingState.OK, text, facts=facts), *_terminal_findings(terminal, sink)]


def find_intermediaries(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The programs between this one and the screen."""
    return tuple(dict.fromkeys(name for variable, name in _INTERMEDIARIES if environment.get(variable)))


def _width_text(terminal: Terminal, sink: Sink) -> str:
    if not terminal.out.tty:
        return "stdout is not a terminal" + (f", stderr is ({terminal.width} columns)" if sink.tty else "")
    return f"{terminal.width} columns"


def _colors_text(colors: int, reason: str) -> str:
    if not colors:
        return f"no colors ({reason})"
    return f"{'24-bit' if colors == TRUECOLOR else colors} colors ({reason})"


def _charset_text(sink: Sink) -> str:
    return "UTF-8" if sink.unicode else f"not UTF-8 ({getattr(sink.file, 'encoding', None) or 'unknown'})"


def _intermediaries_text(environment: Mapping[str, str]) -> str:
    through = find_intermediaries(environment)
    return f", in {' over '.join(through)}" if through else ""


def _terminal_findings(terminal: Terminal, sink: Sink) -> list[Finding]:
    findings = []
    if not sink.unicode:
        text = "output is not UTF-8: the gutter uses > | ~, and some characters are escaped"
        findings.append(Finding("terminal", FindingState.WARNING, text, "set LANG=C.UTF-8 or another UTF-8 locale"))
    if terminal.out.tty and terminal.width < NARROW_COLUMNS:
        findings.append(
            Finding("terminal", FindingState.NOTE, f"only {terminal.width} columns: the status line is shortened")
        )
    if terminal.out.tty and not terminal.can_redraw:
        findings.append(Finding("terminal", FindingState.NOTE, "TERM=dumb or unset: output is not redrawn"))
    return findings


async def check_clipboard(context: DoctorContext, _: DoctorState) -> Sequence[Finding]:
    """Report where the chat would copy to."""
    clipboards = context.clipboards
    facts = (("ways", clipboards),)
    if clipboards:
        return [Finding("clipboard", FindingState.OK, ", otherwise ".join(clipboards), facts=facts)]
    advice = "install wl-copy, xclip or xsel to use the desktop clipboard"
    return [Finding("clipboard", FindingState.NOTE, "none: copied text is saved to a file", advice, facts)]


ANSWER_TIMEOUT_SECONDS: Final = 1.0
"""Allows for a slow line: an answer that arrives later would be typed into the shell."""
_TMUX_SECONDS: Final = 2.0
SLOW_ESCAPE_MS: Final = 100
"""The delay above which the Esc key feels slow in tmux."""
ASK_FLAGS: Final = b"\x1b[?u"
"""Queries the state of the kitty keyboard protocol; terminals without it do not answer."""
ASK_KIND: Final = b"\x1b[c"
"""Queries the terminal type, which all terminals answer, and after any answer to the first query."""
KIND_ANSWER: Final = re.compile(rb"\x1b\[\?[\d;]*c")
_FLAGS_ANSWER: Final = re.compile(rb"\x1b\[\?\d+u")


def make_terminal_asker(terminal: Terminal) -> Callable[[bytes, re.Pattern[bytes]], bytes] | None:
    """The function that queries the terminal; None in a pipe or in the background."""
    if not (terminal.stdin_tty and terminal.out.tty and terminal.can_redraw and terminal.stdin and terminal.out.file):
        return None
    try:
        reads, writes = terminal.stdin.fileno(), terminal.out.file.fileno()
        if os.tcgetpgrp(reads) != os.getpgrp():
            return None
    except (OSError, ValueError):
        return None
    return partial(ask_terminal, reads, writes)


def ask_terminal(
    reads: int, writes: int, question: bytes, last_answer: re.Pattern[bytes], timeout: float = ANSWER_TIMEOUT_SECONDS
) -> bytes:
    """Send a query to the terminal, and return its output up to the last answer or the timeout.

    The output is not echoed. Sends nothing if typed input is pending, to leave that to the next reader.
    """
    output = b""
    with suppress(OSError), _cbreak_mode(reads):
        if select.select([reads], [], [], 0)[0]:
            return b""
        os.write(writes, question)
        deadline = time.monotonic() + timeout
        while not last_answer.search(output) and (left := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select([reads], [], [], left)
            piece = os.read(reads, 1024) if ready else b""
            if not piece:
                break
            output += piece
    return output


@contextmanager
def _cbreak_mode(reads: int) -> Iterator[None]:
    """Disable the terminal's line buffering and echo, and restore its state afterwards.

    Raises:
        OSError: it is not a terminal.
    """
    import termios
    import tty

    try:
        before = termios.tcgetattr(reads)
        tty.setcbreak(reads, termios.TCSANOW)
    except termios.error as error:
        raise OSError(*error.args) from error
    try:
        yield
    finally:
        # A terminal that is gone needs no restoring.
        with suppress(termios.error):
            termios.tcsetattr(reads, termios.TCSANOW, before)


async def check_keyboard(context: DoctorContext, _: DoctorState) -> Sequence[Finding]:
    """Report whether shift+enter differs from enter, and how long tmux delays Esc and alt."""
    if context.ask_terminal is None:
        return [Finding("keyboard", FindingState.UNCHECKED, "no terminal to query")]
    output = context.ask_terminal(ASK_FLAGS + ASK_KIND, KIND_ANSWER)
    has_kitty_protocol = bool(_FLAGS_ANSWER.search(output))
    facts = (("kitty_protocol", has_kitty_protocol if output else None),)
    text = (
        "all keys are distinguished (kitty keyboard protocol)"
        if has_kitty_protocol
        else "shift+enter is the same as enter here: use ctrl+j or alt+enter for a new line"
        if output
        else "the terminal did not reply: if shift+enter sends, use ctrl+j or alt+enter for a new line"
    )
    first = Finding("keyboard", FindingState.OK if has_kitty_protocol else FindingState.NOTE, text, facts=facts)
    return [first, *await _escape_delay_findings(context)]


async def _escape_delay_findings(context: DoctorContext) -> list[Finding]:
    """A finding if tmux delays Esc noticeably."""
    tmux = shutil.which("tmux", path=context.probe_environment.path) if context.environment.get("TMUX") else None
    delay = (
        (await run_program((tmux, "show-options", "-sv", "escape-time"), _TMUX_SECONDS)).text.strip() if tmux else ""
    )
    if not (delay.isascii() and delay.isdecimal()) or int(delay) < SLOW_ESCAPE_MS:
        return []
    text = f"Esc is slow: tmux waits {delay} ms for keys that may follow it"
    return [Finding("keyboard", FindingState.WARNING, text, "add `set -sg escape-time 10` to ~/.tmux.conf")]
