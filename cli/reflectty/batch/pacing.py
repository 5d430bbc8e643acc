"""Finds out how many lines each server of a batch answers at once, and keeps the roster to it.

What a server tells goes before what is measured: llama-server its slots, vLLM and SGLang whether requests wait. An
Ollama is sent a few tiny requests, and believed where what they show is sure. Of any other the lines themselves show
at how many at once it is fastest; nothing but them is sent there, since gateways count every request.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from reflectty.batch.pace import MOST, Pace
from reflectty.errors import ReflecttyError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from reflectty.asking import Question
    from reflectty.batch.jobs import Hooks, Job
    from reflectty.batch.records import Outcome
    from reflectty.batch.roster import Roster
    from reflectty.batch.server import Server

GROWING_SECONDS: Final = 0.25
"""How often a server is asked for its queue while more lines are tried."""
RESTING_SECONDS: Final = 5.0
"""How often once it has said that some wait, or as many are asked as ever will be."""
WORTH_PROBING: Final = 4
"""With fewer lines that wait it does not matter how many are answered at once."""
QUEUED: Final = 2
"""So many times in a row requests must wait before fewer are sent: a new one waits for the next step of the model."""


class Pacing:
    """How many lines at once, for every server of a roster; where somebody has said how many, that stays.

    Args:
        servers: who may be asked.
        roster: what is known of them, in the same order.
        fixed: whether the number was given, and only a server that cannot take it makes it smaller.
        hooks: who is told.
        waiting: how many lines wait; None while there are more than are read by now.
        changed: called when more may be asked.
        beside: starts work that goes on beside the lines, until the batch is over.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - all that it looks at
        self,
        servers: Sequence[Server],
        roster: Roster,
        fixed: bool,
        hooks: Hooks,
        waiting: Callable[[], int | None],
        changed: Callable[[], None],
        beside: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._servers = servers
        self._roster = roster
        self._fixed = fixed
        self._hooks = hooks
        self._waiting = waiting
        self._changed = changed
        self._beside = beside
        self._asked = [False] * len(servers)
        """Whether each has been asked what it tells."""
        self._silent = [fixed] * len(servers)
        """Whether nothing more is to be found out by asking."""
        self._rooms = [0] * len(servers)
        """The context that requests may share, as each tells; a number that was given is kept to until it is full."""
        self._paces: list[Pace | None] = [None] * len(servers)

    async def look(self, at: int) -> None:
        """Ask a server that is there what it tells of itself before it is asked a line."""
        if self._asked[at]:
            return
        self._asked[at] = True
        told = await self._servers[at].capacity()
        if told is None:
            return
        place = self._roster.places[at]
        self._rooms[at], self._silent[at] = told.shared, True
        if self._fixed:
            return
        place.room = told.shared
        if told.slots:
            place.slots = place.most = min(told.slots, MOST)
            self._say(at, _said_of(place.slots, at_least=False))
        elif await self._servers[at].load() is not None:
            self._beside(self._grow(at))
        else:
            self._measure(at)

    async def answered(self, question: Question, at: int, outcome: Outcome) -> None:
        """Note that a line is over: its model is loaded, so that there is something to find out."""
        pace = self._paces[at]
        if pace:
            self._follow(pace, at, outcome)
        elif not self._silent[at] and self._wait_in_numbers():
            self._silent[at] = True
            await self._probe(question, self._servers[at], at)

    def _follow(self, pace: Pace, at: int, outcome: Outcome) -> None:
        place = self._roster.places[at]
        was = pace.settled
        pace.ended(outcome.tokens, _now(), full=self._waiting() != 0)
        place.slots = pace.slots
        if pace.settled and not was:
            self._say(at, f"is fastest with {_lines(pace.slots)} at once: so many are asked, or --jobs N")
        self._changed()

    def _wait_in_numbers(self) -> bool:
        """Whether so many lines wait that it matters how many are asked at once."""
        waiting = self._waiting()
        return waiting is None or waiting >= WORTH_PROBING

    def _measure(self, at: int, *, settled: bool = False) -> None:
        """Go by the lines themselves from here on; where it is settled, what was found is doubted only later."""
        self._paces[at] = Pace(self._roster.places[at].slots, _now(), settled=settled)

    async def _probe(self, question: Question, server: Server, at: int) -> None:
        """Send some tiny requests at once; what they do not show for sure, the lines will."""
        try:
            found = await server.at_once(question)
        except ReflecttyError:
            return
        if not found.sure:
            self._measure(at)
            return
        self._roster.places[at].slots = slots = max(1, found.at_once)
        self._say(at, _said_of(slots, at_least=found.at_least))
        self._measure(at, settled=not found.at_least)

    async def _grow(self, at: int) -> None:
        """Ask more and more at once of a server that tells its queue, until some wait."""
        server, place = self._servers[at], self._roster.places[at]
        queued, said = 0, 0
        while (load := await server.load()) is not None or place.away:
            waiting = load.waiting if load else 0
            queued = queued + 1 if waiting else 0
            if queued >= QUEUED:
                place.slots = max(1, min(place.slots, place.running - waiting))
            elif not waiting and place.running >= place.slots and place.slots < place.most:
                place.slots = min(2 * place.slots, place.most)
                self._changed()
            resting = queued >= QUEUED or place.slots >= place.most
            if resting and said != place.slots:
                said = place.slots
                self._say(at, _said_of(said, at_least=not queued))
            await asyncio.sleep(RESTING_SECONDS if resting or place.away else GROWING_SECONDS)
        self._measure(at)

    # What a server cannot take

    def busy(self, job: Job, at: int) -> None:
        """Ask fewer at once of a server that takes no more at present, unless it was said how many."""
        if not self._fixed:
            self._less(job, at)

    def _less(self, job: Job, at: int) -> None:
        """Ask fewer lines at once of a server that could not take so many; once for all that were sent together."""
        place = self._roster.places[at]
        if job.round != place.round:
            return
        place.round += 1
        pace = self._paces[at]
        if pace:
            pace.less(_now())
        place.slots = place.most = max(1, min(place.slots, place.running) // 2)

    def crowded(self, job: Job, at: int) -> None:
        """Ask fewer at once where the replies together filled a context that they share, and say so."""
        before = self._roster.places[at].slots
        self._roster.places[at].room = self._rooms[at]
        self._less(job, at)
        slots = self._roster.places[at].slots
        if slots != before:
            text = f"what was answered together filled its context: {_lines(slots)} at once from here on"
            self._hooks.note(f"{self._servers[at].name}: {text}")

    def _say(self, at: int, text: str) -> None:
        self._hooks.tell(f"{self._servers[at].name} {text}")


def _now() -> float:
    return asyncio.get_running_loop().time()


def _lines(number: int) -> str:
    return "1 line" if number == 1 else f"{number} lines"


def _said_of(slots: int, *, at_least: bool) -> str:
    if slots == 1:
        return "answers one line at a time"
    return f"answers {'at least ' if at_least else ''}{slots} lines at once: so many are asked, or --jobs N"
