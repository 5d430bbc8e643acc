"""The bytes of a streamed reply as chunks; no I/O, and the same however they are cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.chat import Chunk, Usage
from reflectty.errors import IncompleteError, UnreachableError
from reflectty.wire.lines import LINE_LIMIT, Lines, OverlongError
from reflectty.wire.values import BOM, HOST_HINT, LOG_HINT, as_number, as_text, called, decode, stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.wire.values import Body

NANOSECONDS_PER_MS: Final = 1e6


class ChunkDecoder:
    """Turns the bytes of a streamed reply into chunks, the same however they are cut; after `done` comes nothing."""

    def __init__(self, line_limit: int = LINE_LIMIT) -> None:
        self.done = False
        self.parts = 0
        """How many lines have come that are no blank ones, the beginning of one included."""
        self._lines = Lines(line_limit)
        self._seen = False
        self._began = False

    @property
    def over(self) -> bool:
        """Whether the reply has ended, so that whatever comes now adds nothing to it."""
        return self.done

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the chunks that are complete now; what is not iterated over is not read.

        Raises:
            IncompleteError: the server reports an error, or what it sends can no longer be read.
            UnreachableError: it sends something else from the beginning.
        """
        lines = self._lines.feed(data)
        try:
            while not self.done and (line := next(lines, None)) is not None:
                yield from self._line(line)
        except OverlongError as error:
            raise self._broken(str(error)) from error
        self.parts += bool(self._lines.begun.strip())

    def close(self) -> Iterator[Chunk]:
        """Yield the chunk of a last line without an end.

        Raises:
            IncompleteError: the reply ended without `done`, which is how Ollama ends it when its runner stops.
            UnreachableError: nothing of it was Ollama's.
        """
        line = self._lines.rest()
        if not self.done and not _is_cut(line):
            yield from self._line(line)
        if self.done:
            return
        if self._seen and not self._began:
            raise self._broken("JSON of another kind")
        raise IncompleteError("the reply ended before it was complete", LOG_HINT)

    def _line(self, line: bytes) -> Iterator[Chunk]:
        line = line.strip()
        if not line.removeprefix(BOM):
            return
        self.parts += 1
        value = self._object(line)
        self._seen = True
        if value.get("error"):
            raise stopped(value, LOG_HINT)
        chunk = _chunk(value)
        if chunk is None:
            return
        self._began = True
        self.done = chunk.done
        if chunk.done or chunk.content or chunk.thinking or chunk.calls:
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


def _is_cut(line: bytes) -> bool:
    """Say whether a last line is the beginning of an object and not the whole."""
    try:
        decode(line)
    except ValueError:
        return line.removeprefix(BOM).lstrip().startswith(b"{")
    return False


def _chunk(line: Body) -> Chunk | None:
    """Return the chunk of one line of /api/chat or /api/generate, or None for an object of another kind."""
    reason = as_text(line.get("done_reason"))
    done = line.get("done") is True or bool(reason)
    message = line.get("message")
    calls: tuple[str, ...] = ()
    if isinstance(message, dict):
        content, thinking = message.get("content"), message.get("thinking")
        calls = called(message.get("tool_calls"))
    elif done or "response" in line:
        content, thinking = line.get("response"), line.get("thinking")
    else:
        return None
    usage = _usage(line) if done else None
    return Chunk(as_text(content), as_text(thinking), done=done, done_reason=reason, usage=usage, calls=calls)


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
        # Of Ollama 0.34 and later; `prompt_eval_count` counts them too, the duration does not.
        cached_tokens=int(as_number(line.get("prompt_eval_cached_count"))),
    )
