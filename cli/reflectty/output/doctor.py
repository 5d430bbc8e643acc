"""Renders the findings of `reflect doctor` as rows while they arrive, or as one JSON object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reflectty.core.findings import Finding, FindingState
from reflectty.core.safety import clean_line
from reflectty.output.live_region import LiveRegion
from reflectty.view.inline import wrap_line
from reflectty.view.rows import BOLD, GUTTER_WIDTH, PLAIN, Columns, cell_width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.core.errors import ReflecttyError
    from reflectty.system.terminal import Terminal
    from reflectty.system.theme import Theme
    from reflectty.view.rows import Palette, Row

_CHECK_WIDTH = 11
"""Columns for the name of the check."""
_MIN_WIDE_COLUMNS = 60
"""With fewer columns, the name of the check precedes the finding on its line instead of having a column."""
_UNLIMITED_COLUMNS = Columns(10_000, 10_000)
"""A pipe has no width."""
_MAX_TEXT_LENGTH = 1_000
_FRAMES_PER_SECOND = 4
_ROLES = {
    FindingState.OK: "good",
    FindingState.NOTE: "dim",
    FindingState.WARNING: "correction",
    FindingState.WRONG: "error",
    FindingState.UNCHECKED: "faint",
}
_COUNT_NOUNS = {FindingState.WRONG: ("problem", "problems"), FindingState.WARNING: ("warning", "warnings")}


def sign_of(state: FindingState, palette: Palette) -> str:
    """The sign of a state in the gutter, readable without colors."""
    glyphs = palette.glyphs
    signs = {
        FindingState.OK: glyphs.good,
        FindingState.NOTE: glyphs.dot,
        FindingState.WARNING: "!",
        FindingState.WRONG: glyphs.wrong,
    }
    return signs.get(state, glyphs.absent)


def finding_rows(finding: Finding, palette: Palette, columns: Columns) -> list[Row]:
    """A finding as rows: its sign in the gutter, the check, the finding, and the advice below."""
    styles = palette.styles
    name = clean_line(finding.check)
    beside = bool(name) and columns.prose + GUTTER_WIDTH >= _MIN_WIDE_COLUMNS
    indent = _CHECK_WIDTH if beside else 0
    head = f"{name}{' ' * max(1, _CHECK_WIDTH - cell_width(name))}" if beside else f"{name}: " if name else ""
    found = styles["dim" if finding.state is FindingState.UNCHECKED else "text"]
    line = [(head, styles["dim"]), (clean_line(finding.text, _MAX_TEXT_LENGTH), found)]
    first, *others = wrap_line(line, columns.prose, indent)
    margin = (" " * GUTTER_WIDTH, PLAIN)
    return [
        [_gutter(finding.state, palette), *first],
        *([margin, *row] for row in others),
        *(
            [(" " * (GUTTER_WIDTH + indent), PLAIN), *row]
            for row in _advice_rows(finding, palette, columns.prose - indent)
        ),
    ]


def _gutter(state: FindingState, palette: Palette) -> tuple[str, Any]:
    loud = BOLD if state in (FindingState.WARNING, FindingState.WRONG) else PLAIN
    return f"{sign_of(state, palette)} ", palette.styles[_ROLES[state]] + loud


def _advice_rows(finding: Finding, palette: Palette, width: int) -> list[Row]:
    if not finding.advice:
        return []
    mark = f"{palette.glyphs.advice} "
    advice = (clean_line(finding.advice, _MAX_TEXT_LENGTH), palette.words("accent"))
    return wrap_line([(mark, palette.styles["accent"]), advice], max(1, width), len(mark))


def summary(findings: Sequence[Finding], blocking_error: ReflecttyError | None, *, proven: bool) -> Finding:
    """The result of all findings, as another finding."""
    numbers = {state: sum(1 for one in findings if one.state is state) for state in _COUNT_NOUNS}
    counts = ", ".join(f"{number:,} {_COUNT_NOUNS[state][number > 1]}" for state, number in numbers.items() if number)
    found = f"{counts or 'no problems'} found"
    if blocking_error is not None:
        return Finding("", FindingState.WRONG, found)
    if proven:
        works = "the question was answered" if numbers[FindingState.WRONG] else "everything works"
        return Finding("", FindingState.OK, f"{works}; {found}" if counts else works)
    return Finding("", FindingState.NOTE, f"{found}; no question was asked (--no-question)")


def report_object(
    findings: Sequence[Finding], blocking_error: ReflecttyError | None, *, proven: bool, seconds: float
) -> dict[str, Any]:
    """A report as a JSON object; `answers` is null if no question was asked and no problem was found."""
    return {
        "answers": False if blocking_error else proven or None,
        "exit_code": blocking_error.exit_code if blocking_error else 0,
        "error": str(blocking_error) if blocking_error else None,
        "hint": blocking_error.hint if blocking_error else None,
        "seconds": round(seconds, 3),
        "findings": [_finding_object(finding) for finding in findings],
    }


def _finding_object(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "state": str(finding.state),
        "found": finding.text,
        "advice": finding.advice,
        "facts": dict(finding.facts),
    }


class DoctorReport:
    """Shows the running check on a terminal, and writes each finding at once."""

    def __init__(self, terminal: Terminal, theme: Theme, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._out = terminal.out
        self._findings_region = LiveRegion(terminal, terminal.out, theme, terminal.out.write)
        beside = quiet or not terminal.out.tty
        self._status_region = (
            LiveRegion(terminal, terminal.err, theme, terminal.write_stderr) if beside else self._findings_region
        )
        self._activity = ""
        self._begun_at = self._now = 0.0

    def begin(self, activity: str) -> None:
        """Show an activity until the next one begins."""
        self._activity, self._begun_at = activity, self._now
        self._status_region.draw(live=self._status_rows())

    def tick(self, seconds: float) -> None:
        """Update the elapsed time; `seconds` since the beginning."""
        self._now = seconds
        if self._activity:
            self._status_region.draw(live=self._status_rows())

    def show(self, finding: Finding) -> None:
        """Write a finding, unless quiet."""
        if self._quiet:
            return
        columns = self._findings_region.columns if self._out.tty else _UNLIMITED_COLUMNS
        drawn = finding_rows(finding, self._findings_region.palette, columns)
        if self._status_region is self._findings_region:
            self._findings_region.draw(drawn, self._status_rows())
        else:
            self._status_region.draw()
            self._findings_region.draw(drawn)
            self._status_region.draw(live=self._status_rows())

    def close(self, findings: Sequence[Finding], blocking_error: ReflecttyError | None, *, proven: bool) -> None:
        """Write the result."""
        self.stop()
        if not self._quiet:
            self._findings_region.draw([[]])
            self.show(summary(findings, blocking_error, proven=proven))

    def write(self, value: dict[str, Any]) -> None:
        """Write a JSON object."""
        self.stop()
        self._out.write(json.dumps(value, ensure_ascii=True) + "\n")

    def stop(self) -> None:
        """Remove the status; harmless if called twice."""
        self._activity = ""
        self._status_region.draw()

    def _status_rows(self) -> list[Row]:
        if not self._activity:
            return []
        waited = self._now - self._begun_at
        spinner = self._status_region.palette.glyphs.spinner
        frame = spinner[int(self._now * _FRAMES_PER_SECOND) % len(spinner)]
        long = f" {self._status_region.palette.glyphs.dot} {waited:.0f} s" if waited >= 1 else ""
        text = f"{self._activity}{long}"[: self._status_region.columns.full]
        return [
            [
                (f"{frame} ", self._status_region.palette.styles["dim"]),
                (text, self._status_region.palette.styles["dim"]),
            ]
        ]
