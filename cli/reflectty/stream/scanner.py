"""Decides which markers in a text count and which are somebody's words; one scanner for one source of text.

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
from typing import TYPE_CHECKING, NamedTuple

from reflectty.families import FAMILIES
from reflectty.stream.headers import Header, Message, announced
from reflectty.stream.lines import Lines
from reflectty.stream.markers import CHANNEL, LONGEST, Marker, Markers, Role, markers, tokenless
from reflectty.stream.prose import Before
from reflectty.stream.segments import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.families import Family
    from reflectty.stream.blocks import Blocks, Place

_ROLE = "assistant"


class Verdict(Enum):
    """What becomes of a marker."""

    COUNTS = auto()
    TEXT = auto()
    WAIT = auto()


class Doubt(NamedTuple):
    """A thinking that may turn out to be text: how everything stood before, and its text as it came."""

    place: Place
    stack: tuple[Kind, ...]
    family: Family
    counted: bool
    untagged: bool
    raw: list[str]


class Scanner:
    """Splits one source of text; `base` is what text outside every block is, `start_in` what is open already."""

    def __init__(self, family: Family, blocks: Blocks, base: Kind = Kind.ANSWER, start_in: Kind | None = None) -> None:
        self.family = family
        """Whose markers are looked for; `any` becomes the family that the first marker gives away."""
        self.before = Before()
        self._markers: Markers = markers(family)
        self._blocks = blocks
        self._base = base
        self._stack: list[Kind] = [start_in] if start_in else []
        self._lines = Lines()
        self._held = ""
        self._leads = () if start_in else self._markers.leads
        self._start = ""
        self._header: Header | None = None
        self._doubt: Doubt | None = None
        self._dropping = False
        self._untagged = False
        self._protected = False
        self._fresh = True
        self._said = False
        self._settled = False
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
        settled = self._header is None and self._doubt is None and not self._dropping
        return settled and not self._held and not self._start and self._lines.steady

    @property
    def disturbs(self) -> Callable[[str], object]:
        """Tells whether a text holds more than words: what a marker may begin with, or a mark of Markdown."""
        return self._markers.disturbs

    def settle(self) -> None:
        """Take note that thinking came another way, so that text outside it is surely the answer."""
        self._opened = self._settled = True
        if self._fresh and not self.counted:
            self._stack.clear()
        if not self.family.headed:
            self._leads = ()

    def feed(self, text: str, *, ended: bool = False) -> None:
        """Take the next piece of text; with `ended`, decide about everything that is held."""
        if self._leads or self._start:
            text = self._led(self._start + text, ended=ended)
        if not self._held and not self._markers.plain(text):
            self._take(text)
            return
        buffer = self._held + text
        self._held = ""
        at = 0
        while found := self._markers.search(buffer, at):
            self._take(buffer[at : found.start()])
            at = found.start()
            if not ended and self._markers.begun(buffer[at : at + LONGEST + 1]):
                break
            marker = self._markers.named(found.group())
            verdict = self._verdict(marker, buffer[found.end() : found.end() + LONGEST + 1], ended=ended)
            if verdict is Verdict.WAIT:
                break
            self._decide(marker, found.group(), counts=verdict is Verdict.COUNTS)
            at = found.end()
        else:
            cut = len(buffer) if ended else self._markers.hold(buffer, at)
            self._take(buffer[at:cut])
            at = cut
        self._held = buffer[at:]

    def _led(self, text: str, *, ended: bool) -> str:
        """Look whether a reply begins with half a header or half an opener; return what is left of the text."""
        self._start = ""
        said = text.lstrip()
        folded = said.lower()
        if not said:
            return text
        lead = next((lead for lead in self._leads if folded.startswith(lead)), "")
        if not lead and not ended and any(lead.startswith(folded) for lead in self._leads):
            self._start = text
            return ""
        self._leads = ()
        return self._lead(lead, said) if lead else text

    def _lead(self, lead: str, text: str) -> str:
        if lead.startswith("to="):
            # The prompt has written the first half of this header.
            self._become(FAMILIES["glimmer"])
            self._header = Header("", channel=False)
            return text
        rest = text[len(lead) :]
        if self.family.channels:
            self._markers = tokenless(self.family)
        if lead.startswith(_ROLE):
            self._begin(announced(lead.removeprefix(_ROLE)))
            self.counted = True
        else:
            self._wonder(text[: len(lead)])
            self._open(Kind.THINKING)
        return rest

    def close(self) -> None:
        """Let go of everything that is held: the text has ended."""
        self.feed("", ended=True)
        if self._header:
            self._end_header()

    def leave(self) -> None:
        """Close every open block: another source of text speaks."""
        self.close()
        self._stack.clear()
        self._blocks.end()

    # What may turn out to be text

    def _wonder(self, opener: str) -> None:
        place, stack = self._blocks.place, tuple(self._stack)
        self._doubt = Doubt(place, stack, self.family, self.counted, self._untagged, [opener])

    def believe(self) -> None:
        """Take a thinking for one that has not closed yet."""
        self._doubt = None

    def give_back(self) -> None:
        """Take a thinking that never closed for text of the answer around it."""
        doubt, self._doubt = self._doubt, None
        if doubt is None:
            return
        self._blocks.withdraw(doubt.place)
        self._stack = list(doubt.stack)
        self.family, self.counted, self._untagged = doubt.family, doubt.counted, doubt.untagged
        self._opened = True
        self._text("".join(doubt.raw))

    # What becomes of text

    def _take(self, text: str) -> None:
        self._text(text)
        if self._doubt:
            self._doubt.raw.append(text)

    def _text(self, text: str) -> None:
        if not text:
            return
        if self._header is not None:
            self._header.add(text)
            if self._header.too_long:
                self._end_header()
            return
        self._lines.feed(text)
        self.before.feed(text)
        if self._fresh and not text.isspace():
            self._fresh = False
        if self._dropping:
            return
        kind = self.kind
        tagged = kind is Kind.ANSWER and bool(self._stack) and not self._untagged
        self._said |= kind is Kind.ANSWER
        certain = kind is not Kind.ANSWER or tagged or self._opened or not self._markers
        self._blocks.text(kind, text, tagged=tagged, certain=certain)

    def _decide(self, marker: Marker, text: str, *, counts: bool) -> None:
        if counts:
            self._count(marker, text)
        else:
            self._literally(marker, text)
        if self._doubt and self._doubt.raw[-1] is not text:
            self._doubt.raw.append(text)

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
        if inside or self._fresh or marker.family.anywhere:
            return Verdict.COUNTS
        if self._settled and kind is not Kind.ANSWER:
            return Verdict.TEXT
        return Verdict.COUNTS if self._lines.at_start else self._at_end(after, ended=ended)

    @staticmethod
    def _at_end(after: str, *, ended: bool) -> Verdict:
        """Judge an opener by its place: at the end of a line it is no sentence's word."""
        rest = after.lstrip(" \t\r")
        if rest or ended:
            return Verdict.COUNTS if rest[:1] in ("", "\n") else Verdict.TEXT
        return Verdict.WAIT if len(after) <= LONGEST else Verdict.TEXT

    def _closer(self, marker: Marker, after: str, *, ended: bool) -> Verdict:
        kinds = marker.kinds
        if any(kind in self._stack for kind in kinds):
            quoted = Kind.ANSWER in kinds and self._literal.get(Kind.ANSWER)
            return self._last_closer(after, ended=ended) if quoted else Verdict.COUNTS
        if any(self._literal.get(kind) for kind in kinds):
            return Verdict.TEXT
        return Verdict.COUNTS if self._fresh else self._surplus(marker, after, ended=ended)

    def _surplus(self, marker: Marker, after: str, *, ended: bool) -> Verdict:
        """Judge a closer behind text that it cannot close."""
        thinks = Kind.THINKING in marker.kinds
        if not marker.family.anywhere:
            if self._settled and Kind.ANSWER not in marker.kinds:
                return Verdict.TEXT
            named = self._in_prose(after, ended=ended)
            if named is not Verdict.COUNTS:
                return named
        orphan = marker.family.orphans and not self._opened and not self._literal_thinking
        return Verdict.TEXT if thinks and marker.family.strict and not orphan else Verdict.COUNTS

    def _in_prose(self, after: str, *, ended: bool) -> Verdict:
        """Judge a closer that closes nothing: in the middle of a sentence it is what the sentence is about."""
        rest = after.lstrip(" \t\r")
        short = not ended and len(after) <= LONGEST
        if self._lines.at_start or rest[:1] == "\n" or self._markers.match(rest):
            return Verdict.COUNTS
        if short and (not rest or self._markers.begun(rest)):
            return Verdict.WAIT
        return Verdict.TEXT if rest and self.before.names(after) else Verdict.COUNTS

    def _last_closer(self, after: str, *, ended: bool) -> Verdict:
        """Judge a closer that may be a quotation: it is one where more of the answer follows."""
        rest = after.lstrip()
        if rest:
            if not self._lines.fenced and self._markers.match(rest):
                return Verdict.COUNTS
            begun = not ended and not self._lines.fenced and self._markers.begun(rest)
            return Verdict.WAIT if begun and len(after) <= LONGEST else Verdict.TEXT
        return Verdict.COUNTS if ended or len(after) > LONGEST else Verdict.WAIT

    def _count(self, marker: Marker, text: str) -> None:
        if marker.role is Role.OPEN:
            kind = marker.kinds[0]
            in_answer = self.kind is Kind.ANSWER is not kind and (self._settled or not self._fresh)
            if in_answer and self._doubt is None and not marker.family.anywhere:
                self._wonder(text)
            self._become(marker.family)
            self._open(kind)
        else:
            self._become(marker.family)
            if marker.role is Role.CLOSE:
                self._close(marker)
            else:
                self._channel(marker.role, text)
        self.counted = True
        self._fresh = True
        self._lines.restart()

    def _become(self, family: Family) -> None:
        """Read on by the family that a marker gives away, where nothing was known."""
        if self.family.name == "any":
            self.family, self._markers, self._leads = family, markers(family), ()

    def _open(self, kind: Kind) -> None:
        if kind is Kind.ANSWER:
            self._stack.clear()
            self._blocks.end()
            self._doubt = None
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
            if self._doubt and level <= len(self._doubt.stack):
                self._doubt = None
        elif Kind.THINKING in marker.kinds and marker.family.orphans and not self._opened:
            self._opened = True
            self._blocks.reclassify()
        self._blocks.end()

    # Messages with headers

    def _channel(self, role: Role, text: str) -> None:
        if role is Role.MESSAGE and self._header:
            self._begin(self._header.message())
        elif role is Role.CHANNEL:
            self._end_message()
            self._begin(announced(text.lower().removeprefix(_ROLE)))
        elif role is Role.HEADER and text == CHANNEL and self._header:
            self._header.name_channel()
        else:
            if self._header:
                self._end_header()
            self._end_message()
            self._header = Header(text, channel=text == CHANNEL) if role is Role.HEADER else None

    def _end_header(self) -> None:
        """Take a header that no message follows for the message itself."""
        if self._header:
            message, text = self._header.unfinished(said=self._said)
            self._begin(message)
            self._text(text)

    def _end_message(self) -> None:
        self._stack.clear()
        self._blocks.end()
        self._doubt = None
        self._dropping = self._untagged = False

    def _begin(self, message: Message) -> None:
        self._header = None
        self._doubt = None
        self._opened = True
        self._dropping, self._untagged = message.dropped, message.untagged
        self._stack = [message.kind]
