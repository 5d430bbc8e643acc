r"""Rewrites string patterns for llama.cpp's grammars, or rejects those that they cannot enforce.

`_visit_pattern` of llama.cpp's common/json-schema-to-grammar.cpp copies a pattern into a grammar for the text between
two quotes. It requires both anchors, passes escapes such as `\d` to a parser that does not know them, and lets `.` and
`[^a]` match quotes and control characters, which end the text or break the JSON. So everything is spelled out here:
classes without escapes except `\xHH`, no bare `.`, and the anchors.
"""

from __future__ import annotations

from typing import Final

_ANY_CHARACTER: Final = r'[^"\\\x00-\x1F]'
"""A character that needs no escape in a JSON string."""
_CLASSES: Final = {"d": "0-9", "w": "A-Za-z0-9_", "s": " "}
"""JSON escapes white space other than the blank, which a grammar of characters cannot express."""
_LITERAL: Final = frozenset("-./:@#%&=~!<>,;'`_ ") | frozenset("^$*+?()[]{}|")
_FORBIDDEN: Final = '"\\'


class _UnsupportedPatternError(Exception):
    """The pattern contains something that a grammar cannot express."""


def rewrite_pattern(pattern: str) -> str:
    """The pattern in llama.cpp's form; empty if it cannot be enforced, such as with a look-ahead or a quote."""
    try:
        reader = _PatternReader(pattern)
        rewritten = reader.alternatives(outermost=True)
    except (_UnsupportedPatternError, IndexError):
        return ""
    return f"^({rewritten})$" if reader.is_at_end else ""


class _PatternReader:
    """Parses a pattern from left to right and rewrites it."""

    def __init__(self, pattern: str) -> None:
        self._text = pattern
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        return self._at >= len(self._text)

    def _next(self) -> str:
        self._at += 1
        return self._text[self._at - 1]

    def _accept(self, expected: str) -> bool:
        accepted = self._text.startswith(expected, self._at)
        self._at += len(expected) if accepted else 0
        return accepted

    def alternatives(self, *, outermost: bool = False) -> str:
        """Parse the alternatives between two parentheses; a pattern without an anchor may begin or end anywhere."""
        sequences = [self._sequence(outermost=outermost)]
        while self._accept("|"):
            sequences.append(self._sequence(outermost=outermost))
        return "|".join(sequences)

    def _sequence(self, *, outermost: bool) -> str:
        pieces = [] if not outermost or self._accept("^") else [f"{_ANY_CHARACTER}*"]
        ended = False
        while not self.is_at_end and self._text[self._at] not in "|)":
            if ended:
                raise _UnsupportedPatternError
            ended = outermost and self._accept("$")
            if not ended:
                pieces.append(self._atom() + self._quantifier())
        if outermost and not ended:
            pieces.append(f"{_ANY_CHARACTER}*")
        if not pieces:
            raise _UnsupportedPatternError
        return "".join(pieces)

    def _atom(self) -> str:
        char = self._next()
        if char == "(":
            return self._group()
        if char == "[":
            return self._class()
        if char == ".":
            return _ANY_CHARACTER
        if char == "\\":
            return self._escape()
        if char in "^$*+?{}])":
            raise _UnsupportedPatternError
        return _literal(char)

    def _group(self) -> str:
        if self._accept("?") and not self._accept(":"):
            raise _UnsupportedPatternError
        inner = self.alternatives()
        if not self._accept(")"):
            raise _UnsupportedPatternError
        return f"({inner})"

    def _escape(self) -> str:
        char = self._next()
        if char in _CLASSES:
            return f"[{_CLASSES[char]}]"
        if char.lower() in _CLASSES:
            return f'[^{_CLASSES[char.lower()]}"\\\\\\x00-\\x1F]'
        return _literal(self._read_escaped_character(char))

    def _read_escaped_character(self, char: str) -> str:
        """The character that an escape stands for."""
        if char in "xu":
            digits = "".join(self._next() for _ in range(2 if char == "x" else 4))
            try:
                return chr(int(digits, 16))
            except ValueError as error:
                raise _UnsupportedPatternError from error
        if char.isalnum():
            raise _UnsupportedPatternError
        return char

    def _quantifier(self) -> str:
        if not self.is_at_end and self._text[self._at] in "*+?":
            quantifier = self._next()
        elif self._accept("{"):
            end = self._text.index("}", self._at) if "}" in self._text[self._at :] else -1
            counts = self._text[self._at : end].split(",") if end >= 0 else []
            if not counts or len(counts) > 2 or not counts[0].isdigit() or not (counts[-1] or "0").isdigit():  # noqa: PLR2004
                raise _UnsupportedPatternError
            self._at = end + 1
            quantifier = f"{{{','.join(counts)}}}"
        else:
            return ""
        # Lazy or greedy: the matched texts are the same.
        self._accept("?")
        if not self.is_at_end and self._text[self._at] in "*+?{":
            raise _UnsupportedPatternError
        return quantifier

    def _class(self) -> str:
        negated = self._accept("^")
        pieces: list[str] = []
        while not self._accept("]"):
            pieces.append(self._member())
        if negated:
            return f'[^{"".join(pieces)}"\\\\\\x00-\\x1F]'
        allowed = [piece for piece in pieces if piece not in ("\\x22", "\\x5C")]
        if not allowed:
            raise _UnsupportedPatternError
        return f"[{''.join(allowed)}]"

    def _member(self) -> str:
        """Parse one member of a class, which may be a range."""
        char = self._next()
        if char == "\\":
            char = self._next()
            if char in _CLASSES:
                return _CLASSES[char]
            char = self._read_escaped_character(char)
        first = char
        if self._text[self._at] != "-" or self._text[self._at + 1] == "]":
            return _in_class(first)
        self._at += 1
        last = self._next()
        if last == "\\":
            last = self._read_escaped_character(self._next())
        spans = first <= last and first >= " " and not any(first <= forbidden <= last for forbidden in _FORBIDDEN)
        if not spans:
            raise _UnsupportedPatternError
        return f"{_in_class(first)}-{_in_class(last)}"


def _literal(char: str) -> str:
    if char in _FORBIDDEN or char < " ":
        raise _UnsupportedPatternError
    return char if char.isalnum() else f"[{_in_class(char)}]"


def _in_class(char: str) -> str:
    if char < " ":
        raise _UnsupportedPatternError
    return char if char.isalnum() or ord(char) > 0x7F else f"\\x{ord(char):02X}"  # noqa: PLR2004 - the end of ASCII
