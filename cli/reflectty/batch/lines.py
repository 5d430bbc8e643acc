"""Cuts the bytes of a file into lines, each with its number and its digest; keeps none that is longer than allowed."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST: Final = 1 << 20
"""Bytes of the longest line that is read: no context holds more."""
DIGEST_BYTES: Final = 8
_BOM: Final = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line that is not blank."""

    number: int
    """Counted from 1, blank lines included."""
    data: bytes
    """The line without its end; nothing where it is too long."""
    digest: str
    too_long: bool = False


def digest_of(data: bytes) -> str:
    """Return what tells a line from another: 16 hexadecimal digits."""
    return blake2b(data, digest_size=DIGEST_BYTES).hexdigest()


class LineCutter:
    """Fed the bytes of a file in any pieces; gives the lines that are whole."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._number = 1
        self._pieces: list[bytes] = []
        self._size = 0
        self._overlong: blake2b | None = None

    def feed(self, data: bytes) -> Iterator[Line]:
        """Yield the lines that end in `data`."""
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._add(piece)
            yield from self._end()
        self._add(rest)

    def close(self) -> Iterator[Line]:
        """Yield the last line, where it has no end."""
        yield from self._end()

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._overlong is not None:
            self._overlong.update(piece)
            return
        self._pieces.append(piece)
        # One more, for the `\r` of an end that is still to come, and the mark that a file may begin with.
        if self._size > self._longest + len(_BOM) + 1:
            self._overlong = blake2b(b"".join(self._pieces), digest_size=DIGEST_BYTES)
            self._pieces.clear()

    def _end(self) -> Iterator[Line]:
        data, overlong, number = b"".join(self._pieces).removesuffix(b"\r"), self._overlong, self._number
        if number == 1:
            data = data.removeprefix(_BOM)
        self._pieces.clear()
        self._size, self._overlong, self._number = 0, None, number + 1
        if overlong is not None:
            yield Line(number, b"", overlong.hexdigest(), too_long=True)
        elif len(data) > self._longest:
            yield Line(number, b"", digest_of(data), too_long=True)
        elif data.strip():
            yield Line(number, data, digest_of(data))
