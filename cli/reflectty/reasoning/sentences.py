"""Cuts a text into sentences as it streams: no I/O, bounded memory, the same sentences however the text is cut.

A sentence ends at a full stop, question or exclamation mark or ellipsis before white space, at the full stops of
Chinese, or at the end of its line.
"""

from __future__ import annotations

import re

from reflectty.core.named_tuple import NamedTuple

OPENING_WORDS = 5
"""Words after which a sentence is given for the first time."""

LONGEST_SENTENCE = 400
"""Characters kept of a sentence."""

_LONGEST_WORD = 64
_TAIL = 8
_LONGEST_QUOTATION = 500
"""Characters after which a quotation mark without its like is no longer waited for."""

_TOKEN = re.compile(r"\n|[^\S\n]+|[。！？]+|[^\s。！？]+")  # noqa: RUF001 - full stops of Chinese
_END = re.compile(r"([.!?…]+)[\"'”’)\]*_]*$")  # noqa: RUF001 - typographic quotation marks
_ABBREVIATION = re.compile(
    r"\W*(?:e\.g|i\.e|etc|vs|dr|mr|mrs|ms|fig|eq|cf|approx|z\.b|d\.h|bzw|ca|nr|st|a\.m|p\.m|u\.a)\.", re.IGNORECASE
)
_NUMBER = re.compile(r"\W*(?:\d{1,3}|[A-Za-z])\.")
_LIST_MARK = re.compile(r"[-*+>]|\d{1,3}[.)]")
_FENCE = re.compile(r"`{3,}|~{3,}")
_QUOTES = "\"'`“‘„«「『>"  # noqa: RUF001


class Sentence(NamedTuple):
    """A sentence, once after its fifth word unless it has ended by then, and once when it has ended."""

    start: int
    """Characters of the text before it."""
    text: str
    """Its first 400 characters, with single spaces between its words."""
    size: int
    """Characters of its words, all of them."""
    is_whole: bool
    opens_paragraph: bool
    is_code: bool
    """Whether it stands in a code fence."""
    is_quoted: bool
    """Whether it begins in a quotation, in inline code, or in a quoted line."""


def _sentence(start: int, *, opens_paragraph: bool = False, is_code: bool = False, is_quoted: bool = False) -> Sentence:
    return Sentence(start, "", 0, is_whole=False, opens_paragraph=opens_paragraph, is_code=is_code, is_quoted=is_quoted)


class SentenceScanner:
    """Cuts a text into sentences in linear time, and keeps no more than one of them."""

    def __init__(self) -> None:
        self._read = 0
        self._line_breaks = 2
        self._is_line_quoted = False
        self._is_line_begun = False
        self._quotation_start: int | None = None
        self._fence = ""
        """The run of characters that opened the fence; empty outside."""
        self._is_fence_fresh = False
        """Whether the fence opened on this line, where it may turn out to be inline code."""
        self._in_word = False
        self._word_start = 0
        self._word = ""
        self._tail = ""
        self._has_pending_end = False
        """Whether the sentence ends in an ellipsis, which ends it unless a lower-case letter follows."""
        self._words = 0
        self._size = 0
        self._sentence = _sentence(0)
        self._found: list[Sentence] = []

    @property
    def read(self) -> int:
        """Characters read so far."""
        return self._read

    @property
    def start(self) -> int:
        """Characters before the sentence that is open; all that were read if none is."""
        if self._words:
            return self._sentence.start
        return self._word_start if self._in_word else self._read

    def feed(self, text: str) -> list[Sentence]:
        """Add text; the sentences that it opens and ends, in order."""
        for token in _TOKEN.finditer(text):
            found = token.group()
            if found == "\n":
                self._end_line()
            elif found.isspace():
                self._end_word()
            elif found[0] in "。！？":  # noqa: RUF001
                self._end_word()
                self._end_sentence(found[0])
            else:
                self._add_to_word(found, self._read + token.start())
        self._read += len(text)
        return self._take()

    def close(self) -> list[Sentence]:
        """End the text; the sentence that it ends, if any."""
        self._end_word()
        self._end_sentence()
        return self._take()

    def _take(self) -> list[Sentence]:
        found, self._found = self._found, []
        return found

    def _add_to_word(self, piece: str, at: int) -> None:
        if not self._in_word:
            self._begin_word(piece[0], at)
        self._size += len(piece)
        if len(self._word) < _LONGEST_WORD:
            self._word += piece[: _LONGEST_WORD - len(self._word)]
        self._tail = (self._tail + piece[-_TAIL:])[-_TAIL:]

    def _begin_word(self, first: str, at: int) -> None:
        if self._has_pending_end and not first.islower():
            self._end_sentence()
        self._has_pending_end = False
        self._in_word = True
        self._word_start = at
        if not self._words:
            if not self._is_line_begun:
                self._is_line_quoted = first == ">"
            is_quoted = self._is_quoting() or self._is_line_quoted or first in _QUOTES
            self._sentence = _sentence(
                at, opens_paragraph=self._line_breaks > 1, is_code=bool(self._fence), is_quoted=is_quoted
            )
            self._line_breaks = self._size = 0

    def _end_word(self) -> None:
        if not self._in_word:
            return
        word, tail = self._word, self._tail
        self._in_word, self._word, self._tail = False, "", ""
        self._note_fence(word, tail)
        self._note_quotation(word)
        self._is_line_begun |= not _LIST_MARK.fullmatch(word)
        self._words += 1
        text = self._sentence.text
        if len(text) < LONGEST_SENTENCE:
            self._sentence = self._sentence._replace(text=f"{text} {word}"[:LONGEST_SENTENCE] if text else word)
        end = _END.search(tail)
        if end and not (end.group(1) == "." and self._is_abbreviation(word)):
            self._has_pending_end = end.group(1).startswith(("..", "…"))
            if not self._has_pending_end:
                self._end_sentence()
        if self._words == OPENING_WORDS:
            self._found.append(self._sentence._replace(size=self._size))

    def _is_abbreviation(self, word: str) -> bool:
        return bool(_ABBREVIATION.fullmatch(word) or (self._words == 1 and _NUMBER.fullmatch(word)))

    def _note_fence(self, word: str, tail: str) -> None:
        if self._fence:
            is_closer = not self._is_line_begun and word.startswith(self._fence) and not word.strip(self._fence[0])
            if is_closer or (self._is_fence_fresh and tail.endswith("```")):
                self._fence = ""
        elif not self._is_line_begun and (run := _FENCE.match(word)) and "`" not in word[run.end() :]:
            self._fence = run.group()
            self._is_fence_fresh = True
            self._sentence = self._sentence._replace(is_code=True)

    def _note_quotation(self, word: str) -> None:
        for char in word:
            if char in "“„" or (char == '"' and not self._is_quoting()):
                self._quotation_start = self._word_start
            elif char in '"”':
                self._quotation_start = None

    def _is_quoting(self) -> bool:
        return self._quotation_start is not None and self._word_start - self._quotation_start < _LONGEST_QUOTATION

    def _end_line(self) -> None:
        self._end_word()
        self._end_sentence()
        self._line_breaks += 1
        self._is_line_begun = self._is_line_quoted = self._is_fence_fresh = False
        self._quotation_start = None

    def _end_sentence(self, stop: str = "") -> None:
        if self._words:
            self._found.append(self._sentence._replace(text=self._sentence.text + stop, size=self._size, is_whole=True))
        self._words = 0
        self._has_pending_end = False
