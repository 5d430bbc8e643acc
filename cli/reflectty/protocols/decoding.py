"""Decodes JSON values, lines and NDJSON objects from the bytes of a server."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NoReturn

from reflectty.core.errors import CirclingError, IncompleteError, UnreachableError
from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


TEXT_LIMIT: Final = 300
"""The maximum of characters shown of a server's message."""
HIGHEST_COUNT: Final = 10**18
BOM: Final = b"\xef\xbb\xbf"
HOST_HINT: Final = "check --host or OLLAMA_HOST; use --engine openai for an OpenAI-compatible server"
LOG_HINT: Final = "try again, or check the log of `ollama serve`"

_CIRCLING: Final = "token repeat limit reached"
"""Ollama's error for a reply of more than 30 equal pieces in a row, 100 from 0.34.1 on (llm/llama_server.go)."""

Body = dict[str, Any]


_BLANKS: Final = " \t\r\n"
"""The white space of JSON."""
_read_json: Final = json.JSONDecoder().raw_decode
"""Reads a value at the start of a text, in half the time of `json.loads`: a line of a stream is short."""


def decode(data: bytes) -> Body:
    """Decode a JSON object; ignores a BOM and replaces invalid UTF-8 with U+FFFD.

    Raises:
        ValueError: the data is something else; the message describes it.
    """
    text = data.removeprefix(BOM).decode(errors="replace").strip(_BLANKS)
    try:
        value, end = _read_json(text)
        if end < len(text):
            raise ValueError("there is more behind it")  # noqa: TRY301 - an error like those of the reader
    except (ValueError, RecursionError) as error:
        kind = "a web page" if is_page(data) else "something other than JSON"
        raise ValueError(kind) from error
    if not isinstance(value, dict):
        kind = "unexpected JSON"
        raise ValueError(kind)  # noqa: TRY004 - the data is wrong, not the type of the argument
    return value


def refuse_constant(constant: str) -> NoReturn:
    """Refuse NaN and infinity, which JSON does not have and Python reads: `parse_constant` of `json.loads`.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{constant} is not allowed")


def is_page(data: bytes) -> bool:
    """Whether a body looks like HTML or XML, as from a proxy, a login page or another server."""
    return data.removeprefix(BOM).lstrip().startswith(b"<")


class ErrorBody(NamedTuple):
    """A server's error message, and the innermost object that has it."""

    text: str
    details: Body


def error_body_of(value: object) -> ErrorBody:
    r"""Unwrap a nested error.

    Ollama wraps its model server's JSON response in a string: `{"error": "{\"error\":{\"message\":…}}"}`.
    """
    details: Body = {}
    inner: object | None = value
    while inner is not None:
        value = inner
        details = value if isinstance(value, dict) else details
        inner = _inner_error(value)
    return ErrorBody(shorten(as_text(value)), details)


def stream_error_of(value: Body, hint: str) -> IncompleteError:
    """The error for an object with which a server reports a failure during a stream."""
    text = error_body_of(value).text
    return repetition_error_of(text) or IncompleteError(f"the server stopped: {text}", hint)


def repetition_error_of(text: str) -> CirclingError | None:
    """The error for a reply that repeats a token; None for another message."""
    if _CIRCLING not in text:
        return None
    hint = "try a higher -o temperature, -o repeat_penalty=1.2, or another -o seed"
    return CirclingError(f"the model kept repeating itself, so the server stopped it: {text}", hint)


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
    """Put a server's message on one line of at most 300 characters, and remove secrets from its addresses.

    Cuts in the middle: in errors of Go's servers the cause is at the end, after addresses whose signatures alone may
    be longer.
    """
    line = _both_ends(text)
    if "://" in line:
        line = re.sub(_ADDRESS, r"\1\2", line, flags=re.IGNORECASE)
    line = " ".join(line.split())
    return line if len(line) <= TEXT_LIMIT else f"{line[:_HEAD].rstrip()} … {line[_HEAD + 3 - TEXT_LIMIT :].lstrip()}"


_HEAD: Final = 119
"""Characters kept of the beginning of a message that is cut."""
_ADDRESS: Final = r"(https?://)(?:[^\s/?#@\"'<>]*@)?([^\s?\"'<>]*)(?:\?[^\s\"'<>]*)?"
"""An address: scheme, credentials, host with path, and query, which may have signatures and keys."""


def _both_ends(text: str) -> str:
    """Both ends of a text of unknown length."""
    most = 40 * TEXT_LIMIT
    return text if len(text) <= 2 * most else f"{text[:most]} … {text[-most:]}"


def as_text(value: object) -> str:
    """Coerce to an encodable `str`: non-strings as JSON, lone surrogates as U+FFFD."""
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
    """The names of the tools in a list of calls; later pieces of a streamed call have none.

    Ollama and OpenAI both send `[{"function": {"name": …, "arguments": …}}]`.
    """
    entries = value if isinstance(value, list) else ()
    functions = (entry.get("function") for entry in entries if isinstance(entry, dict))
    names = (as_text(one.get("name")) for one in functions if isinstance(one, dict))
    return tuple(shorten(name) for name in names if name.strip())


LINE_LIMIT: Final = 8 * 1024 * 1024
"""The maximum of bytes in one line, as in Ollama's own client."""

BEGINNING: Final = 64
"""Bytes that identify the kind of an incomplete line."""


class OverlongError(ValueError):
    """A line or event exceeds the limit."""


class LineSplitter:
    r"""Splits a byte stream into lines. Only `\n` ends a line: servers send U+0085 raw inside a text."""

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._held = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        r"""Yield the lines that are now complete, without their `\n`; reads only as far as it is iterated.

        Raises:
            OverlongError: a line exceeds the limit.
        """
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            if self._held or end - start > self._limit:
                self._hold(data[start:end])
                yield self.rest()
            else:
                yield data[start:end]
            start = end + 1
        self._hold(data[start:])

    @property
    def beginning(self) -> bytes:
        """The first bytes of the incomplete line."""
        return bytes(self._held[:BEGINNING])

    def rest(self) -> bytes:
        """Return the incomplete line and clear it."""
        line = bytes(self._held)
        self._held.clear()
        return line

    def _hold(self, piece: bytes) -> None:
        self._held += piece
        if len(self._held) > self._limit:
            self._held.clear()
            raise OverlongError(f"a line of more than {self._limit:,} bytes")


class NewlineNormalizer:
    r"""Converts the line ends of server-sent events, `\r\n` and `\r`, to `\n`; chunk boundaries do not matter."""

    def __init__(self) -> None:
        self._after_return = False

    def feed(self, data: bytes) -> bytes:
        r"""Convert a piece; a `\r` ends its line at once, and a `\n` at the start of the next piece is dropped."""
        if not data:
            return data
        if self._after_return:
            data = data.removeprefix(b"\n")
        self._after_return = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class NdjsonDecoder:
    """Decodes responses of newline-delimited JSON, such as those of /api/pull and /api/create, into objects.

    Empty lines are skipped.
    """

    def __init__(self, line_limit: int = LINE_LIMIT) -> None:
        self._lines = LineSplitter(line_limit)

    def feed(self, data: bytes) -> Iterator[Body]:
        """Yield the objects that are now complete.

        Raises:
            IncompleteError: the server reports an error, or a line exceeds the limit.
            UnreachableError: the server sends something other than objects.
        """
        try:
            for line in self._lines.feed(data):
                yield from _object(line)
        except OverlongError as error:
            raise IncompleteError(f"the server sent {error}") from error

    def close(self) -> Iterator[Body]:
        """Yield the object of a last line without a line break.

        Raises:
            IncompleteError: the line was cut.
        """
        line = self._lines.rest()
        try:
            yield from _object(line)
        except UnreachableError as error:
            if not line.strip().startswith(b"{"):
                raise
            raise IncompleteError("the server's response was cut off", LOG_HINT) from error


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
