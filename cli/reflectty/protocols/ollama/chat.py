"""Encodes chat and generate requests for Ollama and decodes its reply stream."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import IncompleteError, UnreachableError, UsageError
from reflectty.core.messages import Chunk, Usage
from reflectty.protocols.decoding import (
    BOM,
    HOST_HINT,
    LINE_LIMIT,
    LOG_HINT,
    LineSplitter,
    OverlongError,
    as_number,
    as_text,
    decode,
    stream_error_of,
    tool_names_of,
)
from reflectty.reasoning.families import tags_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.core.messages import Message, Request
    from reflectty.protocols.decoding import Body
    from reflectty.reasoning.families import Tag


def encode(request: Request) -> Body:
    """The body for /api/chat: streamed, and refused rather than silently truncated.

    Raises:
        UsageError: the schema is not valid JSON.
    """
    body: Body = {"model": request.model, "messages": [_message(message) for message in request.messages]}
    if request.think is not None:
        body["think"] = request.think
    return body | _settings(request)


def encode_render(request: Request) -> Body:
    """The body with which /api/chat returns the rendered prompt, in `_debug_info.rendered_template`.

    `_debug_render_only` is undocumented, in Ollama since 0.11.5. 0.32.15 loads the model before it renders. A server
    that ignores the field generates one token.
    """
    body = encode(request) | {"stream": False, "_debug_render_only": True}
    body["options"] = body.get("options", {}) | {"num_predict": 1}
    body.pop("format", None)
    return body


def encode_raw(request: Request, prompt: str) -> Body:
    """The body with which /api/generate continues `prompt` verbatim.

    `think` is always false: if omitted, 0.32.15 sets it to true for a model with the capability; after a prompt that
    ends in the opening tag the thinking then continues in `thinking`, and its closing tag is lost. A model without
    the capability accepts false.

    Raises:
        UsageError: the schema is not valid JSON.
    """
    body: Body = {"model": request.model, "prompt": prompt, "raw": True, "think": False}
    images = [image for message in request.messages for image in message.images]
    if images:
        body["images"] = images
    return body | _settings(request)


def continue_prompt(prompt: str, so_far: str) -> str:
    """Append the beginning of a reply to its rendered prompt, without repeating an opener that ends the prompt.

    Templates differ in whether they open the thinking, and in the white space after the opener: if a template opens
    it, its white space is what the model was trained on. An empty thinking that a template writes because thinking is
    off, or by default, is removed if the reply begins with thinking.
    """
    tags = tags_at(so_far)
    prompt = _without_closed_thinking(prompt, tags)
    written = prompt.rstrip()
    for tag in tags:
        if written.endswith(tag.opener):
            rest = so_far[len(tag.opener) :]
            return prompt + (rest.lstrip() if len(written) < len(prompt) else rest)
    return prompt + so_far


def _without_closed_thinking(prompt: str, tags: tuple[Tag, ...]) -> str:
    written = prompt.rstrip()
    for tag in tags:
        if written.endswith(tag.closer):
            before = written.removesuffix(tag.closer)
            return before.rstrip().removesuffix(tag.opener) if before.rstrip().endswith(tag.opener) else before
    return prompt


def _message(message: Message) -> Body:
    images = {"images": list(message.images)} if message.images else {}
    thinking = {"thinking": message.thinking} if message.thinking else {}
    return {"role": message.role, "content": message.content, **images, **thinking}


def encode_load(request: Request) -> Body:
    """The body with which /api/generate loads a model with the settings of the request.

    A request with other settings, such as another context or another `shift`, loads the model again. A `keep_alive`
    of 0 unloads it.
    """
    return {"model": request.model} | _settings(request) | {"stream": False}


def _settings(request: Request) -> Body:
    """The fields that all requests share: streamed, and with nothing truncated silently.

    `shift` is omitted if the reply fits the context, as other clients omit it: Ollama reloads a model for a request
    with another `shift` (engines/reply_limit.py). Otherwise it must be false: an unlimited reply may exceed any
    context, and a server that shifts silently drops the beginning of the prompt.
    """
    body: Body = {"stream": True, "truncate": False} | ({} if request.fits_context else {"shift": False})
    if request.options:
        body["options"] = {name: list(value) if isinstance(value, tuple) else value for name, value in request.options}
    if request.keep_alive:
        body["keep_alive"] = keep_alive_of(request.keep_alive)
    if request.schema:
        body["format"] = _schema(request.schema)
    return body


def keep_alive_of(text: str) -> int | float | str:
    """Convert seconds to a number, because Ollama reads a string as a Go duration, which needs a unit."""
    if re.fullmatch(r"-?\d+", text, re.ASCII):
        return int(text)
    return float(text) if re.fullmatch(r"-?\d+\.\d+", text, re.ASCII) else text


def _schema(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"the schema is not valid JSON: {error}") from error


NANOSECONDS_PER_MS: Final = 1e6


class OllamaChunkDecoder:
    """Decodes the bytes of a streamed reply into chunks, however they are split; yields none after `done`."""

    def __init__(self, line_limit: int = LINE_LIMIT) -> None:
        self.done = False
        self.part_count = 0
        """The number of non-blank lines received, including an incomplete one."""
        self._lines = LineSplitter(line_limit)
        self._seen = False
        self._began = False

    @property
    def over(self) -> bool:
        """Whether the reply has ended."""
        return self.done

    def feed(self, data: bytes) -> Iterator[Chunk]:
        """Yield the chunks that are now complete; reads only as far as it is iterated.

        Raises:
            IncompleteError: the server reports an error, or sends something unreadable during the reply.
            UnreachableError: the stream is something else from the start.
        """
        lines = self._lines.feed(data)
        try:
            while not self.done and (line := next(lines, None)) is not None:
                if chunk := self._chunk_in(line):
                    yield chunk
        except OverlongError as error:
            raise self._broken(str(error)) from error
        self.part_count += bool(self._lines.beginning.strip())

    def close(self) -> Iterator[Chunk]:
        """Yield the chunk of a last line without a line break.

        Raises:
            IncompleteError: the reply ended without `done`, as Ollama's does when its runner stops.
            UnreachableError: the stream was not Ollama's.
        """
        line = self._lines.rest()
        if not self.done and not _is_cut(line) and (chunk := self._chunk_in(line)):
            yield chunk
        if self.done:
            return
        if self._seen and not self._began:
            raise self._broken("unexpected JSON")
        raise IncompleteError("the reply ended before it was complete", LOG_HINT)

    def _chunk_in(self, line: bytes) -> Chunk | None:
        """The chunk of a line; None if there is nothing in it."""
        line = line.strip()
        if not line.removeprefix(BOM):
            return None
        self.part_count += 1
        value = self._object(line)
        self._seen = True
        if value.get("error"):
            raise stream_error_of(value, LOG_HINT)
        chunk = _chunk(value)
        if chunk is None:
            return None
        self._began = True
        self.done = chunk.done
        return chunk if chunk.done or chunk.content or chunk.thinking or chunk.tool_calls else None

    def _object(self, line: bytes) -> Body:
        try:
            return decode(line)
        except ValueError as error:
            raise self._broken(str(error)) from error

    def _broken(self, what: str) -> IncompleteError | UnreachableError:
        if self._began:
            return IncompleteError(f"the rest of the reply cannot be read: the server sent {what}")
        return UnreachableError(f"this is not an Ollama server: it sent {what}", HOST_HINT)


def _is_cut(line: bytes) -> bool:
    """Whether a last line is an incomplete object."""
    try:
        decode(line)
    except ValueError:
        return line.removeprefix(BOM).lstrip().startswith(b"{")
    return False


def _chunk(line: Body) -> Chunk | None:
    """The chunk of one line of /api/chat or /api/generate, or None for another object."""
    reason = as_text(line.get("done_reason"))
    done = line.get("done") is True or bool(reason)
    message = line.get("message")
    calls: tuple[str, ...] = ()
    if isinstance(message, dict):
        content, thinking = message.get("content"), message.get("thinking")
        if named := message.get("tool_calls"):
            calls = tool_names_of(named)
    elif done or "response" in line:
        content, thinking = line.get("response"), line.get("thinking")
    else:
        return None
    usage = _usage(line) if done else None
    return Chunk(as_text(content), as_text(thinking), done=done, done_reason=reason, usage=usage, tool_calls=calls)


def _usage(line: Body) -> Usage:
    """The usage in the last line, whose durations are in nanoseconds and omitted if 0."""

    def ms(name: str) -> float:
        return as_number(line.get(name)) / NANOSECONDS_PER_MS

    return Usage(
        prompt_tokens=int(as_number(line.get("prompt_eval_count"))),
        reply_tokens=int(as_number(line.get("eval_count"))),
        total_ms=ms("total_duration"),
        load_ms=ms("load_duration"),
        prompt_ms=ms("prompt_eval_duration"),
        reply_ms=ms("eval_duration"),
        # From Ollama 0.34 on; `prompt_eval_count` includes them, the duration does not.
        cached_tokens=int(as_number(line.get("prompt_eval_cached_count"))),
    )
