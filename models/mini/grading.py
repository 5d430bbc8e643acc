"""Whether a reply has all of its tags, and whether its answer is right; asks no model."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

NUMBER: Final = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?!\w)(?!\.\d)")
WHOLE: Final = re.compile(
    r"<thinking>\n(?P<thinking>.*?)</thinking>\s*<output>\n?(?P<answer>.*?)\n?</output>\s*", re.DOTALL
)
REFLECTION: Final = re.compile(r"<reflection>\n(.*?)\n</reflection>\n", re.DOTALL)


class Graded(NamedTuple):
    """What was found of one reply."""

    complete: bool
    """Whether it is thinking and then an answer, each opened and closed, and reflections likewise."""
    right: bool
    corrections: int
    answer: str


def graded(text: str, question: str, target: str) -> Graded:
    """Return what a reply is worth; of one without its tags, the whole text counts as the answer."""
    whole = WHOLE.fullmatch(text)
    answer = whole["answer"] if whole else text
    thinking = whole["thinking"] if whole else ""
    bare = REFLECTION.sub("", thinking)
    complete = whole is not None and "<" not in bare.replace("< ", "") and bool(answer.strip())
    return Graded(complete, says(answer, question, target), len(REFLECTION.findall(thinking)), answer.strip())


def says(answer: str, question: str, target: str) -> bool:
    """Whether an answer says what it should; where only its form counts, whether there is one."""
    if not target:
        return bool(answer.strip())
    if NUMBER.fullmatch(target):
        return _names(answer, question, target)
    pattern = rf"(?<!\w){re.escape(target)}(?!\w)"
    return re.search(pattern, answer, re.IGNORECASE) is not None


def _names(answer: str, question: str, target: str) -> bool:
    """Whether a number is the one that the answer names: what it repeats of the question does not count."""
    asked = {float(number) for number in _numbers(question)}
    numbers = [float(number) for number in _numbers(answer.rpartition("=")[2])]
    if float(target) in asked:
        return numbers[:1] == [float(target)]
    return {number for number in numbers if number not in asked} == {float(target)}


def _numbers(text: str) -> list[str]:
    without = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", text)
    return NUMBER.findall(without)
