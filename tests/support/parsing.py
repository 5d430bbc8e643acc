"""Feeds the parser with the input of a case, cut in every way, and folds its events into texts with their kinds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reflectty.core.segments import Event, Reclassification
from reflectty.reasoning.families import FAMILIES, Family
from reflectty.reasoning.parser import StreamParser

if TYPE_CHECKING:
    from collections.abc import Iterator

Piece = tuple[str, str]
"""A source of text (`content` or `thinking`), and the text."""
Text = tuple[str, str]
"""A kind and its text."""


def pieces(case: dict[str, Any]) -> list[Piece]:
    """The input of a case, in order of arrival."""
    if case.get("events"):
        return [(source, text) for source, text in case["events"]]
    native = [("thinking", text) for text in case.get("native_thinking") or []]
    return native + [("content", text) for text in case["chunks"]]


def parse(family: str | Family, given: list[Piece], *, prefilled: bool = False) -> list[Event]:
    """Every event of a parser that is fed these pieces and closed."""
    parser = StreamParser(FAMILIES[family] if isinstance(family, str) else family, prefilled=prefilled)
    events: list[Event] = []
    for source, text in given:
        events += parser.feed(text) if source == "content" else parser.feed_thinking(text)
    return [*events, *parser.close()]


def fold(events: list[Event]) -> list[Text]:
    """The segments that events amount to; only a reclassification changes the kind of a segment."""
    kinds: dict[int, str] = {}
    texts: dict[int, str] = {}
    for event in events:
        if isinstance(event, Reclassification) and event.kind is None:
            for block in event.blocks:
                kinds.pop(block, None)
                texts.pop(block, None)
        elif isinstance(event, Reclassification):
            kinds |= dict.fromkeys(event.blocks, str(event.kind))
        else:
            assert kinds.setdefault(event.block, str(event.kind)) == str(event.kind)
            texts[event.block] = texts.get(event.block, "") + event.text
    return [(kinds[block], text) for block, text in texts.items()]


def run_case(case: dict[str, Any], given: list[Piece]) -> list[Text]:
    """The result of a case whose input is cut into these pieces."""
    return fold(parse(case["family"], given, prefilled=case.get("start_in") == "thinking"))


def merged(given: list[Piece]) -> list[Piece]:
    """The same input with as few cuts as possible."""
    out: list[Piece] = []
    for source, text in given:
        if out and out[-1][0] == source:
            out[-1] = (source, out[-1][1] + text)
        else:
            out.append((source, text))
    return out


def characters(given: list[Piece]) -> list[Piece]:
    """The same input, cut everywhere."""
    return [(source, char) for source, text in given for char in text]


def cut_once(given: list[Piece]) -> Iterator[list[Piece]]:
    """The same input with one cut, at each position in turn."""
    whole = merged(given)
    for number, (source, text) in enumerate(whole):
        for at in range(1, len(text)):
            yield [*whole[:number], (source, text[:at]), (source, text[at:]), *whole[number + 1 :]]
