"""Asks the lines of a batch of several servers at once: gives them out, tries again, waits for who is away."""

from __future__ import annotations

import asyncio
from bisect import insort
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from reflectty.batch.jobs import Job, estimated
from reflectty.batch.pacing import Pacing
from reflectty.batch.records import Outcome
from reflectty.errors import (
    BusyError,
    CirclingError,
    CrowdedError,
    IncompleteError,
    ModelMissingError,
    NoAnswerError,
    ReflecttyError,
    RefusedError,
    UnreachableError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine, Sequence

    from reflectty.batch.items import Item
    from reflectty.batch.jobs import Hooks, Terms
    from reflectty.batch.roster import Roster
    from reflectty.batch.server import Server
    from reflectty.batch.tally import Tally

AHEAD: Final = 16
"""So many lines are read before they can be asked."""
LONGEST_DELAY: Final = 30.0
"""Seconds between two tries, at most."""
FIRST_REST: Final = 5.0
"""Seconds that a server is left alone which counts how often it is asked and does not say how long to wait."""
LONGEST_REST: Final = 60.0
"""The same once it has said so again and again: limits are mostly those of a minute."""
MOST_RETURNS: Final = 8
"""A line that was being answered so many times when its server went away is what makes it go away."""


class Work:
    """Every line that is read is delivered once, unless the work ends before."""

    def __init__(self, servers: Sequence[Server], roster: Roster, terms: Terms, hooks: Hooks, tally: Tally) -> None:
        self._servers = servers
        self._roster = roster
        self._terms = terms
        self._hooks = hooks
        self._tally = tally
        self._waiting: list[Job] = []
        self._asking: set[asyncio.Task[None]] = set()
        self._beside: set[asyncio.Task[None]] = set()
        self._read_all = False
        self._failure: BaseException | None = None
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._stuck_since: float | None = None
        self._pacing = Pacing(
            servers,
            roster,
            terms.jobs > 0,
            hooks,
            lambda: len(self._waiting) if self._read_all else None,
            self._changed.set,
            lambda work: self._start(work, self._beside),
        )

    async def run(self, items: AsyncGenerator[Item, None]) -> None:
        """Ask until every line is delivered.

        Raises:
            UnreachableError: nobody has answered for as long as there is patience.
            ReflecttyError: the lines cannot be read, or what came of them cannot be delivered.
        """
        self._start(self._read(items), self._beside)
        await asyncio.gather(*(self._pacing.look(at) for at, place in enumerate(self._roster.places) if place.usable))
        for at, place in enumerate(self._roster.places):
            if place.away:
                self._start(self._await(at), self._beside)
        try:
            while not self._over():
                self._changed.clear()
                self._give_out()
                if self._failure:
                    raise self._failure
                if not self._over():
                    await self._wait()
        finally:
            await self._stop()

    def _over(self) -> bool:
        return self._read_all and not self._waiting and not self._asking

    async def _stop(self) -> None:
        tasks = (*self._asking, *self._beside)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait(self) -> None:
        """Wait until something changes; for somebody who answers only as long as there is patience."""
        resting = any(place.resting_until is not None for place in self._roster.places)
        if self._asking or resting or not self._waiting:
            self._stuck_since = None
            await self._changed.wait()
            return
        now = asyncio.get_running_loop().time()
        since = self._stuck_since = now if self._stuck_since is None else self._stuck_since
        try:
            async with asyncio.timeout(max(0.0, since + self._terms.patience - now)):
                await self._changed.wait()
        except TimeoutError as error:
            message = f"no server has answered for {self._terms.patience:g} s"
            raise UnreachableError(message, "--patience is how long one is waited for") from error

    def _start(self, work: Coroutine[None, None, None], among: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(work)
        among.add(task)
        task.add_done_callback(lambda done: self._ended(done, among))

    def _ended(self, task: asyncio.Task[None], among: set[asyncio.Task[None]]) -> None:
        among.discard(task)
        if not task.cancelled() and task.exception():
            self._failure = self._failure or task.exception()
        self._changed.set()

    # Lines

    async def _read(self, items: AsyncGenerator[Item, None]) -> None:
        number = 0
        async for item in items:
            while len(self._waiting) >= AHEAD:
                self._room.clear()
                await self._room.wait()
            self._put(self._job(number, item))
            number += 1
        self._read_all = True

    def _job(self, number: int, item: Item) -> Job:
        if item.problem:
            return Job(number, item)
        try:
            return Job(number, item, self._hooks.question_of(item))
        except UsageError as error:
            return Job(number, item._replace(problem=error))

    def _put(self, job: Job) -> None:
        insort(self._waiting, job, key=attrgetter("number"))
        self._changed.set()

    def _give_out(self) -> None:
        """Give every line that waits to a server that is free for it."""
        for job in tuple(self._waiting):
            if not self._hooks.has_room(job.number):
                return
            error = self._in_the_way(job)
            tokens = estimated(job.question, self._tally.mean_tokens) if job.question else 0
            left = len(self._waiting) if self._read_all else None
            at = None if error else self._roster.choose(job.model, left, tokens)
            if error is None and at is None:
                continue
            self._waiting.remove(job)
            self._room.set()
            if at is None:
                self._finish(job, Outcome(error=error))
            else:
                job.tokens, job.round = tokens, self._roster.places[at].round
                self._roster.begin(at, tokens)
                self._start(self._ask(job, at), self._asking)

    def _in_the_way(self, job: Job) -> ReflecttyError | None:
        """Return why a line cannot be asked of anybody."""
        if job.item.problem or not self._roster.nobody_has(job.model):
            return job.item.problem
        where = "on any of the servers" if len(self._servers) > 1 else f"on {self._servers[0].name}"
        return ModelMissingError(
            f"the model {job.model} is not installed {where}", f"pull it: reflect models pull {job.model}"
        )

    def _finish(self, job: Job, outcome: Outcome) -> None:
        self._tally.count(failed=outcome.error is not None, tokens=outcome.tokens)
        self._hooks.deliver(job.number, job.item, outcome)

    # Asking

    async def _ask(self, job: Job, at: int) -> None:
        assert job.question is not None  # noqa: S101 - only what can be asked is given out
        clock = asyncio.get_running_loop().time
        began, seconds = clock(), None
        try:
            outcome = await self._servers[at].answer(job.question)
            if outcome.error is None:
                seconds = clock() - began
                self._roster.places[at].limits = 0
            if isinstance(outcome.error, ModelMissingError):
                self._lacks(job, at)
            elif isinstance(outcome.error, BusyError) and self._rests(at, outcome.error):
                self._pacing.busy(job, at)
                self._put(job)
            elif isinstance(outcome.error, CrowdedError) and self._had_company(job, at):
                self._pacing.crowded(job, at)
                self._put(job)
            elif outcome.error and self._worth_another_try(outcome.error, job, at):
                if isinstance(outcome.error, BusyError):
                    self._pacing.busy(job, at)
                await self._try_again(job, at, outcome)
            else:
                self._finish(job, outcome)
                await self._pacing.answered(job.question, at, outcome)
        finally:
            self._roster.end(at, seconds, job.tokens)

    def _had_company(self, job: Job, at: int) -> bool:
        """Whether other lines were answered beside one that was ended with them."""
        place = self._roster.places[at]
        return place.running > 1 or job.round != place.round

    def _worth_another_try(self, error: ReflecttyError, job: Job, at: int) -> bool:
        """Whether the same question may well be answered next time."""
        if isinstance(error, CirclingError) and job.question:
            return not self._servers[at].always_the_same(job.question)
        cut = isinstance(error, IncompleteError) and not isinstance(error, NoAnswerError)
        passing = isinstance(error, RefusedError) and error.transient
        return cut or passing or isinstance(error, UnreachableError)

    def _lacks(self, job: Job, at: int) -> None:
        self._roster.places[at].lacks.add(job.model)
        self._servers[at].forget(job.model)
        self._hooks.note(f"{self._servers[at].name} does not have {job.model}")
        self._put(job)

    async def _try_again(self, job: Job, at: int, outcome: Outcome) -> None:
        """Put a line back; one that failed often enough while its server was there has had its chance."""
        if await self._servers[at].is_there():
            job.tries += 1
            given_up = job.tries > self._terms.retry
        else:
            job.returns += 1
            given_up = job.returns >= MOST_RETURNS
            self._gone(at)
        if given_up:
            self._finish(job, outcome)
            return
        if not self._roster.places[at].away:
            await asyncio.sleep(min(self._terms.delay * 2 ** (job.tries - 1), LONGEST_DELAY))
        self._put(job)

    def _rests(self, at: int, error: BusyError) -> bool:
        """Leave a server alone that counts its questions, or says how long; False where that is beyond the patience."""
        if not (error.limited or error.retry_after):
            return False
        place, now = self._roster.places[at], asyncio.get_running_loop().time()
        if not place.limits:
            place.limited_since = now
        seconds = error.retry_after or min(FIRST_REST * 2**place.limits, LONGEST_REST)
        until = now + seconds
        if until - place.limited_since > self._terms.patience:
            return False
        if place.resting_until is None:
            place.limits += 1
            self._tally.resting = (*self._tally.resting, self._servers[at].name)
            asked = "as it asks" if error.retry_after else "since it does not say how long"
            self._hooks.note(f"{self._servers[at].name} takes no more for now: {seconds:.0f} s are waited, {asked}")
            self._start(self._rest(at), self._beside)
        place.resting_until = max(place.resting_until or 0.0, until)
        return True

    async def _rest(self, at: int) -> None:
        place, clock = self._roster.places[at], asyncio.get_running_loop().time
        while (left := (place.resting_until or 0.0) - clock()) > 0:  # noqa: ASYNC110 - it may be put off meanwhile
            await asyncio.sleep(left)
        place.resting_until = None
        self._tally.resting = tuple(name for name in self._tally.resting if name != self._servers[at].name)

    def _gone(self, at: int) -> None:
        place = self._roster.places[at]
        if place.away:
            return
        place.away = True
        self._tally_away()
        self._hooks.note(f"{self._servers[at].name} does not answer any more: it is tried again until it does")
        self._start(self._await(at), self._beside)

    async def _await(self, at: int) -> None:
        """Wait until a server is there again."""
        self._tally_away()
        delay = self._terms.delay
        while True:
            await asyncio.sleep(delay)
            if await self._servers[at].is_there():
                break
            delay = min(2 * delay, LONGEST_DELAY)
        await self._pacing.look(at)
        self._roster.places[at].away = False
        self._tally_away()
        self._hooks.note(f"{self._servers[at].name} answers again")

    def _tally_away(self) -> None:
        pairs = zip(self._servers, self._roster.places, strict=True)
        self._tally.away = tuple(server.name for server, place in pairs if place.away)
