"""Rows of the screen of models: models, downloads and the facts of one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.core.model_names import short_name_of
from reflectty.core.safety import clean_line
from reflectty.tui.widgets.list import GUTTER, Heading, pad, truncate
from reflectty.view.model import model_texts_of
from reflectty.view.rows import cell_width, row_spans
from reflectty.view.summary import fit_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.core.messages import Model, RunningModel
    from reflectty.tui.widgets.list import RowPainter
    from reflectty.view.rows import Row
    from reflectty.view.summary import SummaryFact

UNNAMED = "unnamed"
SIZE, WEIGHTS, ABILITIES, LOCATION, MEMORY = range(5)
"""The columns beside the name, left to right."""
_DROP_ORDER = (MEMORY, WEIGHTS, ABILITIES, SIZE)
"""The columns that are dropped if the list is narrow, in this order."""
_NAME_WIDTH, _MIN_NAME_WIDTH = 24, 14
"""Minimum widths of the name before another column is dropped; the second one before the size."""
_GAP = 2
_ONE_ROW_WIDTH = 90
"""Minimum columns for a pull on one row."""
_MAX_PROBLEM_ROWS = 3
"""Maximum rows of the reason why a pull ended."""
_KEY_WIDTH = 11
_MAX_TEXT_LENGTH = 4000


class ModelInfo(NamedTuple):
    """A model on the server."""

    model: Model
    running: RunningModel | None = None
    """Where it is loaded."""
    abilities: tuple[str, ...] = ()
    busy_with: str = ""
    """The operation in progress."""
    is_chat_model: bool = False
    """True if it is the chat's model."""


class DownloadState(NamedTuple):
    """A pull that is running, failed or stopped."""

    name: str
    facts: tuple[SummaryFact, ...] = ()
    problem: str = ""
    """Why it ended; empty while it is running."""
    is_error: bool = False
    """True if it failed, rather than being stopped."""


class ModelRow(NamedTuple):
    """A model as a row."""

    info: ModelInfo
    widths: tuple[int, ...]
    """Widths of the name and of each column in the whole list."""

    @property
    def is_choosable(self) -> bool:
        return True

    def height(self, width: int) -> int:  # noqa: ARG002 - the same at any
        return 1

    def row(self, at: int, painter: RowPainter) -> Row:  # noqa: ARG002 - there is one
        known, texts = self.info, column_texts_of(self.info)
        shown = fit_columns(self.widths, painter.width - GUTTER)
        taken = sum(self.widths[1 + column] + _GAP for column in shown)
        room = max(1, min(self.widths[0], painter.width - GUTTER - taken))
        name = pad(truncate(display_name_of(known.model.name), room, painter.glyphs.more), room)
        row = [
            *painter.gutter(current=known.is_chat_model),
            (name, painter.style_of("you" if known.is_chat_model else "text")),
        ]
        for column in shown:
            role, width = _role_of(column, known), self.widths[1 + column]
            text = texts[column].rjust(width) if column == SIZE else pad(texts[column], width)
            row += [(" " * _GAP, painter.style_of("text")), (text, painter.style_of(role))]
        return row


class DownloadRow(NamedTuple):
    """A pull on one row, or in a narrow list with its facts below its name."""

    state: DownloadState
    name_width: int
    """Width of the longest name of a pull."""

    @property
    def is_choosable(self) -> bool:
        return True

    def height(self, width: int) -> int:
        return 1 if width >= _ONE_ROW_WIDTH else 1 + max(1, len(self._problem_rows(width - GUTTER - _GAP)))

    def row(self, at: int, painter: RowPainter) -> Row:
        room, text = painter.width - GUTTER - _GAP, painter.style_of("text")
        beside = painter.width >= _ONE_ROW_WIDTH
        names = min(self.name_width, room // 2) if beside else room
        name = pad(truncate(display_name_of(self.state.name), names, painter.glyphs.more), names)
        head = [*painter.gutter(first=at == 0), *self._sign(painter, first=at == 0)]
        if beside:
            return [*head, (name, text), (" " * _GAP, text), *self._state_row(room - names - _GAP, painter)]
        return head + ([(name, text)] if at == 0 else self._state_row(room, painter, at - 1))

    def _sign(self, painter: RowPainter, *, first: bool) -> Row:
        wrong, ended = self.state.is_error, bool(self.state.problem)
        sign = "!" if wrong else " " if ended else painter.glyphs.running
        return [(f"{sign if first else ' '} ", painter.style_of("error" if wrong else "accent"))]

    def _state_row(self, room: int, painter: RowPainter, at: int = 0) -> Row:
        if self.state.problem:
            problem, rows = clean_line(self.state.problem, _MAX_TEXT_LENGTH), self._problem_rows(room)
            start, end = rows[at] if at < len(rows) else (0, 0)
            text = problem[start:] if at == len(rows) - 1 or painter.width >= _ONE_ROW_WIDTH else problem[start:end]
            look = painter.style_of("text" if self.state.is_error else "dim")
            return [(truncate(text, max(1, room), painter.glyphs.more), look)]
        dot = f" {painter.glyphs.dot} "
        text = dot.join(fact.text for fact in fit_facts(self.state.facts, room, len(dot)))
        return [(truncate(text, max(1, room), painter.glyphs.more), painter.style_of("dim"))]

    def _problem_rows(self, room: int) -> Sequence[tuple[int, int]]:
        """The ranges of the problem's rows."""
        problem = clean_line(self.state.problem, _MAX_TEXT_LENGTH)
        return list(row_spans(problem, max(1, room)))[:_MAX_PROBLEM_ROWS] if problem else []


class TitleRow(NamedTuple):
    """The title above the facts."""

    text: str

    @property
    def is_choosable(self) -> bool:
        return False

    def height(self, width: int) -> int:  # noqa: ARG002 - the same at any
        return 1

    def row(self, at: int, painter: RowPainter) -> Row:  # noqa: ARG002 - there is one
        return [(truncate(self.text, painter.width, painter.glyphs.more), painter.style_of("accent"))]


class FactRow(NamedTuple):
    """A fact after its name; without a name it belongs to the one above."""

    key: str
    text: str

    @property
    def is_choosable(self) -> bool:
        return False

    def height(self, width: int) -> int:
        return max(1, len(self._rows(width)))

    def row(self, at: int, painter: RowPainter) -> Row:
        rows = self._rows(painter.width)
        # A row may be drawn once more before the layout for the new width.
        start, end = rows[at] if at < len(rows) else (0, 0)
        key = pad(self.key if at == 0 else "", _KEY_WIDTH)
        return [
            (key, painter.style_of("faint")),
            (clean_line(self.text, _MAX_TEXT_LENGTH)[start:end], painter.style_of("text")),
        ]

    def _rows(self, width: int) -> Sequence[tuple[int, int]]:
        text = clean_line(self.text, _MAX_TEXT_LENGTH)
        # Before the first layout the width is 0.
        return (row_spans(text, max(1, width - _KEY_WIDTH)) if text and width else ()) or [(0, len(text))]


def build_rows(models: Sequence[ModelInfo], pulls: Sequence[DownloadState]) -> list[Heading | ModelRow | DownloadRow]:
    """The entries of the list: pulls, if any, above the models."""
    names = max((cell_width(display_name_of(one.name)) for one in pulls), default=0)
    table = [(display_name_of(one.model.name), *column_texts_of(one)) for one in models]
    widths = tuple(max(map(cell_width, column)) for column in zip(*table, strict=True))
    rows = [ModelRow(one, widths) for one in models]
    if not pulls:
        return [*rows]
    heading = [Heading("installed")] if rows else []
    return [Heading("pulls", is_first=True), *(DownloadRow(one, names) for one in pulls), *heading, *rows]


def build_fact_rows(name: str, facts: Iterable[tuple[str, str]]) -> list[TitleRow | FactRow]:
    """The entries for the facts of a model or a pull."""
    return [TitleRow(display_name_of(name)), *(FactRow(*fact) for fact in facts)]


def display_name_of(name: str) -> str:
    """The short name of a model, safe for a terminal."""
    return clean_line(short_name_of(name)) or UNNAMED


def column_texts_of(known: ModelInfo) -> tuple[str, ...]:
    """The texts of the columns, in order."""
    texts = model_texts_of(known.model, known.running, known.abilities)
    location = (known.busy_with, "") if known.busy_with else (texts.device, texts.memory)
    return (texts.size, texts.weights, texts.labels, *location)


def fit_columns(widths: Sequence[int], room: int) -> tuple[int, ...]:
    """The columns that fit beside the name, the first of the widths; empty columns are dropped."""
    names, *others = widths
    shown = [column for column, width in enumerate(others) if width]
    for column in _DROP_ORDER:
        least = min(names, _MIN_NAME_WIDTH if column == SIZE else _NAME_WIDTH)
        if sum(others[one] + _GAP for one in shown) <= room - least:
            break
        shown = [one for one in shown if one != column]
    return tuple(shown)


def _role_of(column: int, known: ModelInfo) -> str:
    if column == LOCATION:
        running = known.running
        whole = running is not None and 0 < running.size <= running.size_vram
        return "accent" if known.busy_with else "good" if whole else "correction"
    return "dim" if column in (WEIGHTS, MEMORY) else "text"
