"""The forms of a report that are text: a table, Markdown, CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.evaluation.records import ProbeRecord, encode_probe
from reflectty.evaluation.report.csv import as_csv, as_errorbars_csv
from reflectty.evaluation.report.json import report_object
from reflectty.evaluation.report.markdown import as_markdown_report
from reflectty.evaluation.report.sections import report_of
from reflectty.evaluation.report.terminal import as_text, report_rows
from reflectty.evaluation.run_file import RunTexts, read_run
from reflectty.evaluation.summary import summarize
from reflectty.view.grammar import gfm_parser
from reflectty.view.rows import cell_width
from support.conversations import page, written
from support.evaluation_runs import manifest_of, realistic_run, run_of
from support.hostile_texts import hostile_texts, is_let_through, text_of
from support.json_schemas import check_described

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.evaluation.report.sections import Report
    from reflectty.evaluation.run_file import RunData


@pytest.fixture
def run(tmp_path: Path) -> RunData:
    path = tmp_path / "run.jsonl"
    path.write_bytes(realistic_run(60))
    return read_run(path)


def report(run: RunData) -> Report:
    return report_of(run, summarize(run))


def drawn(run: RunData, width: int, *, unicode: bool = True, tty: bool = True) -> str:
    on = page(width, tty=tty, unicode=unicode)
    on.write(report_rows(report(run), on))
    return written(on)


def plain(text: str) -> str:
    """A text without the bold and dim of a terminal."""
    return re.sub(r"\x1b\[[\d;]*m", "", text)


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("width", [20, 40, 60, 80, 120])
def test_no_row_is_wider_than_the_terminal(run: RunData, width: int, unicode: bool) -> None:
    lines = plain(drawn(run, width, unicode=unicode)).splitlines()
    assert [line for line in lines if cell_width(line) >= width] == []
    assert unicode or all(line.isascii() for line in lines)


@pytest.mark.parametrize("width", [60, 80, 120])
def test_every_arm_is_in_every_table(run: RunData, width: int) -> None:
    parts = plain(drawn(run, width)).split("\n\n")
    tables = [
        part for part in parts if part.startswith(("Each arm", "Against cot", "What the corrections", "By group"))
    ]
    assert len(tables) == 4
    assert all("reflect" in table and "think" in table for table in tables)


def test_arms_that_do_not_fit_go_on_in_another_table(tmp_path: Path) -> None:
    names = ["cot", *(f"think:{number}000@some-model:8b" for number in range(1, 6))]
    run = run_of(tmp_path, dict.fromkeys(names, "+-+"), dict.fromkeys(names[1:], "--+"))
    text = plain(drawn(run, 60))
    ledger = text[text.index("What the corrections did") :]
    assert all(name in ledger for name in names[1:])
    assert ledger.count("wrong → right (fixed)") > 1


def test_the_ledger_tells_what_probes_found(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"cot": "+", "think": "+"}, {"think": "-"})
    assert "probed" not in as_text(report(run))
    probe = ProbeRecord("q00000", "think", 1, compared=5, changed=4, towards_right=3)
    run.path.write_bytes(run.path.read_bytes() + encode_probe(probe))
    text = as_text(report(read_run(run.path)))
    assert re.search(r"corrections probed +1\n  other answer without +4/5\n  made it right / wrong +3 / 0\n", text)


def test_a_pipe_gets_the_same_words_without_styles(run: RunData) -> None:
    text = drawn(run, 80, tty=False)
    assert text == as_text(report(run))
    assert "\x1b" not in text
    assert "Against cot\narm" in text


def test_a_report_of_one_arm_has_no_comparison(tmp_path: Path) -> None:
    text = as_text(report(run_of(tmp_path, {"cot": "+-+"})))
    assert "Each arm" in text
    assert "Against" not in text
    assert "corrections" not in text


def test_an_empty_run_has_a_report(tmp_path: Path) -> None:
    text = as_text(report(run_of(tmp_path, {"cot": "", "think": ""}, planned=10)))
    assert "interim: 0 of 10 questions asked in every arm" in text
    assert "think: interim, 0 of 10 questions asked" in text


def test_published_figures_stand_beside_a_known_set(tmp_path: Path) -> None:
    text = as_text(report(run_of(tmp_path, {"cot": "+"}, set_name="math500")))
    assert re.search(r"qwen3 1\.7B, MATH-500 +73 %", text)
    assert "93.4 %" in text
    assert "not directly comparable" in text


HOSTILE_ARM = "think@a|b`<script>"


def hostile_run(folder: Path, text: str) -> RunData:
    """A run whose set, model, arm and group are a text."""
    arms = {"cot": "+-", f"think@{text}": "-+"}
    setups = tuple(one._replace(model=text) for one in manifest_of(arms, 2).arms)
    return run_of(
        folder, arms, {f"think@{text}": "-+"}, groups="ab", set_name=text, origin=text, quantization=text, setups=setups
    )


@hostile_texts
def test_hostile_names_are_harmless_in_every_form(tmp_path: Path, hostile: tuple[dict[str, Any], ...]) -> None:
    for case in hostile:
        text = text_of(case, 20)
        run = hostile_run(tmp_path, text)
        for shown in (drawn(run, 80), as_markdown_report(report(run)), as_text(report(run))):
            assert not is_let_through(case, plain(shown)), case["id"]
        json.dumps(report_object(run, summarize(run))).encode("ascii")


@pytest.mark.parametrize("name", ["a|b", "a\\|b", "`a", "<script>", "[x](http://evil.example)", "![x](y)", "*a*", "#"])
def test_markdown_keeps_a_name_in_its_cell(tmp_path: Path, name: str) -> None:
    run = hostile_run(tmp_path, name)
    tokens = gfm_parser().parse(as_markdown_report(report(run)))
    inline = [token for token in tokens if token.type == "inline"]
    texts = ["".join(child.content for child in token.children or ()) for token in inline]
    assert name in texts
    assert {child.type for token in inline for child in token.children or ()} <= {
        "text",
        "em_open",
        "em_close",
        "strong_open",
        "strong_close",
        "softbreak",
    }
    columns = sum(token.type == "th_open" for token in tokens)
    assert columns == sum(len(section.columns) for section in report(run).sections)


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_csv_has_a_row_an_item_and_columns_an_arm(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"cot": "+!", "think": "~ "}, {"think": "+"}, groups="ab")
    with RunTexts(run) as texts:
        head, *rows = rows_of(as_csv(run, texts))
    assert head == [
        "id",
        "group",
        "question",
        "key",
        *(f"{arm} {name}" for arm in ("cot", "think") for name in ("verdict", "answer", "tokens", "seconds")),
    ]
    assert rows == [
        [
            "q00000",
            "a",
            "A farm has 0 rows of 7 trees. How many trees?",
            "0",
            "right",
            "0",
            "20",
            "1.0",
            "unfinished",
            "",
            "110",
            "4.5",
        ],
        ["q00001", "b", "A farm has 1 rows of 7 trees. How many trees?", "7", "error", "", "0", "0", "", "", "", ""],
    ]


@pytest.mark.parametrize(
    ("text", "cell"),
    [("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("-5", "-5"), ("+x", "'+x"), ("-1e3", "-1e3"), ("a=1", "a=1")],
)
def test_csv_has_no_formulas(tmp_path: Path, text: str, cell: str) -> None:
    run = run_of(tmp_path, {"cot": "+"})
    run.path.write_bytes(run.path.read_bytes().replace(b'"given": "0"', json.dumps({"given": text})[1:-1].encode()))
    with RunTexts(read_run(run.path)) as texts:
        assert rows_of(as_csv(run, texts))[1][5] == cell


@pytest.mark.parametrize(
    ("groups", "head", "first"),
    [
        ("", ["question_id", "model", "score"], ["q00000", "cot", "1"]),
        ("aba", ["question_id", "model", "score", "cluster_id"], ["q00000", "cot", "1", "a"]),
    ],
)
def test_errorbars_gets_a_row_a_result_without_failures(
    tmp_path: Path, groups: str, head: list[str], first: list[str]
) -> None:
    run = run_of(tmp_path, {"cot": "+!-", "think": "0~+"}, groups=groups)
    rows = rows_of(as_errorbars_csv(run))
    assert rows[0] == head
    assert rows[1] == first
    assert [(row[0], row[1], row[2]) for row in rows[2:]] == [
        ("q00000", "think", "0"),
        ("q00001", "think", "0"),
        ("q00002", "cot", "0"),
        ("q00002", "think", "1"),
    ]


@pytest.mark.parametrize("groups", ["", "aab"])
def test_json_fits_its_schema(tmp_path: Path, groups: str) -> None:
    arms = {"cot": "++-", "think": "!~0"}
    run = run_of(tmp_path, arms, {"think": "-++"}, groups=groups, set_name="gsm8k")
    value = json.loads(json.dumps(report_object(run, summarize(run))))
    check_described("evaluation", value)
    assert value["ledgers"][0]["transitions"]["lost"] == 2
    assert value["differences"][0]["conclusion"] == "no difference seen"


def test_json_of_an_empty_run_fits_its_schema(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"cot": "", "think": ""}, planned=5)
    value = json.loads(json.dumps(report_object(run, summarize(run))))
    check_described("evaluation", value)
    assert value["arms"][0]["accuracy"]["share"] is None
