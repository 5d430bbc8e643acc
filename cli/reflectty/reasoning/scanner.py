"""Splits a stream of text at the markers that count, and parses the headers of channel formats."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import Kind
from reflectty.reasoning.families import FAMILIES, HEADERS_WITHOUT_TOKENS
from reflectty.reasoning.line_context import LineContext, TagVerdict
from reflectty.reasoning.markers import (
    CHANNEL_MARKER,
    MAX_MARKER_LENGTH,
    ROLE,
    Marker,
    MarkerRole,
    MarkerSet,
    markers_of,
    tokenless_markers_of,
)

if TYPE_CHECKING:
    from reflectty.reasoning.blocks import BlockBuilder, BlockSnapshot
    from reflectty.reasoning.families import Family
    from reflectty.reasoning.markers import TrailingSpace


MAX_HEADER_LENGTH = 200
"""The maximum of characters in a header; longer text after its marker is not one."""

_CHANNELS = ("analysis", "commentary", "final")
_LABEL = rf"\s*(?:assistant\b)?\s*(?:(?:{'|'.join(_CHANNELS)})\b)?"
_DETAILS = r"(?:\s*(?:to=[^\s<]+|<\|constrain\|>\s*\w*))*\s*"
_ADDRESSEES = ("to=self", "to=user", "to=assistant")


class HeaderInfo(NamedTuple):
    """The content of a header."""

    kind: Kind
    is_for_tool: bool = False
    """Whether the message is for a tool: neither thinking nor answer."""
    is_preamble: bool = False
    """Whether the message precedes the answer, and is the answer only if no other follows."""


class MessageHeader:
    """A header while it is streamed; `channel` if it begins with the channel's marker, without the role."""

    def __init__(self, marker: str, *, channel: bool) -> None:
        self._marker = marker
        self._role: list[str] = []
        self._text: list[str] = []
        self._in_channel = channel

    def begin_channel_name(self) -> None:
        """Begin the channel's name, which replaces an earlier one."""
        if not self._in_channel:
            self._role, self._in_channel = self._text, True
        self._text = []

    def add_text(self, text: str) -> None:
        self._text.append(text)

    @property
    def is_too_long(self) -> bool:
        """Whether this cannot be a header."""
        return sum(map(len, self._text)) > MAX_HEADER_LENGTH

    def parse(self) -> HeaderInfo:
        """Parse the complete header."""
        return parse_header(f"{''.join(self._role)} {''.join(self._text)}")

    def parse_unfinished(self, *, has_answer: bool) -> tuple[HeaderInfo, str]:
        """Parse a header that no message marker follows, and return the text of its message, too.

        Args:
            has_answer: whether there is an answer already, to which the text is added unchanged.
        """
        text = "".join(self._text)
        label = re.match(_LABEL, text, re.IGNORECASE)
        named = label is not None and bool(label[0].strip())
        rest = text[label.end() :] if label else text
        details = re.match(_DETAILS, rest)
        body = rest[details.end() :] if details else rest
        message = parse_header(text[: len(text) - len(body)])
        if not body.strip():
            return message, ""
        if not named and body == text.lstrip():
            return message, self._marker + text
        return message, text if has_answer and self._in_channel and message.kind is Kind.ANSWER else body


def parse_header(header: str) -> HeaderInfo:
    """Parse the words of a header."""
    words = header.lower().split()
    thinks = "analysis" in words or "to=self" in words
    dropped = any(word.startswith("to=") and word not in _ADDRESSEES for word in words)
    return HeaderInfo(Kind.THINKING if thinks else Kind.ANSWER, dropped, "commentary" in words)


_QUOTES = "\"'“‘«「『([*`$"  # noqa: RUF001 - quotation marks as they are typed
"""What a sentence may begin with, besides a letter or a digit."""


class DoubtfulThinking(NamedTuple):
    """Thinking that may turn out to be text: the state before it, and its raw text."""

    snapshot: BlockSnapshot
    stack: tuple[Kind, ...]
    family: Family
    has_markers: bool
    is_preamble: bool
    raw: list[str]


class Scanner:
    """Splits one source of text; `base` is the kind of text outside all blocks, `start_in` the kind already open."""

    def __init__(
        self, family: Family, blocks: BlockBuilder, base: Kind = Kind.ANSWER, start_in: Kind | None = None
    ) -> None:
        self.family = family
        """The family whose markers are searched for; `any` becomes the family of the first marker."""
        self.context = LineContext(base, start_in)
        self.context.is_family_unknown = family.name == "any"
        self._markers: MarkerSet = markers_of(family)
        self._blocks = blocks
        self._base = base
        self._held = ""
        self._reply_starts = () if start_in else self._markers.reply_starts
        self._pending_start = ""
        self._header: MessageHeader | None = None
        self._doubt: DoubtfulThinking | None = None
        self._is_for_tool = False
        self._is_preamble = False
        self._has_answer = False
        self.has_markers = False
        """Whether any marker has counted so far."""

    @property
    def kind(self) -> Kind:
        """The kind of text at this position."""
        return self.context.kind

    @property
    def is_stable(self) -> bool:
        """Whether text without special characters only extends the open block."""
        settled = self._header is None and self._doubt is None and not self._is_for_tool
        return settled and not self._held and not self._pending_start and self.context.position.is_stable

    @property
    def trailing_space(self) -> TrailingSpace:
        """The white space at the end of texts without special characters."""
        return self._markers.trailing_space

    def note_separate_thinking(self) -> None:
        """Note that the thinking is in its own field, so that text outside it is certainly the answer."""
        self.context.is_certain = self.context.has_separate_thinking = True
        if self.context.at_block_start and not self.has_markers:
            self.context.stack.clear()
        if not self.family.starts_in_header:
            self._reply_starts = ()

    def feed(self, text: str, *, ended: bool = False) -> None:
        """Scan the next piece of text; with `ended`, decide about all held text."""
        if self._reply_starts or self._pending_start:
            text = self._strip_reply_start(self._pending_start + text, ended=ended)
        if not self._held and not self._markers.has_first_character(text):
            self._feed_text(text)
            return
        buffer = self._held + text
        self._held = ""
        at = 0
        while match := self._markers.search(buffer, at):
            self._feed_text(buffer[at : match.start()])
            at = match.start()
            if not ended and self._markers.is_beginning(buffer[at : at + MAX_MARKER_LENGTH + 1]):
                break
            marker = self._markers.marker_of(match.group())
            after = buffer[match.end() : match.end() + MAX_MARKER_LENGTH + 1]
            verdict = self.context.judge(marker, self._markers, after, ended=ended)
            if verdict is TagVerdict.WAIT:
                break
            self._handle_marker(marker, match.group(), counts=verdict is TagVerdict.COUNTS)
            at = match.end()
        else:
            cut = len(buffer) if ended else self._markers.find_beginning(buffer, at)
            self._feed_text(buffer[at:cut])
            at = cut
        self._held = buffer[at:]

    def _strip_reply_start(self, text: str, *, ended: bool) -> str:
        """Remove a partial header or opener at the start of the reply; return the rest of the text."""
        self._pending_start = ""
        stripped = text.lstrip()
        folded = stripped.lower()
        if not stripped:
            return text
        start = next((start for start in self._reply_starts if folded.startswith(start)), "")
        if not ended and (
            folded == start or (not start and any(start.startswith(folded) for start in self._reply_starts))
        ):
            self._pending_start = text
            return ""
        self._reply_starts = ()
        return self._apply_reply_start(start, stripped) if start and self._is_reply_start(start, stripped) else text

    def _is_reply_start(self, start: str, text: str) -> bool:
        """Whether a reply begins with `start` as a marker, not with a word that looks like it.

        A server that drops harmony's tokens leaves a message glued to its header, so after `analysis` comes the first
        letter of a sentence, which is not lower-case. Content known to be harmony's always has a header.
        """
        if self.family.has_channels or start not in HEADERS_WITHOUT_TOKENS:
            return True
        after = text[len(start) : len(start) + 1]
        begins = after.isalnum() and not after.islower()
        glued = bool(after.strip()) and (start.startswith(ROLE) or begins or after in _QUOTES)
        return glued and text.startswith(start)

    def _apply_reply_start(self, lead: str, text: str) -> str:
        if lead.startswith("to="):
            # The prompt has the first half of this header.
            self._adopt_family(FAMILIES["glimmer"])
            self._header = MessageHeader("", channel=False)
            return text
        if lead.startswith(ROLE):
            self._begin_message(parse_header(lead.removeprefix(ROLE)))
            self.has_markers = True
        else:
            self._begin_doubt(text[: len(lead)])
            self._open(Kind.THINKING)
        if lead in HEADERS_WITHOUT_TOKENS:
            self.family = FAMILIES["harmony"]
            self._markers = tokenless_markers_of(self.family)
        return text[len(lead) :]

    def close(self) -> None:
        """End the text, and emit all that is held."""
        self.feed("", ended=True)
        if self._header:
            self._end_header()

    def close_blocks(self) -> None:
        """Close every open block, because another source of text continues."""
        self.close()
        self.context.stack.clear()
        self._blocks.end_block()

    # Doubtful thinking

    def _begin_doubt(self, opener: str) -> None:
        snapshot, stack = self._blocks.snapshot, tuple(self.context.stack)
        self._doubt = DoubtfulThinking(snapshot, stack, self.family, self.has_markers, self._is_preamble, [opener])

    def confirm_thinking(self) -> None:
        """Treat doubtful thinking as thinking that is still open."""
        self._doubt = None

    def revert_unclosed_thinking(self) -> None:
        """Make doubtful thinking that never closed part of the answer around it."""
        doubt, self._doubt = self._doubt, None
        if doubt is None:
            return
        self._blocks.roll_back(doubt.snapshot)
        self.context.stack = list(doubt.stack)
        self.family, self.has_markers, self._is_preamble = doubt.family, doubt.has_markers, doubt.is_preamble
        self.context.is_certain = True
        self._add_text("".join(doubt.raw))

    # Text

    def _feed_text(self, text: str) -> None:
        self._add_text(text)
        if self._doubt:
            self._doubt.raw.append(text)

    def _add_text(self, text: str) -> None:
        if not text:
            return
        if self._header is not None:
            self._header.add_text(text)
            if self._header.is_too_long:
                self._end_header()
            return
        self.context.feed(text)
        if self._is_for_tool:
            return
        kind = self.context.kind
        tagged = kind is Kind.ANSWER and bool(self.context.stack) and not self._is_preamble
        self._has_answer |= kind is Kind.ANSWER and not text.isspace()
        certain = kind is not Kind.ANSWER or tagged or self.context.is_certain or not self._markers
        self._blocks.add_text(kind, text, tagged=tagged, certain=certain)

    def _handle_marker(self, marker: Marker, text: str, *, counts: bool) -> None:
        if counts:
            self._apply_marker(marker, text)
        else:
            self.context.note_literal(marker)
            self._add_text(text)
        if self._doubt and self._doubt.raw[-1] is not text:
            self._doubt.raw.append(text)

    # Markers that count

    def _apply_marker(self, marker: Marker, text: str) -> None:
        if marker.role is MarkerRole.OPEN:
            kind = marker.kinds[0]
            if self._doubt is None and self._is_doubtful(marker, text):
                self._begin_doubt(text)
            self._adopt_family(marker.family)
            self._open(kind)
        else:
            self._adopt_family(marker.family)
            if marker.role is MarkerRole.CLOSE:
                self._close(marker)
            else:
                self._apply_header_marker(marker.role, text)
        self.has_markers = True
        self.context.begin_block()

    def _is_doubtful(self, marker: Marker, text: str) -> bool:
        """Whether an opener may be text: in an answer, or if it consists of words that occur in prose."""
        if self.context.kind is not Kind.ANSWER or marker.kinds[0] is Kind.ANSWER or marker.family.counts_anywhere:
            return False
        return (
            self.context.has_separate_thinking
            or not self.context.at_block_start
            or (self.context.is_family_unknown and text[0].isalpha())
        )

    def _adopt_family(self, family: Family) -> None:
        """Continue with the family of a marker, if the family was unknown."""
        if self.context.is_family_unknown:
            self.family, self._markers, self._reply_starts = family, markers_of(family), ()
            self.context.is_family_unknown = False

    def _open(self, kind: Kind) -> None:
        if kind is Kind.ANSWER:
            self.context.stack.clear()
            self._blocks.end_block()
            self._doubt = None
        if kind is Kind.THINKING:
            self.context.is_certain = True
        self.context.forget_literals()
        if self.context.kind is not kind or not self.context.stack:
            if self.context.stack or kind is not self._base:
                self._blocks.end_block()
            self.context.stack.append(kind)

    def _close(self, marker: Marker) -> None:
        self.context.forget_literals()
        level = max((at for at, kind in enumerate(self.context.stack) if kind in marker.kinds), default=None)
        if level is not None:
            del self.context.stack[level:]
            if self._doubt and level <= len(self._doubt.stack):
                self._doubt = None
        elif Kind.THINKING in marker.kinds and marker.family.allows_orphan_closers and not self.context.is_certain:
            self.context.is_certain = True
            self._doubt = None
            self.context.stack = [kind for kind in self.context.stack if kind is not Kind.REFLECTION]
            self._blocks.reclassify()
        self._blocks.end_block()

    # Messages with headers

    def _apply_header_marker(self, role: MarkerRole, text: str) -> None:
        if role is MarkerRole.MESSAGE and self._header:
            self._begin_message(self._header.parse())
        elif role is MarkerRole.CHANNEL:
            self._end_message()
            self._begin_message(parse_header(text.lower().removeprefix(ROLE)))
        elif role is MarkerRole.HEADER and text == CHANNEL_MARKER and self._header:
            self._header.begin_channel_name()
        else:
            if self._header:
                self._end_header()
            self._end_message()
            self._header = MessageHeader(text, channel=text == CHANNEL_MARKER) if role is MarkerRole.HEADER else None

    def _end_header(self) -> None:
        """Treat a header that no message follows as the message itself."""
        if self._header:
            message, text = self._header.parse_unfinished(has_answer=self._has_answer)
            self._begin_message(message)
            self._add_text(text)

    def _end_message(self) -> None:
        self.context.stack.clear()
        self._blocks.end_block()
        self._doubt = None
        self._is_for_tool = self._is_preamble = False

    def _begin_message(self, message: HeaderInfo) -> None:
        self._header = None
        self._doubt = None
        self.context.is_certain = True
        self._is_for_tool, self._is_preamble = message.is_for_tool, message.is_preamble
        self.context.stack = [message.kind]
