"""Decides which markers in a text count and which are somebody's words; one scanner for one source of text.

The policy, in the order of its questions:

1. A marker in inline code is text, and in an answer so is one in a fence. A backtick that does not close
   on its line, within 80 characters of the marker, hides nothing.
2. An opener counts at the start or the end of a line and right after another marker; `<reflection>` counts
   anywhere inside thinking; in strict families a thinking opens only at the start or after a closed block.
3. An answer's opener ends every open block. Any other nests, and vanishes inside its own kind.
4. A closer ends everything above what it closes. A surplus one vanishes, but ends its segment.
5. An opener that does not count is text, and so is the next closer of its kind.
6. A thinking's closer without an opener turns what was said so far into thinking.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from reflectty.stream.lines import Lines
from reflectty.stream.markers import LONGEST, Marker, Markers, Role, markers
from reflectty.stream.segments import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.families import Family
    from reflectty.stream.blocks import Blocks

_HEADER = 200
"""A channel's header is shorter; more text than this behind its marker is no header."""


class Verdict(Enum):
    """What becomes of a marker."""

    COUNTS = auto()
    TEXT = auto()
    WAIT = auto()


class Scanner:
    """Splits one source of text; `base` is what text outside every block is, `start_in` what is open already."""

    def __init__(self, family: Family, blocks: Blocks, base: Kind = Kind.ANSWER, start_in: Kind | None = None) -> None:
        self.family = family
        """Whose markers are looked for; `any` becomes the family that the first marker gives away."""
        self._markers: Markers = markers(family)
        self._blocks = blocks
        self._base = base
        self._stack: list[Kind] = [start_in] if start_in else []
        self._lines = Lines()
        self._held = ""
        self._header: list[str] | None = None
        self._dropping = False
        self._untagged = False
        self._protected = False
        self._fresh = True
        self._literal: dict[Kind, int] = {}
        self._literal_thinking = False
        self._opened = start_in is Kind.THINKING or base is Kind.THINKING
        self.counted = False
        """Whether any marker has counted so far."""

    @property
    def kind(self) -> Kind:
        """What text would be here."""
        return self._stack[-1] if self._stack else self._base

    @property
    def steady(self) -> bool:
        """Whether text that does not disturb would only lengthen the open block."""
        return not self._held and self._header is None and not self._dropping and self._lines.steady

    @property
    def disturbs(self) -> Callable[[str], object]:
        """Tells whether a text holds more than words: what a marker may begin with, or a mark of Markdown."""
        return self._markers.disturbs

    def settle(self) -> None:
        """Take note that thinking came another way, so that text outside it is surely the answer."""
        self._opened = True
        if self._fresh and not self.counted:
            self._stack.clear()

    def feed(self, text: str, *, ended: bool = False) -> None:
        """Take the next piece of text; with `ended`, decide about everything that is held."""
        if not self._held and not self._markers.plain(text):
            self._text(text)
            return
        buffer = self._held + text
        self._held = ""
        at = 0
        while found := self._markers.search(buffer, at):
            self._text(buffer[at : found.start()])
            at = found.start()
            if not ended and self._markers.begun(buffer[at : at + LONGEST + 1]):
                break
            marker = self._markers.named(found.group())
            verdict = self._verdict(marker, buffer[found.end() : found.end() + LONGEST + 1], ended=ended)
            if verdict is Verdict.WAIT:
                break
            if verdict is Verdict.COUNTS:
                self._count(marker)
            else:
                self._literally(marker, found.group())
            at = found.end()
        else:
            cut = len(buffer) if ended else self._markers.hold(buffer, at)
            self._text(buffer[at:cut])
            at = cut
        self._held = buffer[at:]

    def close(self) -> None:
        """Let go of everything that is held: the text has ended."""
        self.feed("", ended=True)

    def leave(self) -> None:
        """Close every open block: another source of text speaks."""
        self.close()
        self._stack.clear()
        self._blocks.end()

    # What becomes of text

    def _text(self, text: str) -> None:
        if not text:
            return
        if self._header is not None:
            self._header_text(text)
            return
        self._lines.feed(text)
        if self._fresh and not text.isspace():
            self._fresh = False
        if self._dropping:
            return
        kind = self.kind
        tagged = kind is Kind.ANSWER and bool(self._stack) and not self._untagged
        certain = kind is not Kind.ANSWER or tagged or self._opened or not self._markers
        self._blocks.text(kind, text, tagged=tagged, certain=certain)

    def _header_text(self, text: str) -> None:
        header = self._header if self._header is not None else []
        header.append(text)
        if sum(map(len, header)) > _HEADER:
            self._header = None
            self._text("".join(header))

    def _literally(self, marker: Marker, text: str) -> None:
        for kind in marker.kinds:
            count = self._literal.get(kind, 0) + (1 if marker.role is Role.OPEN else -1)
            self._literal[kind] = max(count, 0)
            self._literal_thinking |= kind is Kind.THINKING and marker.role is Role.OPEN and not self._protected
        self._text(text)

    # What becomes of a marker

    def _verdict(self, marker: Marker, after: str, *, ended: bool) -> Verdict:
        if marker.role not in (Role.OPEN, Role.CLOSE):
            return Verdict.COUNTS
        in_code = self._lines.code(after, LONGEST, ended=ended)
        if in_code is None:
            return Verdict.WAIT
        fenced = self.kind is Kind.ANSWER and self._lines.fenced
        self._protected = in_code or fenced
        if marker.role is Role.OPEN:
            return Verdict.TEXT if self._protected else self._opener(marker, after, ended=ended)
        if in_code:
            return Verdict.TEXT
        if fenced:
            closes = marker.kinds == (Kind.ANSWER,) and Kind.ANSWER in self._stack
            return self._last_closer(after, ended=ended) if closes else Verdict.TEXT
        return self._closer(marker, after, ended=ended)

    def _opener(self, marker: Marker, after: str, *, ended: bool) -> Verdict:
        kind = marker.kinds[0]
        if marker.family.strict and kind is Kind.THINKING:
            return Verdict.COUNTS if self._fresh else Verdict.TEXT
        inside = kind is Kind.REFLECTION and (Kind.THINKING in self._stack or self.kind is not Kind.ANSWER)
        if inside or self._fresh or marker.family.anywhere or self._lines.at_start:
            return Verdict.COUNTS
        rest = after.lstrip(" \t\r")
        if rest:
            return Verdict.COUNTS if rest[0] == "\n" else Verdict.TEXT
        if ended:
            return Verdict.COUNTS
        return Verdict.WAIT if len(after) <= LONGEST else Verdict.TEXT

    def _closer(self, marker: Marker, after: str, *, ended: bool) -> Verdict:
        kinds = marker.kinds
        if any(kind in self._stack for kind in kinds):
            if Kind.ANSWER in kinds and self._literal.get(Kind.ANSWER):
                return self._last_closer(after, ended=ended)
            return Verdict.COUNTS
        if any(self._literal.get(kind) for kind in kinds):
            return Verdict.TEXT
        if Kind.THINKING in kinds and not self._fresh:
            if marker.family.orphans and not self._opened and not self._literal_thinking:
                return Verdict.COUNTS
            if marker.family.strict:
                return Verdict.TEXT
        return Verdict.COUNTS

    def _last_closer(self, after: str, *, ended: bool) -> Verdict:
        """Judge a closer that may be a quotation: it is one where more of the answer follows."""
        rest = after.lstrip()
        if rest:
            if not self._lines.fenced and self._markers.match(rest):
                return Verdict.COUNTS
            begun = not ended and not self._lines.fenced and self._markers.begun(rest)
            return Verdict.WAIT if begun and len(after) <= LONGEST else Verdict.TEXT
        return Verdict.COUNTS if ended or len(after) > LONGEST else Verdict.WAIT

    def _count(self, marker: Marker) -> None:
        self.counted = True
        if marker.family is not self.family and self.family.name == "any":
            self.family = marker.family
            self._markers = markers(marker.family)
        if marker.role is Role.OPEN:
            self._open(marker.kinds[0])
        elif marker.role is Role.CLOSE:
            self._close(marker)
        else:
            self._channel(marker.role)
        self._fresh = True
        self._lines.restart()

    def _open(self, kind: Kind) -> None:
        if kind is Kind.ANSWER:
            self._stack.clear()
            self._blocks.end()
        if kind is Kind.THINKING:
            self._opened = True
        self._literal.clear()
        if self.kind is not kind or not self._stack:
            if self._stack or kind is not self._base:
                self._blocks.end()
            self._stack.append(kind)

    def _close(self, marker: Marker) -> None:
        self._literal.clear()
        level = max((at for at, kind in enumerate(self._stack) if kind in marker.kinds), default=None)
        if level is not None:
            del self._stack[level:]
        elif Kind.THINKING in marker.kinds and not self._opened:
            self._opened = True
            self._blocks.reclassify()
        self._blocks.end()

    # Messages with headers

    def _channel(self, role: Role) -> None:
        if role is Role.HEADER:
            if self._header is None:
                self._end_message()
                self._header = []
            else:
                self._header.append(" ")
        elif role is Role.MESSAGE and self._header is not None:
            self._message("".join(self._header))
        else:
            self._end_message()

    def _end_message(self) -> None:
        self._stack.clear()
        self._blocks.end()
        self._header = None
        self._dropping = self._untagged = False

    def _message(self, header: str) -> None:
        """Begin the message that a header announces; what is addressed to a tool is neither thought nor answer."""
        self._header = None
        self._opened = True
        words = header.split()
        self._dropping = any(word.startswith("to=") for word in words)
        self._untagged = "commentary" in words
        self._stack = [Kind.THINKING if "analysis" in words else Kind.ANSWER]
