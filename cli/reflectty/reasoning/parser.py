"""Parses a reply's text into segments of thinking, reflection and answer, independent of chunk boundaries.

`StreamParser` takes the content and the `thinking` field that a server sends, and each call returns the events that
are now certain enough to show. It holds back at most 80 characters and the white space after a word; `close` emits
them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.segments import Event, Kind, Reclassification, Segment
from reflectty.reasoning.blocks import BlockBuilder
from reflectty.reasoning.families import THINKING_FIELD_FAMILY
from reflectty.reasoning.scanner import Scanner

if TYPE_CHECKING:
    from reflectty.reasoning.families import Family

_new = tuple.__new__

__all__ = ["Event", "Kind", "Reclassification", "Segment", "StreamParser"]


class StreamParser:
    """Parses one reply; `prefilled` if the prompt has opened the thinking already."""

    def __init__(self, family: Family, *, prefilled: bool = False) -> None:
        self._blocks = BlockBuilder()
        self._content = Scanner(family, self._blocks, start_in=Kind.THINKING if prefilled else None)
        self._field: Scanner | None = None
        self._active: Scanner = self._content
        self._preceding = self._content.context.preceding
        self._stable_segment: Segment | None = None
        self._search_special = self._content.search_special

    @property
    def kind(self) -> Kind:
        """The kind of text at this position."""
        return self._active.kind

    @property
    def family(self) -> Family:
        """The family whose markers the content is parsed by."""
        return self._content.family

    @property
    def has_markers(self) -> bool:
        """Whether the reply had any marker or `thinking` field."""
        return self._content.has_markers or self._field is not None

    def feed(self, content: str) -> tuple[Event, ...]:
        """Parse the next piece of the content."""
        # Most pieces are a word in the middle of a line, which only adds text.
        if (
            (steady := self._stable_segment)
            and content
            and not self._search_special(content)
            and not content[-1].isspace()
        ):
            self._preceding.last = content
            # A third faster than calling Segment, on the path of almost every token.
            return (_new(Segment, (steady[0], content, steady[2], steady[3], steady[4])),)
        if content:
            self._switch_to(self._content)
            self._content.feed(content)
        events = self._blocks.take_events()
        self._stable_segment = (
            self._blocks.open_segment if self._active is self._content and self._content.is_stable else None
        )
        self._search_special = self._content.search_special
        return events

    def feed_thinking(self, thinking: str) -> tuple[Event, ...]:
        """Parse the next piece of the `thinking` field."""
        self._stable_segment = None
        if thinking:
            if self._field is None:
                self._field = Scanner(THINKING_FIELD_FAMILY, self._blocks, base=Kind.THINKING)
                self._content.note_separate_thinking()
            self._switch_to(self._field)
            self._field.feed(thinking)
        return self._blocks.take_events()

    def close(self, *, complete: bool = True) -> tuple[Event, ...]:
        """End the reply, and emit the held text.

        Args:
            complete: whether the reply is not cut; then unclosed thinking in an answer is text, too.
        """
        self._active.close()
        if complete:
            self._content.revert_unclosed_thinking()
        return self._blocks.take_events()

    def _switch_to(self, scanner: Scanner) -> None:
        if scanner is self._active:
            return
        if self._active is self._content:
            self._content.close()
            self._content.confirm_thinking()
            self._blocks.end_block()
        else:
            self._active.close_blocks()
        self._active = scanner
