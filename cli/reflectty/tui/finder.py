"""Finds words in the open conversation: marks them, counts them, and goes from one match to the next."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError
from reflectty.view.parts import QuestionPart
from reflectty.view.reply_part import ReplyPart

if TYPE_CHECKING:
    from reflectty.tui.widgets.transcript import Transcript
    from reflectty.view.parts import Part


class Finder:
    """Finds words in the questions, the thinking and the answers of a transcript.

    Args:
        transcript: the widget that shows and marks them.
    """

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._current: tuple[Part, int] | None = None
        """The part and the number in it of the match that was gone to last."""

    @property
    def is_active(self) -> bool:
        """Whether words are marked."""
        return self._transcript.marked_pattern is not None

    def begin(self, words: str) -> None:
        """Mark the words, in any case and with any blanks between them, and go to the last match.

        Raises:
            UsageError: they occur nowhere.
        """
        pattern = re.compile(r"\s+".join(map(re.escape, words.split())), re.IGNORECASE)
        if not self._matches_of(pattern):
            raise UsageError(f"{words.strip()!r} is not in this conversation")
        self._transcript.mark(pattern)
        self._current = None
        self.move(-1)

    def move(self, direction: int) -> None:
        """Go to the next or the previous match, around the ends."""
        matches = self._matches
        if matches:
            at = matches.index(self._current) + direction if self._current in matches else min(direction, 0)
            self._current = matches[at % len(matches)]
            self._transcript.go_to_match(*self._current)

    def end(self) -> None:
        """Mark nothing any more."""
        self._transcript.mark(None)

    @property
    def position(self) -> str:
        """The number of the match that was gone to, and their total."""
        matches = self._matches
        number = matches.index(self._current) + 1 if self._current in matches else 0
        return f"{number} of {len(matches)}"

    @property
    def _matches(self) -> list[tuple[Part, int]]:
        pattern = self._transcript.marked_pattern
        return self._matches_of(pattern) if pattern else []

    def _matches_of(self, pattern: re.Pattern[str]) -> list[tuple[Part, int]]:
        """All matches from the top, each with its part and its number there."""
        return [
            (part, number)
            for part in self._transcript.parts
            for number, _ in enumerate(match for text in _texts_of(part) for match in pattern.finditer(text))
        ]


def _texts_of(part: Part) -> tuple[str, ...]:
    if isinstance(part, ReplyPart):
        return part.texts
    return (part.text,) if isinstance(part, QuestionPart) else ()
