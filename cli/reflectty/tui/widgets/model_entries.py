"""What the screen of models lists: pulls, models, and what is known of one, as rows; moves nothing and asks nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.cloud import elsewhere
from reflectty.drawing.model import memory, weights, where
from reflectty.drawing.sizes import size
from reflectty.drawing.summary import fitting
from reflectty.drawing.wrap import cells, fold
from reflectty.names import short
from reflectty.safety import clean_line
from reflectty.tui.widgets.heading import Heading
from reflectty.tui.widgets.listing import GUTTER, cut, padded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.chat import Model, Running
    from reflectty.drawing.paint import Row
    from reflectty.drawing.summary import Fact
    from reflectty.tui.widgets.listing import Pen

UNNAMED, CLOUD = "unnamed", "cloud"
SIZE, WEIGHTS, CAN, WHERE, MEMORY = range(5)
"""The columns beside a name, from the left."""
_LEAVING = (MEMORY, WEIGHTS, CAN, SIZE)
"""The columns that go where it is narrow, the first of them first."""
_NAME, _SHORTEST = 24, 14
"""Before a name gets fewer columns than this, another column is left out; the last of them before the second."""
_GAP = 2
_BESIDE = 90
"""Columns that a pull needs to stand in one row."""
_PROBLEM = 3
"""Rows that are shown of why a pull ended."""
_KEY = 11
_LONGEST = 4000


class Known(NamedTuple):
    """A model on the server."""

    model: Model
    running: Running | None = None
    """Where it is loaded."""
    abilities: tuple[str, ...] = ()
    busy: str = ""
    """What is being done with it."""
    answers: bool = False
    """Whether it is the one that answers in the chat."""


class Coming(NamedTuple):
    """A pull, under way or ended before its end."""

    name: str
    facts: tuple[Fact, ...] = ()
    problem: str = ""
    """Why it ended; nothing while it goes on."""
    wrong: bool = False
    """Whether it was not the reader who ended it."""


class Listed(NamedTuple):
    """A model in the list."""

    known: Known
    widths: tuple[int, ...]
    """Of the name and of each column, in all the list."""

    @property
    def choosable(self) -> bool:
        return True

    def height(self, width: int) -> int:  # noqa: ARG002 - the same at any
        return 1

    def row(self, at: int, pen: Pen) -> Row:  # noqa: ARG002 - there is one
        known, texts = self.known, columns(self.known)
        shown = fitting_columns(self.widths, pen.width - GUTTER)
        taken = sum(self.widths[1 + column] + _GAP for column in shown)
        room = max(1, min(self.widths[0], pen.width - GUTTER - taken))
        name = padded(cut(shown_name(known.model.name), room, pen.signs.more), room)
        row = [*pen.gutter(current=known.answers), (name, pen.look("you" if known.answers else "text"))]
        for column in shown:
            role, width = _role(column, known), self.widths[1 + column]
            text = texts[column].rjust(width) if column == SIZE else padded(texts[column], width)
            row += [(" " * _GAP, pen.look("text")), (text, pen.look(role))]
        return row


class Pulled(NamedTuple):
    """A pull in the list: in one row, or where it is narrow with what is told of it below its name."""

    coming: Coming
    names: int
    """Columns that the longest name of a pull fills."""

    @property
    def choosable(self) -> bool:
        return True

    def height(self, width: int) -> int:
        return 1 if width >= _BESIDE else 1 + max(1, len(self._rows(width - GUTTER - _GAP)))

    def row(self, at: int, pen: Pen) -> Row:
        room, text = pen.width - GUTTER - _GAP, pen.look("text")
        beside = pen.width >= _BESIDE
        names = min(self.names, room // 2) if beside else room
        name = padded(cut(shown_name(self.coming.name), names, pen.signs.more), names)
        head = [*pen.gutter(first=at == 0), *self._sign(pen, first=at == 0)]
        if beside:
            return [*head, (name, text), (" " * _GAP, text), *self._told(room - names - _GAP, pen)]
        return head + ([(name, text)] if at == 0 else self._told(room, pen, at - 1))

    def _sign(self, pen: Pen, *, first: bool) -> Row:
        wrong, ended = self.coming.wrong, bool(self.coming.problem)
        sign = "!" if wrong else " " if ended else pen.signs.running
        return [(f"{sign if first else ' '} ", pen.look("error" if wrong else "accent"))]

    def _told(self, room: int, pen: Pen, at: int = 0) -> Row:
        if self.coming.problem:
            problem, rows = clean_line(self.coming.problem, _LONGEST), self._rows(room)
            start, end = rows[at] if at < len(rows) else (0, 0)
            text = problem[start:] if at == len(rows) - 1 or pen.width >= _BESIDE else problem[start:end]
            look = pen.look("text" if self.coming.wrong else "dim")
            return [(cut(text, max(1, room), pen.signs.more), look)]
        dot = f" {pen.signs.dot} "
        text = dot.join(fact.text for fact in fitting(self.coming.facts, room, len(dot)))
        return [(cut(text, max(1, room), pen.signs.more), pen.look("dim"))]

    def _rows(self, room: int) -> Sequence[tuple[int, int]]:
        """Return where the rows of what ended it begin and end."""
        problem = clean_line(self.coming.problem, _LONGEST)
        return list(fold(problem, max(1, room)))[:_PROBLEM] if problem else []


class Title(NamedTuple):
    """What all that is told below it is about."""

    text: str

    @property
    def choosable(self) -> bool:
        return False

    def height(self, width: int) -> int:  # noqa: ARG002 - the same at any
        return 1

    def row(self, at: int, pen: Pen) -> Row:  # noqa: ARG002 - there is one
        return [(cut(self.text, pen.width, pen.signs.more), pen.look("accent"))]


class Told(NamedTuple):
    """One thing that is known, its name before it; without a name it belongs to the one above."""

    key: str
    text: str

    @property
    def choosable(self) -> bool:
        return False

    def height(self, width: int) -> int:
        return max(1, len(self._rows(width)))

    def row(self, at: int, pen: Pen) -> Row:
        rows = self._rows(pen.width)
        # A row may be drawn once more before the list is laid for another width.
        start, end = rows[at] if at < len(rows) else (0, 0)
        key = padded(self.key if at == 0 else "", _KEY)
        return [(key, pen.look("faint")), (clean_line(self.text, _LONGEST)[start:end], pen.look("text"))]

    def _rows(self, width: int) -> Sequence[tuple[int, int]]:
        text = clean_line(self.text, _LONGEST)
        # What was never laid out has no width yet.
        return (fold(text, max(1, width - _KEY)) if text and width else ()) or [(0, len(text))]


def listed(models: Sequence[Known], pulls: Sequence[Coming]) -> list[Heading | Listed | Pulled]:
    """Return the entries of a list: the pulls, if there are any, above the models."""
    names = max((cells(shown_name(one.name)) for one in pulls), default=0)
    table = [(shown_name(one.model.name), *columns(one)) for one in models]
    widths = tuple(max(map(cells, column)) for column in zip(*table, strict=True))
    rows = [Listed(one, widths) for one in models]
    if not pulls:
        return [*rows]
    heading = [Heading("installed")] if rows else []
    return [Heading("pulls", first=True), *(Pulled(one, names) for one in pulls), *heading, *rows]


def told(name: str, facts: Iterable[tuple[str, str]]) -> list[Title | Told]:
    """Return the entries that say what is known of a model or a pull."""
    return [Title(shown_name(name)), *(Told(*fact) for fact in facts)]


def shown_name(name: str) -> str:
    """Return the name of a model as it is shown."""
    return clean_line(short(name)) or UNNAMED


def columns(known: Known) -> tuple[str, ...]:
    """Return what stands beside a name, in order."""
    model, running = known.model, known.running
    return (
        CLOUD if elsewhere(model) else size(model.size) if model.size else "",
        weights(model),
        ", ".join(known.abilities),
        known.busy or (where(running) if running else ""),
        memory(running) if running and not known.busy else "",
    )


def fitting_columns(widths: Sequence[int], room: int) -> tuple[int, ...]:
    """Return the columns that fit beside a name, whose width is the first; one in which nothing stands is none."""
    names, *others = widths
    shown = [column for column, width in enumerate(others) if width]
    for column in _LEAVING:
        least = min(names, _SHORTEST if column == SIZE else _NAME)
        if sum(others[one] + _GAP for one in shown) <= room - least:
            break
        shown = [one for one in shown if one != column]
    return tuple(shown)


def _role(column: int, known: Known) -> str:
    if column == WHERE:
        running = known.running
        whole = running is not None and 0 < running.size <= running.size_vram
        return "accent" if known.busy else "good" if whole else "correction"
    return "dim" if column in (WEIGHTS, MEMORY) else "text"
