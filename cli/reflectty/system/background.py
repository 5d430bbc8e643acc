"""Asks the terminal for its background color while the program starts, and reads the answer before it draws.

The question is OSC 11. A request for the terminal's attributes (DA1) follows it, which all answer, in order: so a
terminal that does not know OSC 11 costs no wait.
"""

from __future__ import annotations

import os
import re
import select
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from reflectty.system.terminal import Terminal

QUESTION = "\x1b]11;?\x1b\\\x1b[c"
COLOR_REPLY = re.compile(r"\x1b\]1[01];([^\x07\x1b]{0,64})(?:\x07|\x1b\\)")
"""The answer: a color as `rgb:hhhh/hhhh/hhhh` with one to four digits each, ended by BEL or ST."""
_FENCE_REPLY = re.compile(r"\x1b\[\?[\d;]*c")
_COLOR = re.compile(r"rgba?:([\da-f]{1,4})/([\da-f]{1,4})/([\da-f]{1,4})(?:/[\da-f]{1,4})?", re.IGNORECASE)
PATIENCE = 0.05
"""Seconds to wait, once the program could draw, for a terminal that has not answered while it started."""
_MIN_LIGHT = 0.5
"""From this luma on, a background is light."""
_LIGHT_INDEXES = {7, *range(9, 16)}
_MAX_READ = 1 << 16


class Answer(NamedTuple):
    """What the terminal has said, and what the user has typed meanwhile."""

    is_dark: bool | None = None
    """None if the terminal did not say."""
    typed: str = ""


NO_ANSWER = Answer()


class BackgroundQuestion:
    """A question that is on its way: from `__init__` to `finish`, the terminal does not echo, and input is kept."""

    def __init__(self, terminal: Terminal, file_number: int) -> None:
        import termios

        self._file_number = file_number
        self._saved = termios.tcgetattr(file_number)
        quiet = termios.tcgetattr(file_number)
        quiet[0] &= ~(termios.ICRNL | termios.INLCR | termios.IGNCR)
        quiet[3] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
        quiet[6][termios.VMIN], quiet[6][termios.VTIME] = 1, 0
        termios.tcsetattr(file_number, termios.TCSANOW, quiet)
        terminal.write_stderr(QUESTION)

    def finish(self, patience: float = PATIENCE) -> Answer:
        """Read the answer, which waits up to `patience` seconds, and restore the terminal."""
        read, end = b"", time.monotonic() + patience
        try:
            while not _FENCE_REPLY.search(read.decode("utf-8", "replace")):
                left = max(0.0, end - time.monotonic())
                if not select.select([self._file_number], [], [], left)[0]:
                    break
                piece = os.read(self._file_number, _MAX_READ)
                if not piece:
                    break
                read += piece
        except OSError:
            pass
        finally:
            self.restore()
        return parse_answer(read.decode("utf-8", "replace"))

    def restore(self) -> None:
        """Restore the terminal's settings; harmless if done before."""
        import termios

        with suppress(termios.error):
            termios.tcsetattr(self._file_number, termios.TCSANOW, self._saved)


def ask_background(terminal: Terminal) -> BackgroundQuestion | None:
    """Ask the terminal; None where there is none, or where this process is in its background."""
    if not (terminal.stdin and terminal.stdin_tty and terminal.err.tty):
        return None
    import termios

    with suppress(OSError, ValueError, termios.error):
        file_number = terminal.stdin.fileno()
        if os.tcgetpgrp(file_number) == os.getpgrp():
            return BackgroundQuestion(terminal, file_number)
    return None


def parse_answer(read: str) -> Answer:
    """Take the replies out of what was read; the rest was typed."""
    found = [is_dark_color(reply[1]) for reply in COLOR_REPLY.finditer(read) if reply[0].startswith("\x1b]11;")]
    typed = _FENCE_REPLY.sub("", COLOR_REPLY.sub("", read))
    return Answer(next((dark for dark in found if dark is not None), None), typed)


def is_dark_color(text: str) -> bool | None:
    """Whether a color in a reply is dark; None if it is none."""
    color = _COLOR.fullmatch(text)
    if color is None:
        return None
    red, green, blue = (int(digits, 16) / int("f" * len(digits), 16) for digits in color.groups())
    return 0.299 * red + 0.587 * green + 0.114 * blue < _MIN_LIGHT


def is_dark_hint(colorfgbg: str) -> bool | None:
    """Whether COLORFGBG, such as `15;0` or `0;default;15`, names a dark background; None if it does not say."""
    last = colorfgbg.rpartition(";")[2]
    return int(last) not in _LIGHT_INDEXES if last.isascii() and last.isdecimal() and int(last) < 16 else None  # noqa: PLR2004 - the colors have sixteen numbers
