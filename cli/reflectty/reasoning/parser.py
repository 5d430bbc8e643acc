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


_WORDS_REMEMBERED = 8_000
"""The maximum number of words in a block whose events are kept, about 300 bytes each."""


class OpenBlock(dict[str, tuple[Event, ...]]):
    """The block that words extend, each mapped to the events that add it.

    A reply repeats its words, and a new segment takes six times as long as finding the one that was made before.
    """

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        """A segment of this block without text."""

    def events_of(self, text: str) -> tuple[Event, ...]:
        """The events that add a text."""
        kind, _, block, tagged, certain = self.segment
        # Half the time of calling Segment.
        return (_new(Segment, (kind, text, block, tagged, certain)),)

    def learn(self, text: str) -> tuple[Event, ...]:
        """The events that add a text which changes nothing else; they are kept if it is a word."""
        events = self.events_of(text)
        if len(text) <= LONGEST_WORD and len(self) < _WORDS_REMEMBERED:
            self[text] = events
        return events


class StreamParser:
    """Parses one reply.

    Args:
        family: the family by whose markers to parse.
        prefilled: whether the prompt has opened the thinking already.
        first_block: the number of the first block.
    """

    def __init__(self, family: Family, *, prefilled: bool = False, first_block: int = 0) -> None:
        self._blocks = BlockBuilder(first_block)
        self._content = Scanner(family, self._blocks, start_in=Kind.THINKING if prefilled else None)
        self._field: Scanner | None = None
        self._active: Scanner = self._content
        # Most pieces are a word in a line of an open block, which only adds text: no scanner needs to see it.
        self._last_open: OpenBlock | None = None
        self._open_content: OpenBlock | None = None
        self._open_thinking: OpenBlock | None = None
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
        if (block := self._open_content) is not None:
            if (events := block.get(content)) and not self._pending_space:
                self._preceding.last = content
                return events
            if (space := self._trailing_space[content]) is not None:
                if space or self._pending_space:
                    return self._extend(block, content, space)
                self._preceding.last = content
                return block.learn(content)
        if content:
            if self._pending_space or self._active is not self._content:
                self._switch_to(self._content)
            self._content.feed(content)
        return self._take_events(content)

    def feed_thinking(self, thinking: str) -> tuple[Event, ...]:
        """Parse the next piece of the `thinking` field."""
        if (block := self._open_thinking) is not None:
            if (events := block.get(thinking)) and not self._pending_space:
                self._preceding.last = thinking
                return events
            if (space := self._trailing_space[thinking]) is not None:
                if space or self._pending_space:
                    return self._extend(block, thinking, space)
                self._preceding.last = thinking
                return block.learn(thinking)
        if thinking:
            if self._field is None:
                self._field = Scanner(THINKING_FIELD_FAMILY, self._blocks, base=Kind.THINKING)
                self._content.note_separate_thinking()
            self._switch_to(self._field)
            self._field.feed(thinking)
        return self._take_events(thinking)

    def _extend(self, block: OpenBlock, text: str, space: str) -> tuple[Event, ...]:
        """Extend the open block by a text that ends in `space` and has no special character before it."""
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
        return block.events_of(text)

    def _take_events(self, text: str) -> tuple[Event, ...]:
        """Take the events of a text; after a long one the next is probably long, too, and no word to look up."""
        self._open_content = self._open_thinking = None
        if len(text) <= LONGEST_WORD and self._active.is_stable:
            self._pending_space += self._blocks.take_space()
            if segment := self._blocks.open_segment:
                self._open(segment)
        return self._blocks.take_events()

    def _open(self, segment: Segment) -> None:
        """Let words extend the block of the segment."""
        scanner, block = self._active, self._last_open
        if block is None or block.segment is not segment or self._trailing_space is not scanner.trailing_space:
            block = self._last_open = OpenBlock(segment)
        if scanner is self._content:
            self._open_content = block
        else:
            self._open_thinking = block
        self._trailing_space, self._preceding = scanner.trailing_space, scanner.context.preceding
        # The pending space, if any, is not behind the preceding text until it is passed on.
        self._preceding.gap = False

    def close(self, *, complete: bool = True) -> tuple[Event, ...]:
        """End the reply, and emit the held text.

        Args:
            complete: whether the reply is not cut; then unclosed thinking in an answer is text, too.
        """
        self._return_space()
        self._open_content = self._open_thinking = self._last_open = None
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
