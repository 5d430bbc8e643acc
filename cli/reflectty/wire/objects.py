"""The bytes of an answer as its JSON objects, one a line; no I/O, and the same however they are cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.errors import IncompleteError, UnreachableError
from reflectty.wire.lines import LINE_LIMIT
from reflectty.wire.values import BOM, HOST_HINT, LOG_HINT, decode, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.wire.values import Body


class LineDecoder:
    r"""Turns the bytes of what /api/pull, /api/create and the like answer into objects.

    Lines end at `\n` and nowhere else, as in a reply; empty ones say nothing.
    """

    def __init__(self, line_limit: int = LINE_LIMIT) -> None:
        self._limit = line_limit
        self._held = b""

    def feed(self, data: bytes) -> Iterator[Body]:
        """Yield the objects that are complete now.

        Raises:
            IncompleteError: the server reports an error, or sends a line without end.
            UnreachableError: it sends something else than objects.
        """
        *lines, self._held = (self._held + data).split(b"\n")
        for line in lines:
            yield from _object(line)
        if len(self._held) > self._limit:
            raise IncompleteError(f"the server sent a line of more than {self._limit:,} bytes")

    def close(self) -> Iterator[Body]:
        """Yield the object of a last line without an end.

        Raises:
            IncompleteError: it was cut.
        """
        try:
            yield from _object(self._held)
        except UnreachableError as error:
            if not self._held.strip().startswith(b"{"):
                raise
            raise IncompleteError("the server's answer was cut", LOG_HINT) from error


def _object(line: bytes) -> Iterator[Body]:
    if not line.strip().removeprefix(BOM):
        return
    try:
        value = decode(line.strip())
    except ValueError as error:
        raise UnreachableError(f"this is not an Ollama server: it sent {error}", HOST_HINT) from error
    if value.get("error"):
        raise stopped(value, LOG_HINT)
    yield value
