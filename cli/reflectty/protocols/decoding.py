"""Decodes JSON values, lines and NDJSON objects from the bytes of a server."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from reflectty.core.errors import CirclingError, IncompleteError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator


TEXT_LIMIT: Final = 300
"""Characters of a server's message that are shown."""
HIGHEST_COUNT: Final = 10**18
BOM: Final = b"\xef\xbb\xbf"
HOST_HINT: Final = "check --host or OLLAMA_HOST; an OpenAI-compatible server is asked with --engine openai"
LOG_HINT: Final = "ask again; the log of `ollama serve` may say why"

_CIRCLING: Final = "token repeat limit reached"
"""How Ollama says that it ended a reply of more than 30 equal pieces, 100 from 0.34.1 on (llm/llama_server.go)."""

Body = dict[str, Any]


def decode(data: bytes) -> Body:
    """Return the JSON object that UTF-8 bytes are, a BOM aside and with U+FFFD for what is not UTF-8.

    Raises:
        ValueError: they are none; the message says what they are.
    """
    try:
        value = json.loads(data.removeprefix(BOM).decode(errors="replace"))
    except (ValueError, RecursionError) as error:
        kind = "a web page" if is_page(data) else "something else than JSON"
        raise ValueError(kind) from error
    if not isinstance(value, dict):
        kind = "JSON of another kind"
        raise ValueError(kind)  # noqa: TRY004 - to its callers it is data of the wrong kind, not an argument
    return value


def is_page(data: bytes) -> bool:
    """Say whether a body looks like HTML or XML: a proxy's, a login page's, another server's."""
    return data.removeprefix(BOM).lstrip().startswith(b"<")


class ErrorBody(NamedTuple):
    """What a server said went wrong, and the innermost object in which it said so."""

    text: str
    details: Body


def error_body_of(value: object) -> ErrorBody:
    r"""Unwrap an error as deep as it goes.

    Ollama wraps what its model server answers as JSON in a string: `{"error": "{\"error\":{\"message\":…}}"}`.
    """
    details: Body = {}
    inner: object | None = value
    while inner is not None:
        value = inner
        details = value if isinstance(value, dict) else details
        inner = _inner_error(value)
    return ErrorBody(shorten(as_text(value)), details)


def stream_error_of(value: Body, hint: str) -> IncompleteError:
    """Return the error for an object in which a server says that it failed in the middle."""
    text = error_body_of(value).text
    return repetition_error_of(text) or IncompleteError(f"the server stopped: {text}", hint)


def repetition_error_of(text: str) -> CirclingError | None:
    """Return the error for a reply that went round in circles; None where a server says something else."""
    if _CIRCLING not in text:
        return None
    hint = "another try may not: a higher -o temperature, -o repeat_penalty=1.2 or another -o seed"
    return CirclingError(f"the model went round in circles, so the server ended it: {text}", hint)


def _inner_error(value: object) -> object | None:
    if isinstance(value, dict):
        return value.get("error") or value.get("message")
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return None
    try:
        return decode(value.encode(errors="replace"))
    except ValueError:
        return None


def shorten(text: str) -> str:
    """Return a server's message on one line of at most 300 characters, without the secrets of its addresses.

    What is too long is cut in the middle: Go's servers wrap a cause from the front, so that it stands at the end,
    behind addresses whose signatures alone may be longer.
    """
    line = " ".join(_ADDRESS.sub(r"\1\2", _both_ends(text)).split())
    return line if len(line) <= TEXT_LIMIT else f"{line[:_HEAD].rstrip()} … {line[_HEAD + 3 - TEXT_LIMIT :].lstrip()}"


_HEAD: Final = 119
"""Characters that are kept of the beginning of a text that is cut."""
_ADDRESS: Final = re.compile(r"(https?://)(?:[^\s/?#@\"'<>]*@)?([^\s?\"'<>]*)(?:\?[^\s\"'<>]*)?", re.IGNORECASE)
"""An address: its scheme, who asks, where, and its query, in which signatures and keys stand."""


def _both_ends(text: str) -> str:
    """Return both ends of a text of which nobody knows how long it is."""
    most = 40 * TEXT_LIMIT
    return text if len(text) <= 2 * most else f"{text[:most]} … {text[-most:]}"


def as_text(value: object) -> str:
    """Return a text that can be encoded again: other values as JSON, half surrogate pairs as U+FFFD."""
    if value is None or value == "":
        return ""
    text = value if isinstance(value, str) else _json(value)
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _json(value: object) -> str:
    try:
        return json.dumps(value)
    except RecursionError:
        return "…"


def as_number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    return value if 0 <= value < HIGHEST_COUNT else 0


def tool_names_of(value: object) -> tuple[str, ...]:
    """Return the names of the tools in a list of calls; a piece of a call that has begun has none.

    Ollama and OpenAI both write `[{"function": {"name": …, "arguments": …}}]`.
    """
    entries = value if isinstance(value, list) else ()
    functions = (entry.get("function") for entry in entries if isinstance(entry, dict))
    names = (as_text(one.get("name")) for one in functions if isinstance(one, dict))
    return tuple(shorten(name) for name in names if name.strip())


LINE_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of one line, the limit of Ollama's own client as well."""

BEGINNING: Final = 64
"""Bytes that are looked at to tell what kind of line one will be."""


class OverlongError(ValueError):
    """A line is longer than anybody means it to be."""


class LineSplitter:
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
    def beginning(self) -> bytes:
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


class NewlineNormalizer:
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


class NdjsonDecoder:
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
        raise stream_error_of(value, LOG_HINT)
    yield value
