"""Reads the answers that a text states: an explicit statement, else, as a weak reading, its last number or letter."""

from __future__ import annotations

from enum import StrEnum

from reflectty.core.named_tuple import NamedTuple


class AnswerKind(StrEnum):
    """What an answer is, and so how it is read and compared."""

    NUMBER = "number"
    CHOICE = "choice"
    """A letter."""
    MATH = "math"
    """LaTeX."""
    EXACT = "exact"
    CASEFOLD = "casefold"
    CONTAINS = "contains"
    REGEX = "regex"


class StatementRule(StrEnum):
    """How an answer was stated; the last two are fallbacks, and weak."""

    BOXED = "boxed"
    ANSWER_LINE = "answer-line"
    SENTENCE = "sentence"
    """The (final, correct, best) answer is …"""
    HASHES = "hashes"
    """#### 42, as the solutions of GSM8K end."""
    WHOLE = "whole"
    """The text is nothing but the answer."""
    LAST_NUMBER = "last-number"
    LAST_LETTER = "last-letter"


class StatedAnswer(NamedTuple):
    """An answer that a text states, without its decoration, and where it stands, in characters."""

    text: str
    rule: StatementRule
    start: int
    end: int
