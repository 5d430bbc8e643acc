"""HTTP/1.1 as data: the head of a request to bytes, the bytes of a response to its head and body.

Follows RFC 9112, and accepts what h11 0.16 accepts from servers that stray from it: lines that end in LF alone, folded
headers, a status line without a reason. h11 takes 8 ms to import, more than all the rest of a connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

HEAD_LIMIT: Final = 100 * 1024
"""Maximum bytes of the status line and the headers, and of a line between chunks."""
CLOSED: Final = "it closed the connection without a response"
TLS: Final = "it responds with TLS"
_TLS_RECORDS: Final = (b"\x15", b"\x16")
"""The first byte of an alert and of a handshake."""
_START: Final = b"HTTP/"
_FIRST_FINAL_STATUS: Final = 200
_EMPTY_STATUSES: Final = (204, 304)
_UNTIL_CLOSED: Final = -1
_TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_HEX: Final = b"0123456789abcdefABCDEF"
_USUAL_DIGITS: Final = 8
"""The most digits in the size of a chunk that any server sends; more are read with more care."""
_SIZE_DIGITS: Final = 20
"""As many as a 64-bit number has in decimal; a longer size is an attack."""

Headers = list[tuple[bytes, bytes]]


class ResponseHead(NamedTuple):
    """The status and the headers of a response."""

    status: int
    headers: Headers


def encode_head(method: str, target: bytes, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Encode the request line and the headers.

    Raises:
        ValueError: one of them has a character that would end its line.
    """
    lines = [b"%s %s HTTP/1.1" % (method.encode("ascii"), target), *(b"%s: %s" % header for header in headers)]
    if any(line.translate(None, b"\r\n\0") != line for line in lines):
        raise ValueError("a header or the path contains a line break")
    return b"\r\n".join((*lines, b"", b""))


class ResponseDecoder:
    """Turns the bytes of the response to one request into its head and its body, however they are cut.

    Args:
        method: of the request; the response to HEAD has no body.
    """

    def __init__(self, method: str) -> None:
        self.head: ResponseHead | None = None
        """None until it is complete; informational ones are skipped."""
        self.done = False
        """Whether the body is complete."""
        self.error: ValueError | None = None
        """Why what follows the body so far cannot be read; `close` raises it."""
        self._has_body = method != "HEAD"
        self._buffer = bytearray()
        self._searched = 0
        """Bytes of the buffer that were searched for the end of the head."""
        self._left = 0
        """Bytes that follow of the body or of the chunk."""
        self._is_chunked = False
        self._ends_chunk = False
        """Whether the line break after a chunk follows."""
        self._in_trailers = False

    def feed(self, data: bytes) -> bytes:
        """Return the part of the body that is in these bytes.

        Raises:
            ValueError: the bytes are no response; the message describes them. In the body, `error` holds it instead.
        """
        self._buffer += data
        while self.head is None:
            if not self._read_head():
                return b""
        pieces = self._take_whole_chunks()
        try:
            while not (self.done or self.error) and (piece := self._next_piece()) is not None:
                pieces.append(piece)
        except ValueError as error:
            self.error = error
        return b"".join(pieces)

    def close(self) -> None:
        """Note that nothing more is read.

        Raises:
            ValueError: the response is not complete.
        """
        if self.error:
            raise self.error
        if self.head is None:
            raise ValueError(CLOSED if not self._buffer else "it closed the connection within the headers")
        if not self.done and self._left != _UNTIL_CLOSED:
            raise ValueError("it closed the connection before the end of the body")
        self.done = True

    def _read_head(self) -> bool:
        """Read a head if it is complete; return whether it is."""
        buffer = self._buffer
        if not _START.startswith(buffer[: len(_START)]):
            raise ValueError(TLS if buffer.startswith(_TLS_RECORDS) else f"illegal status line: {_shown(buffer)}")
        lines = self._take_lines()
        if lines is None:
            return False
        head = _head_of(lines)
        if head.status >= _FIRST_FINAL_STATUS:
            self._start_body(head)
            self.head = head
        return True

    def _take_lines(self) -> list[bytes] | None:
        """Take the lines up to an empty one from the buffer; None if that has not arrived.

        Raises:
            ValueError: they are too long.
        """
        buffer = self._buffer
        ends = [(at, len(end)) for end in (b"\n\r\n", b"\n\n") if (at := buffer.find(end, self._searched)) >= 0]
        at, length = min(ends, default=(len(buffer), 0))
        if empty := next((end for end in (b"\r\n", b"\n") if buffer.startswith(end)), b""):
            at, length = 0, len(empty)
        if at > HEAD_LIMIT:
            raise ValueError("the headers are too long")
        self._searched = 0 if length else max(0, len(buffer) - 2)
        if not length:
            return None
        text = bytes(buffer[:at])
        del buffer[: at + length]
        return [line.removesuffix(b"\r") for line in text.split(b"\n")] if text else []

    def _start_body(self, head: ResponseHead) -> None:
        """Find how the body ends.

        Raises:
            ValueError: the headers contradict each other, or name a coding other than chunks.
        """
        codings = [value.lower() for name, value in head.headers if name.lower() == b"transfer-encoding"]
        lengths = {
            length.strip()
            for name, value in head.headers
            if name.lower() == b"content-length"
            for length in value.split(b",")
        }
        if codings not in ([], [b"chunked"]):
            raise ValueError(f"unknown transfer coding: {_shown(b', '.join(codings))}")
        if len(lengths) > 1 or any(not length.isdigit() or len(length) > _SIZE_DIGITS for length in lengths):
            raise ValueError(f"bad content length: {_shown(b', '.join(sorted(lengths)))}")
        if not self._has_body or head.status in _EMPTY_STATUSES:
            self.done = True
        elif codings:
            self._is_chunked = True
        else:
            self._left = int(lengths.pop()) if lengths else _UNTIL_CLOSED
            self.done = not self._left

    def _take_whole_chunks(self) -> list[bytes]:
        """Take the chunks that have arrived whole and are as usual; whatever is not is left for `_next_piece`."""
        pieces: list[bytes] = []
        if not self._is_chunked or self._left or self._ends_chunk or self._in_trailers or self.done or self.error:
            return pieces
        data, at = bytes(self._buffer), 0
        while (end := data.find(b"\r\n", at, at + _USUAL_DIGITS + 2)) > at:
            digits = data[at:end]
            if digits.translate(None, _HEX) or not (size := int(digits, 16)):
                break
            start = end + 2
            if data[start + size : start + size + 2] != b"\r\n":
                break
            pieces.append(data[start : start + size])
            at = start + size + 2
        del self._buffer[:at]
        return pieces

    def _next_piece(self) -> bytes | None:
        """The next piece of the body, perhaps empty; None if it has not arrived."""
        if not self._left:
            return b"" if self._start_chunk() else None
        buffer = self._buffer
        piece = bytes(buffer if self._left < 0 else buffer[: self._left])
        if not piece:
            return None
        del buffer[: len(piece)]
        if self._left > 0:
            self._left -= len(piece)
            self._ends_chunk = self._is_chunked and not self._left
            self.done = not (self._is_chunked or self._left)
        return piece

    def _start_chunk(self) -> bool:
        """Read a line between chunks; return whether there was one."""
        buffer = self._buffer
        if self._ends_chunk:
            if not b"\r\n".startswith(buffer[:2]):
                raise ValueError(f"bad end of a chunk: {_shown(buffer)}")
            if len(buffer) < 2:  # noqa: PLR2004 - a line break
                return False
            del buffer[:2]
            self._ends_chunk = False
        if self._in_trailers:
            return self._skip_trailers()
        at = buffer.find(b"\r\n", 0, HEAD_LIMIT)
        if at < 0 and len(buffer) >= HEAD_LIMIT:
            raise ValueError("the first line of a chunk is too long")
        if at < 0:
            return False
        line = bytes(buffer[:at])
        del buffer[: at + 2]
        self._left = _size_of_chunk(line)
        self._in_trailers = not self._left
        return True

    def _skip_trailers(self) -> bool:
        lines = self._take_lines()
        if lines is None:
            return False
        _headers_of(lines)
        self.done = True
        return True


def _size_of_chunk(line: bytes) -> int:
    digits = line.partition(b";")[0] if b";" in line else line.rstrip(b" \t")
    if not 0 < len(digits) <= _SIZE_DIGITS or digits.translate(None, _HEX) or b"\n" in line:
        raise ValueError(f"bad size of a chunk: {_shown(line)}")
    return int(digits, 16)


def _head_of(lines: list[bytes]) -> ResponseHead:
    version, _, rest = lines[0].partition(b" ")
    status, _, reason = rest.partition(b" ")
    major, dot, minor = version[len(_START) :].partition(b".")
    digits = (major, minor, status)
    if list(map(len, digits)) != [1, 1, 3] or not all(map(bytes.isdigit, digits)) or not dot or _is_unclean(reason):
        raise ValueError(f"illegal status line: {_shown(lines[0])}")
    return ResponseHead(int(status), _headers_of(lines[1:]))


def _headers_of(lines: list[bytes]) -> Headers:
    headers: Headers = []
    for line in lines:
        if line[:1] in (b" ", b"\t") and headers:
            name, value = headers.pop()
            value = b"%s %s" % (value, line.strip(b" \t"))
        else:
            name, colon, value = line.partition(b":")
            if not (name and colon) or name.translate(None, _TOKEN):
                raise ValueError(f"illegal header: {_shown(line)}")
        if _is_unclean(value):
            raise ValueError(f"illegal header: {_shown(line)}")
        headers.append((name, value.strip(b" \t")))
    return headers


def _is_unclean(value: bytes) -> bool:
    return value.translate(None, b"\0\r\v\f") != value


def _shown(text: bytes | bytearray) -> str:
    return repr(bytes(text[:100]))[1:]
