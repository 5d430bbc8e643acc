"""How the final answers of a probe are read, compared and graded."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class AnswerJudge(NamedTuple):
    """How final answers are read, compared and graded."""

    read: Callable[[str], str]
    """Reads the answer that a text states; empty if it states none."""
    is_same: Callable[[str, str], bool]
    is_right: Callable[[str], bool] | None = None
    """Grades the text of a final answer; None without a key."""


def judge_for(key: str = "") -> AnswerJudge:
    """The judge for the answers to one question; `key` is the right one, empty if it is unknown."""
    return AnswerJudge(_words_of, _has_same_words, partial(_has_same_words, key) if key else None)


def _words_of(text: str) -> str:
    return " ".join(text.split())


def _has_same_words(one: str, other: str) -> bool:
    return _words_of(one).casefold().rstrip(".") == _words_of(other).casefold().rstrip(".")
