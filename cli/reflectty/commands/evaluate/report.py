"""`reflect eval report`, `regrade` and `list`: what stored runs say."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty.commands import console
from reflectty.commands.ask_options import decode_argument
from reflectty.core.errors import UsageError
from reflectty.core.safety import clean_line
from reflectty.core.text import format_count
from reflectty.evaluation.run_file import RunTexts, read_progress, read_run
from reflectty.evaluation.runs import find_run, list_runs
from reflectty.evaluation.summary import summarize
from reflectty.output import write_remark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.evaluation.report.sections import Report
    from reflectty.evaluation.run_file import RunData, RunProgress
    from reflectty.evaluation.summary import RunSummary
    from reflectty.system.terminal import Terminal


class ReportFormat(StrEnum):
    """The form of a report."""

    TABLE = "table"
    MARKDOWN = "markdown"
    HTML = "html"
    JSON = "json"
    CSV = "csv"
    """One row a question."""
    ERRORBARS = "errorbars"
    """CSV with one row a result, as errorbars reads it."""


_FORMAT_BY_SUFFIX = {
    "": ReportFormat.TABLE,
    ".txt": ReportFormat.TABLE,
    ".md": ReportFormat.MARKDOWN,
    ".markdown": ReportFormat.MARKDOWN,
    ".html": ReportFormat.HTML,
    ".htm": ReportFormat.HTML,
    ".json": ReportFormat.JSON,
    ".csv": ReportFormat.CSV,
}
_STDOUT = Path("-")

RunName = Annotated[
    str,
    typer.Argument(
        metavar="[RUN]", help="The run: its name, the start of its name, or a file.", show_default="the latest one"
    ),
]
FormatOption = Annotated[
    ReportFormat | None,
    typer.Option("--format", help="The form of the report.", show_default="from the file name, else table"),
]
OutputPath = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write to a file; - is stdout.", show_default="stdout"),
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")]


def report(
    context: typer.Context,
    name: RunName = "",
    form: FormatOption = None,
    output: OutputPath = None,
    force: Force = False,
) -> None:
    """Show what a run found.

    Each arm, the differences from the baseline, and what corrections fixed and broke. As HTML it is one page with
    charts and every question; csv has a row a question, and errorbars the rows that the program of that name compares.
    """
    terminal: Terminal = context.obj
    target = None if output == _STDOUT else output
    chosen = form or _format_of(target)
    run = read_run(find_run(decode_argument(name)))
    if chosen is ReportFormat.TABLE and target is None:
        write_table(run, terminal)
        return
    with RunTexts(run) as texts:
        pieces = _pieces_of(run, texts, chosen)
        if target is None:
            for piece in pieces:
                terminal.out.write(piece)
            return
        from reflectty.export.files import save_pieces

        save_pieces(pieces, target, force=force)
    console.info(terminal, f"wrote the report of {run.path.stem} to {target}")


def _format_of(path: Path | None) -> ReportFormat:
    """The format that the name of a file asks for.

    Raises:
        UsageError: there is no such format.
    """
    suffix = path.suffix.lower() if path else ""
    if suffix not in _FORMAT_BY_SUFFIX:
        known = ", ".join(filter(None, _FORMAT_BY_SUFFIX))
        raise UsageError(f"no format has the suffix {suffix}", f"use one of {known}, or name the format with --format")
    return _FORMAT_BY_SUFFIX[suffix]


def write_table(run: RunData, terminal: Terminal) -> None:
    """Print the report of a run as a table, also of one that is not over."""
    from reflectty.evaluation.report.terminal import report_rows

    page = console.open_page(terminal)
    page.write(report_rows(_report_of(run), page))


def _report_of(run: RunData, summary: RunSummary | None = None) -> Report:
    from reflectty.evaluation.report.sections import report_of

    return report_of(run, summary or summarize(run))


def _pieces_of(run: RunData, texts: RunTexts, form: ReportFormat) -> Iterator[str]:
    """Yield the document in pieces."""
    match form:
        case ReportFormat.CSV:
            from reflectty.evaluation.report.csv import as_csv

            yield as_csv(run, texts)
        case ReportFormat.ERRORBARS:
            from reflectty.evaluation.report.csv import as_errorbars_csv

            yield as_errorbars_csv(run)
        case ReportFormat.JSON:
            from reflectty.evaluation.report.json import report_object
            from reflectty.export.json import dump_json

            yield dump_json(report_object(run, summarize(run)), indent=2)
        case ReportFormat.HTML:
            from reflectty.evaluation.report.html import html_pieces

            summary = summarize(run)
            yield from html_pieces(run, summary, _report_of(run, summary), texts)
        case ReportFormat.MARKDOWN:
            from reflectty.evaluation.report.markdown import as_markdown_report

            yield as_markdown_report(_report_of(run))
        case ReportFormat.TABLE:
            from reflectty.evaluation.report.terminal import as_text

            yield as_text(_report_of(run))


DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and write nothing.")]


def regrade(context: typer.Context, name: RunName = "", dry_run: DryRun = False) -> None:
    """Grade the answers of a run again, offline.

    Shows which verdicts changed. Uses the stored replies and the grader of this version; no model is asked.
    """
    from reflectty.evaluation.regrade import regrade_run
    from reflectty.evaluation.report.runs import regrade_rows

    terminal: Terminal = context.obj
    run = read_run(find_run(decode_argument(name)))
    found = regrade_run(run, writes=not dry_run)
    page = console.open_page(terminal)
    page.write(regrade_rows(found, page))
    changed = sum(one.verdicts + one.drafts for one in found)
    kept = "nothing was written" if dry_run or not changed else f"{run.path.name} was rewritten"
    console.info(terminal, f"{format_count(changed, 'grade')} changed; {kept}")


def list_(context: typer.Context, as_json: console.AsJson = False) -> None:
    """List the runs, latest first.

    Their sets, models and arms, and how far they have come.
    """
    terminal: Terminal = context.obj
    found = list(_readable_runs(terminal))
    if as_json:
        from reflectty.evaluation.report.json import run_object
        from reflectty.export.json import dump_json

        terminal.out.write(dump_json([run_object(one.path, one.manifest) | {"asked": one.asked} for one in found]))
    elif found:
        from reflectty.evaluation.report.runs import run_rows

        page = console.open_page(terminal)
        page.write(run_rows(found, page))
    else:
        write_remark(terminal, "no runs yet: reflect eval run makes one")


def _readable_runs(terminal: Terminal) -> Iterator[RunProgress]:
    """Yield how far each run has come; a file that is not one causes a remark."""
    for path in list_runs():
        try:
            yield read_progress(path)
        except UsageError as error:
            write_remark(terminal, clean_line(str(error)))
