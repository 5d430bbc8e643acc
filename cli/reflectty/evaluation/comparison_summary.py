"""Sums a comparison up: a line for each arm and whether the answers agree, and the same as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reflectty.core.text import format_count, format_duration
from reflectty.output.json import error_object, reply_object
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply
from reflectty.view.rows import BOLD, cell_width
from reflectty.view.summary import SummaryFact, reading_facts
from reflectty.view.thinking import facts_row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.evaluation.comparison import ArmRun
    from reflectty.output.tables import Page
    from reflectty.view.rows import Row

_NAME_GAP = 2


def summary_rows(runs: Sequence[ArmRun], page: Page) -> list[Row]:
    """A row for each arm with its figures."""
    width = max(cell_width(run.arm.name) for run in runs) + _NAME_GAP
    return [
        [
            (run.arm.name + " " * (width - cell_width(run.arm.name)), page.palette.styles["text"] + BOLD),
            *facts_row(_facts_of(run, reads_thoughts=page.reads_thoughts), page.width - width, page.palette),
        ]
        for run in runs
    ]


def _facts_of(run: ArmRun, *, reads_thoughts: bool) -> tuple[SummaryFact, ...]:
    corrections = run.corrections
    found = (
        SummaryFact(format_count(run.tokens, "token") if run.replies else "", 1),
        SummaryFact(format_duration(run.seconds) if run.replies else "", 1),
        SummaryFact(format_count(corrections, "correction") if corrections else "", 2, strong=True),
        *(reading_facts(run.readings) if reads_thoughts else ()),
        SummaryFact("stopped" if run.is_stopped else "no complete answer" if run.error else "", 0),
    )
    return tuple(fact for fact in found if fact.text)


def comparison_object(runs: Sequence[ArmRun], *, reads_thoughts: bool = True) -> dict[str, Any]:
    """A comparison as a JSON object, without its session and its error."""
    return {"arms": [_arm_object(run, reads_thoughts=reads_thoughts) for run in runs]}


def _arm_object(run: ArmRun, *, reads_thoughts: bool) -> dict[str, Any]:
    """An arm: the reply that has its answer, and what is known of all its replies."""
    reply = run.reply or Reply(run.model_name or run.arm.model, FAMILIES["none"])
    return {
        "arm": run.arm.name,
        **reply_object(reply, reads_thoughts=reads_thoughts),
        "replies": [reply_object(one, reads_thoughts=reads_thoughts) for one in run.replies[:-1]],
        "tokens": run.tokens,
        "seconds": round(run.seconds, 3),
        "error": error_object(run.error),
    }
