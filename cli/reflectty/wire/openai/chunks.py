"""The bytes of a streamed reply as chunks: server-sent events, or one object; no I/O, the same however they are cut."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.chat import Chunk, Usage
from reflectty.errors import IncompleteError, PromptTooLongError, UnreachableError
from reflectty.wire.lines import LINE_LIMIT, LineEnds, Lines, OverlongError
from reflectty.wire.openai.answers import crowded, fault, too_long
from reflectty.wire.openai.endings import Ending
from reflectty.wire.openai.wording import HOST_HINT, LOG_HINT, SERVER
from reflectty.wire.values import BOM, as_number, as_text, called, decode, failure, is_page, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.wire.values import Body

DONE: Final = b"[DONE]"
FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:")
FIELD: Final = re.compile(rb"[A-Za-z][A-Za-z_-]*:")
THINKING: Final = ("thinking", "reasoning")
"""The types of parts of a content that are thinking."""
REASONS: Final = {"stop": "stop", "eos": "stop", "tool_calls": "stop", "function_call": "stop", "length": "length"}
"""Why a model ended its reply, in our words; any other reason is that of somebody who broke it off."""


class ChunkDecoder:
    """Turns the bytes of a streamed reply into chunks, the same however they are cut; after `done` comes nothing.

    A stream is server-sent events, each an object, the last `[DONE]`. The one before may hold the figures: so a reply
    whose end was announced is complete, whatever becomes of the rest. A server that does not stream sends one object.
    """

    def __init__(self, line_limit: int = LINE_LIMIT, *, html: bool = False) -> None:
        self.done = False
        self.over = False
        """Whether the model has ended its reply; the figures may still follow."""
        self.parts = 0
        """How many pieces of the reply have come, the beginning of one included; comments are none."""
        self.of_ollama = False
        """Whether an Ollama sends it, whoever stands before that."""
        self._ends = LineEnds()
        self._lines = Lines(line_limit)
        self._limit = line_limit
        self._kind = b""
        self._data = bytearray()
        """The lines of an event that is not whole yet."""
        self._ending = Ending(html=html)
        self._reason = ""
        self._usage: Usage | None = None
        self._seen = False
        self._began = False

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the chunks that are complete now; what is not iterated over is not read.

        Raises:
            IncompleteError: the server reports an error, or what it sends can no longer be read.
            PromptTooLongError: that is the first thing it reports.
            UnreachableError: it sends something else from the beginning.
        """
        lines = self._lines.feed(self._ends.feed(data))
        try:
            while not self.done and (line := next(lines, None)) is not None:
                yield from self._line(line)
        except OverlongError as error:
            yield from self._held_back()
            raise self._broken(str(error)) from error
        self.parts += self._data_begun()

    def _data_begun(self) -> bool:
        return bool(self._data) or self._lines.begun.startswith((b"data:", b"{"))

    def close(self) -> Iterator[Chunk]:
        """Yield what a last line without an end holds, and the end where it was announced.

        Raises:
            IncompleteError: the stream ended before the reply.
            UnreachableError: nothing of it was a reply.
        """
        line = self._lines.rest()
        if not self.done and not self.over and not _is_cut(line):
            yield from self._line(line)
        if self.done:
            return
        if self.over:
            yield self._end()
            return
        yield from self._held_back()
        if self._seen and not self._began:
            raise self._broken("JSON of another kind")
        raise IncompleteError("the reply ended before it was complete", LOG_HINT)

    # Lines

    def _line(self, line: bytes) -> Iterator[Chunk]:
        line = line.removeprefix(BOM).removesuffix(b"\r")
        if not line.strip():
            yield from self._event_ends()
        elif line.startswith(b"data:"):
            yield from self._data_line(line[5:].removeprefix(b" "))
        elif line.startswith(b"event:"):
            self._kind = line[6:].strip()
        elif line.lstrip().startswith(b"{"):
            yield from self._object(self._decoded(line))
            if self.over:
                yield self._end()
        elif not line.startswith(b":") and not FIELD.match(line):
            yield from self._held_back()
            raise self._broken("a web page" if is_page(line) else "something else than events")

    def _data_line(self, value: bytes) -> Iterator[Chunk]:
        """Take an event at once where its first line is all of it, as every server writes it."""
        if self._data:
            self._hold(b"\n" + value)
            return
        if value.strip() == DONE:
            yield self._end()
            return
        try:
            body = decode(value)
        except ValueError:
            self._hold(value)
        else:
            yield from self._object(body)

    def _hold(self, data: bytes) -> None:
        self._data += data
        if len(self._data) > self._limit:
            raise OverlongError(f"an event of more than {self._limit:,} bytes")

    def _event_ends(self) -> Iterator[Chunk]:
        data = bytes(self._data)
        self._data.clear()
        if data:
            yield from self._object(self._plain_error(data) if self._kind == b"error" else self._decoded(data))
        self._kind = b""

    def _plain_error(self, data: bytes) -> Body:
        try:
            return decode(data)
        except ValueError:
            return {"error": data.decode(errors="replace")}

    def _decoded(self, data: bytes) -> Body:
        try:
            return decode(data)
        except ValueError as error:
            raise self._broken(str(error)) from error

    # Objects

    def _object(self, value: Body) -> Iterator[Chunk]:
        self._seen = True
        if self._kind == b"error" or fault(value):
            yield from self._held_back()
            raise self._failed(value)
        choices = value.get("choices")
        if not isinstance(choices, list):
            return
        self._began = True
        self.parts += 1
        self.of_ollama = value.get("system_fingerprint") == "fp_ollama"
        for choice in choices:
            if isinstance(choice, dict) and not choice.get("index"):
                yield from self._choice(choice)
        self._usage = _usage(value) or self._usage

    def _failed(self, value: Body) -> IncompleteError | PromptTooLongError:
        text = fault(value) or failure(value).text
        # SGLang begins the stream before it looks at the prompt.
        refused = None if self._began else too_long(text, value)
        return refused or crowded(text) or IncompleteError(f"the server stopped: {text}", LOG_HINT)

    def _choice(self, choice: Body) -> Iterator[Chunk]:
        delta = choice.get("delta") or choice.get("message")
        said = delta if isinstance(delta, dict) else {"content": choice.get("text")}
        # vLLM renamed the field, and there are servers that send both, with the same text.
        thinking = as_text(said.get("reasoning_content") or said.get("reasoning"))
        content, thought = _content(said.get("content"))
        thinking = thinking or thought
        if calls := called(said.get("tool_calls") or _as_list(said.get("function_call"))):
            yield Chunk(calls=calls)
        if refusal := as_text(said.get("refusal")):
            yield Chunk(refusal=refusal)
        if thinking and (before := self._ending.flush()):
            yield Chunk(before)
        sure = self._ending.feed(content) if content else ""
        if thinking or sure:
            yield Chunk(sure, thinking)
        reason = as_text(choice.get("finish_reason"))
        if reason and reason not in REASONS:
            yield from self._held_back()
            raise IncompleteError(f"the server broke the reply off: {shorten(reason)}", LOG_HINT)
        if reason:
            self.over, self._reason = True, REASONS[reason]

    def _end(self) -> Chunk:
        self.done = True
        return Chunk(self._ending.close(), done=True, done_reason=self._reason, usage=self._usage or Usage())

    def _held_back(self) -> Iterator[Chunk]:
        """Yield what may have been the end of a reply that was cut."""
        if self.over:
            return
        if held := self._ending.flush():
            yield Chunk(held)

    def _broken(self, what: str) -> IncompleteError | UnreachableError:
        if self._began:
            return IncompleteError(f"the reply cannot be read any further: the server sent {what}")
        return UnreachableError(f"this is not {SERVER}: it sent {what}", HOST_HINT)


def _is_cut(line: bytes) -> bool:
    """Say whether a last line is the beginning of a field or of an object, and not the whole."""
    line = line.removeprefix(BOM).strip()
    if line.startswith(b"{"):
        try:
            decode(line)
        except ValueError:
            return True
    return any(field.startswith(line) for field in FIELDS)


def _content(value: object) -> tuple[str, str]:
    """Return a content and the thinking in it: it may be a list of parts.

    Mistral's own API sends its thinking so: `{"type": "thinking", "thinking": [{"type": "text", "text": …}]}`, in
    older versions with a text in place of the list.
    """
    if not isinstance(value, list):
        return as_text(value), ""
    parts = [part for part in value if isinstance(part, dict)]
    content = "".join(as_text(part.get("text")) for part in parts if part.get("type") not in THINKING)
    return content, "".join(_thought(part) for part in parts if part.get("type") in THINKING)


def _thought(part: Body) -> str:
    inner = part.get("thinking") or part.get("text") or part.get("summary")
    if not isinstance(inner, list):
        return as_text(inner)
    return "".join(as_text(one.get("text") if isinstance(one, dict) else one) for one in inner)


def _as_list(call: object) -> list[object]:
    """Return the one call of a tool that OpenAI's older protocol knows as a list of the newer one."""
    return [{"function": call}] if isinstance(call, dict) else []


def _usage(value: Body) -> Usage | None:
    """Return the figures of a reply; llama-server adds how long each part took, in milliseconds.

    vLLM with a reasoning parser, and LiteLLM before it, count the tokens of the thinking.
    """
    usage = value.get("usage")
    if not isinstance(usage, dict):
        return None
    timings = value.get("timings")
    took = timings if isinstance(timings, dict) else {}
    return Usage(
        prompt_tokens=int(as_number(usage.get("prompt_tokens"))),
        reply_tokens=int(as_number(usage.get("completion_tokens"))),
        prompt_ms=as_number(took.get("prompt_ms")),
        reply_ms=as_number(took.get("predicted_ms")),
        cached_tokens=int(as_number(took.get("cache_n")) or _detail(usage, "prompt_tokens_details", "cached_tokens")),
        thinking_tokens=int(_detail(usage, "completion_tokens_details", "reasoning_tokens")),
    )


def _detail(usage: Body, table: str, name: str) -> float:
    details = usage.get(table)
    return as_number(details.get(name)) if isinstance(details, dict) else 0
