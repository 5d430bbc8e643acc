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
def test_the_gutter_tells_the_state_without_colours(state: FindingState, sign: str, letters: str) -> None:
    finding = Finding("server", state, "found")
    assert drawn(finding) == [f"{sign} server     found"]
    assert drawn(finding, unicode=False) == [f"{letters} server     found"]


def test_what_to_do_hangs_below_what_was_found() -> None:
    assert drawn(Finding("server", FindingState.WRONG, "gone", "start it")) == [
        "✗ server     gone",
        "             → start it",
    ]
    assert (
        drawn(Finding("server", FindingState.WRONG, "gone", "start it"), unicode=False)[1] == "             -> start it"
    )


def test_on_a_narrow_screen_what_was_checked_stands_before_it() -> None:
    assert drawn(Finding("server", FindingState.WRONG, "gone", "start it"), 40) == ["✗ server: gone", "  → start it"]


@pytest.mark.parametrize("width", [20, 40, 59, 60, 61, 80, 100, 300])
def test_no_row_is_wider_than_the_screen_and_no_word_is_lost(width: int) -> None:
    lines = drawn(LONG, width)
    assert all(cell_width(line) <= min(width, 100) for line in lines)
    words = " ".join(lines).replace("→", "").split()
    assert words[2:] == f"{LONG.text} {LONG.advice}".split()


def test_what_comes_of_it_all_begins_at_the_gutter() -> None:
    assert drawn(summary([], None, proven=True)) == ["✓ questions are answered"]


WRONG, WARNING = Finding("a", FindingState.WRONG, "x"), Finding("b", FindingState.WARNING, "x")


@pytest.mark.parametrize(
    ("findings", "obstacle", "proven", "state", "text"),
    [
        ([WARNING], None, True, FindingState.OK, "questions are answered; 1 warning"),
        (
            [WARNING, WRONG, WARNING],
            None,
            True,
            FindingState.OK,
            "questions are answered; 1 problem, 2 warnings",
        ),
        ([], None, False, FindingState.NOTE, "nothing prevents an answer, but no question was asked"),
        (
            [WRONG, WRONG],
            UnreachableError("x"),
            False,
            FindingState.WRONG,
            "questions cannot be answered; 2 problems",
        ),
        ([WRONG], ModelMissingError("x"), True, FindingState.WRONG, "questions cannot be answered; 1 problem"),
    ],
)
def test_what_comes_of_it_all(
    findings: list[Finding], obstacle: Any, proven: bool, state: FindingState, text: str
) -> None:
    assert summary(findings, obstacle, proven=proven) == Finding("", state, text)


@pytest.mark.parametrize(
    ("obstacle", "proven", "answers", "code"),
    [(None, True, True, 0), (None, False, None, 0), (UnreachableError("gone", "start"), False, False, 3)],
)
def test_a_program_gets_everything(obstacle: Any, proven: bool, answers: bool | None, code: int) -> None:
    finding = Finding("GPU", FindingState.OK, "found", "do", (("share", 0.5), ("names", ("a", "b"))))
    value = json.loads(json.dumps(report_object([finding], obstacle, proven=proven, seconds=1.23456)))
    assert (value["answers"], value["exit_code"], value["seconds"]) == (answers, code, 1.235)
    assert value["error"] == (str(obstacle) if obstacle else None)
    assert value["findings"] == [
        {"check": "GPU", "state": "ok", "found": "found", "advice": "do", "facts": {"share": 0.5, "names": ["a", "b"]}}
    ]


@hostile_texts
def test_no_text_tells_a_terminal_anything(hostile: tuple[dict[str, Any], ...]) -> None:
    for case in hostile:
        text = text_of(case, at_most=1_000_000)
        for line in drawn(Finding(text[:20], FindingState.WRONG, text, text)):
            assert not CONTROLS.search(line), case["id"]


def reported(*, out_tty: bool, err_tty: bool, quiet: bool = False) -> tuple[str, str]:
    """Return what a report writes on both streams, in a terminal where lines can be drawn again."""
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


PLAINLY = "✓ server     there\n\n✓ questions are answered\n"


def test_in_a_pipe_nothing_moves() -> None:
    assert reported(out_tty=False, err_tty=False) == (PLAINLY, "")


def test_whoever_looks_on_sees_on_stderr_what_is_done() -> None:
    out, err = reported(out_tty=False, err_tty=True)
    assert out == PLAINLY
    assert "asking the server · 2 s" in err


def test_on_a_terminal_it_stands_below_what_was_found() -> None:
    out, err = reported(out_tty=True, err_tty=True)
    assert not err
    assert "asking the server · 2 s" in out
    assert out.endswith("✓ questions are answered\n")


def test_where_only_the_end_counts_nothing_is_written_before() -> None:
    out, err = reported(out_tty=True, err_tty=True, quiet=True)
    assert not out
    assert "asking the server" in err
