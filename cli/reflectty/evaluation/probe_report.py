"""A probe as rows for people, as one plain sentence, and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reflectty.core.safety import clean_line
from reflectty.core.text import format_count
from reflectty.output.tables import CUT_RANK, TableColumn, table_rows
from reflectty.view.rows import BOLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.evaluation.probe_points import ProbePoint
    from reflectty.evaluation.probe_result import ProbeResult, ProbeSample
    from reflectty.output.tables import Page
    from reflectty.view.rows import Row

SURE_P: Final = 0.05
"""The chance from which on a difference may be one."""
_LEAST_ANSWER_WIDTH: Final = 12
_LEAST_TEXT_WIDTH: Final = 20
_MAX_ANSWER: Final = 60
_MAX_TEXT: Final = 400
NO_ANSWER: Final = "cut, or no answer"
CORRECTED: Final = "corrected itself anyway"
ANYWAY: Final = (
    "the model corrected itself anyway in all {number}, so what the correction is worth does not show: --method neutral"
    " puts a sentence in its place"
)


def label_of_point(point: ProbePoint) -> str:
    """What a point is: `correction`, or with a tilde `~check`, which is read and not tagged."""
    return str(point.kind) if point.is_tagged else f"~{point.kind}"


def point_rows(points: Sequence[ProbePoint], page: Page) -> list[Row]:
    """A row for each correction that can be probed."""
    columns = (
        TableColumn("n", "accent", 0, tuple(str(point.number) for point in points), align_right=True),
        TableColumn("kind", "correction", 1, tuple(map(label_of_point, points))),
        TableColumn("text", "text", CUT_RANK, tuple(map(_words_of, points))),
    )
    return table_rows(columns, page, _LEAST_TEXT_WIDTH)


def _words_of(point: ProbePoint) -> str:
    return clean_line(" ".join(point.text.split()), _MAX_TEXT)


def result_rows(result: ProbeResult, page: Page) -> list[Row]:
    """The correction, its answers with and without it, and what that says."""
    styles = page.palette.styles
    mark = page.palette.glyphs.correction
    head: Row = [(f"{mark} {result.point.number}  ", styles["correction"]), (_words_of(result.point), styles["text"])]
    rows = [head, *_count_rows(result, page), [(f"{sentence_of(result)}.", styles["text"] + BOLD)]]
    return [*rows, [(certainty_of(result), styles["faint"])]] if result.compared else rows


def _count_rows(result: ProbeResult, page: Page) -> list[Row]:
    counts = [(clean_line(answer, _MAX_ANSWER), str(one), str(other)) for answer, one, other in result.counts]
    missing = [
        sum(not one.is_counted for one in result.samples if one.has_correction is flag) for flag in (True, False)
    ]
    if any(missing):
        counts.append((NO_ANSWER, str(missing[0]), str(missing[1])))
    if result.corrected_again:
        counts.append((CORRECTED, "", str(result.corrected_again)))
    answers, given, left_out = zip(*counts, strict=True)
    columns = (
        TableColumn("answer", "text", CUT_RANK, answers),
        TableColumn("with it", "accent", 0, given, align_right=True),
        TableColumn("without", "accent", 0, left_out, align_right=True),
    )
    return table_rows(columns, page, _LEAST_ANSWER_WIDTH)


def sentence_of(result: ProbeResult) -> str:
    """What a probe found, in one sentence without its full stop: `changed the answer in 4 of 5, towards right in 4`."""
    number = result.compared
    if not number:
        return _why_nothing(result)
    change = f"changed the answer in {result.changed} of {number}" if result.changed else f"changed none of {number}"
    parts = [
        change,
        f"towards right in {result.towards_right}" if result.towards_right else "",
        f"away from right in {result.away_from_right}" if result.away_from_right else "",
        f"in {result.corrected_again} it corrected itself anyway" if result.corrected_again else "",
        f"with it {result.varied} of {len(result.with_correction)} differ, too" if result.varied else "",
        f"which can be chance (p = {result.p:.2g})" if result.changed and result.p > SURE_P else "",
    ]
    return ", ".join(filter(None, parts))


def certainty_of(result: ProbeResult) -> str:
    """How far the figures can be trusted: the interval of the share of changed answers, and the p value."""
    low, high = (round(100 * bound) for bound in result.interval)
    return f"95 % interval of that share: {low} to {high} % (Wilson); p = {result.p:.2g} (exact permutation test)"


def _why_nothing(result: ProbeResult) -> str:
    if result.corrected_again and not result.without_correction:
        return ANYWAY.format(number=result.corrected_again)
    return f"{format_count(result.without_answer, 'continuation')} were cut or state no answer: nothing to compare"


def probe_object(result: ProbeResult) -> dict[str, Any]:
    """A probe as a JSON object."""
    point = result.point
    return {
        "correction": point.number,
        "kind": str(point.kind),
        "tagged": point.is_tagged,
        "sure": point.is_sure,
        "text": point.text,
        "method": str(result.method),
        "temperature": result.temperature,
        "reply_answer": result.own_answer,
        "answer": result.reference,
        "right": result.is_reference_right,
        "compared": result.compared,
        "changed": result.changed,
        "interval": [round(bound, 4) for bound in result.interval],
        "varied": result.varied,
        "towards_right": result.towards_right,
        "away_from_right": result.away_from_right,
        "corrected_again": result.corrected_again,
        "without_answer": result.without_answer,
        "p": result.p,
        "answers": [{"answer": text, "with": given, "without": left} for text, given, left in result.counts],
        "continuations": [_sample_object(sample) for sample in result.samples],
    }


def _sample_object(sample: ProbeSample) -> dict[str, Any]:
    return {
        "with_correction": sample.has_correction,
        "seed": sample.seed,
        "answer": sample.answer,
        "text": sample.text,
        "complete": sample.is_complete,
        "corrected_again": sample.corrected_again,
        "right": sample.is_right,
        "tokens": sample.tokens,
        "seconds": round(sample.seconds, 3),
        "error": sample.error,
    }
