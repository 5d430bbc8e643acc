"""Drawn Markdown: its rows as text, with emphasis marked by braces."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING

from reflectty.system import theme
from reflectty.system.terminal import Sink
from reflectty.view.blocks import Splitter
from reflectty.view.markdown import Flow, render_blocks
from reflectty.view.rows import Palette, palette_for, text_of_row

if TYPE_CHECKING:
    from collections.abc import Callable

STYLED = palette_for(
    theme.TERMINAL_THEME, Sink(io.StringIO(), tty=True, color_count=256, unicode=True), can_redraw=True
)
PLAIN = palette_for(theme.TERMINAL_THEME, Sink(io.StringIO(), tty=False, color_count=0, unicode=True), can_redraw=False)
ASCII = palette_for(
    theme.TERMINAL_THEME, Sink(io.StringIO(), tty=True, color_count=256, unicode=False), can_redraw=True
)


ENOUGH = 14
"""A factor of time, for eight times the input, that still counts as linear."""


def drawn(source: str, look: Palette = PLAIN, width: int = 90) -> list[str]:
    """The rows of a document."""
    rows, _ = render_blocks(source, width, width, look, Flow())
    return [text_of_row(row).rstrip() for row in rows]


def emphasised(source: str) -> str:
    """The rows of a document in one line, with bold, italic and struck text between braces."""
    rows, _ = render_blocks(source, 90, 90, STYLED, Flow())
    return " / ".join(
        "".join(f"{{{text}}}" if _loud(style) and text.strip() else text for text, style in row) for row in rows
    )


def _loud(style: object) -> bool:
    return any(getattr(style, name) for name in ("bold", "italic", "strike"))


def split(*pieces: str) -> list[str]:
    """The blocks that a text is cut into as it streams."""
    splitter = Splitter()
    return [block for piece in pieces for block in splitter.feed(piece)] + splitter.close()


def growth(work: Callable[[int], object], size: int) -> float:
    """The factor of CPU time for eight times the input; the least of up to eight tries of each."""
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
