"""What every part of a transcript has: rows at a width, and where the reader may jump to."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from reflectty.drawing.inline import wrapped
from reflectty.drawing.paint import BOLD
from reflectty.drawing.wrap import GUTTER, Columns, columns

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style

    from reflectty.drawing.paint import Palette, Row


class View(StrEnum):
    """How thinking is shown."""

    LIVE = "live"
    """All of it."""
    PEEK = "peek"
    """Its last rows while it comes, then the summary."""
    FOLDED = "folded"
    """The summary."""
    OFF = "off"
    """Not at all."""


class Scene(NamedTuple):
    """Everything that rows depend on, beside the text."""

    palette: Palette
    width: int
    height: int
    view: View = View.LIVE
    hints: tuple[tuple[str, str], ...] = ()
    """Pairs of an action's name and the key that does it."""

    @property
    def columns(self) -> Columns:
        return columns(self.width)

    def key(self, action: str) -> str:
        """Return how the key of an action is written; nothing when it has none."""
        return dict(self.hints).get(action, "")


class Part(Protocol):
    """One part of a transcript."""

    def lay(self, scene: Scene) -> None:
        """Lay the part out anew."""
        ...

    @property
    def height(self) -> int:
        """How many rows it has."""
        ...

    def row(self, at: int) -> Row:
        """Return one row."""
        ...


def gutter(rows: Sequence[Row], sign: str, style: Style, *, first: str = "", lead: Style | None = None) -> list[Row]:
    """Return rows behind a gutter; the first may have a sign of its own."""
    blank = " " * (GUTTER - 1)
    drawn: list[Row] = [[(sign + blank, style), *row] for row in rows]
    if drawn and first:
        drawn[0][0] = (first + blank, lead or style)
    return drawn


def remark(text: str, scene: Scene, role: str = "dim", sign: str = " ") -> list[Row]:
    """Return a remark as rows; `text` must be safe to show."""
    style = scene.palette.styles[role]
    rows = wrapped([(text, scene.palette.styles["dim" if sign != " " else role])], scene.columns.prose)
    return gutter(rows, " ", style, first=sign, lead=style + BOLD)
