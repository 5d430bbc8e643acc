"""Rows of the screen of models: models, downloads and the facts of one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reflectty.core.model_names import short_name_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.tui.widgets.list import Detail, Heading, ListEntry, pad, truncate
from reflectty.view.model import model_texts_of
from reflectty.view.rows import cell_width, row_spans
from reflectty.view.summary import fit_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.core.messages import Model, RunningModel
    from reflectty.tui.widgets.list import RowPainter
    from reflectty.view.rows import Row, Run
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


@dataclass(frozen=True, slots=True)
class ModelRow(ListEntry):
    """A model as a row."""

    info: ModelInfo
    widths: tuple[int, ...]
    """Widths of the name and of each column in the whole list."""

    @property
    def is_current(self) -> bool:
        return self.info.is_chat_model

    def rows(self, painter: RowPainter) -> list[Row]:
        texts, shown = column_texts_of(self.info), fit_columns(self.widths, painter.width)
        taken = sum(self.widths[1 + column] + _GAP for column in shown)
        room = max(1, min(self.widths[0], painter.width - taken))
        look = painter.style_of("you" if self.is_current else "text")
        row = [painter.cell(display_name_of(self.info.model.name), room, look)]
        for column in shown:
            width = self.widths[1 + column]
            text = texts[column].rjust(width) if column == SIZE else pad(texts[column], width)
            row += [painter.run(" " * _GAP), painter.run(text, _role_of(column, self.info))]
        return [row]


@dataclass(frozen=True, slots=True)
class DownloadRow(ListEntry):
    """A pull on one row, or in a narrow list with its facts below its name."""

    state: DownloadState
    name_width: int
    """Width of the longest name of a pull."""

    def rows(self, painter: RowPainter) -> list[Row]:
        room, beside = painter.width - _GAP, painter.width >= _ONE_ROW_WIDTH
        width = min(self.name_width, room // 2) if beside else room
        name = painter.cell(display_name_of(self.state.name), width, painter.style_of("text"))
        head = [self._sign(painter), name]
        if beside:
            return [[*head, painter.run(" " * _GAP), *self._state_rows(room - width - _GAP, 1, painter)[0]]]
        below = self._state_rows(room, _MAX_PROBLEM_ROWS, painter)
        return [head, *([painter.run("  ", "accent"), *row] for row in below)]

    def _sign(self, painter: RowPainter) -> Run:
        if self.state.is_error:
            return painter.run("! ", "error")
        return painter.run(f"{' ' if self.state.problem else painter.glyphs.running} ", "accent")

    def _state_rows(self, room: int, limit: int, painter: RowPainter) -> list[Row]:
        """The facts on one row, or the problem on at most that many, the last one truncated."""
        role = "text" if self.state.is_error else "dim"
        problem, dot = clean_line(self.state.problem, _MAX_TEXT_LENGTH), f" {painter.glyphs.dot} "
        facts = dot.join(fact.text for fact in fit_facts(self.state.facts, room, len(dot)))
        spans = row_spans(problem, max(1, room))[:limit] if problem else []
        texts = [problem[start:end] for start, end in spans[:-1]] + [problem[start:] for start, _ in spans[-1:]]
        return [[painter.run(truncate(text, max(1, room), painter.glyphs.more), role)] for text in texts or [facts]]


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


def build_fact_rows(name: str, facts: Iterable[tuple[str, str]]) -> list[Heading | Detail]:
    """The entries for the facts of a model or a pull."""
    title = Heading(display_name_of(name), is_first=True, role="accent")
    return [title, *(Detail(key, clean_line(text, _MAX_TEXT_LENGTH), _KEY_WIDTH) for key, text in facts)]


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
