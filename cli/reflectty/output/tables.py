"""Tables with aligned columns that fit the terminal, and the pages of rows they are printed on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.core.templates import fields_of
from reflectty.output.live_region import screen_size_of
from reflectty.view.rows import UNLIMITED_WIDTH, cell_width, columns_for, fitting_length, palette_for

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.core.templates import Template
    from reflectty.system.terminal import Terminal
    from reflectty.system.theme import Theme
    from reflectty.view.rows import Row


_COLUMN_GAP = 2
CUT_RANK = -1
"""The rank of the column that is never left out, but cut if it does not fit."""


class TableColumn(NamedTuple):
    """One column: its name for the head, its color role, its texts."""

    name: str
    role: str
    rank: int
    """The column with the highest rank is left out first."""
    texts: tuple[str, ...]
    align_right: bool = False

    @property
    def width(self) -> int:
        return max(cell_width(text) for text in (self.name, *self.texts))


def table_rows(columns: Sequence[TableColumn], page: Page, least: int, *, has_head: bool = False) -> list[Row]:
    """The rows of a table.

    Args:
        columns: the columns, at least one.
        page: where it is written.
        least: the width below which the cut column must not shrink before another one is left out.
        has_head: whether it has a head in a pipe, too.
    """
    chosen = _cut_columns(_fitting_columns(columns, page, least), page)
    found = [_row(chosen, at, page) for at in range(len(columns[0].texts))]
    return [_head(chosen, page), *found] if page.is_width_limited or has_head else found


def _fitting_columns(columns: Sequence[TableColumn], page: Page, least: int) -> Sequence[TableColumn]:
    """The columns that leave room for the cut one; a pipe gets them all."""
    while page.is_width_limited and _total_width(columns, least) > page.width:
        last = max(columns, key=lambda column: column.rank)
        if last.rank <= 0:
            break
        columns = [column for column in columns if column is not last]
    return columns


def _total_width(columns: Sequence[TableColumn], least: int) -> int:
    widths = [min(column.width, least) if column.rank == CUT_RANK else column.width for column in columns]
    return sum(widths) + _COLUMN_GAP * (len(widths) - 1)


def _cut_columns(columns: Sequence[TableColumn], page: Page) -> Sequence[TableColumn]:
    """The columns with one of them cut to the room that the others leave."""
    if not page.is_width_limited:
        return columns
    room = max(1, page.width - sum(column.width + _COLUMN_GAP for column in columns if column.rank != CUT_RANK))
    return [_narrow_column(column, room, page) if column.rank == CUT_RANK else column for column in columns]


def _narrow_column(column: TableColumn, room: int, page: Page) -> TableColumn:
    return column._replace(
        name=column.name[:room], texts=tuple(_shorten_text(text, room, page) for text in column.texts)
    )


def _shorten_text(text: str, room: int, page: Page) -> str:
    if cell_width(text) <= room:
        return text
    more = page.palette.glyphs.more
    return text[: fitting_length(text, max(1, room - cell_width(more)))] + (more if room > cell_width(more) else "")


def _head(columns: Sequence[TableColumn], page: Page) -> Row:
    return [(_pad_text(column, column.name, columns), page.palette.styles["faint"]) for column in columns]


def _row(columns: Sequence[TableColumn], at: int, page: Page) -> Row:
    styles = page.palette.styles
    return [(_pad_text(column, column.texts[at], columns), styles[column.role]) for column in columns]


def _pad_text(column: TableColumn, text: str, columns: Sequence[TableColumn]) -> str:
    space = " " * (column.width - cell_width(text))
    if column is columns[-1] and not column.align_right:
        return text
    return (space + text if column.align_right else text + space) + " " * (
        _COLUMN_GAP if column is not columns[-1] else 0
    )


class Page:
    """Stdout as a page of rows, at its current width."""

    def __init__(self, terminal: Terminal, theme: Theme, *, reads_thoughts: bool = True) -> None:
        self.terminal = terminal
        self.reads_thoughts = reads_thoughts
        """Whether second thoughts are marked in the thinking."""
        self.palette = palette_for(theme, terminal.out, can_redraw=terminal.can_redraw and terminal.out.tty)
        # The last column stays free: terminals differ in when they wrap to the next row.
        limit = max(1, screen_size_of(terminal, terminal.out).columns - terminal.out.tty)
        self.width = limit if terminal.out.tty or terminal.forced_columns else UNLIMITED_WIDTH
        self.columns = columns_for(self.width)

    @property
    def is_width_limited(self) -> bool:
        """True if a row must fit: a pipe has no width."""
        return self.terminal.out.tty

    @property
    def can_show_bold(self) -> bool:
        """True if bold is visible."""
        return self.palette.color_system is not None

    def write(self, rows: Iterable[Row]) -> None:
        """Write rows.

        Raises:
            StoppedError: the reader of stdout has closed it.
            OutputError: stdout is closed or full.
        """
        text = "".join(f"{self.palette.paint(row).rstrip(' ')}\n" for row in rows)
        if text:
            self.terminal.out.write(text)


_MIN_VALUE_WIDTH = 18
"""Before a value gets fewer columns than this, the column beside it is left out."""
_FULL_VALUE_WIDTH = 40
"""A value keeps so many columns before a setting is explained beside it."""
_MAX_VALUE_LENGTH = 1_000


def settings_rows(shown: Sequence[tuple[str, str, str, str]], page: Page) -> list[Row]:
    """A row for each setting: its key, its value, its origin, and on a wide terminal what it is."""
    keys, values, origins, abouts = zip(*shown, strict=True)
    columns = [
        TableColumn("setting", "accent", 0, _clean_texts(keys)),
        TableColumn("from", "dim", 1, _clean_texts(origins)),
        TableColumn("value", "text", CUT_RANK, _clean_texts(values)),
    ]
    about = TableColumn("about", "dim", 2, _clean_texts(abouts))
    if not page.is_width_limited or _total_width([*columns, about], _FULL_VALUE_WIDTH) > page.width:
        return table_rows(columns, page, _MIN_VALUE_WIDTH)
    width = min(columns[-1].width, page.width - _total_width([*columns[:-1], about], 0) - _COLUMN_GAP)
    value = _narrow_column(columns[-1], width, page)
    return table_rows([*columns[:-1], value._replace(rank=0), about], page, _MIN_VALUE_WIDTH)


def _clean_texts(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(clean_line(text, _MAX_VALUE_LENGTH) for text in texts)


_MIN_BEGINNING_WIDTH = 18
"""Before the beginning of a text gets fewer columns than this, the column beside it is left out."""
_MAX_BEGINNING_LENGTH = 200


def template_rows(templates: Sequence[Template], page: Page) -> list[Row]:
    fields = [" ".join(fields_of(one.text)) or "-" for one in templates]
    columns = (
        TableColumn("template", "accent", 0, tuple(clean_line(one.name) for one in templates)),
        TableColumn("fields", "dim", 1, tuple(clean_line(text) for text in fields)),
        TableColumn("preview", "text", CUT_RANK, tuple(_beginning_of(one.text) for one in templates)),
    )
    return table_rows(columns, page, _MIN_BEGINNING_WIDTH)


def _beginning_of(text: str) -> str:
    return clean_line(" ".join(text[: 2 * _MAX_BEGINNING_LENGTH].split()), _MAX_BEGINNING_LENGTH)
