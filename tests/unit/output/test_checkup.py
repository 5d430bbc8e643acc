from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from reflectty.core.errors import ModelMissingError, UnreachableError
from reflectty.core.findings import Finding, FindingState
from reflectty.output.doctor import DoctorReport, finding_rows, report_object, summary
from reflectty.system.terminal import Sink, Terminal
from reflectty.system.theme import TERMINAL_THEME
from reflectty.view.rows import cell_width, columns_for, palette_for, text_of_row
from support.hostile_texts import hostile_texts, text_of

LONG = Finding("context", FindingState.WARNING, "word " * 30 + "end", "do " * 30 + "it")
OURS = re.compile(r"\x1b\[[\d;]*m")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def drawn(finding: Finding, width: int = 80, *, unicode: bool = True) -> list[str]:
    looks = palette_for(TERMINAL_THEME, Sink(None, tty=True, color_count=0, unicode=unicode), can_redraw=False)
    return [text_of_row(row) for row in finding_rows(finding, looks, columns_for(width))]


@pytest.mark.parametrize(
    ("state", "sign", "letters"),
    [
        (FindingState.OK, "✓", "+"),
        (FindingState.NOTE, "·", "-"),
        (FindingState.WARNING, "!", "!"),
        (FindingState.WRONG, "✗", "x"),
        (FindingState.UNCHECKED, "○", "o"),
    ],
)
def test_gutter_shows_the_state_without_colors(state: FindingState, sign: str, letters: str) -> None:
    finding = Finding("server", state, "found")
    assert drawn(finding) == [f"{sign} server     found"]
    assert drawn(finding, unicode=False) == [f"{letters} server     found"]


def test_advice_is_indented_below_the_finding() -> None:
    assert drawn(Finding("server", FindingState.WRONG, "gone", "start it")) == [
        "✗ server     gone",
        "             → start it",
    ]
    assert (
        drawn(Finding("server", FindingState.WRONG, "gone", "start it"), unicode=False)[1] == "             -> start it"
    )


def test_narrow_screen_uses_a_colon_instead_of_columns() -> None:
    assert drawn(Finding("server", FindingState.WRONG, "gone", "start it"), 40) == ["✗ server: gone", "  → start it"]


@pytest.mark.parametrize("width", [20, 40, 59, 60, 61, 80, 100, 300])
def test_no_row_is_wider_than_the_screen_and_no_word_is_lost(width: int) -> None:
    lines = drawn(LONG, width)
    assert all(cell_width(line) <= min(width, 100) for line in lines)
    words = " ".join(lines).replace("→", "").split()
    assert words[2:] == f"{LONG.text} {LONG.advice}".split()


def test_summary_starts_in_the_gutter() -> None:
    assert drawn(summary([], None, proven=True)) == ["✓ everything works"]


WRONG, WARNING = Finding("a", FindingState.WRONG, "x"), Finding("b", FindingState.WARNING, "x")


@pytest.mark.parametrize(
    ("findings", "obstacle", "proven", "state", "text"),
    [
        ([WARNING], None, True, FindingState.OK, "everything works; 1 warning found"),
        (
            [WARNING, WRONG, WARNING],
            None,
            True,
            FindingState.OK,
            "the question was answered; 1 problem, 2 warnings found",
        ),
        ([], None, False, FindingState.NOTE, "no problems found; no question was asked (--no-question)"),
        (
            [WRONG, WRONG],
            UnreachableError("x"),
            False,
            FindingState.WRONG,
            "2 problems found",
        ),
        ([WRONG], ModelMissingError("x"), True, FindingState.WRONG, "1 problem found"),
    ],
)
def test_summary_counts_problems_and_warnings(
    findings: list[Finding], obstacle: Any, proven: bool, state: FindingState, text: str
) -> None:
    assert summary(findings, obstacle, proven=proven) == Finding("", state, text)


@pytest.mark.parametrize(
    ("obstacle", "proven", "answers", "code"),
    [(None, True, True, 0), (None, False, None, 0), (UnreachableError("gone", "start"), False, False, 3)],
)
def test_json_report_contains_everything(obstacle: Any, proven: bool, answers: bool | None, code: int) -> None:
    finding = Finding("GPU", FindingState.OK, "found", "do", (("share", 0.5), ("names", ("a", "b"))))
    value = json.loads(json.dumps(report_object([finding], obstacle, proven=proven, seconds=1.23456)))
    assert (value["answers"], value["exit_code"], value["seconds"]) == (answers, code, 1.235)
    assert value["error"] == (str(obstacle) if obstacle else None)
    assert value["findings"] == [
        {"check": "GPU", "state": "ok", "found": "found", "advice": "do", "facts": {"share": 0.5, "names": ["a", "b"]}}
    ]


@hostile_texts
def test_hostile_text_is_escaped(hostile: tuple[dict[str, Any], ...]) -> None:
    for case in hostile:
        text = text_of(case, at_most=1_000_000)
        for line in drawn(Finding(text[:20], FindingState.WRONG, text, text)):
            assert not CONTROLS.search(line), case["id"]


def reported(*, out_tty: bool, err_tty: bool, quiet: bool = False) -> tuple[str, str]:
    """The output of a report on both streams, in a terminal where lines can be redrawn."""
    out, err = io.StringIO(), io.StringIO()
    sinks = Sink(out, out_tty, 0), Sink(err, err_tty, 0)
    terminal = Terminal(None, stdin_tty=False, out=sinks[0], err=sinks[1], can_redraw=True, forced_columns=80)
    report = DoctorReport(terminal, TERMINAL_THEME, quiet=quiet)
    report.begin("asking the server")
    report.tick(0.1)
    report.tick(2.0)
    report.show(Finding("server", FindingState.OK, "there"))
    report.close([], None, proven=True)
    report.stop()
    return out.getvalue(), err.getvalue()


PLAINLY = "✓ server     there\n\n✓ everything works\n"


def test_pipe_gets_no_status_line() -> None:
    assert reported(out_tty=False, err_tty=False) == (PLAINLY, "")


def test_status_is_shown_on_stderr_if_stdout_is_a_pipe() -> None:
    out, err = reported(out_tty=False, err_tty=True)
    assert out == PLAINLY
    assert "asking the server · 2 s" in err


def test_status_is_shown_on_stdout_of_a_terminal() -> None:
    out, err = reported(out_tty=True, err_tty=True)
    assert not err
    assert "asking the server · 2 s" in out
    assert out.endswith("✓ everything works\n")


def test_quiet_report_writes_nothing_to_stdout() -> None:
    out, err = reported(out_tty=True, err_tty=True, quiet=True)
    assert not out
    assert "asking the server" in err
