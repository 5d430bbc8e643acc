"""`reflect eval report`, `regrade` and `list` on stored runs."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from support.evaluation_runs import realistic_run, run_bytes
from support.json_schemas import check_described

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Reflect

OLD, NEW = "2026-11-29-qwen3-arithmetic", "2026-11-30-qwen3-arithmetic"


@pytest.fixture
def runs(reflect: Reflect) -> Path:
    """A folder with an older run of three questions, and a newer one of forty."""
    folder = reflect.home / ".local/share/reflectty/evals"
    folder.mkdir(parents=True)
    for number, (name, data) in enumerate(
        ((OLD, run_bytes({"cot": "+-+", "reflect": "++ "}, {"reflect": "+-"})), (NEW, realistic_run(40)))
    ):
        (folder / f"{name}.jsonl").write_bytes(data)
        os.utime(folder / f"{name}.jsonl", (number, number))
    return folder


@pytest.mark.usefixtures("runs")
def test_the_latest_run_is_shown(reflect: Reflect) -> None:
    result = reflect("eval", "report")
    assert result.code == 0, result.err
    assert "40 of 40 questions" in result.out
    assert "Against cot" in result.out
    assert "What the corrections did" in result.out


@pytest.mark.parametrize("name", [OLD, "2026-11-29", f".local/share/reflectty/evals/{OLD}.jsonl"])
@pytest.mark.usefixtures("runs")
def test_a_run_is_named_by_its_beginning_or_its_file(reflect: Reflect, name: str) -> None:
    result = reflect("eval", "report", name)
    assert result.code == 0, result.err
    assert "interim, 2 of 3 questions" in result.out


@pytest.mark.parametrize(
    ("file", "begins"),
    [
        ("report.html", "<!doctype html>"),
        ("report.HTM", "<!doctype html>"),
        ("report.md", "# arithmetic"),
        ("report.csv", "id,group,question,key,cot verdict"),
        ("report.json", "{"),
        ("report.txt", "arithmetic  qwen3"),
    ],
)
@pytest.mark.usefixtures("runs")
def test_the_name_of_a_file_decides_the_form(reflect: Reflect, file: str, begins: str) -> None:
    result = reflect("eval", "report", "-o", file)
    assert (result.code, result.out) == (0, ""), result.err
    assert (reflect.home / file).read_text("utf-8").startswith(begins)
    again = reflect("eval", "report", "-o", file)
    assert again.code == 2
    assert "already exists" in again.err
    assert reflect("eval", "report", "-o", file, "--force").code == 0


@pytest.mark.parametrize(
    ("form", "begins"),
    [
        ("html", "<!doctype html>"),
        ("markdown", "# "),
        ("csv", "id,"),
        ("errorbars", "question_id,model,score,cluster_id\n"),
        ("json", "{"),
        ("table", "arithmetic"),
    ],
)
@pytest.mark.usefixtures("runs")
def test_every_form_can_go_to_stdout(reflect: Reflect, form: str, begins: str) -> None:
    result = reflect("eval", "report", "--format", form)
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(begins)


@pytest.mark.usefixtures("runs")
def test_json_of_a_report_and_of_the_list_fit_the_schema(reflect: Reflect) -> None:
    value = json.loads(reflect("eval", "report", "--format", "json").out)
    check_described("evaluation", value)
    listed = json.loads(reflect("eval", "list", "--json").out)
    assert [(one["name"], one["asked"], one["planned"]) for one in listed] == [(NEW, 40, 40), (OLD, 2, 3)]
    for one in listed:
        check_described("evaluation", {**value, "run": one})


def test_runs_are_listed_latest_first(reflect: Reflect, runs: Path) -> None:
    (runs / "broken.jsonl").write_bytes(b"no run\n")
    result = reflect("eval", "list")
    first, second = result.out.splitlines()
    assert first.split()[0] == NEW
    assert second.split()[0] == OLD
    assert "2 of 3" in second
    assert "qwen3:1.7b" in second
    assert "cot, reflect" in second
    assert "broken.jsonl: not the file of a run" in result.err


def test_without_runs_there_is_a_hint(reflect: Reflect) -> None:
    listed = reflect("eval", "list")
    assert (listed.code, listed.out) == (0, "")
    assert "no runs yet" in listed.err
    report = reflect("eval", "report")
    assert report.code == 2
    assert "there are no runs yet" in report.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("report", "nothing"), "no run 'nothing'"),
        (("report", "2026"), "2 runs begin with '2026'"),
        (("report", "-o", "report.pdf"), "no format has the suffix .pdf"),
        (("regrade", "nothing"), "no run 'nothing'"),
    ],
)
@pytest.mark.usefixtures("runs")
def test_what_is_not_there_is_refused(reflect: Reflect, words: tuple[str, ...], said: str) -> None:
    result = reflect("eval", *words)
    assert result.code == 2
    assert said in result.err


def test_grading_again_shows_what_changes_and_writes_it_unless_told_not_to(reflect: Reflect, runs: Path) -> None:
    path = runs / f"{NEW}.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"verdict": "wrong"', b'"verdict": "right"'))
    before = path.read_bytes()
    dry = reflect("eval", "regrade", "--dry-run")
    assert dry.code == 0, dry.err
    assert path.read_bytes() == before
    wet = reflect("eval", "regrade")
    assert wet.out == dry.out
    assert "verdicts changed" in wet.out
    assert path.read_bytes() != before
    again = reflect("eval", "regrade")
    assert all(line.split()[-2:] == ["0", "0"] for line in again.out.splitlines()[1:])
