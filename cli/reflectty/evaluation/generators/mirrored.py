"""Mirrored writing: words, numbers and sentences backwards, and words in the reverse order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.evaluation.generators.draw import Problem
from reflectty.evaluation.generators.words import WORDS
from reflectty.reasoning.stated_answers import AnswerKind

if TYPE_CHECKING:
    from reflectty.evaluation.generators.draw import Draw

_DIGITS: Final = (4, 6, 8, 11, 14)
"""Digits of a number, by level."""


def make_mirrored(draw: Draw, level: int) -> Problem:
    """Something to be written the other way round."""
    makers = (_word, _number, _every_word, _word_order) if level > 1 else (_word, _number)
    return draw.pick(makers)(draw, level)


def _word(draw: Draw, level: int) -> Problem:
    words = " ".join(draw.several(_known_words(level), 1 if level < 4 else level - 2))
    asked = draw.pick(
        ('Write "{}" backwards, from its last letter to its first.', 'Spell "{}" in reverse, letter by letter.')
    )
    return Problem(asked.format(words), words[::-1], AnswerKind.CASEFOLD)


def _number(draw: Draw, level: int) -> Problem:
    digits = "".join(str(draw.between(1, 9)) for _ in range(_DIGITS[level - 1]))
    question = f"Write the digits of {digits} in reverse order, as one number."
    return Problem(question, digits[::-1], AnswerKind.CASEFOLD)


def _every_word(draw: Draw, level: int) -> Problem:
    words = draw.several(_known_words(level), min(level, 4))
    question = f'Write each word of "{" ".join(words)}" backwards, but keep the order of the words.'
    return Problem(question, " ".join(word[::-1] for word in words), AnswerKind.CASEFOLD)


def _word_order(draw: Draw, level: int) -> Problem:
    words = draw.several(_known_words(level), level + 2)
    question = f'Write the words of "{" ".join(words)}" in the reverse order, without changing the words themselves.'
    return Problem(question, " ".join(reversed(words)), AnswerKind.CASEFOLD)


def _known_words(level: int) -> list[str]:
    """The words of a level, in small letters, but not the longest: those are hard enough to copy."""
    return [word.lower() for word in WORDS[min(level, 4) - 1]]
