"""The terminal's three streams with their width, colors and encoding."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, BinaryIO, TextIO

from reflectty.core.errors import OutputError, StoppedError, reason_of
from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

TRUECOLOR = 1 << 24
BROKEN_PIPE_EXIT_CODE = 141
"""The exit code after a closed pipe: 128 and the number of SIGPIPE."""


class Sink(NamedTuple):
    """One output stream with its capabilities."""

    file: TextIO | None
    """None if the stream was closed before the command started."""
    tty: bool = False
    color_count: int = 0
    """The number of colors: 0, 16, 256 or 16,777,216."""
    unicode: bool = True
    """Whether the stream's encoding contains the gutter's glyphs."""

    def write(self, text: str) -> None:
        """Write and flush.

        Raises:
            StoppedError: the reader has closed the pipe; needs no message.
            OutputError: the stream is closed or full.
        """
        if self.file is None:
            raise OutputError("stdout is closed")
        try:
            self.file.write(text)
            self.file.flush()
        except BrokenPipeError as error:
            raise StoppedError(BROKEN_PIPE_EXIT_CODE) from error
        except (OSError, ValueError) as error:
            raise OutputError(f"cannot write the answer: {reason_of(error)}") from error


class Terminal(NamedTuple):
    """The three streams of a process; tests can supply every field."""

    stdin: BinaryIO | None
    stdin_tty: bool
    out: Sink
    err: Sink
    width: int = 80
    can_redraw: bool = False
    """Whether lines may be redrawn; False on dumb terminals."""
    forced_columns: int = 0
    """The width set by COLUMNS, which overrides the screen's; 0 if unset."""
    key: str = ""
    """Identifies the window: its device and the shell in it; empty without a terminal."""

    def write_stderr(self, text: str) -> None:
        """Write to stderr; ignores a stderr that cannot be written."""
        with suppress(OutputError, StoppedError):
            self.err.write(text)


def detect_color_support(environment: Mapping[str, str], *, tty: bool) -> tuple[int, str]:
    """The number of colors of a stream, and what determines it."""
    term, colourterm = environment.get("TERM", ""), environment.get("COLORTERM", "")
    forced = environment.get("CLICOLOR_FORCE", "0") not in ("", "0")
    rules = (
        (bool(environment.get("NO_COLOR")), 0, "NO_COLOR is set"),
        (not forced and not tty, 0, "not a terminal"),
        (not forced and term == "dumb", 0, "TERM=dumb"),
        (not forced and environment.get("CLICOLOR") == "0", 0, "CLICOLOR=0"),
        (colourterm in ("truecolor", "24bit"), TRUECOLOR, f"COLORTERM={colourterm}"),
        (term.endswith("-direct"), TRUECOLOR, f"TERM={term}"),
        ("256" in term, 256, f"TERM={term}"),
        (True, 16, f"TERM={term}" if term else "TERM is not set"),
    )
    return next((colours, why) for holds, colours, why in rules if holds)


def _sink_of(file: TextIO | None, environment: Mapping[str, str]) -> Sink:
    if file is None or file.closed:
        return Sink(None)
    # Whatever the locale: characters outside the encoding are escaped and never raise an error.
    reconfigure = getattr(file, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace", newline="\n")
    encoding = (getattr(file, "encoding", None) or "ascii").lower().replace("-", "")
    tty = file.isatty()
    return Sink(file, tty, detect_color_support(environment, tty=tty)[0], encoding.startswith("utf"))


def _columns_from(environment: Mapping[str, str]) -> int:
    text = environment.get("COLUMNS", "")
    return int(text) if text.isascii() and text.isdecimal() else 0


def _screen_width() -> int:
    for number in (1, 2, 0):
        try:
            return os.get_terminal_size(number).columns or 80
        except (OSError, ValueError):
            continue
    return 80


def hinted_background() -> bool | None:
    """Whether the variable COLORFGBG, which rxvt, Konsole and others set, says that the background is dark."""
    from reflectty.system.background import is_dark_hint

    return is_dark_hint(os.environ.get("COLORFGBG", ""))


def system_environment() -> Mapping[str, str]:
    """The process's own variables, for code that reads all of them."""
    return os.environ


def system_terminal(environment: Mapping[str, str] | None = None) -> Terminal:
    """The process's own streams; sets their error handlers so that any text can be encoded."""
    environment = os.environ if environment is None else environment
    columns = _columns_from(environment)
    stdin = sys.stdin if sys.stdin is not None and not sys.stdin.closed else None
    return Terminal(
        stdin=stdin.buffer if stdin is not None else None,
        stdin_tty=stdin is not None and stdin.isatty(),
        out=_sink_of(sys.stdout, environment),
        err=_sink_of(sys.stderr, environment),
        width=columns or _screen_width(),
        can_redraw=environment.get("TERM", "") not in ("", "dumb"),
        forced_columns=columns,
        key=_window_key(),
    )


def _window_key() -> str:
    for number in (1, 2, 0):
        try:
            return f"{os.ttyname(number)}:{os.getsid(0)}"
        except OSError:
            continue
    return ""
