"""What a checkup finds, as rows while it is found, or as one JSON object at the end; checks nothing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from reflectty.drawing.inline import wrapped
from reflectty.drawing.paint import BOLD, PLAIN
from reflectty.drawing.wrap import GUTTER, Columns, cells
from reflectty.finding import Finding, State
from reflectty.render.stage import Stage
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.drawing.paint import Palette, Row
    from reflectty.errors import ReflecttyError
    from reflectty.terminal import Terminal
    from reflectty.theme import Theme

_CHECK = 11
"""Columns for what was checked."""
_WIDE = 60
"""With fewer columns, what was checked stands before what was found instead of beside it."""
_ENDLESS = Columns(10_000, 10_000)
"""What reads a pipe has no width."""
_LONGEST = 1_000
_FRAMES_PER_SECOND = 4
_ROLES = {
    State.OK: "good",
    State.NOTE: "dim",
    State.WARNING: "correction",
    State.WRONG: "error",
    State.UNCHECKED: "faint",
}
_COUNTED = {State.WRONG: ("thing wrong", "things wrong"), State.WARNING: ("warning", "warnings")}


def sign(state: State, palette: Palette) -> str:
    """Return the sign of a state in the gutter, which tells it without colours."""
    glyphs = palette.glyphs
    signs = {State.OK: glyphs.good, State.NOTE: glyphs.dot, State.WARNING: "!", State.WRONG: glyphs.wrong}
    return signs.get(state, glyphs.gone)


def rows(finding: Finding, palette: Palette, columns: Columns) -> list[Row]:
    """Return a finding as rows: its sign in the gutter, what was checked, what was found, and below what to do."""
    styles = palette.styles
    name = clean_line(finding.check)
    beside = bool(name) and columns.prose + GUTTER >= _WIDE
    indent = _CHECK if beside else 0
    head = f"{name}{' ' * max(1, _CHECK - cells(name))}" if beside else f"{name}: " if name else ""
    found = styles["dim" if finding.state is State.UNCHECKED else "text"]
    line = [(head, styles["dim"]), (clean_line(finding.found, _LONGEST), found)]
    first, *others = wrapped(line, columns.prose, indent)
    margin = (" " * GUTTER, PLAIN)
    return [
        [_gutter(finding.state, palette), *first],
        *([margin, *row] for row in others),
        *([(" " * (GUTTER + indent), PLAIN), *row] for row in _advice(finding, palette, columns.prose - indent)),
    ]


def _gutter(state: State, palette: Palette) -> tuple[str, Any]:
    loud = BOLD if state in (State.WARNING, State.WRONG) else PLAIN
    return f"{sign(state, palette)} ", palette.styles[_ROLES[state]] + loud


def _advice(finding: Finding, palette: Palette, width: int) -> list[Row]:
    if not finding.advice:
        return []
    mark = f"{palette.glyphs.advice} "
    advice = (clean_line(finding.advice, _LONGEST), palette.styles["accent"])
    return wrapped([(mark, palette.styles["accent"]), advice], max(1, width), len(mark))


def verdict(findings: Sequence[Finding], obstacle: ReflecttyError | None, *, proven: bool) -> Finding:
    """Return what comes of all findings, as one more."""
    numbers = {state: sum(1 for one in findings if one.state is state) for state in _COUNTED}
    counts = ", ".join(f"{number:,} {_COUNTED[state][number > 1]}" for state, number in numbers.items() if number)
    behind = f"; {counts}" if counts else ""
    if obstacle is not None:
        return Finding("", State.WRONG, f"no question can be answered{behind}")
    if proven:
        return Finding("", State.OK, f"questions are answered here{behind}")
    return Finding("", State.NOTE, f"nothing is in the way of a question, which was not proven{behind}")


def as_object(
    findings: Sequence[Finding], obstacle: ReflecttyError | None, *, proven: bool, seconds: float
) -> dict[str, Any]:
    """Return a checkup as a JSON object; `answers` is null where nothing was asked and nothing is in the way."""
    return {
        "answers": False if obstacle else proven or None,
        "exit_code": obstacle.exit_code if obstacle else 0,
        "error": str(obstacle) if obstacle else None,
        "hint": obstacle.hint if obstacle else None,
        "seconds": round(seconds, 3),
        "findings": [_finding(finding) for finding in findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "check": finding.check,
        "state": str(finding.state),
        "found": finding.found,
        "advice": finding.advice,
        "facts": dict(finding.facts),
    }


class Report:
    """Shows what is being checked, where somebody looks on, and writes what was found as soon as it is."""

    def __init__(self, terminal: Terminal, theme: Theme, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._out = terminal.out
        self._page = Stage(terminal, terminal.out, theme, terminal.out.write)
        beside = quiet or not terminal.out.tty
        self._waiting = Stage(terminal, terminal.err, theme, terminal.say) if beside else self._page
        self._doing = ""
        self._since = self._now = 0.0

    def begin(self, doing: str) -> None:
        """Say what is being done until something else is."""
        self._doing, self._since = doing, self._now
        self._waiting.draw(live=self._live())

    def tick(self, seconds: float) -> None:
        """Say that time passes; `seconds` since the beginning."""
        self._now = seconds
        if self._doing:
            self._waiting.draw(live=self._live())

    def show(self, finding: Finding) -> None:
        """Write a finding; where only the end counts, nothing."""
        if self._quiet:
            return
        columns = self._page.columns if self._out.tty else _ENDLESS
        drawn = rows(finding, self._page.palette, columns)
        if self._waiting is self._page:
            self._page.draw(drawn, self._live())
        else:
            self._waiting.draw()
            self._page.draw(drawn)
            self._waiting.draw(live=self._live())

    def close(self, findings: Sequence[Finding], obstacle: ReflecttyError | None, *, proven: bool) -> None:
        """Write what comes of it all."""
        self.stop()
        if not self._quiet:
            self._page.draw([[]])
            self.show(verdict(findings, obstacle, proven=proven))

    def write(self, value: dict[str, Any]) -> None:
        """Write a JSON object."""
        self.stop()
        self._out.write(json.dumps(value, ensure_ascii=True) + "\n")

    def stop(self) -> None:
        """Say no more that something is being done; harmless when called twice."""
        self._doing = ""
        self._waiting.draw()

    def _live(self) -> list[Row]:
        if not self._doing:
            return []
        waited = self._now - self._since
        spinner = self._waiting.palette.glyphs.spinner
        frame = spinner[int(self._now * _FRAMES_PER_SECOND) % len(spinner)]
        long = f" {self._waiting.palette.glyphs.dot} {waited:.0f} s" if waited >= 1 else ""
        text = f"{self._doing}{long}"[: self._waiting.columns.full]
        return [[(f"{frame} ", self._waiting.palette.styles["dim"]), (text, self._waiting.palette.styles["dim"])]]
