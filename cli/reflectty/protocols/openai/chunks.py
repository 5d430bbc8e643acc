"""Decodes server-sent events into chunks and filters stop tokens from the end of a reply.

llama-server started with `--special` sends stop tokens, and so does SGLang when asked for special tokens; requests ask
for them because the tags of a reflection model may be special tokens.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import IncompleteError, PromptTooLongError, UnreachableError
from reflectty.core.messages import Chunk, Usage
from reflectty.protocols.decoding import (
    BOM,
    LINE_LIMIT,
    LineSplitter,
    NewlineNormalizer,
    OverlongError,
    as_number,
    as_text,
    decode,
    error_body_of,
    is_page,
    shorten,
    tool_names_of,
)
from reflectty.protocols.openai.answers import (
    HOST_HINT,
    LOG_HINT,
    SERVER_LABEL,
    context_full_error_of,
    error_text_of,
    too_long_error_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.protocols.decoding import Body


HTML_CLOSER: Final = "</s>"
STOP_TOKENS: Final = (
    "<|im_end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|endoftext|>",
    "<|end_of_turn|>",
    "<end_of_turn>",
    "<turn|>",
    "<eos>",
    HTML_CLOSER,
    "<｜end▁of▁sentence｜>",  # noqa: RUF001 - the bars are those of the token
)
"""Tokens that end a reply, except those that are a family's markers; each has one `<`, at its start."""
LONGEST_STOP_TOKEN: Final = max(map(len, STOP_TOKENS))
MOST_HELD: Final = 1000
"""The maximum of characters held back."""


class StopTokenFilter:
    """Removes stop tokens from the end of a streamed reply, and holds back text that may be one.

    Args:
        html: whether `</s>` is HTML, as it is from vLLM, which never sends the token that ends a turn.
    """

    def __init__(self, *, html: bool = False) -> None:
        self._stop_tokens = tuple(token for token in STOP_TOKENS if token != HTML_CLOSER) if html else STOP_TOKENS
        self._held = ""
        self._before = ""
        """The character before the held text."""

    def feed(self, text: str) -> str:
        """Add text, and return what certainly belongs to the reply."""
        text = self._held + text
        at = _stop_start(text, self._stop_tokens)
        if len(text) - at > MOST_HELD:
            at = len(text)
        self._held = text[at:]
        self._before = text[at - 1 : at] or self._before
        return text[:at]

    def flush(self) -> str:
        """Return the held text as it is, because other text follows it or the reply was cut."""
        held, self._held = self._held, ""
        self._before = held[-1:] or self._before
        return held

    def close(self) -> str:
        """Return the held text without its stop tokens, at the end of the reply."""
        text = self._before + self._held
        while (at := _token_at_the_end(text, self._stop_tokens)) >= 0:
            text = text[:at]
        return text.removeprefix(self._before)


def _stop_start(text: str, endings: tuple[str, ...]) -> int:
    """The index where possible stop tokens at the end of a text begin, the last of them perhaps incomplete."""
    body = text.rstrip()
    at = body.rfind("<", max(0, len(body) - LONGEST_STOP_TOKEN))
    if at < 0:
        return len(text)
    tail = body[at:]
    if not any(token.startswith(tail) for token in endings):
        return len(text)
    while (earlier := _token_at_the_end(text[:at], endings)) >= 0:
        at = earlier
    return at


def _token_at_the_end(text: str, endings: tuple[str, ...]) -> int:
    """The index of the stop token that ends the text, white space aside; -1 if there is none.

    `</s>` after a blank is text about HTML: the token directly follows the last word.
    """
    body = text.rstrip()
    ending = next(filter(body.endswith, endings), "")
    at = len(body) - len(ending)
    in_prose = ending == HTML_CLOSER and body[:at].rstrip() != body[:at]
    return at if ending and not in_prose else -1


DONE: Final = b"[DONE]"
FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:")
FIELD: Final = re.compile(rb"[A-Za-z][A-Za-z_-]*:")
THINKING: Final = ("thinking", "reasoning")
"""The types of content parts that hold thinking."""
REASONS: Final = {"stop": "stop", "eos": "stop", "tool_calls": "stop", "function_call": "stop", "length": "length"}
"""`done_reason` by `finish_reason`; any other reason means that the server aborted the reply."""


class OpenAIChunkDecoder:
    """Decodes the bytes of a streamed reply into chunks, however they are split; yields none after `done`.

    A stream consists of server-sent events, each an object, the last `[DONE]`. The one before may hold the usage, so
    a reply with a `finish_reason` is complete even if the stream then breaks. Without streaming it is one object.
    """

    def __init__(self, line_limit: int = LINE_LIMIT, *, html: bool = False) -> None:
        self.done = False
        self.over = False
        """Whether the reply has ended; the usage may still follow."""
        self.part_count = 0
        """The number of events received, including an incomplete one; comments do not count."""
        self.is_from_ollama = False
        """Whether the reply is from an Ollama, even behind a gateway."""
        self._ends = NewlineNormalizer()
        self._lines = LineSplitter(line_limit)
        self._limit = line_limit
        self._kind = b""
        self._data = bytearray()
        """The data lines of an incomplete event."""
        self._stop_filter = StopTokenFilter(html=html)
        self._reason = ""
        self._usage: Usage | None = None
        self._seen = False
        self._began = False

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the chunks that are now complete; reads only as far as it is iterated.

        Raises:
            IncompleteError: the server reports an error, or sends something unreadable during the reply.
            PromptTooLongError: the server reports this before the reply begins.
            UnreachableError: the stream is something else from the start.
        """
        lines = self._lines.feed(self._ends.feed(data))
        try:
            while not self.done and (line := next(lines, None)) is not None:
                yield from self._line(line)
        except OverlongError as error:
            yield from self._flush_held()
            raise self._broken(str(error)) from error
        self.part_count += self._has_data()

    def _has_data(self) -> bool:
        return bool(self._data) or self._lines.beginning.startswith((b"data:", b"{"))

    def close(self) -> Iterator[Chunk]:
        """Yield the chunk of a last line without a line break, and the end of a reply that has a `finish_reason`.

        Raises:
            IncompleteError: the stream ended before the reply.
            UnreachableError: the stream was no reply.
        """
        line = self._lines.rest()
        if not self.done and not self.over and not _is_cut(line):
            yield from self._line(line)
        if self.done:
            return
        if self.over:
            yield self._end()
            return
        yield from self._flush_held()
        if self._seen and not self._began:
            raise self._broken("unexpected JSON")
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
            yield from self._flush_held()
            raise self._broken("a web page" if is_page(line) else "something other than events")

    def _data_line(self, value: bytes) -> Iterator[Chunk]:
        """Decode an event at its first line if that is complete, as it is from every server."""
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
        if self._kind == b"error" or error_text_of(value):
            yield from self._flush_held()
            raise self._error_of(value)
        choices = value.get("choices")
        if not isinstance(choices, list):
            return
        self._began = True
        self.part_count += 1
        self.is_from_ollama = value.get("system_fingerprint") == "fp_ollama"
        for choice in choices:
            if isinstance(choice, dict) and not choice.get("index"):
                yield from self._choice(choice)
        self._usage = _usage(value) or self._usage

    def _error_of(self, value: Body) -> IncompleteError | PromptTooLongError:
        text = error_text_of(value) or error_body_of(value).text
        # SGLang begins the stream before it checks the prompt.
        refused = None if self._began else too_long_error_of(text, value)
        return refused or context_full_error_of(text) or IncompleteError(f"the server stopped: {text}", LOG_HINT)

    def _choice(self, choice: Body) -> Iterator[Chunk]:
        delta = choice.get("delta") or choice.get("message")
        message = delta if isinstance(delta, dict) else {"content": choice.get("text")}
        # vLLM renamed the field; some servers send both, with the same text.
        thinking = as_text(message.get("reasoning_content") or message.get("reasoning"))
        content, content_thinking = _content(message.get("content"))
        thinking = thinking or content_thinking
        if calls := tool_names_of(message.get("tool_calls") or _as_list(message.get("function_call"))):
            yield Chunk(tool_calls=calls)
        if refusal := as_text(message.get("refusal")):
            yield Chunk(refusal=refusal)
        if thinking and (before := self._stop_filter.flush()):
            yield Chunk(before)
        certain = self._stop_filter.feed(content) if content else ""
        if thinking or certain:
            yield Chunk(certain, thinking)
        reason = as_text(choice.get("finish_reason"))
        if reason and reason not in REASONS:
            yield from self._flush_held()
            raise IncompleteError(f"the server aborted the reply: {shorten(reason)}", LOG_HINT)
        if reason:
            self.over, self._reason = True, REASONS[reason]

    def _end(self) -> Chunk:
        self.done = True
        return Chunk(self._stop_filter.close(), done=True, done_reason=self._reason, usage=self._usage or Usage())

    def _flush_held(self) -> Iterator[Chunk]:
        """Yield the held text of a reply that was cut."""
        if self.over:
            return
        if held := self._stop_filter.flush():
            yield Chunk(held)

    def _broken(self, what: str) -> IncompleteError | UnreachableError:
        if self._began:
            return IncompleteError(f"the rest of the reply cannot be read: the server sent {what}")
        return UnreachableError(f"this is not {SERVER_LABEL}: it sent {what}", HOST_HINT)


def _is_cut(line: bytes) -> bool:
    """Whether a last line is an incomplete field or object."""
    line = line.removeprefix(BOM).strip()
    if line.startswith(b"{"):
        try:
            decode(line)
        except ValueError:
            return True
    return any(field.startswith(line) for field in FIELDS)


def _content(value: object) -> tuple[str, str]:
    """The text and the thinking of a content, which may be a list of parts.

    Mistral's own API sends thinking as `{"type": "thinking", "thinking": [{"type": "text", "text": …}]}`, in older
    versions with a string in place of the inner list.
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
    """Convert `function_call` of OpenAI's older protocol to a list like `tool_calls`."""
    return [{"function": call}] if isinstance(call, dict) else []


def _usage(value: Body) -> Usage | None:
    """The usage of a reply; llama-server adds durations in milliseconds.

    vLLM with a reasoning parser counts the tokens of the thinking, as does LiteLLM in front of it.
    """
    usage = value.get("usage")
    if not isinstance(usage, dict):
        return None
    timings = value.get("timings")
    durations = timings if isinstance(timings, dict) else {}
    return Usage(
        prompt_tokens=int(as_number(usage.get("prompt_tokens"))),
        reply_tokens=int(as_number(usage.get("completion_tokens"))),
        prompt_ms=as_number(durations.get("prompt_ms")),
        reply_ms=as_number(durations.get("predicted_ms")),
        cached_tokens=int(
            as_number(durations.get("cache_n")) or _detail(usage, "prompt_tokens_details", "cached_tokens")
        ),
        thinking_tokens=int(_detail(usage, "completion_tokens_details", "reasoning_tokens")),
    )


def _detail(usage: Body, table: str, name: str) -> float:
    details = usage.get(table)
    return as_number(details.get(name)) if isinstance(details, dict) else 0
