"""The bytes of a streamed reply as chunks; no I/O, and the same however they are cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.chat import Chunk, Usage
from reflectty.errors import IncompleteError, UnreachableError
from reflectty.wire.values import BOM, HOST_HINT, LOG_HINT, as_number, as_text, decode, failure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.wire.values import Body

LINE_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of one line, the limit of Ollama's own client as well."""
NANOSECONDS_PER_MS: Final = 1e6


class ChunkDecoder:
    r"""Turns the bytes of a streamed reply into chunks, the same however they are cut.

    Lines end at `\n` and nowhere else: Ollama sends U+0085 raw inside a text. After `done` the rest is ignored.
    """

    def __init__(self, line_limit: int = LINE_LIMIT) -> None:
        self.done = False
        self._limit = line_limit
        self._held = bytearray()
        self._seen = False
        self._began = False

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the chunks that are complete now; what is not iterated over is not read.

        Raises:
            IncompleteError: the server reports an error, or what it sends can no longer be read.
            UnreachableError: it sends something else from the beginning.
        """
        start = 0
        while not self.done and (end := data.find(b"\n", start)) >= 0:
            self._hold(data[start:end])
            yield from self._line()
            start = end + 1
        if not self.done:
            self._hold(data[start:])

    def close(self) -> Iterator[Chunk]:
        """Yield the chunk of a last line without an end.

        Raises:
            IncompleteError: the reply ended without `done`, which is how Ollama ends it when its runner stops.
            UnreachableError: nothing of it was Ollama's.
        """
        if not self.done and not _is_cut(self._held):
            yield from self._line()
        if self.done:
            return
        if self._seen and not self._began:
            raise self._broken("JSON of another kind")
        raise IncompleteError("the reply ended before it was complete", LOG_HINT)

    def _hold(self, piece: bytes) -> None:
        self._held += piece
        if len(self._held) > self._limit:
            self._held.clear()
            raise self._broken(f"a line of more than {self._limit:,} bytes")

    def _line(self) -> Iterator[Chunk]:
        line = bytes(self._held).strip()
        self._held.clear()
        if not line.removeprefix(BOM):
            return
        value = self._object(line)
        self._seen = True
        if value.get("error"):
            raise IncompleteError(f"the server stopped: {failure(value).text}", LOG_HINT)
        chunk = _chunk(value)
        if chunk is None:
            return
        self._began = True
        self.done = chunk.done
        if chunk.done or chunk.content or chunk.thinking:
            yield chunk

    def _object(self, line: bytes) -> Body:
        try:
            return decode(line)
        except ValueError as error:
            raise self._broken(str(error)) from error

    def _broken(self, what: str) -> IncompleteError | UnreachableError:
        if self._began:
            return IncompleteError(f"the reply cannot be read any further: the server sent {what}")
        return UnreachableError(f"this is not an Ollama server: it sent {what}", HOST_HINT)


def _is_cut(line: bytes | bytearray) -> bool:
    """Say whether a last line is the beginning of an object and not the whole."""
    try:
        decode(bytes(line))
    except ValueError:
        return line.removeprefix(BOM).lstrip().startswith(b"{")
    return False


def _chunk(line: Body) -> Chunk | None:
    """Return the chunk of one line of /api/chat or /api/generate, or None for an object of another kind."""
    reason = as_text(line.get("done_reason"))
    done = line.get("done") is True or bool(reason)
    message = line.get("message")
    if isinstance(message, dict):
        content, thinking = message.get("content"), message.get("thinking")
    elif done or "response" in line:
        content, thinking = line.get("response"), line.get("thinking")
    else:
        return None
    usage = _usage(line) if done else None
    return Chunk(as_text(content), as_text(thinking), done=done, done_reason=reason, usage=usage)


def _usage(line: Body) -> Usage:
    """Return the counts of the last line, whose durations are in nanoseconds and left out when 0."""

    def ms(name: str) -> float:
        return as_number(line.get(name)) / NANOSECONDS_PER_MS

    return Usage(
        prompt_tokens=int(as_number(line.get("prompt_eval_count"))),
        reply_tokens=int(as_number(line.get("eval_count"))),
        total_ms=ms("total_duration"),
        load_ms=ms("load_duration"),
        prompt_ms=ms("prompt_eval_duration"),
        reply_ms=ms("eval_duration"),
    )
