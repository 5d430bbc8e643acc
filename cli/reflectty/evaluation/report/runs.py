"""The list of runs, and what grading one again changed, as rows of a terminal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reflectty.core.safety import clean_line
from reflectty.evaluation.report.sections import models_of
from reflectty.evaluation.report.words import UNKNOWN
from reflectty.output.tables import CUT_RANK, TableColumn, table_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.evaluation.regrade import ArmRegrade
    from reflectty.evaluation.run_file import RunProgress
    from reflectty.output.tables import Page
    from reflectty.view.rows import Row

_MIN_NAME_WIDTH = 20
_MIN_ARM_WIDTH = 8
_MAX_NAME = 48


def run_rows(runs: Sequence[RunProgress], page: Page) -> list[Row]:
    """A row for each run; on a terminal with a head, and no wider than the terminal."""
    unknown = UNKNOWN if page.palette.unicode else "-"

    def column(name: str, role: str, rank: int, texts: Sequence[str], *, align_right: bool = False) -> TableColumn:
        return TableColumn(
            name, role, rank, tuple(clean_line(text, _MAX_NAME) or unknown for text in texts), align_right
        )

    return table_rows(
        (
            column("run", "accent", CUT_RANK, [one.path.stem for one in runs]),
            column("began", "dim", 2, [_began(one) for one in runs]),
            column("set", "text", 3, [one.manifest.set_name for one in runs]),
            column("model", "text", 4, [" / ".join(models_of(one.manifest)) for one in runs]),
            column(
                "asked", "text", 1, [f"{one.asked:,} of {one.manifest.planned:,}" for one in runs], align_right=True
            ),
            column("arms", "dim", 5, [", ".join(arm.name for arm in one.manifest.arms) for one in runs]),
        ),
        page,
        _MIN_NAME_WIDTH,
    )


def regrade_rows(arms: Sequence[ArmRegrade], page: Page) -> list[Row]:
    """A row for each arm: its right answers before and after, and the grades that changed."""

    def column(name: str, texts: Sequence[str]) -> TableColumn:
        return TableColumn(name, "text", 0, tuple(texts), align_right=True)

    columns = (
        TableColumn("arm", "accent", CUT_RANK, tuple(clean_line(one.arm, _MAX_NAME) for one in arms)),
        column("answers", [f"{one.results:,}" for one in arms]),
        column("right before", [f"{one.right_before:,}" for one in arms]),
        column("right now", [f"{one.right_now:,}" for one in arms]),
        column("verdicts changed", [f"{one.verdicts:,}" for one in arms]),
        column("drafts changed", [f"{one.drafts:,}" for one in arms]),
    )
    return table_rows(columns, page, _MIN_ARM_WIDTH, has_head=True)


def _began(run: RunProgress) -> str:
    """When a run began, in the time of the reader: `2026-11-30 14:05`; what is not a time stays as it is."""
    try:
        return f"{datetime.fromisoformat(run.manifest.created).astimezone():%Y-%m-%d %H:%M}"
    except (OverflowError, ValueError):
        return run.manifest.created
