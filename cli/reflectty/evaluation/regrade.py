"""Grades the stored replies of a run again, offline, and rewrites its file with the new grades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.batch.append_file import AppendFile, display_path_of, write_error
from reflectty.core.named_tuple import NamedTuple
from reflectty.evaluation.arms import parse_arm
from reflectty.evaluation.formulas import FormulaChecker, require_formula_check
from reflectty.evaluation.grader import Verdict
from reflectty.evaluation.records import ResultRecord, decode_line, encode_result
from reflectty.evaluation.result_grader import grade_result
from reflectty.evaluation.run_file import RunTexts
from reflectty.system.files import open_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reflectty.evaluation.run_file import RunData

_WRITER = "reflect eval"


class ArmRegrade(NamedTuple):
    """What grading the answers of one arm again changed."""

    arm: str
    results: int = 0
    """Answers that were graded; failures have none."""
    right_before: int = 0
    right_now: int = 0
    verdicts: int = 0
    """Answers whose verdict changed."""
    drafts: int = 0
    """Drafts whose verdict changed, or that can be read only now, or no longer."""


def regrade_run(run: RunData, *, writes: bool) -> tuple[ArmRegrade, ...]:
    """Grade all replies of a run again.

    Args:
        run: the run.
        writes: whether its file is rewritten; whole or not at all.

    Raises:
        UsageError: another process is writing to the file, or formulas cannot be compared.
        OutputError: it cannot be written.
    """
    if not writes:
        counter = _Regrader(run)
        for _ in counter.lines():
            pass
        return counter.arms
    with AppendFile(run.path, display_path_of(run.path)) as file:
        file.lock(_WRITER)
        return _rewrite(run)


def _rewrite(run: RunData) -> tuple[ArmRegrade, ...]:
    regrader = _Regrader(run)
    try:
        with open_atomically(run.path) as file:
            for line in regrader.lines():
                file.write(line)
    except OSError as error:
        raise write_error(display_path_of(run.path), error) from error
    return regrader.arms


class _Regrader:
    """Yields the lines of a run's file with new grades, and counts what changed."""

    def __init__(self, run: RunData) -> None:
        self._run = run
        self._arms = {name: parse_arm(name) for name in run.arms}
        self._counts = {name: ArmRegrade(name) for name in run.arms}

    @property
    def arms(self) -> tuple[ArmRegrade, ...]:
        return tuple(self._counts.values())

    def lines(self) -> Iterator[bytes]:
        """Yield every line; those that are no results, and results without replies, as they are."""
        with RunTexts(self._run) as texts, FormulaChecker() as check_math:
            require_formula_check(map(texts.item, self._run.items))
            for line in _lines_of(self._run.path):
                found = decode_line(line)
                if isinstance(found, ResultRecord) and self._is_counted(found):
                    graded = self._graded(found, texts, check_math)
                    yield encode_result(graded) if graded != found else line
                else:
                    yield line

    def _is_counted(self, result: ResultRecord) -> bool:
        return (
            result.arm in self._arms
            and result.item in self._run.items
            and bool(result.steps)
            and result.grade.verdict is not Verdict.ERROR
        )

    def _graded(self, result: ResultRecord, texts: RunTexts, check_math: FormulaChecker) -> ResultRecord:
        item, arm = texts.item(result.item), self._arms[result.arm]
        grades = grade_result(item, arm, result.steps, check_math)
        graded = result._replace(grade=grades.final, draft=grades.draft)
        self._count(result, graded)
        return graded

    def _count(self, before: ResultRecord, now: ResultRecord) -> None:
        counts = self._counts[before.arm]
        self._counts[before.arm] = counts._replace(
            results=counts.results + 1,
            right_before=counts.right_before + (before.grade.verdict is Verdict.RIGHT),
            right_now=counts.right_now + (now.grade.verdict is Verdict.RIGHT),
            verdicts=counts.verdicts + (before.grade.verdict is not now.grade.verdict),
            drafts=counts.drafts + (_verdict_of_draft(before) is not _verdict_of_draft(now)),
        )


def _verdict_of_draft(result: ResultRecord) -> Verdict | None:
    return result.draft.verdict if result.draft else None


def _lines_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file
