"""The report of a run as one self-contained HTML page: figures, charts, tables, and a viewer of every question."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import TYPE_CHECKING

from reflectty.evaluation.report.charts import accuracy_chart, cost_chart, difference_chart, ledger_chart
from reflectty.evaluation.report.page_assets import SCRIPT, build_report_stylesheet
from reflectty.evaluation.report.viewer import viewer_pieces

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reflectty.evaluation.report.sections import Report, ReportSection
    from reflectty.evaluation.run_file import RunData, RunTexts
    from reflectty.evaluation.summary import RunSummary
    from reflectty.output.tables import TableColumn


def html_pieces(run: RunData, summary: RunSummary, report: Report, texts: RunTexts) -> Iterator[str]:
    """Yield the page in pieces; a question is read from the file when its piece is due."""
    yield _head_html(report)
    yield f'<div class="charts">{_charts_html(summary)}</div>'
    yield from map(_section_html, report.sections)
    yield from viewer_pieces(run, texts)
    yield f"</main>\n<script>{SCRIPT}</script>\n</body>\n</html>\n"


def _head_html(report: Report) -> str:
    style = build_report_stylesheet()
    title = escape(report.title)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy(style)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{title}: does reflection help?</title>
<style>{style}</style>
</head>
<body>
<main>
<header>
<h1>{title}</h1>
<p>{escape(" · ".join(report.facts))}</p>
</header>
{_list_html("conclusions", map(_with_bold_arm, report.conclusions))}\
{_list_html("warnings", map(escape, report.warnings))}"""


def _policy(style: str) -> str:
    """The content security policy: nothing is fetched, and no other style and script than ours has an effect."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(SCRIPT)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _with_bold_arm(text: str) -> str:
    """A conclusion with the name of its arm, and what was found, in bold; the figures follow in parentheses."""
    found, bracket, figures = text.partition(" (")
    return f"<b>{escape(found)}</b>{escape(bracket + figures)}"


def _list_html(kind: str, texts: Iterable[str]) -> str:
    items = "".join(f"<li>{text}</li>" for text in texts)
    return f'<ul class="{kind}">{items}</ul>\n' if items else ""


def _charts_html(summary: RunSummary) -> str:
    return "".join(
        (
            accuracy_chart(summary.arms),
            difference_chart(summary.differences) if summary.differences else "",
            ledger_chart(summary.ledgers) if summary.ledgers else "",
            cost_chart(summary.arms),
        )
    )


def _section_html(section: ReportSection) -> str:
    remarks = "".join(f'<p class="remark">{escape(text)}</p>' for text in section.remarks)
    table = f'<div class="wide">{_table_html(section.columns)}</div>'
    return f'<section class="table"><h2>{escape(section.title)}</h2>{table}{remarks}</section>'


def _table_html(columns: tuple[TableColumn, ...]) -> str:
    head = "".join(f'<th scope="col"{_aligned(one)}>{escape(one.name)}</th>' for one in columns)
    rows = "".join(
        f"<tr>{''.join(f'<td{_aligned(one)}>{escape(one.texts[at])}</td>' for one in columns)}</tr>"
        for at in range(len(columns[0].texts))
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _aligned(column: TableColumn) -> str:
    return ' class="number"' if column.align_right else ""
