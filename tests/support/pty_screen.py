"""Runs the real command in a pseudo-terminal of its own, with pyte as the terminal that draws."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pyte

from support.command import COMMAND
from support.waiting import PATIENCE, until_changed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from support.command import Reflect

# On Linux the first terminal that a session leader opens becomes its controlling terminal, so that ^C reaches it.
OWN_TERMINAL = ("sh", "-c", 'exec 9<>"$0"; exec 9>&-; exec "$@"')


class Screen:
    """A terminal that runs one command, `reflect` by default; stdout and stderr can go to files instead."""

    def __init__(  # noqa: PLR0913 - each has a default and is passed by name
        self,
        reflect: Reflect,
        *words: str,
        columns: int = 80,
        rows: int = 24,
        out: Path | None = None,
        err: Path | None = None,
        program: Sequence[str] = COMMAND,
        **variables: str,
    ) -> None:
        self.raw = b""
        self._screen = pyte.HistoryScreen(columns, rows, history=100_000)
        self._stream = pyte.ByteStream(self._screen)
        self._changed = threading.Condition()
        self._leader, follower = os.openpty()
        self._follower_name = os.ttyname(follower)
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        with contextlib.ExitStack() as files:
            streams = [files.enter_context(path.open("wb")) if path else follower for path in (out, err)]
            self.process = subprocess.Popen(
                (*OWN_TERMINAL, self._follower_name, *program, *words),
                stdin=follower,
                stdout=streams[0],
                stderr=streams[1],
                env=reflect.environment(**{"TERM": "xterm-256color", **variables}),
                cwd=reflect.home,
                start_new_session=True,
            )
        os.close(follower)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.finish()
        os.close(self._leader)

    def _read(self) -> None:
        # A terminal without any open end fails to read instead of ending.
        with contextlib.suppress(OSError):
            while piece := os.read(self._leader, 1 << 16):
                with self._changed:
                    self.raw += piece
                    self._stream.feed(piece)
                    self._changed.notify_all()

    @property
    def lines(self) -> list[str]:
        """The lines of the scrollback and the screen, from the top."""
        past = ["".join(row[at].data for at in range(self._screen.columns)) for row in self._screen.history.top]
        return [text.rstrip() for text in (*past, *self._screen.display)]

    @property
    def text(self) -> str:
        return "\n".join(self.lines).strip()

    @property
    def cursor_hidden(self) -> bool:
        return bool(self._screen.cursor.hidden)

    def until(self, condition: Callable[[str], bool], patience: float = PATIENCE) -> bool:
        """Wait until a condition on the text holds; return whether it held in time."""
        return until_changed(self._changed, lambda: condition(self.text), patience)

    def shows(self, part: str) -> bool:
        """Wait for a text."""
        return self.until(lambda text: part in text)

    @property
    def unread(self) -> int:
        """The number of pressed bytes that are still unread."""
        side = os.open(self._follower_name, os.O_RDWR | os.O_NOCTTY)
        try:
            return int.from_bytes(fcntl.ioctl(side, termios.FIONREAD, bytes(4)), sys.byteorder)
        finally:
            os.close(side)

    @property
    def computed(self) -> float:
        """The CPU seconds that the command has used, which do not depend on how busy the machine is."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def press(self, keys: bytes) -> None:
        os.write(self._leader, keys)

    def resize(self, columns: int, rows: int) -> None:
        # Resize the drawn screen first: the command redraws for the new size as soon as it is notified.
        with self._changed:
            self._screen.resize(rows, columns)
            fcntl.ioctl(self._leader, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def finish(self, patience: float = PATIENCE) -> int:
        """Wait for the end; return the exit code."""
        code = self.process.wait(patience)
        self._reader.join(patience)
        return code
