"""Tasks that hand over a text: another case, tense or number, corrections, politeness, a summary, a translation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mini.example import Example, Piece, step
from mini.talk_words import capital, erred, errs, other, rows, spoken

if TYPE_CHECKING:
    from random import Random

_UPPER = (
    "Write in capital letters: {}",
    "Convert to upper case: {}",
    "Make this uppercase: {}",
    "Put this in capitals: {}",
    "Please write this in upper case: {}",
    "Change to capital letters: {}",
    "In capitals, please: {}",
    "Rewrite in uppercase: {}",
)
_LOWER = tuple(
    way.replace("in capitals", "in small letters")
    .replace("In capitals", "In small letters")
    .replace("capital letters", "small letters")
    .replace("upper case", "lower case")
    .replace("uppercase", "lowercase")
    for way in _UPPER
)
_CORRECT = (
    "Correct this sentence: {}",
    "Fix the mistake: {}",
    "Fix the spelling and grammar: {}",
    "What is wrong here, and how is it right: {}",
    "Please correct: {}",
    "Proofread this: {}",
    "Find and fix the error: {}",
    "Write this correctly: {}",
    "Can you fix this sentence: {}",
)
_POLITE = (
    "Make this polite: {}",
    "Say this more politely: {}",
    "Rewrite politely: {}",
    "How do I say this politely: {}",
    "Please make this sound polite: {}",
    "Turn this into a polite request: {}",
    "Make it friendlier: {}",
    "A more polite version, please: {}",
)
_PAST = (
    "Put this into the past tense: {}",
    "Write in the past tense: {}",
    "Past tense: {}",
    "Change to the past: {}",
    "Rewrite in the past tense: {}",
    "Make this past tense: {}",
    "Please turn this into the past: {}",
    "How is this in the past tense: {}",
)
_MANY = (
    "Put this into the plural: {}",
    "Write in the plural: {}",
    "Plural: {}",
    "Change to the plural: {}",
    "Rewrite in the plural: {}",
    "Make this plural: {}",
    "Please turn this into the plural: {}",
    "How is this in the plural: {}",
)
_SHORT = (
    "Summarise in one sentence: {}",
    "Summarize this: {}",
    "Sum this up in one sentence: {}",
    "Shorten this to one sentence: {}",
    "Please summarise: {}",
    "What does this say, in one sentence: {}",
    "TL;DR: {}",
    "Give me a one-sentence summary of this: {}",
)
_MEAN = (
    'What does the {1} word "{0}" mean?',
    'What is the {1} "{0}" in English?',
    'Translate "{0}" into English.',
    'Translate the {1} "{0}" into English.',
    'What does "{0}" mean in {1}?',
    'How do you say the {1} "{0}" in English?',
    'The {1} "{0}" in English?',
    'Tell me what "{0}" means in {1}.',
)
_BACK = 0.25
_MISTYPED = 0.5
_LONG = 5
"""A word of so many letters can still be read with one of them wrong."""
_LANGUAGES = ("German", "French", "Spanish", "Italian")
_SAY = (
    "Translate {} into {}.",
    "Translate {} to {}.",
    "What is {} in {}?",
    "How do you say {} in {}?",
    "Say {} in {}.",
    "How is {} called in {}?",
    "{} in {}?",
    "Tell me {} in {}.",
    "Please translate {} into {}.",
)


def _sentences() -> list[str]:
    changed = [row[1] for row in rows("past.txt") + rows("misspelled.txt")]
    return changed + [row[2] for row in rows("moods.txt")] + [row[0] for row in rows("polite.txt") + rows("past.txt")]


def case(rng: Random) -> Example:
    """Return a text to write in large or in small letters."""
    sentence = rng.choice(_sentences())
    upper = rng.random() < 0.5
    done = sentence.upper() if upper else sentence.lower()
    size = "large" if upper else "small"
    given = sentence if upper or rng.random() < 0.3 else sentence.upper()
    thought = [step(f"Every letter becomes {size}; words and marks stay.")]
    if errs(rng):
        thought += erred(given, f"These letters are as they were. They must become {size}: {done}")
    return Example("case", rng.choice(_UPPER if upper else _LOWER).format(given), tuple(thought), done, done)


def correct(rng: Random) -> Example:
    """Return a sentence with a mistake to put right."""
    wrong, right, change = _mistyped(rng) if rng.random() < _MISTYPED else rng.choice(rows("misspelled.txt"))
    before, after = change.split(": ")
    thought = [step(f"I read it word by word: {wrong}")]
    if errs(rng):
        thought += erred("I see no mistake.", f'There is one: "{before}" is wrong, it must be "{after}".')
    else:
        thought.append(step(f'"{before}" is wrong; right is "{after}".'))
    return Example("correct", rng.choice(_CORRECT).format(wrong), tuple(thought), right, right)


def _mistyped(rng: Random) -> tuple[str, ...]:
    """Return a sentence in which two letters of a word have changed places, or one is missing or doubled."""
    right = rng.choice([sentence for sentence in _sentences() if _long(sentence)])
    word = rng.choice(_long(right))
    place = rng.choice([i for i in range(1, len(word) - 2) if word[i] != word[i + 1]])
    first, second = word[place], word[place + 1]
    typed = word[:place] + rng.choice((second + first, second, first + first + second)) + word[place + 2 :]
    return right.replace(word, typed, 1), right, f"{typed}: {word}"


def _long(sentence: str) -> list[str]:
    return [word for word in re.findall(r"\w+", sentence) if len(word) >= _LONG and sentence.count(word) == 1]


def polite(rng: Random) -> Example:
    """Return a blunt sentence to say politely."""
    blunt, kind = rng.choice(rows("polite.txt"))
    thought = (step(f"This is blunt: {blunt}"), step("A request as a question, or a softer word, keeps the meaning."))
    return Example("polite", rng.choice(_POLITE).format(blunt), thought, kind, "")


def past(rng: Random) -> Example:
    """Return a sentence to put into the past tense."""
    return _changed(rng, "past", _PAST, "The verb goes into the past")


def many(rng: Random) -> Example:
    """Return a sentence to put into the plural."""
    return _changed(rng, "plurals", _MANY, "The noun becomes many, and the verb goes with it")


def _changed(rng: Random, name: str, ways: tuple[str, ...], rule: str) -> Example:
    before, after, change = rng.choice(rows(f"{name}.txt"))
    old, new = change.split(": ")
    thought = [step(f"{rule}.")]
    if errs(rng):
        thought += erred(f"It stays: {before}", f'No, "{old}" has to change: it becomes "{new}".')
    else:
        thought.append(step(f'"{old}" becomes "{new}".'))
    return Example(f"{name}_sentence", rng.choice(ways).format(before), tuple(thought), after, after)


def summary(rng: Random) -> Example:
    """Return a few sentences to say in one."""
    given, point, short = rng.choice(rows("summaries.txt"))
    thought = (step(f"The main point: {point}"), step("I say it in one sentence."))
    return Example("summary", rng.choice(_SHORT).format(given), thought, short, "")


def translate(rng: Random) -> Example:
    """Return a word or a phrase to translate."""
    row = rng.choice(rows("translations.txt") if rng.random() < 0.7 else rows("phrases.txt"))
    number = rng.randrange(4)
    if rng.random() < _BACK:
        return _back(rng, row, number)
    english, language, foreign = row[0], _LANGUAGES[number], row[number + 1]
    named = f'"{english}"' if rng.random() < 0.6 or " " in english else english
    question = rng.choice(_SAY).format(named, language)
    thought = [step(f'"{english}" is wanted in {language}.'), *_found(rng, row, number)]
    answer = f'"{english}" is "{foreign}" in {language}.' if rng.random() < 0.6 else foreign
    return Example(
        "translate", question if '"' in named else spoken(rng, capital(question)), tuple(thought), answer, foreign
    )


def _back(rng: Random, row: tuple[str, ...], number: int) -> Example:
    english, language, foreign = row[0], _LANGUAGES[number], row[number + 1]
    if sum(word == foreign for word in row[1:]) > 1 or foreign.casefold() == english.casefold():
        return translate(rng)
    question = rng.choice(_MEAN).format(foreign, language)
    thought = (step(f'"{foreign}" is {language}.'), step(f'In English one says "{english}".'))
    return Example("translate", question, thought, f'"{foreign}" is {language} and means "{english}".', english)


def _found(rng: Random, row: tuple[str, ...], number: int) -> list[Piece]:
    foreign, language = row[number + 1], _LANGUAGES[number]
    falls = [name for name, word in zip(_LANGUAGES, row[1:], strict=True) if word != foreign]
    if not falls or not errs(rng):
        return [step(f'In {language} one says "{foreign}".')]
    its = other(rng, falls)
    wrong = row[_LANGUAGES.index(its) + 1]
    return erred(f'In {language} one says "{wrong}".', f'"{wrong}" is {its}. In {language} one says "{foreign}".')
