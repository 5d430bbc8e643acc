r"""The bytes of a stream as lines, the same however they are cut; knows nothing of what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

LINE_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of one line, the limit of Ollama's own client as well."""

BEGINNING: Final = 64
"""Bytes that are looked at to tell what kind of line one will be."""


class OverlongError(ValueError):
    """A line is longer than anybody means it to be."""


class Lines:
    r"""Cuts bytes into lines, which end at `\n` and nowhere else: servers send U+0085 raw inside a text."""

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        r"""Yield the lines that are whole now, without their `\n`; what is not iterated over is not read.

        Raises:
            OverlongError: one is longer than the limit.
        """
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            self._hold(data[start:end])
            yield self.rest()
            start = end + 1
        self._hold(data[start:])

    @property
    def begun(self) -> bytes:
        """The beginning of what came of a line so far."""
        return bytes(self._held[:BEGINNING])

    def rest(self) -> bytes:
        """Return what came of a line so far, and forget it."""
        line = bytes(self._held)
        self._held.clear()
        return line

    def _hold(self, piece: bytes) -> None:
        self._held += piece
        if len(self._held) > self._limit:
            self._held.clear()
            raise OverlongError(f"a line of more than {self._limit:,} bytes")


class LineEnds:
    r"""Makes `\n` of every line end that server-sent events may have: `\r\n`, `\n` and `\r`, however they are cut."""

    def __init__(self) -> None:
        self._after_return = False

    def feed(self, data: bytes) -> bytes:
        r"""Return a piece with such ends; a `\r` ends its line at once, and a `\n` that follows belongs to it."""
        if not data:
            return data
        if self._after_return:
            data = data.removeprefix(b"\n")
        self._after_return = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
