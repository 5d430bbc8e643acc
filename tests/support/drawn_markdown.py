"""Markdown as it is drawn: its rows as text, what is emphasised between braces."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

from reflectty import theme
from reflectty.drawing.blocks import Splitter
from reflectty.drawing.markdown import Flow, render
from reflectty.drawing.paint import Palette, palette, plain
from reflectty.terminal import Sink

if TYPE_CHECKING:
    from collections.abc import Callable

STYLED = palette(theme.TERMINAL, Sink(io.StringIO(), tty=True, colours=256, unicode=True), motion=True)
PLAIN = palette(theme.TERMINAL, Sink(io.StringIO(), tty=False, colours=0, unicode=True), motion=False)
ASCII = palette(theme.TERMINAL, Sink(io.StringIO(), tty=True, colours=256, unicode=False), motion=True)


ENOUGH = 14
"""Times as long, for eight times as much, are no more than proportional."""


def drawn(source: str, look: Palette = PLAIN, width: int = 90) -> list[str]:
    """Return the rows of a document."""
    rows, _ = render(source, width, width, look, Flow())
    return [plain(row).rstrip() for row in rows]


def emphasised(source: str) -> str:
    """Return the rows of a document in one line, what is bold, italic or struck between braces."""
    rows, _ = render(source, 90, 90, STYLED, Flow())
    return " / ".join(
        "".join(f"{{{text}}}" if _loud(style) and text.strip() else text for text, style in row) for row in rows
    )


def _loud(style: object) -> bool:
    return any(getattr(style, name) for name in ("bold", "italic", "strike"))


def split(*pieces: str) -> list[str]:
    """Return the blocks that a text is cut into as it comes."""
    splitter = Splitter()
    return [block for piece in pieces for block in splitter.feed(piece)] + splitter.close()


def growth(work: Callable[[int], object], size: int) -> float:
    """Return how many times as long eight times as much takes, in CPU time; the least of up to eight tries of each."""
    work(10)
    small = large = float("inf")
    for _ in range(8):
        small, large = min(small, _seconds(work, size)), min(large, _seconds(work, size * 8))
        if large < small * ENOUGH:
            break
    return large / small


def _seconds(work: Callable[[int], object], size: int) -> float:
    start = time.process_time()
    work(size)
    return time.process_time() - start
