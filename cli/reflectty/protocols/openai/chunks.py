"""Decodes server-sent events into chunks and filters stop tokens from the end of a reply.

llama-server started with `--special` does so, and SGLang; the tags of a reflection model may be special tokens too,
and without asking for those no tag would come.
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
"""The tokens; each begins with the only `<` that it has. Those that are a family's own markers are not among them."""
LONGEST_STOP_TOKEN: Final = max(map(len, STOP_TOKENS))
MOST_HELD: Final = 1000
"""Characters that are held back at most."""


class StopTokenFilter:
    """Fed the content of a reply, passes on what is not its end; holds back what may be.

    Args:
        html: whether `</s>` is HTML, as it is from vLLM, which never sends the token that ends a turn.
    """

    def __init__(self, *, html: bool = False) -> None:
        self._stop_tokens = tuple(token for token in STOP_TOKENS if token != HTML_CLOSER) if html else STOP_TOKENS
        self._held = ""
        self._before = ""
        """The character before what is held back."""

    def feed(self, text: str) -> str:
        """Return what is certain to belong to the reply."""
        text = self._held + text
        at = _stop_start(text, self._stop_tokens)
        if len(text) - at > MOST_HELD:
            at = len(text)
        self._held = text[at:]
        self._before = text[at - 1 : at] or self._before
        return text[:at]

    def flush(self) -> str:
        """Return what was held back: something else came after it, or the reply was cut."""
        held, self._held = self._held, ""
        self._before = held[-1:] or self._before
        return held

    def close(self) -> str:
        """Return what was held back, without the tokens: the reply has ended."""
        text = self._before + self._held
        while (at := _token_at_the_end(text, self._stop_tokens)) >= 0:
            text = text[:at]
        return text.removeprefix(self._before)


def _stop_start(text: str, endings: tuple[str, ...]) -> int:
    """Return where that begins which may turn out to be the end: tokens, and at last the beginning of one."""
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
    """Return where the token begins that the text ends in, white space aside; -1 where it ends in none.

    `</s>` after a blank is what somebody writes about HTML: the token follows the last word at once.
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
"""The types of parts of a content that are thinking."""
REASONS: Final = {"stop": "stop", "eos": "stop", "tool_calls": "stop", "function_call": "stop", "length": "length"}
"""Why a model ended its reply, in our words; any other reason is that of somebody who broke it off."""


class OpenAIChunkDecoder:
    """Turns the bytes of a streamed reply into chunks, the same however they are cut; after `done` comes nothing.

    A stream is server-sent events, each an object, the last `[DONE]`. The one before may hold the figures: so a reply
    whose end was announced is complete, whatever becomes of the rest. A server that does not stream sends one object.
    """

    def __init__(self, line_limit: int = LINE_LIMIT, *, html: bool = False) -> None:
        self.done = False
        self.over = False
        """Whether the model has ended its reply; the figures may still follow."""
        self.part_count = 0
        """How many pieces of the reply have come, the beginning of one included; comments are none."""
        self.is_from_ollama = False
        """Whether an Ollama sends it, whoever stands before that."""
        self._ends = NewlineNormalizer()
        self._lines = LineSplitter(line_limit)
        self._limit = line_limit
        self._kind = b""
        self._data = bytearray()
        """The lines of an event that is not whole yet."""
        self._stop_filter = StopTokenFilter(html=html)
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
            yield from self._flush_held()
            raise self._broken(str(error)) from error
        self.part_count += self._data_begun()

    def _data_begun(self) -> bool:
        return bool(self._data) or self._lines.beginning.startswith((b"data:", b"{"))

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
        yield from self._flush_held()
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
            yield from self._flush_held()
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
        # SGLang begins the stream before it looks at the prompt.
        refused = None if self._began else too_long_error_of(text, value)
        return refused or context_full_error_of(text) or IncompleteError(f"the server stopped: {text}", LOG_HINT)

    def _choice(self, choice: Body) -> Iterator[Chunk]:
        delta = choice.get("delta") or choice.get("message")
        said = delta if isinstance(delta, dict) else {"content": choice.get("text")}
        # vLLM renamed the field, and there are servers that send both, with the same text.
        thinking = as_text(said.get("reasoning_content") or said.get("reasoning"))
        content, thought = _content(said.get("content"))
        thinking = thinking or thought
        if calls := tool_names_of(said.get("tool_calls") or _as_list(said.get("function_call"))):
            yield Chunk(tool_calls=calls)
        if refusal := as_text(said.get("refusal")):
            yield Chunk(refusal=refusal)
        if thinking and (before := self._stop_filter.flush()):
            yield Chunk(before)
        sure = self._stop_filter.feed(content) if content else ""
        if thinking or sure:
            yield Chunk(sure, thinking)
        reason = as_text(choice.get("finish_reason"))
        if reason and reason not in REASONS:
            yield from self._flush_held()
            raise IncompleteError(f"the server broke the reply off: {shorten(reason)}", LOG_HINT)
        if reason:
            self.over, self._reason = True, REASONS[reason]

    def _end(self) -> Chunk:
        self.done = True
        return Chunk(self._stop_filter.close(), done=True, done_reason=self._reason, usage=self._usage or Usage())

    def _flush_held(self) -> Iterator[Chunk]:
        """Yield what may have been the end of a reply that was cut."""
        if self.over:
            return
        if held := self._stop_filter.flush():
            yield Chunk(held)

    def _broken(self, what: str) -> IncompleteError | UnreachableError:
        if self._began:
            return IncompleteError(f"the reply cannot be read any further: the server sent {what}")
        return UnreachableError(f"this is not {SERVER_LABEL}: it sent {what}", HOST_HINT)


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
