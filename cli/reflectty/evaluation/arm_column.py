"""Feeds the column of an arm from its replies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reflectty.evaluation.arms import Way

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.core.segments import Event
    from reflectty.core.session import Readings, StoredReply
    from reflectty.evaluation.arms import Arm
    from reflectty.evaluation.comparison import ArmRun
    from reflectty.reasoning.reply import Reply

WAITS_FOR_TURN = "waits for its turn"
NOT_BEGUN = "stopped before it began"


class Column(Protocol):
    """The replies of one arm on a screen, one below the other."""

    def say(self, text: str, *, wrong: bool = False) -> None:
        """Add a remark."""
        ...

    def clear(self) -> None:
        """Remove everything."""
        ...

    def begin(self, reply: Reply) -> None:
        """Start a reply when its request is sent."""
        ...

    def tick(self, seconds: float) -> None:
        """Update the elapsed time."""
        ...

    def show(self, event: Event) -> None:
        """Add a piece of the last reply."""
        ...

    def end(self, stored: StoredReply) -> None:
        """End the last reply; harmless if called twice."""
        ...

    @property
    def readings(self) -> Readings | None:
        """The sure second thoughts of the last reply; None if they are not read."""
        ...


class ArmColumn:
    """The renderer of an arm that is shown as a column.

    Args:
        run: the arm; it is rendered from here on.
        column: where it is shown.
        changed: called after each change.
        note: called with each note beside a reply.
    """

    def __init__(self, run: ArmRun, column: Column, changed: Callable[[], None], note: Callable[[str], None]) -> None:
        self.column = column
        self.column.say(WAITS_FOR_TURN)
        self._run = run
        self._changed = changed
        self._note = note
        run.renderer, run.on_close = self, self._close

    def start(self, reply: Reply) -> None:
        number = len(self._run.replies)
        if number == 1:
            self.column.clear()
        else:
            self.column.end(self._run.stored(self._run.replies[-2]))
        if label := step_label(self._run.arm, number):
            self.column.say(label)
        self.column.begin(reply)
        self._changed()

    def tick(self, seconds: float) -> None:
        self.column.tick(seconds)
        self._changed()

    def show(self, event: Event) -> None:
        self.column.show(event)
        self._changed()

    def note(self, text: str) -> None:
        """Show a note, unless the column shows it as a warning of its reply."""
        replies = self._run.replies
        if not (replies and text in replies[-1].warnings):
            self._note(text)

    def end(self, reply: Reply) -> None:
        """Keep what was read in the thinking; how the reply ended is known when the arm goes on or is over."""
        reply.readings = self.column.readings

    def stop(self) -> None:
        """Do nothing: all columns are drawn together."""

    def _close(self) -> None:
        run = self._run
        if run.replies:
            self.column.end(run.stored(run.replies[-1]))
        else:
            self.column.clear()
        if run.error and not run.replies:
            self.column.say(NOT_BEGUN if run.is_stopped else run.error.with_hint, wrong=True)
        self._changed()


def step_label(arm: Arm, number: int) -> str:
    """What a reply of an arm is, counted from 1; empty for the only one."""
    if arm.way is Way.VOTE:
        return f"answer {number} of {arm.votes}"
    return "asked to review its answer" if arm.way is Way.REVISE and number > 1 else ""
