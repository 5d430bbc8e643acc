"""Judges a marker by where it stands: whether it counts, is somebody's words, or cannot be told yet.

The policy, in the order of its questions:

1. A marker in inline code is text, and in an answer so is one in a fence. A backtick that does not close
   on its line, within 80 characters of the marker, hides nothing.
2. An opener counts at the start or the end of a line and right after another marker, one that is a token of its own
   anywhere; `<reflection>` counts anywhere inside thinking; in strict families a thinking opens only at the start or
   after a closed block.
3. An answer's opener ends every open block. Any other nests, and vanishes inside its own kind.
4. A closer ends everything above what it closes. A surplus one vanishes, but ends its segment.
5. An opener that does not count is text, and so is the next closer of its kind.
6. A thinking's closer without an opener turns what was said so far into thinking, unless a sentence is about it.
7. Once a thinking has come another way, tags of thinking within the content are text.
8. A thinking that opens in the middle of an answer and never closes is text of that answer.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING

from reflectty.stream.lines import Lines
from reflectty.stream.markers import LONGEST, Role
from reflectty.stream.prose import Preceding
from reflectty.stream.segments import Kind

if TYPE_CHECKING:
    from reflectty.stream.markers import Marker, Markers


class Verdict(Enum):
    """What becomes of a marker."""

    COUNTS = auto()
    TEXT = auto()
    WAIT = auto()


class Standing:
    """Where a text stands: what is open, what came before; `base` is what text outside every block is."""

    def __init__(self, base: Kind, start_in: Kind | None) -> None:
        self.stack: list[Kind] = [start_in] if start_in else []
        self.lines = Lines()
        self.before = Preceding()
        self.fresh = True
        """Whether nothing but blanks came since the start or the last marker."""
        self.settled = False
        """Whether thinking came another way."""
        self.opened = Kind.THINKING in (start_in, base)
        """Whether what is said now can no longer turn out to be thinking."""
        self.guessing = False
        """Whether nothing is known of the model, so that a header is one only where a message begins."""
        self._base = base
        self._literal: dict[Kind, int] = {}
        self._literal_thinking = False
        self._protected = False

    @property
    def kind(self) -> Kind:
        """What text would be here."""
        return self.stack[-1] if self.stack else self._base

    def feed(self, text: str) -> None:
        """Take note of text between markers."""
        self.lines.feed(text)
        self.before.feed(text)
        if self.fresh and not text.isspace():
            self.fresh = False

    def take_literally(self, marker: Marker) -> None:
        """Take note of a marker that is text: so is the next closer of its kind."""
        for kind in marker.kinds:
            count = self._literal.get(kind, 0) + (1 if marker.role is Role.OPEN else -1)
            self._literal[kind] = max(count, 0)
            self._literal_thinking |= kind is Kind.THINKING and marker.role is Role.OPEN and not self._protected

    def turn(self) -> None:
        """Take note that a marker has counted: what follows begins anew."""
        self.fresh = True
        self.lines.restart()

    def forget_literals(self) -> None:
        """Forget the openers that were text."""
        self._literal.clear()

    def verdict(self, marker: Marker, markers: Markers, after: str, *, ended: bool) -> Verdict:
        """Judge a marker, given the text `after` it.

        Args:
            marker: which one.
            markers: all that are looked for.
            after: as much of the text behind it as there is, and as decides.
            ended: whether no more can come.
        """
        if marker.role not in (Role.OPEN, Role.CLOSE):
            begins = self.fresh or (self.lines.at_start and not self.lines.fenced)
            return Verdict.COUNTS if begins or not self.guessing else Verdict.TEXT
        in_code = self.lines.code(after, LONGEST, ended=ended)
        if in_code is None:
            return Verdict.WAIT
        fenced = self.kind is Kind.ANSWER and self.lines.fenced
        self._protected = in_code or fenced
        if marker.role is Role.OPEN:
            return Verdict.TEXT if self._protected else self._opener(marker, after, ended=ended)
        if in_code:
            return Verdict.TEXT
        if fenced:
            closes = marker.kinds == (Kind.ANSWER,) and Kind.ANSWER in self.stack
            return self._last_closer(markers, after, ended=ended) if closes else Verdict.TEXT
        return self._closer(marker, markers, after, ended=ended)

    def _opener(self, marker: Marker, after: str, *, ended: bool) -> Verdict:
        kind = marker.kinds[0]
        if marker.family.strict and kind is Kind.THINKING:
            return Verdict.COUNTS if self.fresh else Verdict.TEXT
        inside = kind is Kind.REFLECTION and (Kind.THINKING in self.stack or self.kind is not Kind.ANSWER)
        if inside or self.fresh or marker.family.anywhere:
            return Verdict.COUNTS
        if self.settled and kind is not Kind.ANSWER:
            return Verdict.TEXT
        return Verdict.COUNTS if self.lines.at_start else self._at_end(after, ended=ended)

    @staticmethod
    def _at_end(after: str, *, ended: bool) -> Verdict:
        """Judge an opener by its place: at the end of a line it is no sentence's word."""
        rest = after.lstrip(" \t\r")
        if rest or ended:
            return Verdict.COUNTS if rest[:1] in ("", "\n") else Verdict.TEXT
        return Verdict.WAIT if len(after) <= LONGEST else Verdict.TEXT

    def _closer(self, marker: Marker, markers: Markers, after: str, *, ended: bool) -> Verdict:
        kinds = marker.kinds
        if any(kind in self.stack for kind in kinds):
            quoted = Kind.ANSWER in kinds and self._literal.get(Kind.ANSWER)
            return self._last_closer(markers, after, ended=ended) if quoted else Verdict.COUNTS
        if any(self._literal.get(kind) for kind in kinds):
            return Verdict.TEXT
        return Verdict.COUNTS if self.fresh else self._surplus(marker, markers, after, ended=ended)

    def _surplus(self, marker: Marker, markers: Markers, after: str, *, ended: bool) -> Verdict:
        """Judge a closer behind text that it cannot close."""
        thinks = Kind.THINKING in marker.kinds
        if not marker.family.anywhere:
            if self.settled and Kind.ANSWER not in marker.kinds:
                return Verdict.TEXT
            named = self._in_prose(markers, after, ended=ended)
            if named is not Verdict.COUNTS:
                return named
        orphan = marker.family.orphans and not self.opened and not self._literal_thinking
        return Verdict.TEXT if thinks and marker.family.strict and not orphan else Verdict.COUNTS

    def _in_prose(self, markers: Markers, after: str, *, ended: bool) -> Verdict:
        """Judge a closer that closes nothing: in the middle of a sentence it is what the sentence is about."""
        rest = after.lstrip(" \t\r")
        short = not ended and len(after) <= LONGEST
        if self.lines.at_start or rest[:1] == "\n" or markers.match(rest):
            return Verdict.COUNTS
        if short and (not rest or markers.begun(rest)):
            return Verdict.WAIT
        return Verdict.TEXT if rest and self.before.names(after) else Verdict.COUNTS

    def _last_closer(self, markers: Markers, after: str, *, ended: bool) -> Verdict:
        """Judge a closer that may be a quotation: it is one where more of the answer follows."""
        rest = after.lstrip()
        if rest:
            if not self.lines.fenced and markers.match(rest):
                return Verdict.COUNTS
            begun = not ended and not self.lines.fenced and markers.begun(rest)
            return Verdict.WAIT if begun and len(after) <= LONGEST else Verdict.TEXT
        return Verdict.COUNTS if ended or len(after) > LONGEST else Verdict.WAIT
