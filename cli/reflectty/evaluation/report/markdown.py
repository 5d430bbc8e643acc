"""The report of a run as a Markdown document, with every text of a model or a file escaped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.export.markdown import escape_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reflectty.evaluation.report.sections import Report, ReportSection
    from reflectty.output.tables import TableColumn


def as_markdown_report(report: Report) -> str:
    """A report as Markdown."""
    parts = [f"# {escape_markdown(report.title)}", escape_markdown(" · ".join(report.facts))]
    parts += [
        _list("-", map(escape_markdown, report.conclusions)),
        # Another marker begins another list.
        _list("*", (f"**!** {escape_markdown(text)}" for text in report.warnings)),
    ]
    for section in report.sections:
        parts += _section_parts(section)
    return "\n\n".join(filter(None, parts)) + "\n"


def _list(marker: str, texts: Iterable[str]) -> str:
    return "\n".join(f"{marker} {text}" for text in texts)


def _section_parts(section: ReportSection) -> Iterator[str]:
    yield f"## {escape_markdown(section.title)}"
    yield _table(section.columns)
    for text in section.remarks:
        yield f"*{escape_markdown(text)}*"


def _table(columns: tuple[TableColumn, ...]) -> str:
    rows = [
        [one.name for one in columns],
        *([one.texts[at].strip() for one in columns] for at in range(len(columns[0].texts))),
    ]
    head, *body = (_table_row(escape_markdown(cell) for cell in row) for row in rows)
    rule = _table_row("---:" if one.align_right else "---" for one in columns)
    return "\n".join((head, rule, *body))


def _table_row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
