"""Turns a reply's text into segments of thinking, reflection and answer; no I/O, and the same however it is cut.

`StreamParser` is fed what a server sends, content and `thinking` field alike, and closed; each call returns the
events that have become certain enough to be shown. Nothing is lost at the end; at most 80 characters are held
back, and the white space behind a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.families import FIELD
from reflectty.stream.blocks import Blocks
from reflectty.stream.scanner import Scanner
from reflectty.stream.segments import Event, Kind, Reclassified, Segment

if TYPE_CHECKING:
    from reflectty.families import Family

_new = tuple.__new__

__all__ = ["Event", "Kind", "Reclassified", "Segment", "StreamParser"]


class StreamParser:
    """Reads one reply; `prefilled` when the prompt has opened the thinking already."""

    def __init__(self, family: Family, *, prefilled: bool = False) -> None:
        self._blocks = Blocks()
        self._content = Scanner(family, self._blocks, start_in=Kind.THINKING if prefilled else None)
        self._field: Scanner | None = None
        self._speaks: Scanner = self._content
        self._before = self._content.at.before
        self._steady: Segment | None = None
        self._disturbs = self._content.disturbs

    @property
    def kind(self) -> Kind:
        """What text would be that came now."""
        return self._speaks.kind

    @property
    def family(self) -> Family:
        """Whose markers the content is read by."""
        return self._content.family

    @property
    def marked(self) -> bool:
        """Whether the reply had any marker or `thinking` field."""
        return self._content.counted or self._field is not None

    def feed(self, content: str) -> tuple[Event, ...]:
        """Take the next piece of the content."""
        # Most pieces are a word in the middle of a line: they change nothing but the text.
        if (steady := self._steady) and content and not self._disturbs(content) and not content[-1].isspace():
            self._before.last = content
            # A third faster than calling Segment, and this is every token's way.
            return (_new(Segment, (steady[0], content, steady[2], steady[3], steady[4])),)
        if content:
            self._turn_to(self._content)
            self._content.feed(content)
        events = self._blocks.take()
        self._steady = self._blocks.open if self._speaks is self._content and self._content.steady else None
        self._disturbs = self._content.disturbs
        return events

    def feed_thinking(self, thinking: str) -> tuple[Event, ...]:
        """Take the next piece of the `thinking` field."""
        self._steady = None
        if thinking:
            if self._field is None:
                self._field = Scanner(FIELD, self._blocks, base=Kind.THINKING)
                self._content.settle()
            self._turn_to(self._field)
            self._field.feed(thinking)
        return self._blocks.take()

    def close(self, *, whole: bool = True) -> tuple[Event, ...]:
        """End the reply: what was held back is text after all.

        Args:
            whole: whether nothing of it is missing; then a thinking in an answer that never closed is text, too.
        """
        self._speaks.close()
        if whole:
            self._content.give_back()
        return self._blocks.take()

    def _turn_to(self, scanner: Scanner) -> None:
        if scanner is self._speaks:
            return
        if self._speaks is self._content:
            self._content.close()
            self._content.believe()
            self._blocks.end()
        else:
            self._speaks.leave()
        self._speaks = scanner
