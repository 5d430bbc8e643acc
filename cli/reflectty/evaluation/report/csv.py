"""The results of a run as CSV: one row an item for a spreadsheet, or one row a result for `errorbars`."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from reflectty.evaluation.grader import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reflectty.evaluation.run_file import RunData, RunTexts

_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins with one of these for a formula."""


def as_csv(run: RunData, texts: RunTexts) -> str:
    """One row an item, and for each arm its verdict, its answer, its tokens and its seconds."""
    head = ["id", "group", "question", "key"]
    head += [f"{arm} {name}" for arm in run.arms for name in ("verdict", "answer", "tokens", "seconds")]
    return _written([head, *_item_rows(run, texts)])


def _item_rows(run: RunData, texts: RunTexts) -> Iterator[list[object]]:
    for name in run.items:
        item = texts.item(name)
        row: list[object] = [*map(_as_cell, (item.id, item.group, item.text, item.answer))]
        for arm in run.arms:
            result = texts.result(name, arm)
            if result is None:
                row += ["", "", "", ""]
            else:
                given = _as_cell(result.grade.given)
                row += [str(result.grade.verdict), given, result.tokens, round(result.seconds, 3)]
        yield row


def as_errorbars_csv(run: RunData) -> str:
    """One row a result in the long form of errorbars 0.2; failures are left out, and a group is a cluster.

    Its comparison of two arms then has the same pairs as ours.
    """
    has_groups = len({item.group for item in run.items.values()}) > 1
    head = ["question_id", "model", "score", *(["cluster_id"] if has_groups else [])]
    return _written([head, *_score_rows(run, has_groups=has_groups)])


def _score_rows(run: RunData, *, has_groups: bool) -> Iterator[list[object]]:
    for name, item in run.items.items():
        for arm in run.arms:
            found = run.results.get((name, arm))
            if found is not None and found.verdict is not Verdict.ERROR:
                score = int(found.verdict is Verdict.RIGHT)
                yield [name, arm, score, *([item.group or name] if has_groups else [])]


def _as_cell(text: str) -> str:
    """A text that a spreadsheet shows and does not compute; a number stays one."""
    if not text.startswith(_FORMULA_SIGNS):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def _written(rows: Iterable[Iterable[object]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()
