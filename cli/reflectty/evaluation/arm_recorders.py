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

    def close(self) -> None:
        """Name the branches, and close the store."""
        self._submit(self._name_branches)

    def _shared_store(self, warn: Callable[[str], None]) -> Store:
        self._store = self._store or self._open_store(warn)
        return self._store

    def _name_branches(self) -> None:
        if self._store is None:
            return
        # What cannot be named was noted when it could not be stored.
        with contextlib.suppress(ReflecttyError):
            for run, recorders in self._recorders.items():
                for recorder in recorders[:1]:
                    if recorder.reply is not None:
                        self._store.set_label(self.session, recorder.reply, run.arm.name)
        self._store.close()
