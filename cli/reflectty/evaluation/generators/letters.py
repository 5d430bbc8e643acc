"""Letters: how often one occurs in words, which one stands at a place, how many vowels there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.evaluation.generators.draw import Problem
from reflectty.evaluation.generators.words import WORDS
from reflectty.reasoning.stated_answers import AnswerKind

if TYPE_CHECKING:
    from reflectty.evaluation.generators.draw import Draw

VOWELS: Final = "aeiou"
_ORDINALS: Final = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def make_letters(draw: Draw, level: int) -> Problem:
    """A question about the letters of one word or of several."""
    return draw.pick((_occurrences, _occurrences, _vowels, _place, _length))(draw, level)


def phrase_of(draw: Draw, level: int) -> str:
    """One word of a level, or, from the third on, sometimes several of the levels below; all in small letters."""
    if level < 3 or draw.chance(0.4):
        return draw.pick(WORDS[level - 1]).lower()
    words = [word for row in WORDS[: level - 1] for word in row]
    return " ".join(word.lower() for word in draw.several(words, draw.between(2, level)))


def _quoted(phrase: str) -> str:
    return f'the {"words" if " " in phrase else "word"} "{phrase}"'


def _occurrences(draw: Draw, level: int) -> Problem:
    phrase = phrase_of(draw, level)
    present = sorted(set(phrase) - {" "})
    repeated = [letter for letter in present if phrase.count(letter) > 1]
    letter = draw.pick(repeated or present) if draw.chance(0.8) else draw.pick("abcdefghiklmnoprstuvwy")
    question = draw.pick(
        ('How many times does the letter "{}" occur in {}?', 'How many letters "{}" are there in {}?')
    ).format(letter, _quoted(phrase))
    return Problem(question, str(phrase.count(letter)))


def _vowels(draw: Draw, level: int) -> Problem:
    phrase = phrase_of(draw, level)
    question = f"How many vowels (a, e, i, o, u) are there in {_quoted(phrase)}? Count each time one occurs."
    return Problem(question, str(sum(phrase.count(vowel) for vowel in VOWELS)))


def _length(draw: Draw, level: int) -> Problem:
    phrase = phrase_of(draw, level)
    question = f"How many letters are there in {_quoted(phrase)}? Do not count spaces."
    return Problem(question, str(len(phrase.replace(" ", ""))))


def _place(draw: Draw, level: int) -> Problem:
    word = draw.pick(WORDS[level - 1]).lower()
    place = draw.below(min(len(word), len(_ORDINALS)))
    from_end = draw.chance(0.15 * level)
    order = "counted from the end, " if from_end else ""
    letter = word[-1 - place] if from_end else word[place]
    question = f'{order}which is the {_ORDINALS[place]} letter of the word "{word}"? Answer with that letter.'
    return Problem(question[0].upper() + question[1:], letter, AnswerKind.CASEFOLD)
