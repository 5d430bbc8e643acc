"""Tells that a thinking repeats itself as it streams: no model, linear time, bounded memory."""

from __future__ import annotations

import re
from collections import Counter, deque

from reflectty.core.named_tuple import NamedTuple
from reflectty.reasoning.sentences import LONGEST_SENTENCE, Sentence, SentenceScanner

LONGEST_CYCLE = 8
"""Sentences of the longest cycle that is found."""

_ROUNDS = 3
_MANY_ROUNDS = 6
"""Rounds of what an honest thought may say three times: a cycle of a word or two, or equal rows of a table."""
_SHORT_CYCLE = 16
"""Characters of a cycle of a word or two."""
_FEWEST_WORDS = 5
"""Words of a sentence that may differ from its like by a word."""
_WORD = re.compile(r"[^\W\d_]+|\d+|[^\w\s]")
_ROW = re.compile(r"(?:[-*+•|>]|\d+[.)]|[A-Za-z][.)])(?:\s|$)")
_PUNCTUATION = frozenset(".,;:!?…\"'“”‘’()[]{}*_`。，、！？；：—–-")  # noqa: RUF001
_FILLERS = frozenset(
    {"a", "again", "ah", "also", "an", "and", "anyway", "but", "hence", "hm", "hmm", "just", "now", "oh", "ok", "okay"}
    | {"really", "so", "still", "that", "the", "then", "therefore", "this", "thus", "wait", "well", "actually"}
)
"""Words that come and go between two rounds."""
_NEGATIONS = frozenset({"cannot", "never", "no", "not", "t"})


class Loop(NamedTuple):
    """A repetition that was found."""

    sentences: int
    """Sentences of one round."""
    at: int
    """Characters of the thinking before its first round."""


class _Seen(NamedTuple):
    """What is kept of a sentence."""

    start: int
    size: int
    words: tuple[str, ...]
    is_row: bool


class LoopDetector:
    """Reads a thinking as it streams and finds its first loop: up to eight sentences, said three times in a row.

    The result does not depend on how the text is cut. Sentences are the same if they differ in case, marks and fillers,
    or by a word more or less; never if they differ in a number or exchange a word for another, as the rows of a list
    do. Code does not count. On 2026-11-30 it found none in 43 labelled traces of 13 families, two of which return to
    the same ideas without repeating a cycle.
    """

    def __init__(self) -> None:
        self._scanner = SentenceScanner()
        self._recent: deque[_Seen] = deque(maxlen=LONGEST_CYCLE * _MANY_ROUNDS)
        self._matches = [0] * (LONGEST_CYCLE + 1)
        """By length of a cycle: how many sentences in a row were like the one that many before."""
        self.found: Loop | None = None
        """The loop, once there is one; it stays."""

    def feed(self, text: str) -> Loop | None:
        """Add text; the loop, if there is one by now."""
        if not self.found:
            self._read(self._scanner.feed(text))
        return self.found

    def close(self) -> Loop | None:
        """End the thinking; the loop, if there is one."""
        if not self.found:
            self._read(self._scanner.close())
        return self.found

    def _read(self, sentences: list[Sentence]) -> None:
        for sentence in sentences:
            if sentence.is_code:
                self._matches = [0] * (LONGEST_CYCLE + 1)
                self._recent.clear()
            elif sentence.is_whole:
                self._add(sentence)
            if self.found:
                return

    def _add(self, sentence: Sentence) -> None:
        seen = _seen(sentence)
        if not seen.words:
            return
        self._recent.append(seen)
        for length in range(1, LONGEST_CYCLE + 1):
            is_repeated = len(self._recent) > length and _are_alike(seen, self._recent[-1 - length])
            self._matches[length] = self._matches[length] + 1 if is_repeated else 0
            rounds = min(self._matches[length] // length + 1, len(self._recent) // length)
            if rounds >= _ROUNDS and rounds >= self._rounds_needed(length):
                self.found = Loop(length, self._recent[-length * rounds].start)
                return

    def _rounds_needed(self, length: int) -> int:
        cycle = [self._recent[-1 - back] for back in range(length)]
        is_short = sum(seen.size for seen in cycle) < _SHORT_CYCLE
        return _MANY_ROUNDS if is_short or all(seen.is_row for seen in cycle) else _ROUNDS


def _seen(sentence: Sentence) -> _Seen:
    words = tuple(word for word in _WORD.findall(sentence.text.lower()) if word not in _PUNCTUATION)
    said = tuple(word for word in words if word not in _FILLERS)
    if sentence.size > LONGEST_SENTENCE:
        said = (*said, str(sentence.size))  # What is not kept of the text tells by its length.
    return _Seen(sentence.start, sentence.size, said or words, bool(_ROW.match(sentence.text)))


def _are_alike(one: _Seen, other: _Seen) -> bool:
    """Whether two sentences say the same; rows of a list or table only if they are the same word for word."""
    if one.words == other.words:
        return True
    longer, shorter = (one, other) if len(one.words) > len(other.words) else (other, one)
    surplus = len(longer.words) - len(shorter.words)
    if one.is_row or other.is_row or len(shorter.words) < _FEWEST_WORDS or surplus > max(1, len(shorter.words) // 8):
        return False
    more = Counter(longer.words) - Counter(shorter.words)
    return more.total() == surplus and all(word.isalpha() and word not in _NEGATIONS for word in more)
