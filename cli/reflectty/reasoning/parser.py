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
from reflectty.reasoning.markers import LONGEST_WORD
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
        # Most pieces are a word in a line of an open block, which only adds text: no scanner needs to see it.
        self._open_content: Segment | None = None
        self._open_thinking: Segment | None = None
        self._trailing_space = self._content.trailing_space
        self._preceding = self._content.context.preceding
        self._pending_space = ""

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
        if (open_segment := self._open_content) and (space := self._trailing_space[content]) is not None:
            if space or self._pending_space:
                return self._extend(open_segment, content, space)
            # The path of almost every token: a call less, and a third faster than calling Segment.
            kind, _, block, tagged, certain = open_segment
            self._preceding.last = content
            return (_new(Segment, (kind, content, block, tagged, certain)),)
        if content:
            self._switch_to(self._content)
            self._content.feed(content)
        return self._take_events(content)

    def feed_thinking(self, thinking: str) -> tuple[Event, ...]:
        """Parse the next piece of the `thinking` field."""
        if (open_segment := self._open_thinking) and (space := self._trailing_space[thinking]) is not None:
            return self._extend(open_segment, thinking, space)
        if thinking:
            if self._field is None:
                self._field = Scanner(THINKING_FIELD_FAMILY, self._blocks, base=Kind.THINKING)
                self._content.note_separate_thinking()
            self._switch_to(self._field)
            self._field.feed(thinking)
        return self._take_events(thinking)

    def _extend(self, open_segment: Segment, text: str, space: str) -> tuple[Event, ...]:
        """Extend the open segment by a text that ends in `space` and has no special character before it."""
        kind, _, block, tagged, certain = open_segment
        if pending := self._pending_space:
            if len(space) == len(text):
                self._pending_space += text
                return ()
            if "\n" in pending:
                self._active.context.position.begin_line(text)
            text = pending + text
        self._pending_space = space
        if space:
            text = text[: -len(space)]
            if not text:
                return ()
        self._preceding.last = text
        return (Segment(kind, text, block, tagged, certain),)

    def _take_events(self, text: str) -> tuple[Event, ...]:
        """Take the events of a text; after a long one the next is probably long, too, and no word to look up."""
        scanner = self._active
        open_segment = self._blocks.open_segment if len(text) <= LONGEST_WORD and scanner.is_stable else None
        self._open_content, self._open_thinking = None, None
        if scanner is self._content:
            self._open_content = open_segment
        else:
            self._open_thinking = open_segment
        self._trailing_space, self._preceding = scanner.trailing_space, scanner.context.preceding
        return self._blocks.take_events()

    def close(self, *, complete: bool = True) -> tuple[Event, ...]:
        """End the reply, and emit the held text.

        Args:
            complete: whether the reply is not cut; then unclosed thinking in an answer is text, too.
        """
        self._return_space()
        self._active.close()
        if complete:
            self._content.revert_unclosed_thinking()
        return self._blocks.take_events()

    def _return_space(self) -> None:
        """Pass the pending white space on to the scanner, before it sees more text."""
        if self._pending_space:
            space, self._pending_space = self._pending_space, ""
            self._active.feed(space)

    def _switch_to(self, scanner: Scanner) -> None:
        self._return_space()
        if scanner is self._active:
            return
        if self._active is self._content:
            self._content.close()
            self._content.confirm_thinking()
            self._blocks.end_block()
        else:
            self._active.close_blocks()
        self._active = scanner
