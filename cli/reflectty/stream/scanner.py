"""Splits a text at the markers that count, and keeps what is open; one scanner for one source of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.families import FAMILIES, HEADERS_WITHOUT_TOKENS
from reflectty.stream.headers import Announcement, MessageHeader, announced
from reflectty.stream.judging import Standing, Verdict
from reflectty.stream.markers import CHANNEL, LONGEST, ROLE, Marker, Markers, Role, markers, tokenless
from reflectty.stream.segments import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.families import Family
    from reflectty.stream.blocks import Blocks, Place


_QUOTES = "\"'“‘«「『([*`$"  # noqa: RUF001 - quotation marks as they are typed
"""What a sentence may begin with, beside a letter or a digit."""


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
        self.at = Standing(base, start_in)
        self.at.guessing = family.name == "any"
        self._markers: Markers = markers(family)
        self._blocks = blocks
        self._base = base
        self._held = ""
        self._leads = () if start_in else self._markers.leads
        self._start = ""
        self._header: MessageHeader | None = None
        self._doubt: Doubt | None = None
        self._dropping = False
        self._untagged = False
        self._said = False
        self.counted = False
        """Whether any marker has counted so far."""

    @property
    def kind(self) -> Kind:
        """What text would be here."""
        return self.at.kind

    @property
    def steady(self) -> bool:
        """Whether text that does not disturb would only lengthen the open block."""
        settled = self._header is None and self._doubt is None and not self._dropping
        return settled and not self._held and not self._start and self.at.lines.steady

    @property
    def disturbs(self) -> Callable[[str], object]:
        """Tells whether a text holds more than words: what a marker may begin with, or a mark of Markdown."""
        return self._markers.disturbs

    def settle(self) -> None:
        """Take note that thinking came another way, so that text outside it is surely the answer."""
        self.at.opened = self.at.settled = True
        if self.at.fresh and not self.counted:
            self.at.stack.clear()
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
            after = buffer[found.end() : found.end() + LONGEST + 1]
            verdict = self.at.verdict(marker, self._markers, after, ended=ended)
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
        if not ended and (folded == lead or (not lead and any(lead.startswith(folded) for lead in self._leads))):
            self._start = text
            return ""
        self._leads = ()
        return self._lead(lead, said) if lead and self._tells(lead, said) else text

    def _tells(self, lead: str, said: str) -> bool:
        """Whether a reply begins with a lead, and not with a word that looks like one.

        A server that drops harmony's tokens leaves a message glued to its header. Behind `analysis` that is the first
        letter of a sentence, which is no small one. Where the content is harmony's and nothing else, it has a header.
        """
        if self.family.channels or lead not in HEADERS_WITHOUT_TOKENS:
            return True
        after = said[len(lead) : len(lead) + 1]
        begins = after.isalnum() and not after.islower()
        glued = bool(after.strip()) and (lead.startswith(ROLE) or begins or after in _QUOTES)
        return glued and said.startswith(lead)

    def _lead(self, lead: str, text: str) -> str:
        if lead.startswith("to="):
            # The prompt has written the first half of this header.
            self._become(FAMILIES["glimmer"])
            self._header = MessageHeader("", channel=False)
            return text
        if lead.startswith(ROLE):
            self._begin(announced(lead.removeprefix(ROLE)))
            self.counted = True
        else:
            self._wonder(text[: len(lead)])
            self._open(Kind.THINKING)
        if lead in HEADERS_WITHOUT_TOKENS:
            self.family = FAMILIES["harmony"]
            self._markers = tokenless(self.family)
        return text[len(lead) :]

    def close(self) -> None:
        """Let go of everything that is held: the text has ended."""
        self.feed("", ended=True)
        if self._header:
            self._end_header()

    def leave(self) -> None:
        """Close every open block: another source of text speaks."""
        self.close()
        self.at.stack.clear()
        self._blocks.end()

    # What may turn out to be text

    def _wonder(self, opener: str) -> None:
        place, stack = self._blocks.place, tuple(self.at.stack)
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
        self.at.stack = list(doubt.stack)
        self.family, self.counted, self._untagged = doubt.family, doubt.counted, doubt.untagged
        self.at.opened = True
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
        self.at.feed(text)
        if self._dropping:
            return
        kind = self.at.kind
        tagged = kind is Kind.ANSWER and bool(self.at.stack) and not self._untagged
        self._said |= kind is Kind.ANSWER and not text.isspace()
        certain = kind is not Kind.ANSWER or tagged or self.at.opened or not self._markers
        self._blocks.text(kind, text, tagged=tagged, certain=certain)

    def _decide(self, marker: Marker, text: str, *, counts: bool) -> None:
        if counts:
            self._count(marker, text)
        else:
            self.at.take_literally(marker)
            self._text(text)
        if self._doubt and self._doubt.raw[-1] is not text:
            self._doubt.raw.append(text)

    # What becomes of a marker that counts

    def _count(self, marker: Marker, text: str) -> None:
        if marker.role is Role.OPEN:
            kind = marker.kinds[0]
            if self._doubt is None and self._is_doubtful(marker, text):
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
        self.at.turn()

    def _is_doubtful(self, marker: Marker, text: str) -> bool:
        """Whether what opens here may be text: within an answer, or by words that any model may say."""
        if self.at.kind is not Kind.ANSWER or marker.kinds[0] is Kind.ANSWER or marker.family.anywhere:
            return False
        return self.at.settled or not self.at.fresh or (self.at.guessing and text[0].isalpha())

    def _become(self, family: Family) -> None:
        """Read on by the family that a marker gives away, where nothing was known."""
        if self.at.guessing:
            self.family, self._markers, self._leads = family, markers(family), ()
            self.at.guessing = False

    def _open(self, kind: Kind) -> None:
        if kind is Kind.ANSWER:
            self.at.stack.clear()
            self._blocks.end()
            self._doubt = None
        if kind is Kind.THINKING:
            self.at.opened = True
        self.at.forget_literals()
        if self.at.kind is not kind or not self.at.stack:
            if self.at.stack or kind is not self._base:
                self._blocks.end()
            self.at.stack.append(kind)

    def _close(self, marker: Marker) -> None:
        self.at.forget_literals()
        level = max((at for at, kind in enumerate(self.at.stack) if kind in marker.kinds), default=None)
        if level is not None:
            del self.at.stack[level:]
            if self._doubt and level <= len(self._doubt.stack):
                self._doubt = None
        elif Kind.THINKING in marker.kinds and marker.family.orphans and not self.at.opened:
            self.at.opened = True
            self._doubt = None
            self.at.stack = [kind for kind in self.at.stack if kind is not Kind.REFLECTION]
            self._blocks.reclassify()
        self._blocks.end()

    # Messages with headers

    def _channel(self, role: Role, text: str) -> None:
        if role is Role.MESSAGE and self._header:
            self._begin(self._header.message())
        elif role is Role.CHANNEL:
            self._end_message()
            self._begin(announced(text.lower().removeprefix(ROLE)))
        elif role is Role.HEADER and text == CHANNEL and self._header:
            self._header.name_channel()
        else:
            if self._header:
                self._end_header()
            self._end_message()
            self._header = MessageHeader(text, channel=text == CHANNEL) if role is Role.HEADER else None

    def _end_header(self) -> None:
        """Take a header that no message follows for the message itself."""
        if self._header:
            message, text = self._header.unfinished(said=self._said)
            self._begin(message)
            self._text(text)

    def _end_message(self) -> None:
        self.at.stack.clear()
        self._blocks.end()
        self._doubt = None
        self._dropping = self._untagged = False

    def _begin(self, message: Announcement) -> None:
        self._header = None
        self._doubt = None
        self.at.opened = True
        self._dropping, self._untagged = message.dropped, message.untagged
        self.at.stack = [message.kind]
