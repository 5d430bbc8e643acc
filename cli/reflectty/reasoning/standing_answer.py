"""Notices in a thinking, as it streams, that its stated answer has stood: no I/O, linear, however the text is cut.

Only explicit statements count ("the answer is 18", a box, a line `Answer: 18`), not the numbers between them. A
question or a guess never counts for an answer, but one with another answer starts the count again, as does a statement
that cannot be read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.reasoning.letters import comparable, letter_of
from reflectty.reasoning.numbers import single_number
from reflectty.reasoning.sentences import LONGEST_SENTENCE, SentenceScanner
from reflectty.reasoning.stated_answers import AnswerKind, same_answer, stated_answers

if TYPE_CHECKING:
    from reflectty.reasoning.sentences import Sentence

STATEMENTS: Final = 3
"""Statements of the same answer in a row, after which it stands."""
CHARACTERS: Final = 8000
"""Characters of thinking without another answer, after which a statement stands, too."""
_MOST_WORDS: Final = 5
"""The longest answer in words; what is longer is prose."""
SPEAKS_OF_ANSWER: Final = re.compile(r"answer|option|choice|box", re.IGNORECASE)
"""What every statement has."""
_HEADING: Final = re.compile(r"answer[*_`\"]{0,3}\s?[:：][*_`]{0,3}$", re.IGNORECASE)  # noqa: RUF001 - a colon of Chinese
_GUESS: Final = re.compile(
    r"\?[\"'”’)*_]*$|\b(?:if|unless|maybe|perhaps|suppose|assuming|might|could|would|possibly|whether|guess)\b",  # noqa: RUF001
    re.IGNORECASE,
)


class StandingAnswer(NamedTuple):
    """An answer that has stood in a thinking."""

    text: str
    at: int
    """Characters of the thinking at the point where this was noticed."""


class AnswerWatch:
    """Reads a thinking as it streams and finds the first answer that stands.

    Args:
        statements: how often it must be stated in a row.
        characters: after how much thinking without another answer one statement is enough; 0 for never.
    """

    def __init__(self, statements: int = STATEMENTS, characters: int = CHARACTERS) -> None:
        self._statements, self._characters = statements, characters
        self._scanner = SentenceScanner()
        self._heading = ""
        self._answer, self._count, self._since = "", 0, 0
        self.found: StandingAnswer | None = None
        """The answer, once there is one; it stays."""

    def feed(self, text: str) -> StandingAnswer | None:
        """Add text; the answer that stands, if there is one by now."""
        if self.found is None:
            for sentence in self._scanner.feed(text):
                if sentence.is_whole and self._stands_after(sentence):
                    break
        return self.found

    def _stands_after(self, sentence: Sentence) -> bool:
        text, self._heading = f"{self._heading} {sentence.text}".lstrip(), ""
        if not sentence.is_code and not sentence.is_quoted and sentence.size <= LONGEST_SENTENCE:
            if _HEADING.search(text):
                self._heading = text[-LONGEST_SENTENCE:]
            elif SPEAKS_OF_ANSWER.search(text):
                self._weigh(text, sentence.start)
        end = sentence.start + len(sentence.text)
        has_lasted = bool(self._answer and self._characters) and end - self._since >= self._characters
        if self._count >= self._statements or has_lasted:
            self.found = StandingAnswer(self._answer, end)
        return self.found is not None

    def _weigh(self, text: str, start: int) -> None:
        is_guess = _GUESS.search(text) is not None
        for stated in stated_answers(text, AnswerKind.CASEFOLD):
            answer = _readable(stated.text)
            if answer and self._answer and is_same_standing(answer, self._answer):
                self._count += not is_guess
            elif is_guess or not answer:
                self._answer, self._count = "", 0
            else:
                self._answer, self._count, self._since = answer, 1, start


def _readable(stated: str) -> str:
    """A statement as a number, a letter or a few words; empty if it is prose."""
    if number := single_number(stated):
        return stated[number.start : number.end]
    return letter_of(stated) or (stated if 1 <= len(comparable(stated).split()) <= _MOST_WORDS else "")


def is_same_standing(one: str, other: str) -> bool:
    """Whether two answers are the same: numbers of the same value, letters, or texts of which one begins the other."""
    if same_answer(one, other, AnswerKind.NUMBER):
        return True
    first, second = sorted((comparable(one), comparable(other)), key=len)
    return first.isalpha() and len(first) > 1 and second.startswith(f"{first} ")
