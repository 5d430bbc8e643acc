"""The example in the README: a run of the built-in model, which lies beside its recipe, and its report."""

from __future__ import annotations

from pathlib import Path

import pytest

from reflectty.evaluation.arms import parse_arm
from reflectty.evaluation.report.markdown import as_markdown_report
from reflectty.evaluation.report.sections import report_of
from reflectty.evaluation.result_grader import grade_result
from reflectty.evaluation.run_file import RunTexts, read_run
from reflectty.evaluation.summary import summarize

ROOT = Path(__file__).parents[3]
RUN = ROOT / "models" / "mini" / "evaluation" / "run.jsonl"
REPORT = RUN.with_name("report.md")
AGAIN = "reflect eval report models/mini/evaluation/run.jsonl --output models/mini/evaluation/report.md"


def test_report_is_that_of_its_run() -> None:
    run = read_run(RUN)
    assert REPORT.read_text("utf-8") == as_markdown_report(report_of(run, summarize(run))), AGAIN


def test_every_planned_question_has_a_result_in_every_arm() -> None:
    run = read_run(RUN)
    assert run.manifest.planned >= 200
    assert len(run.manifest.arms) >= 3
    assert all(len(run.results_of(arm.name)) == run.manifest.planned for arm in run.manifest.arms)


@pytest.mark.parametrize("column", ["arm", "right"])
def test_readme_shows_its_arms(column: str) -> None:
    table = next(part for part in REPORT.read_text("utf-8").split("\n\n") if part.startswith("| arm"))
    names = table.splitlines()[0].strip("| ").split(" | ")
    place = [name.strip() for name in names].index(column)
    readme = (ROOT / "README.md").read_text("utf-8")
    for row in table.splitlines()[2:]:
        assert row.strip("| ").split(" | ")[place].strip() in readme


def test_the_grader_gives_the_same_verdicts() -> None:
    run = read_run(RUN)
    with RunTexts(run) as texts:
        for setup in run.manifest.arms:
            for name in run.items:
                result = texts.result(name, setup.name)
                assert result is not None
                grades = grade_result(texts.item(name), parse_arm(setup.name), result.steps)
                assert (grades.final, grades.draft) == (result.grade, result.draft), (name, setup.name)
