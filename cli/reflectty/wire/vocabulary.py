"""The vocabulary in an answer of /api/show with `verbose`: two arrays of tens of megabytes of JSON; no I/O."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from reflectty.vocabulary import TOKENS_KEY, TYPES_KEY, Vocabulary
from reflectty.wire.values import as_text, decode

BLANK: Final = rb"[ \t\r\n]*+"
TEXT: Final = rb'"(?:[^"\\]|\\.)*+"'
NUMBER: Final = rb"-?[0-9]++"


def vocabulary_of(answer: bytes) -> Vocabulary:
    """Return the tokens and their types; of all the rest, which is most of it, nothing is decoded.

    A key stands for itself wherever it is found: inside a text its quotes would be escaped.

    Raises:
        ValueError: the answer is no JSON object; the message says what it is.
    """
    tokens, types = _found(TOKENS_KEY, TEXT, answer), _found(TYPES_KEY, NUMBER, answer)
    if not tokens or not types:
        decode(answer)
        return Vocabulary()
    return Vocabulary(tuple(map(as_text, tokens)), tuple(types))


def _found(key: str, element: bytes, answer: bytes) -> list[Any]:
    """Return an array of the answer, empty where it has none or one that cannot be read."""
    elements = rb"(?:" + element + BLANK + rb"," + BLANK + rb")*+" + element
    name = f'"{re.escape(key)}"'.encode()
    array = name + BLANK + rb":" + BLANK + rb"(\[" + BLANK + elements + BLANK + rb"\])"
    match = re.search(array, answer, re.DOTALL)
    try:
        return list(json.loads(match[1].decode(errors="replace"))) if match else []
    except ValueError:
        return []
