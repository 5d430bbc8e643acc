"""Encodes texts and small values for SQLite and decodes them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from unicodedata import category

if TYPE_CHECKING:
    from collections.abc import Iterable

TITLE_LENGTH = 200
_ESCAPE = "\x1a"
_UNSTORABLE = "[\0\x1a\ud800-\udfff]"
_ESCAPED = f"{_ESCAPE}(0|1a|d[89a-f][0-9a-f]{{2}}){_ESCAPE}"


def encode_text(text: str) -> str:
    """Escape NUL and lone surrogates, which UTF-8 cannot encode."""
    if "\0" not in text and _ESCAPE not in text and _can_be_utf8(text):
        return text
    return re.sub(_UNSTORABLE, lambda odd: f"{_ESCAPE}{ord(odd[0]):x}{_ESCAPE}", text)


def _can_be_utf8(text: str) -> bool:
    """Whether a text has no lone surrogates; the pattern takes longer to compile than this for all of a turn."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def decode_text(stored: object) -> str:
    """Undo `encode_text`; empty if the stored value is not a text."""
    text = stored if isinstance(stored, str) else ""
    return re.sub(_ESCAPED, _unescape, text) if _ESCAPE in text else text


def _unescape(escaped: re.Match[str]) -> str:
    return chr(int(escaped[1], 16))


def decode_bytes(data: bytes) -> str:
    """Decode bytes as UTF-8 with replacement characters: one broken byte must not hide a session."""
    return data.decode("utf-8", "replace")


def is_dense(text: str) -> bool:
    """True if the text has letters without case; most of their scripts put no spaces between words."""
    return not text.isascii() and any(category(char) == "Lo" for char in set(text))


def normalize_title(title: str) -> str:
    """Put a title on one line and cut it to `TITLE_LENGTH` characters."""
    return " ".join(title.split())[:TITLE_LENGTH].rstrip()


def to_json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def from_json(stored: object) -> Any:  # noqa: ANN401 - any JSON value
    """Parse a JSON text; None if it is invalid."""
    try:
        return json.loads(stored) if isinstance(stored, str) else None
    except (ValueError, RecursionError):
        return None


def strings_in(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(value for value in values if isinstance(value, str))
