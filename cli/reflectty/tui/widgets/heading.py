"""A heading of a list, as rows: nothing that could be chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.tui.widgets.listing import cut

if TYPE_CHECKING:
    from reflectty.drawing.paint import Row
    from reflectty.tui.widgets.listing import Pen


class Heading(NamedTuple):
    """What stands below it; a blank row comes before one that is not the first."""

    text: str
    first: bool = False

    @property
    def choosable(self) -> bool:
        return False

    def height(self, width: int) -> int:  # noqa: ARG002 - the same at any
        return 1 if self.first else 2

    def row(self, at: int, pen: Pen) -> Row:
        return [(cut(self.text, pen.width, pen.signs.more), pen.look("dim"))] if self.first or at else []
