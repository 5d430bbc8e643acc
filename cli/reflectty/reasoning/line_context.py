"""Judges whether a marker counts or is text by its context: line start, inline code, fence or sentence.

The policy, in order of evaluation:

1. A marker in inline code is text, and in an answer so is one in a fence. A backtick that does not close
   on its line, within 80 characters of the marker, opens no code.
2. An opener counts at the start or the end of a line and right after another marker, one that is a token of its own
   anywhere; `<reflection>` counts anywhere inside thinking; in strict families thinking opens only at the start or
   after a closed block.
3. An answer's opener ends every open block. Any other nests, and is dropped inside its own kind.
4. A closer ends everything above what it closes. An unmatched one is dropped, but ends its segment.
5. An opener that does not count is text, and so is the next closer of its kind.
6. A closer of thinking without an opener turns the text so far into thinking, unless a sentence mentions it.
7. Once the server has sent thinking in its own field, tags of thinking in the content are text.
8. Thinking that opens in the middle of an answer and never closes is text of that answer.
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import TYPE_CHECKING

from reflectty.core.segments import Kind
from reflectty.reasoning.markers import MAX_MARKER_LENGTH, MarkerRole

if TYPE_CHECKING:
    from reflectty.reasoning.markers import Marker, MarkerSet


_FENCE = r" {0,3}(`{3,}|~{3,})(.*)"
_TICKS = r"`+"
_HEAD = 200
"""Characters kept of a line to detect a fence; a fence's info string is shorter."""


class MarkdownPosition:
    """Tracks fences and inline code in the text between markers; chunk boundaries do not matter."""

    def __init__(self) -> None:
        self._head = ""
        self._span = 0
        self._run = 0
        self._fence = ""

    def restart(self) -> None:
        """Reset at the start of a new block."""
        self.__init__()  # type: ignore[misc]

    def begin_line(self, text: str) -> None:
        """Begin a line after a stable one, with text that has no backtick, tilde or inner line break."""
        self._head = text[:_HEAD]
        self._span = 0

    def feed(self, text: str) -> None:
        if "\n" not in text:
            self._feed_in_line(text)
            return
        if not self._fence and "```" not in text and "~~~" not in text and self._head[-1:] not in ("`", "~"):
            # No fence can begin or end here, so only the last line matters.
            first, _, last = text.partition("\n")[0], "", text.rpartition("\n")[2]
            self._feed_in_line(first)
            self._end_line()
            self._feed_in_line(last)
            return
        *lines, last = text.split("\n")
        for line in lines:
            self._feed_in_line(line)
            self._end_line()
        self._feed_in_line(last)

    def _feed_in_line(self, text: str) -> None:
        """Add text without a line break."""
        if len(self._head) < _HEAD:
            self._head += text[: _HEAD - len(self._head)]
        if "`" not in text:
            if text:
                self._end_run()
            return
        at = 0
        for ticks in re.finditer(_TICKS, text):
            if ticks.start() > at or (ticks.start() == 0 and not self._run):
                self._end_run()
            self._run += len(ticks.group())
            at = ticks.end()
        if at < len(text):
            self._end_run()

    def _end_run(self) -> None:
        """End a run of backticks, which opens a span or closes the one of the same length."""
        if self._run:
            self._span = 0 if self._span == self._run else self._span or self._run
            self._run = 0

    def _end_line(self) -> None:
        self._fence = self._fence_after()
        self._head = ""
        self._span = self._run = 0

    def _fence_after(self) -> str:
        """The fence that is open if the line ends here."""
        has_run = "```" in self._head or "~~~" in self._head
        match = re.match(_FENCE, self._head, re.DOTALL) if has_run else None
        if not match:
            return self._fence
        run, info = match.group(1), match.group(2)
        if self._fence:
            closes = run[0] == self._fence[0] and len(run) >= len(self._fence) and not info.strip()
            return "" if closes else self._fence
        return run if run[0] == "~" or "`" not in info else ""

    @property
    def is_stable(self) -> bool:
        """Whether more words on this line change nothing, because it has begun and is not a fence."""
        start = self._head.lstrip()[:1]
        return not self._run and bool(start) and start not in "`~"

    @property
    def at_line_start(self) -> bool:
        """Whether only blanks precede this position in its line."""
        return not self._head.strip()

    @property
    def in_fence(self) -> bool:
        """Whether this position is inside a fence; a line with only the closing run has closed it."""
        return bool(self._fence_after())

    def in_inline_code(self, after: str, limit: int, *, ended: bool) -> bool | None:
        """Whether this position is in inline code that closes on the same line, given the text `after` the marker.

        None if that depends on further text; checks only `limit` characters.
        """
        self._end_run()
        if not self._span:
            return False
        line, newline, _ = after[:limit].partition("\n")
        whole = bool(newline) or len(after) >= limit or ended
        for ticks in re.finditer(_TICKS, line):
            if ticks.end() == len(line) and not whole:
                return None
            if len(ticks.group()) == self._span:
                return True
        return False if whole else None


_SENTENCE_ENDS = ".!?…。！？"  # noqa: RUF001 - full stops of other scripts
_OPENING = "\"'“‘«([{*_"  # noqa: RUF001 - typographic quotation marks
_CLOSING = ".,;:!?)]}”’»"  # noqa: RUF001


class PrecedingText:
    """What directly precedes a position in a text: the last non-blank character, and whether blanks follow it."""

    __slots__ = ("gap", "last")

    def __init__(self) -> None:
        self.last = ""
        """Ends in the last non-blank character."""
        self.gap = False

    def feed(self, text: str) -> None:
        body = text.rstrip()
        if body:
            self.last = body[-1]
        self.gap = len(body) < len(text) or (self.gap and not body)

    def is_mention(self, after: str) -> bool:
        """Whether a sentence mentions a marker here, given the text `after` it on its line, which is not empty."""
        if self.gap:
            return self.last[-1:] not in _SENTENCE_ENDS
        return self.last[-1:] in _OPENING or after[0] in _CLOSING


class TagVerdict(Enum):
    """The decision on a marker."""

    COUNTS = auto()
    TEXT = auto()
    WAIT = auto()


class LineContext:
    """The state at a position: what is open and what precedes; `base` is the kind of text outside all blocks."""

    def __init__(self, base: Kind, start_in: Kind | None) -> None:
        self.stack: list[Kind] = [start_in] if start_in else []
        self.position = MarkdownPosition()
        self.preceding = PrecedingText()
        self.at_block_start = True
        """Whether only blanks follow the start or the last marker."""
        self.has_separate_thinking = False
        """Whether the server has sent thinking in its own field."""
        self.is_certain = Kind.THINKING in (start_in, base)
        """False while a late closer could still turn the text into thinking."""
        self.is_family_unknown = False
        """Whether the model's family is unknown, so that header markers count only at the start of a message."""
        self._base = base
        self._literal: dict[Kind, int] = {}
        self._literal_thinking = False
        self._protected = False

    @property
    def kind(self) -> Kind:
        """The kind of text at this position."""
        return self.stack[-1] if self.stack else self._base

    def feed(self, text: str) -> None:
        """Add text between markers."""
        self.position.feed(text)
        self.preceding.feed(text)
        if self.at_block_start and not text.isspace():
            self.at_block_start = False

    def note_literal(self, marker: Marker) -> None:
        """Note a marker that is text, so that the next closer of its kind is text, too."""
        for kind in marker.kinds:
            count = self._literal.get(kind, 0) + (1 if marker.role is MarkerRole.OPEN else -1)
            self._literal[kind] = max(count, 0)
            self._literal_thinking |= kind is Kind.THINKING and marker.role is MarkerRole.OPEN and not self._protected

    def begin_block(self) -> None:
        """Start a block after a marker that counts."""
        self.at_block_start = True
        self.position.restart()

    def forget_literals(self) -> None:
        """Forget the openers that were text."""
        self._literal.clear()

    def judge(self, marker: Marker, markers: MarkerSet, after: str, *, ended: bool) -> TagVerdict:
        """Judge a marker, given the text `after` it.

        Args:
            marker: the marker to judge.
            markers: all markers of the family.
            after: the text after it, as far as received and relevant.
            ended: whether the text ends there.
        """
        if marker.role not in (MarkerRole.OPEN, MarkerRole.CLOSE):
            begins = self.at_block_start or (self.position.at_line_start and not self.position.in_fence)
            return TagVerdict.COUNTS if begins or not self.is_family_unknown else TagVerdict.TEXT
        in_code = self.position.in_inline_code(after, MAX_MARKER_LENGTH, ended=ended)
        if in_code is None:
            return TagVerdict.WAIT
        fenced = self.kind is Kind.ANSWER and self.position.in_fence
        self._protected = in_code or fenced
        if marker.role is MarkerRole.OPEN:
            return TagVerdict.TEXT if self._protected else self._judge_opener(marker, after, ended=ended)
        if in_code:
            return TagVerdict.TEXT
        if fenced:
            closes = marker.kinds == (Kind.ANSWER,) and Kind.ANSWER in self.stack
            return self._judge_last_closer(markers, after, ended=ended) if closes else TagVerdict.TEXT
        return self._judge_closer(marker, markers, after, ended=ended)

    def _judge_opener(self, marker: Marker, after: str, *, ended: bool) -> TagVerdict:
        kind = marker.kinds[0]
        if marker.family.strict and kind is Kind.THINKING:
            return TagVerdict.COUNTS if self.at_block_start else TagVerdict.TEXT
        inside = kind is Kind.REFLECTION and (Kind.THINKING in self.stack or self.kind is not Kind.ANSWER)
        if inside or self.at_block_start or marker.family.counts_anywhere:
            return TagVerdict.COUNTS
        if self.has_separate_thinking and kind is not Kind.ANSWER:
            return TagVerdict.TEXT
        return TagVerdict.COUNTS if self.position.at_line_start else self._judge_at_line_end(after, ended=ended)

    @staticmethod
    def _judge_at_line_end(after: str, *, ended: bool) -> TagVerdict:
        """Judge an opener in a line: it counts at the end, where it is not part of a sentence."""
        rest = after.lstrip(" \t\r")
        if rest or ended:
            return TagVerdict.COUNTS if rest[:1] in ("", "\n") else TagVerdict.TEXT
        return TagVerdict.WAIT if len(after) <= MAX_MARKER_LENGTH else TagVerdict.TEXT

    def _judge_closer(self, marker: Marker, markers: MarkerSet, after: str, *, ended: bool) -> TagVerdict:
        kinds = marker.kinds
        if any(kind in self.stack for kind in kinds):
            quoted = Kind.ANSWER in kinds and self._literal.get(Kind.ANSWER)
            return self._judge_last_closer(markers, after, ended=ended) if quoted else TagVerdict.COUNTS
        if any(self._literal.get(kind) for kind in kinds):
            return TagVerdict.TEXT
        return (
            TagVerdict.COUNTS
            if self.at_block_start
            else self._judge_surplus_closer(marker, markers, after, ended=ended)
        )

    def _judge_surplus_closer(self, marker: Marker, markers: MarkerSet, after: str, *, ended: bool) -> TagVerdict:
        """Judge a closer without anything to close."""
        thinks = Kind.THINKING in marker.kinds
        if not marker.family.counts_anywhere:
            if self.has_separate_thinking and Kind.ANSWER not in marker.kinds:
                return TagVerdict.TEXT
            named = self._judge_in_prose(markers, after, ended=ended)
            if named is not TagVerdict.COUNTS:
                return named
        orphan = marker.family.allows_orphan_closers and not self.is_certain and not self._literal_thinking
        return TagVerdict.TEXT if thinks and marker.family.strict and not orphan else TagVerdict.COUNTS

    def _judge_in_prose(self, markers: MarkerSet, after: str, *, ended: bool) -> TagVerdict:
        """Judge a closer without anything to close: in the middle of a sentence it is a mention."""
        rest = after.lstrip(" \t\r")
        short = not ended and len(after) <= MAX_MARKER_LENGTH
        if self.position.at_line_start or rest[:1] == "\n" or markers.match(rest):
            return TagVerdict.COUNTS
        if short and (not rest or markers.is_beginning(rest)):
            return TagVerdict.WAIT
        return TagVerdict.TEXT if rest and self.preceding.is_mention(after) else TagVerdict.COUNTS

    def _judge_last_closer(self, markers: MarkerSet, after: str, *, ended: bool) -> TagVerdict:
        """Judge a closer that may be quoted: it is if more of the answer follows."""
        rest = after.lstrip()
        if rest:
            if not self.position.in_fence and markers.match(rest):
                return TagVerdict.COUNTS
            is_partial = not ended and not self.position.in_fence and markers.is_beginning(rest)
            return TagVerdict.WAIT if is_partial and len(after) <= MAX_MARKER_LENGTH else TagVerdict.TEXT
        return TagVerdict.COUNTS if ended or len(after) > MAX_MARKER_LENGTH else TagVerdict.WAIT
