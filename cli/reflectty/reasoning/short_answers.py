"""Reads the short answer that a reply states, whatever its kind, so that replies to the same question can be counted.

Nothing is known of the question, so the reading is careful: an explicit statement, else a reply that is short enough to
be nothing but an answer, else the number of a last sentence that draws the conclusion. Anything else is prose.
"""

from __future__ import annotations

import re
from typing import Final

from reflectty.reasoning.numbers import number_alone, numbers_in
from reflectty.reasoning.stated_answers import AnswerKind, StatementRule, final_answer, same_answer, stated_answers

LONGEST_ANSWER: Final = 80
"""Characters of an answer."""
LONGEST_SENTENCE: Final = 400
"""Characters of a sentence that draws a conclusion."""
_FENCE: Final = "```"
"""Code is no calculation."""
_EXPLICIT: Final = (StatementRule.BOXED, StatementRule.ANSWER_LINE, StatementRule.SENTENCE, StatementRule.HASHES)
_MARKS: Final = " \t*_`~\"'“”\u2018\u2019#>"
_CONCLUDES: Final = re.compile(
    r"(?:so|thus|therefore|hence|in total|altogether|finally|overall|in conclusion|as a result|consequently"
    r"|(?:the|this) (?:total|sum|result|difference|product|answer|means|gives|makes|leaves))\b",
    re.IGNORECASE,
)
_ASSERTS: Final = re.compile(
    r"(?:\b(?:is|are|was|were|be|has|have|had|gets?|got|makes?|made|leaves?|left|left with|equals?|needs?|takes?|took"
    r"|costs?|earns?|spends?|saves?|pays?|gives?|of|about|exactly|approximately)|[=≈:→])[\s*_$£€¥(\\]{1,8}$",
    re.IGNORECASE,
)
"""What stands before a number that a sentence is about."""
_EQUALS: Final = re.compile(r"[=≈](?=[^=≈]*$)")
"""The last equals sign of a calculation, which ends in its result."""
_SENTENCE_START: Final = re.compile(r"(?<=[.!?])\s+(?=[A-Z*_$\\])")


def short_answer(text: str) -> str:
    """The short answer of a reply; empty if it is prose that states none."""
    if any(stated.rule in _EXPLICIT for stated in stated_answers(text, AnswerKind.CASEFOLD)):
        return _explicit_answer(text)
    if "####" in text and (hashes := final_answer(text, AnswerKind.NUMBER)) and hashes.rule is StatementRule.HASHES:
        return hashes.text
    bare = text.strip().strip(_MARKS)
    lines = [line.strip().strip(_MARKS) for line in bare.splitlines() if line.strip(_MARKS)]
    if len(lines) == 1 and len(bare) <= LONGEST_ANSWER:
        return _asserted_number(bare) or bare.rstrip(" .!")
    last = _SENTENCE_START.split(lines[-1])[-1].strip(_MARKS) if lines else ""
    is_conclusion = len(last) <= LONGEST_SENTENCE and bool(_CONCLUDES.match(last) or _EQUALS.search(last))
    return _asserted_number(last) if is_conclusion and _FENCE not in text else ""


def _explicit_answer(text: str) -> str:
    """The latest explicit statement, as a number if it is one with its unit; empty if it is too long to be short."""
    stated = stated_answers(text, AnswerKind.CASEFOLD)[-1].text.strip()
    number = number_alone(stated)
    if number:
        return stated[number.start : number.end]
    return stated if len(stated) <= LONGEST_ANSWER else ""


def _asserted_number(sentence: str) -> str:
    """The only number of a short text, or the last one that a sentence asserts; empty if there is none."""
    if number := number_alone(sentence.rstrip(" .!")):
        return sentence[number.start : number.end]
    equals, numbers = _EQUALS.search(sentence), tuple(numbers_in(sentence))
    if equals:
        asserted = [number for number in numbers if number.start >= equals.start()][:1]
    else:
        asserted = [number for number in numbers if _ASSERTS.search(sentence, 0, number.start)][-1:]
    return "".join(sentence[number.start : number.end] for number in asserted)


def is_same_answer(one: str, other: str) -> bool:
    """Whether two short answers are the same: numbers of the same value, or texts without case and marks."""
    return same_answer(one, other, AnswerKind.NUMBER)
