"""Grades a reply: right, wrong, no answer, unfinished or failed."""

from __future__ import annotations

from enum import StrEnum

from reflectty.core.named_tuple import NamedTuple


class Verdict(StrEnum):
    """What became of one question in one arm."""

    RIGHT = "right"
    WRONG = "wrong"
    NO_ANSWER = "no-answer"
    """It ended by itself, and states no answer."""
    UNFINISHED = "unfinished"
    """It was cut, or its thinking never closed; a right answer in the thinking does not count."""
    ERROR = "error"
    """The request failed; it is asked again on resuming, and left out pairwise."""


class Grade(NamedTuple):
    """The grade of one text."""

    verdict: Verdict
    given: str = ""
    """The answer that was read; empty if there is none."""
    rule: str = ""
    """The rule that read it, a value of `StatementRule`."""
    is_weak: bool = False
    """Whether it was read by a fallback, or matches only in a tolerant reading."""
