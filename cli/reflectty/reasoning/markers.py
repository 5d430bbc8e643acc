"""Finds the markers of a family in text, complete or cut off at the end of a chunk."""

from __future__ import annotations

import re
from enum import Enum
from functools import cache, cached_property
from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import Kind
from reflectty.reasoning.families import FAMILIES, HEADERS_WITHOUT_TOKENS

if TYPE_CHECKING:
    from reflectty.reasoning.families import Family, Tag

MAX_MARKER_LENGTH = 80
"""The maximum of characters held back of a possible marker, or of the text that decides about one."""

# Patterns are compiled when a text first has a character of a marker: most replies without tags never have one.
_ELEMENT = r"<(/?)([\w:]+)>"
_SUFFIXED = r"(</?\w+:)\*>"
_SUFFIX = r"(</?\w+:)\w+>"
_SUFFIX_LENGTH = 20


class MarkerRole(Enum):
    """The effect of a marker."""

    OPEN = 1
    CLOSE = 2
    HEADER = 3
    MESSAGE = 4
    END = 5
    CHANNEL = 6
    """What remains of a header without its tokens."""


class Marker(NamedTuple):
    """A marker: its role, the kinds it affects, and its family."""

    role: MarkerRole
    kinds: tuple[Kind, ...]
    family: Family


ROLE = "assistant"
HEADER_MARKER = "<|start|>"
CHANNEL_MARKER = "<|channel|>"
_HARMONY = {
    HEADER_MARKER: MarkerRole.HEADER,
    CHANNEL_MARKER: MarkerRole.HEADER,
    "<|message|>": MarkerRole.MESSAGE,
    "<|end|>": MarkerRole.END,
    "<|return|>": MarkerRole.END,
    "<|call|>": MarkerRole.END,
    "<|eom|>": MarkerRole.END,
    "<|eot|>": MarkerRole.END,
}


def _pattern_of(text: str) -> str:
    """The pattern of one marker; elements may have attributes or blanks."""
    element = re.fullmatch(_ELEMENT, text)
    if suffixed := re.fullmatch(_SUFFIXED, text):
        return rf"{re.escape(suffixed[1])}\w{{1,{_SUFFIX_LENGTH}}}>"
    if not element:
        # A marker that ends in a letter must end its word.
        return re.escape(text) + (r"(?!\w)" if text[0] == "<" and text[-1].isalpha() else "")
    slash, name = element.groups()
    inner = r"\s*" if slash else rf"(?:\s[^<>]{{0,{MAX_MARKER_LENGTH - len(name) - 3}}})?"
    return rf"<{slash}{re.escape(name)}{inner}>"


def _tags_by_kind(family: Family) -> tuple[tuple[Kind, tuple[Tag, ...]], ...]:
    return (
        (Kind.THINKING, family.thinking),
        (Kind.REFLECTION, family.reflection),
        (Kind.ANSWER, family.answer),
    )


def _markers_by_text(family: Family) -> dict[str, Marker]:
    """A family's markers by their text."""
    if family.has_channels:
        return {text: Marker(role, (), family) for text, role in _HARMONY.items()}
    markers: dict[str, Marker] = {}
    for kind, tags in _tags_by_kind(family):
        for tag in tags:
            for role, text in ((MarkerRole.OPEN, tag.opener), (MarkerRole.CLOSE, tag.closer)):
                existing = markers.get(text)
                if text:
                    markers[text] = Marker(role, (*existing.kinds, kind) if existing else (kind,), family)
    return markers


def _identifying_markers() -> dict[str, Marker]:
    """The markers that identify a family if the model's is unknown.

    Of answer tags only those of the reflection family count, and openers that are tokens of their own: others may be
    ordinary XML.
    """
    markers: dict[str, Marker] = {}
    for family in FAMILIES.values():
        for text, marker in _markers_by_text(family).items():
            opens_anywhere = family.counts_anywhere and marker.role is MarkerRole.OPEN
            identifies = Kind.ANSWER not in marker.kinds or family.name == "reflection" or opens_anywhere
            if (
                identifies
                and family.name != "native"
                and (not family.has_channels or text in (HEADER_MARKER, CHANNEL_MARKER))
            ):
                markers.setdefault(text, marker)
    return markers


def _reply_starts_of(family: Family) -> tuple[str, ...]:
    """The texts that count only at the start of a reply: partial headers, and openers without their token."""
    if family.name == "any":
        return ("to=self<|message|>", "to=user<|message|>")
    if family.starts_in_header:
        return ("to=",)
    return HEADERS_WITHOUT_TOKENS if family.has_channels else family.opener_remnants


def _is_suffix(text: str) -> bool:
    return len(text) <= _SUFFIX_LENGTH and (not text or text.replace("_", "x").isalnum())


_WORDS_REMEMBERED = 20_000
LONGEST_WORD = 32


class TrailingSpace(dict[str, str | None]):
    """Maps a text to the white space that ends it; to None if it has a special character before that, or is empty.

    Special are the first characters of markers, and those of Markdown's structure. Short texts are remembered, because
    a reply repeats its words; looking one up takes 66 ns, searching it 156.
    """

    def __init__(self, special: str) -> None:
        self._search_special = re.compile(special).search

    def __missing__(self, text: str) -> str | None:
        body = text.rstrip()
        space = None if not text or self._search_special(body) else text[len(body) :]
        if len(text) <= LONGEST_WORD and len(self) < _WORDS_REMEMBERED:
            self[text] = space
        return space


class MarkerSet:
    """The markers of one family, compiled for searching."""

    def __init__(self, markers: dict[str, Marker], reply_starts: tuple[str, ...] = ()) -> None:
        self._exact = markers
        self.reply_starts = reply_starts
        self._folded: dict[str, Marker] = {}
        for text, marker in markers.items():
            self._folded.setdefault(text.lower(), marker)
        self._texts = tuple(sorted(self._folded, key=len, reverse=True))
        self._firsts = "".join(sorted({char for text in self._texts for char in (text[0].lower(), text[0].upper())}))
        self.trailing_space = TrailingSpace(rf"[`~\n{re.escape(self._firsts)}]")

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        return re.compile("|".join(map(_pattern_of, self._texts)) or r"(?!)", re.IGNORECASE)

    @cached_property
    def _first(self) -> re.Pattern[str]:
        return re.compile(f"[{re.escape(self._firsts)}]" if self._firsts else r"(?!)")

    @cached_property
    def _suffixed(self) -> tuple[str, ...]:
        return tuple(match[1] for text in self._texts if (match := re.fullmatch(_SUFFIXED, text)))

    @cached_property
    def _openers(self) -> tuple[str, ...]:
        return tuple(text[:-1] for text in self._texts if re.fullmatch(_ELEMENT, text))

    def search(self, text: str, start: int = 0) -> re.Match[str] | None:
        """The first marker at or after `start`."""
        return self._pattern.search(text, start)

    def match(self, text: str) -> re.Match[str] | None:
        """The marker at the start of the text."""
        return self._pattern.match(text)

    def __bool__(self) -> bool:
        return bool(self._texts)

    def has_first_character(self, text: str) -> bool:
        """Whether the text has the first character of any marker; `in` looks 20 times faster than a pattern."""
        for char in self._firsts:  # noqa: SIM110 - `any` would take three times as long on a word
            if char in text:
                return True
        return False

    def marker_of(self, text: str) -> Marker:
        """The marker for a text that `search` matched."""
        element = text
        if text not in self._exact and text[0] == "<" and text[-1] == ">":
            element = re.split(r"\s+", text[:-1], maxsplit=1)[0] + ">"
        marker = self._exact.get(element) or self._folded.get(element.lower())
        return marker or self._folded[re.sub(_SUFFIX, r"\1*>", text.lower())]

    def is_beginning(self, tail: str) -> bool:
        """Whether `tail` is the beginning of a marker."""
        folded = tail.lower()
        if len(folded) > MAX_MARKER_LENGTH:
            return False
        if any(len(text) > len(folded) and text.startswith(folded) for text in self._texts):
            return True
        if self._suffixed and any(
            folded.startswith(start) and _is_suffix(folded[len(start) :]) for start in self._suffixed
        ):
            return True
        return any(
            folded.startswith(name) and folded[len(name)].isspace() and not set(folded[1:]) & {"<", ">"}
            for name in self._openers
            if len(folded) > len(name)
        )

    def find_beginning(self, text: str, start: int) -> int:
        """The index at or after `start` of an incomplete marker that ends the text; its length if there is none."""
        at = max(start, len(text) - MAX_MARKER_LENGTH)
        while True:
            match = self._first.search(text, at)
            if not match:
                return len(text)
            if self.is_beginning(text[match.start() :]):
                return match.start()
            at = match.end()


@cache
def markers_of(family: Family) -> MarkerSet:
    """The markers of a family; for `any`, those that identify one."""
    return MarkerSet(
        _identifying_markers() if family.name == "any" else _markers_by_text(family), _reply_starts_of(family)
    )


@cache
def tokenless_markers_of(family: Family) -> MarkerSet:
    """The markers of a family, and what remains of them if a server drops its tokens."""
    remnants = {
        text: Marker(MarkerRole.CHANNEL, (), family) for text in HEADERS_WITHOUT_TOKENS if text.startswith(ROLE)
    }
    return MarkerSet(_markers_by_text(family) | remnants)
