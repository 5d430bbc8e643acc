"""Follows where text stands in Markdown: at the start of a line, in inline code, in a fence; knows no markers."""

from __future__ import annotations

import re

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)", re.DOTALL)
_TICKS = re.compile(r"`+")
_HEAD = 200
"""How much of a line is kept to tell a fence by; a fence's info is shorter."""


class Lines:
    """Fed the text between markers, in order; the same however it is cut."""

    def __init__(self) -> None:
        self._head = ""
        self._span = 0
        self._run = 0
        self._fence = ""

    def restart(self) -> None:
        """Forget everything: a new block begins."""
        self.__init__()  # type: ignore[misc]

    def feed(self, text: str) -> None:
        if "\n" not in text:
            self._within(text)
            return
        if not self._fence and "```" not in text and "~~~" not in text and self._head[-1:] not in ("`", "~"):
            # No fence can begin or end in here: only the last line matters.
            first, _, last = text.partition("\n")[0], "", text.rpartition("\n")[2]
            self._within(first)
            self._end_line()
            self._within(last)
            return
        *lines, last = text.split("\n")
        for line in lines:
            self._within(line)
            self._end_line()
        self._within(last)

    def _within(self, text: str) -> None:
        """Take text without a line break."""
        if len(self._head) < _HEAD:
            self._head += text[: _HEAD - len(self._head)]
        if "`" not in text:
            if text:
                self._end_run()
            return
        at = 0
        for ticks in _TICKS.finditer(text):
            if ticks.start() > at or (ticks.start() == 0 and not self._run):
                self._end_run()
            self._run += len(ticks.group())
            at = ticks.end()
        if at < len(text):
            self._end_run()

    def _end_run(self) -> None:
        """A run of backticks is over: it opens a span, or closes the one of the same length."""
        if self._run:
            self._span = 0 if self._span == self._run else self._span or self._run
            self._run = 0

    def _end_line(self) -> None:
        self._fence = self._fence_after()
        self._head = ""
        self._span = self._run = 0

    def _fence_after(self) -> str:
        """Return the fence that is open once the line so far has ended."""
        found = _FENCE.match(self._head)
        if not found:
            return self._fence
        run, info = found.group(1), found.group(2)
        if self._fence:
            closes = run[0] == self._fence[0] and len(run) >= len(self._fence) and not info.strip()
            return "" if closes else self._fence
        return run if run[0] == "~" or "`" not in info else ""

    @property
    def steady(self) -> bool:
        """Whether words that follow on this line change nothing: it has begun, and it is no fence."""
        start = self._head.lstrip()[:1]
        return not self._run and bool(start) and start not in "`~"

    @property
    def at_start(self) -> bool:
        """Whether only blanks stand before this place in its line."""
        return not self._head.strip()

    @property
    def fenced(self) -> bool:
        """Whether this place is inside a fence; a line of nothing but the closing run has closed it."""
        return bool(self._fence_after())

    def code(self, after: str, limit: int, *, ended: bool) -> bool | None:
        """Whether this place is in inline code that closes on the same line, given the text `after` the marker.

        Returns None when that depends on text still to come; only `limit` characters are looked at.
        """
        self._end_run()
        if not self._span:
            return False
        line, newline, _ = after[:limit].partition("\n")
        whole = bool(newline) or len(after) >= limit or ended
        for ticks in _TICKS.finditer(line):
            if ticks.end() == len(line) and not whole:
                return None
            if len(ticks.group()) == self._span:
                return True
        return False if whole else None
