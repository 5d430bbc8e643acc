"""The report of a run as rows of a terminal, or of a pipe."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.evaluation.report.sections import Report
from reflectty.evaluation.report.words import DASH, MINUS
from reflectty.output.tables import Page, table_rows
from reflectty.system.terminal import Sink, Terminal
from reflectty.system.theme import TERMINAL_THEME
from reflectty.view.inline import wrap_line
from reflectty.view.rows import BOLD, text_of_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reflectty.evaluation.report.sections import ReportSection
    from reflectty.output.tables import TableColumn
    from reflectty.view.rows import Row

_MIN_LABEL_WIDTH = 14
"""Before the first column gets fewer columns than this, another one is left out."""
_LABEL_WIDTH = 24
"""A label keeps so many columns before the arms go on in another table."""
_INDENT = _GAP = 2
_PLAIN_SIGNS = {ord(MINUS): "-", ord(DASH): "-", ord("→"): "->", ord("·"): "-", ord("…"): "..."}


def report_rows(report: Report, page: Page) -> list[Row]:
    """The rows of a report; on a terminal no wider than it."""
    shown = report if page.palette.unicode else _in_ascii(report)
    rows = [*_head_rows(shown, page)]
    for section in shown.sections:
        rows += [[], *_section_rows(section, page)]
    return rows


def as_text(report: Report) -> str:
    """A report as plain text in UTF-8, its lines as long as they are."""
    sink = Sink(None, unicode=True)
    page = Page(Terminal(None, stdin_tty=False, out=sink, err=sink), TERMINAL_THEME)
    return "".join(f"{text_of_row(row).rstrip(' ')}\n" for row in report_rows(report, page))


def _in_ascii(report: Report) -> Report:
    """The report without the signs that not every terminal has."""
    return Report(
        _plain(report.title),
        tuple(map(_plain, report.facts)),
        tuple(map(_plain, report.conclusions)),
        tuple(map(_plain, report.warnings)),
        tuple(map(_section_in_ascii, report.sections)),
    )


def _section_in_ascii(section: ReportSection) -> ReportSection:
    columns = tuple(one._replace(name=_plain(one.name), texts=tuple(map(_plain, one.texts))) for one in section.columns)
    return section._replace(title=_plain(section.title), columns=columns, remarks=tuple(map(_plain, section.remarks)))


def _plain(text: str) -> str:
    return text.translate(_PLAIN_SIGNS)


def _head_rows(report: Report, page: Page) -> Iterator[Row]:
    styles, glyphs = page.palette.styles, page.palette.glyphs
    facts = f" {glyphs.dot} ".join(report.facts)
    yield from _wrapped([(report.title, page.palette.words("accent") + BOLD), (f"  {facts}", styles["dim"])], page)
    if report.conclusions:
        yield []
    for text in report.conclusions:
        yield from _marked(glyphs.bullet, text, "answer", page)
    if report.warnings:
        yield []
    for text in report.warnings:
        yield from _marked("!", text, "text", page, sign="error")


def _section_rows(section: ReportSection, page: Page) -> Iterator[Row]:
    yield from _wrapped([(section.title, page.palette.words("text") + BOLD)], page)
    for number, columns in enumerate(_tables_that_fit(section, page)):
        if number:
            yield []
        yield from table_rows(columns, page, _MIN_LABEL_WIDTH, has_head=True)
    for text in section.remarks:
        yield from _wrapped([(text, page.palette.styles["faint"])], page)


def _tables_that_fit(section: ReportSection, page: Page) -> Iterator[Sequence[TableColumn]]:
    """Yield the columns of each table: none of a table by arms is left out, the next one goes on with them."""
    label, *others = section.columns
    if not (section.is_by_arm and page.is_width_limited):
        yield section.columns
        return
    while others:
        count, width = 1, min(label.width, _LABEL_WIDTH) + _GAP + others[0].width
        while count < len(others) and width + _GAP + others[count].width <= page.width:
            width += _GAP + others[count].width
            count += 1
        yield (label, *others[:count])
        others = others[count:]


def _marked(mark: str, text: str, role: str, page: Page, sign: str = "faint") -> list[Row]:
    line: Row = [(mark.ljust(_INDENT), page.palette.mark(sign)), (text, page.palette.styles[role])]
    return wrap_line(line, page.columns.prose, _INDENT) if page.is_width_limited else [line]


def _wrapped(line: Row, page: Page) -> list[Row]:
    return wrap_line(line, page.columns.prose, _INDENT) if page.is_width_limited else [line]
