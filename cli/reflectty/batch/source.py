"""Reads the lines of a file or of stdin as they are needed; a pipe that is silent holds nothing else up."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Final

from reflectty.batch.items import Form, form_of, read
from reflectty.batch.lines import LineCutter
from reflectty.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable
    from pathlib import Path

    from reflectty.batch.items import Item
    from reflectty.batch.lines import Line

PIECE: Final = 1 << 16
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class Source:
    """An open file of lines: its number, its name, and what its lines are where that was said."""

    def __init__(self, number: int, name: str, form: Form | None = None) -> None:
        self._number = number
        self._name = name
        self._form = form

    async def items(self, wanted: Callable[[Line], bool]) -> AsyncGenerator[Item, None]:
        """Yield what each line asks, in order; lines that are not wanted are passed over.

        Raises:
            UsageError: the file cannot be read, or is no UTF-8 from its first bytes on.
        """
        cutter, first = LineCutter(), True
        while piece := await self._piece():
            if first and piece.startswith(_UTF16):
                raise UsageError(f"{self._name} is UTF-16", "save it as UTF-8")
            first = False
            for line in cutter.feed(piece):
                if wanted(line):
                    yield self._read(line)
            # What is read from a disk never waits, and others want their turn.
            await asyncio.sleep(0)
        for line in cutter.close():
            if wanted(line):
                yield self._read(line)

    def _read(self, line: Line) -> Item:
        if self._form is None:
            self._form = form_of(self._name, line.data)
        return read(line, self._form)

    async def _piece(self) -> bytes:
        await self._readable()
        try:
            return os.read(self._number, PIECE)
        except OSError as error:
            raise UsageError(f"cannot read {self._name}: {(error.strerror or str(error)).lower()}") from error

    async def _readable(self) -> None:
        """Wait until there is something to read; a plain file always has."""
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        try:
            loop.add_reader(self._number, event.set)
        except OSError:
            return
        try:
            await event.wait()
        finally:
            loop.remove_reader(self._number)


def count_lines(path: Path) -> int | None:
    """Return how many lines of a plain file are not blank; None where they cannot be counted beforehand."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return sum(1 for line in file if line.strip())
    except OSError:
        return None
