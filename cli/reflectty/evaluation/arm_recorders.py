"""Records the replies of all arms of a comparison as branches of one question."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from reflectty.chat.recorder import BranchPoint, Recorder, RecordTarget, run_now
from reflectty.core.errors import ReflecttyError
from reflectty.evaluation.arms import Way

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.chat.request import Question
    from reflectty.evaluation.comparison import ArmRun
    from reflectty.store import Store


class ArmRecorders:
    """Makes the recorder of each reply, and names the branches by their arms.

    Args:
        open_store: opens the store, with the function that shows warnings; called once.
        target: the question; the replies are branches of it.
        submit: submits work to run in order, inline or on the store's thread.
    """

    def __init__(
        self,
        open_store: Callable[[Callable[[str], None]], Store],
        target: RecordTarget,
        submit: Callable[[Callable[[], None]], object] = run_now,
    ) -> None:
        self._open_store = open_store
        self._target = target
        self._submit = submit
        self._point = BranchPoint(target.session, target.question)
        self._store: Store | None = None
        self._recorders: dict[ArmRun, list[Recorder]] = {}

    @property
    def session(self) -> str:
        """The id of the session; empty before the first reply."""
        return self._point.session

    def make(self, run: ArmRun, asked: Question) -> Recorder:
        """Make the recorder of the next reply of an arm."""
        earlier = self._recorders.setdefault(run, [])
        if run.arm.way is Way.REVISE and earlier:
            made = Recorder(self._shared_store, RecordTarget(asked.prompt), below=earlier[-1], submit=self._submit)
        else:
            made = Recorder(self._shared_store, self._target, beside=self._point, submit=self._submit)
        earlier.append(made)
        return made

    @property
    def failure(self) -> ReflecttyError | None:
        """Why a reply could not be stored."""
        return next((one.failure for made in self._recorders.values() for one in made if one.failure), None)

    def turn_of(self, run: ArmRun) -> int | None:
        """The turn of the reply that has the answer of an arm; None if it is not stored."""
        made = self._recorders.get(run, [])
        at = next((at for at, reply in enumerate(run.replies) if reply is run.reply), -1)
        return made[at].reply if 0 <= at < len(made) else None

    def close(self) -> None:
        """Name the branches, and close the store."""
        self.name_branches()
        if self._store:
            self._submit(self._store.close)

    def name_branches(self) -> None:
        """Name the branches by their arms."""
        self._submit(self._name_branches)

    async def wait_until_written(self) -> None:
        """Wait until all work submitted so far is done."""
        for made in self._recorders.values():
            await made[-1].wait_until_written()

    def _shared_store(self, warn: Callable[[str], None]) -> Store:
        self._store = self._store or self._open_store(warn)
        return self._store

    def _name_branches(self) -> None:
        if self._store is None:
            return
        # What cannot be named was noted when it could not be stored.
        with contextlib.suppress(ReflecttyError):
            for run, made in self._recorders.items():
                # A review is below the reply that it reviews; of a vote, the answer that won has the name.
                turn = self.turn_of(run) if run.arm.way is Way.VOTE else made[0].reply
                if turn is not None:
                    self._store.set_label(self.session, turn, run.arm.name)
