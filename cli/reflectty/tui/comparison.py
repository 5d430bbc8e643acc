"""Asks a question of the chat in several arms, shows them side by side, and keeps the replies as branches."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from reflectty.core.errors import StoreError, UsageError
from reflectty.tui.running_turn import IN_MEMORY_NOTE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.chat.request import Question
    from reflectty.core.session import Turn
    from reflectty.evaluation.arm_recorders import ArmRecorders
    from reflectty.evaluation.comparison import ArmRun
    from reflectty.tui.controller import ChatController
    from reflectty.tui.screens.compare import CompareScreen
    from reflectty.view.parts import Scene
    from reflectty.view.rows import Row

NO_QUESTION = "no question yet"


class ComparisonController:
    """Runs one comparison at a time."""

    def __init__(self, controller: ChatController) -> None:
        self._controller = controller
        self.is_open = False
        """Whether one is being prepared, shown or stored."""
        self._task: asyncio.Task[None] | None = None
        """The requests of the arms."""

    async def open(self, typed: str) -> None:
        """Ask the chosen or the last question in the arms that are typed, or in the usual ones.

        Raises:
            ReflecttyError: there is no question, no such arm, or no model that can be asked.
        """
        if self.is_open:
            return
        self.is_open = True
        try:
            await self._compare(typed)
        finally:
            self.is_open = False

    async def _compare(self, typed: str) -> None:
        controller = self._controller
        controller.turns.require_idle()
        question = controller.cursor.question or controller.conversation.last_question
        if question is None:
            raise UsageError(NO_QUESTION)
        asked = controller.conversation.build_question(question)
        runs = await self._make_runs(typed, asked)
        controller.turns.require_idle()  # A question may have been sent meanwhile.
        recorders = self._make_recorders(question)
        screen = self._make_screen(question, runs)
        leaf = controller.conversation.leaf
        self._task = asyncio.create_task(self._ask(runs, asked, recorders, screen))
        try:
            kept = await controller.app.push_screen_wait(screen)
        finally:
            await self.close()
        turns = await self._add_branches(question, runs, recorders)
        self._show(turns, question, kept, leaf)

    async def close(self) -> None:
        """Stop the arms that still run, and wait until their replies are handed to the store."""
        task, self._task = self._task, None
        if task:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _make_runs(self, typed: str, asked: Question) -> Sequence[ArmRun]:
        """The arms with their models.

        Raises:
            ReflecttyError: one is not an arm, there is only one, or no model can be asked.
        """
        from reflectty.evaluation.arms import Arm, Way, parse_arms
        from reflectty.evaluation.comparison import find_models, make_runs, usual_arms

        arms = parse_arms([typed])
        if len(arms) == 1:
            raise UsageError(f"there is nothing to compare {arms[0].name} with", "name two arms: /compare cot,reflect")
        engine = self._controller.turns.connected_engine
        found = await find_models(engine, asked, arms or (Arm(Way.COT),), self._controller.note)
        return make_runs(arms or await usual_arms(engine, asked, found), found)

    def _make_recorders(self, question: Turn) -> ArmRecorders:
        from reflectty.chat.recorder import RecordTarget
        from reflectty.evaluation.arm_recorders import ArmRecorders

        conversation = self._controller.conversation
        session = conversation.session.id if conversation.session else ""
        target = RecordTarget(session=session, question=question.id)
        return ArmRecorders(lambda _: conversation.store, target, self._controller.turns.submit)

    def _make_screen(self, question: Turn, runs: Sequence[ArmRun]) -> CompareScreen:
        from reflectty.evaluation.arm_column import ArmColumn
        from reflectty.evaluation.comparison_summary import summary_rows
        from reflectty.tui.screens.compare import CompareScreen

        controller = self._controller

        def summarize(scene: Scene) -> Sequence[Row]:
            return summary_rows(runs, scene) if all(run.is_over for run in runs) else ()

        keys = {action.name: action.keys for action in controller.actions}
        screen = CompareScreen(
            question.text,
            [run.arm.name for run in runs],
            controller.transcript.scene,
            summarize,
            lambda number: runs[number].answer_now(),
            leave_keys=keys["compare"],
            answer_keys=keys["conclude"],
        )
        for run, column in zip(runs, screen.columns, strict=True):
            ArmColumn(run, column, _do_nothing, self._note_from_anywhere())
        return screen

    def _note_from_anywhere(self) -> Callable[[str], None]:
        """A function that notes a text once, also from the thread that writes to the store."""
        loop, noted = asyncio.get_running_loop(), set[str]()

        def note(text: str) -> None:
            if text not in noted:
                noted.add(text)
                loop.call_soon_threadsafe(self._controller.note, text)

        return note

    async def _ask(
        self, runs: Sequence[ArmRun], asked: Question, recorders: ArmRecorders, screen: CompareScreen
    ) -> None:
        from reflectty.evaluation.comparison import Asker, compare

        try:
            await compare(Asker(self._controller.turns.connected_engine, asked, recorders.make), runs)
        finally:
            if screen.is_attached:
                screen.end()

    async def _add_branches(self, question: Turn, runs: Sequence[ArmRun], recorders: ArmRecorders) -> list[int | None]:
        """Take the replies over into the conversation; return the turn of each arm's answer, None without one."""
        recorders.name_branches()
        await recorders.wait_until_written()
        conversation = self._controller.conversation
        if failure := recorders.failure:
            self._controller.note(f"{failure}: {IN_MEMORY_NOTE}", wrong=True)
            return self._continue_in_memory(question, runs)
        conversation.reread()
        return [recorders.turn_of(run) for run in runs]

    def _continue_in_memory(self, question: Turn, runs: Sequence[ArmRun]) -> list[int | None]:
        """Move the session to memory, as its file is no longer writable, and store the replies there."""
        conversation = self._controller.conversation
        turns: list[int | None] = [None] * len(runs)
        with contextlib.suppress(StoreError):
            conversation.fall_back_to_memory()
            for at, run in enumerate(runs):
                for reply in run.replies:
                    turn = conversation.add_reply(question, run.stored(reply))
                    turns[at] = turn.id if turn and reply is run.reply else turns[at]
            conversation.reread()
        return turns

    def _show(self, turns: Sequence[int | None], question: Turn, kept: int | None, leaf: int | None) -> None:
        """Show the branch of the arm that is kept, else the one that was on the screen before."""
        if self._controller.conversation.leaf != leaf:
            return  # A question was sent meanwhile.
        chosen = turns[kept] if kept is not None else None
        if chosen is None and leaf == question.id:
            chosen = next((turn for turn in turns if turn is not None), None)
        conversation = self._controller.conversation
        end = conversation.leaf_through(chosen) if chosen is not None else leaf
        self._controller.cursor.leave()
        if end is not None:
            self._controller.show_branch(end)


def _do_nothing() -> None:
    """Do nothing: each column draws its own changes."""
