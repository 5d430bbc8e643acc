"""Actions on replies: stop, steer, conclude, ask again, go on, and the branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.errors import UsageError

if TYPE_CHECKING:
    from reflectty.tui.desk import Desk


class Replying:
    """Each method is the action of its name."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def cancel(self, _: str) -> None:
        """Leave the steering, or stop the reply, or forget what waits."""
        desk = self._desk
        if desk.exchanges.steering:
            desk.composer.fill("")
            desk.exchanges.leave()
        elif desk.talk.running:
            desk.talk.cancel()
        elif desk.editing:
            desk.leave_editing()

    def _no_steering(self) -> None:
        if self._desk.exchanges.steering:
            raise UsageError("a thought is being changed: send it, or leave it first")

    def _at_rest(self) -> None:
        self._no_steering()
        if self._desk.talk.running:
            raise UsageError("a reply is coming: stop it first")

    async def steer(self, _: str) -> None:
        self._no_steering()
        desk = self._desk
        desk.composer.fill(await desk.exchanges.steer())

    async def conclude(self, _: str) -> None:
        desk = self._desk
        if desk.exchanges.steering:
            text = desk.composer.expanded
            desk.composer.fill("")
            desk.exchanges.go_on(text, conclude=True)
        else:
            await desk.exchanges.conclude()

    async def edit(self, number: str) -> None:
        """Put a question back into the composer: the last one, with each further time the one before, or the nth."""
        self._no_steering()
        desk = self._desk
        questions = [turn for turn in desk.conversation.path if turn.said is None]
        if not questions:
            raise UsageError("nothing was asked yet")
        if number.strip():
            if not number.strip().isdecimal() or not 1 <= int(number) <= len(questions):
                raise UsageError(f"there is no question {number.strip()!r}", f"they are 1 to {len(questions)}")
            at = int(number) - 1
        else:
            known = [turn.id for turn in questions]
            at = known.index(desk.editing.id) - 1 if desk.editing and desk.editing.id in known else len(known) - 1
        desk.begin_editing(questions[max(0, at)])

    async def regenerate(self, _: str) -> None:
        self._at_rest()
        self._desk.exchanges.again()

    async def continue_(self, _: str) -> None:
        self._no_steering()
        await self._desk.exchanges.continue_()

    async def previous_branch(self, _: str) -> None:
        self._walk(-1)

    async def next_branch(self, _: str) -> None:
        self._walk(1)

    def _walk(self, direction: int) -> None:
        self._at_rest()
        desk = self._desk
        leaf = desk.conversation.neighbour(direction)
        if leaf is None:
            raise UsageError("there is no other branch there")
        try:
            desk.conversation.look_at(leaf)
        finally:
            # It is looked at, whether that can be remembered or not.
            desk.exchanges.show(noted=True)
            desk.changed()
