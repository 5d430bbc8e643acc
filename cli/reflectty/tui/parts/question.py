"""A question in the transcript: what was asked, what came along, and which branch this is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.inline import wrapped
from reflectty.drawing.paint import BOLD
from reflectty.drawing.wrap import expand
from reflectty.safety import clean, clean_line
from reflectty.tui.parts.part import gutter

if TYPE_CHECKING:
    from reflectty.drawing.paint import Row
    from reflectty.session import Attachment
    from reflectty.tui.parts.part import Scene

LONGEST = 40
"""Of a longer question, as it was pasted, only so many rows are shown."""


class QuestionPart:
    """One question."""

    def __init__(
        self, text: str, attachments: tuple[Attachment, ...] = (), *, turn: int | None = None, queued: bool = False
    ) -> None:
        self.turn = turn
        self.text = text
        self.queued = queued
        """Whether it waits for the reply before it to end."""
        self.branch = (1, 1)
        """Which of how many questions at this place it is."""
        self._attachments = attachments
        self._rows: list[Row] = []

    @property
    def height(self) -> int:
        return len(self._rows)

    def row(self, at: int) -> Row:
        return self._rows[at]

    def lay(self, scene: Scene) -> None:
        styles, glyphs = scene.palette.styles, scene.palette.glyphs
        text = styles["dim"] if self.queued else styles["text"] + BOLD
        lines = expand(clean(self.text)).strip("\n").split("\n")
        rows = [row for line in lines for row in wrapped([(line, text)], scene.columns.prose)]
        over = len(rows) - LONGEST
        if over > 1:
            rows = [*rows[:LONGEST], [(f"{glyphs.more} {over:,} more rows", styles["faint"])]]
        rows += [[(line, styles["dim"])] for line in self._remarks(scene)]
        self._rows = gutter(rows, glyphs.question, styles["faint" if self.queued else "you"])

    def _remarks(self, scene: Scene) -> list[str]:
        width = max(8, scene.columns.prose - 4)
        found = [f"+ {clean_line(item.name, width)}" for item in self._attachments]
        if self.queued:
            found.append("queued")
        return found + branch_remark(self.branch, "question", scene)


def branch_remark(branch: tuple[int, int], noun: str, scene: Scene) -> list[str]:
    """Return which branch this is, where there are several, and the keys that go to the others."""
    number, of = branch
    if of < 2:  # noqa: PLR2004 - one branch is none
        return []
    keys = " ".join(filter(None, (scene.key("previous_branch"), scene.key("next_branch"))))
    return [f"{noun} {number} of {of}" + (f"   {keys}" if keys else "")]
