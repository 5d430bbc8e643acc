"""Picks the server for the next prompt and tunes how many prompts each server gets at once.

What a server tells goes before what is measured: llama-server its slots, vLLM and SGLang whether requests wait. An
Ollama is sent a few tiny requests, and believed where what they show is sure. Of any other the lines themselves show
at how many at once it is fastest; nothing but them is sent there, since gateways count every request.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import ReflecttyError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from reflectty.batch.records import Outcome
    from reflectty.batch.runner import Callbacks, Job
    from reflectty.batch.server import Server
    from reflectty.chat.request import Question


MAX_CONCURRENCY: Final = 64
"""So many lines are asked of one server at once at most, where nobody says how many."""
MIN_SPEEDUP: Final = 1.2
"""By what factor more tokens must come each second before more at once are taken to be faster."""
GROWTH_FACTOR: Final = 4
"""By what factor more are tried at once: a batch of a hundred lines has no time for small steps."""
RETRY_AFTER_LINES: Final = 64
"""After so many lines at the least it is tried anew whether more are faster by now."""


class ConcurrencyTuner:
    """Tries more lines at once while that is faster, goes back where it is not, and tries again later.

    A number at once is measured by the tokens that come until as many lines have ended as are asked at once.
    """

    def __init__(self, slots: int, now: float, max_slots: int = MAX_CONCURRENCY, *, is_settled: bool = False) -> None:
        self.slots = slots
        """How many lines to ask at once now."""
        self.is_settled = is_settled
        """Whether more were tried, and were not faster."""
        self._max = self._limit = max_slots
        self._best = (0, 0.0)
        """The number that was fastest, and the tokens that came each second."""
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._measured_since, self._lines, self._tokens = now, 0, 0

    def record_line(self, tokens: int, now: float, *, is_saturated: bool) -> None:
        """Note a line that was answered.

        Args:
            tokens: how many it wrote.
            now: in seconds.
            is_saturated: whether others wait, so that as many are being answered as may be: else nothing is measured.
        """
        if not is_saturated and not self.is_settled:
            self._begin(now)
            return
        self._lines += 1
        self._tokens += max(1, tokens)
        if self.is_settled:
            self._retry_if_due(now)
        elif self._lines >= self.slots:
            self._judge(now)

    def _retry_if_due(self, now: float) -> None:
        if self._lines >= max(RETRY_AFTER_LINES, 4 * self.slots):
            self.is_settled, self._best, self._limit = False, (0, 0.0), self._max
            self._begin(now)

    def _judge(self, now: float) -> None:
        rate = self._tokens / max(now - self._measured_since, 1e-9)
        number, fastest = self._best
        if rate >= MIN_SPEEDUP * fastest:
            self._best = (self.slots, rate)
            self._switch_to(min(GROWTH_FACTOR * self.slots, self._limit), now)
            return
        self._limit = self.slots - 1
        self._switch_to(2 * number if 2 * number <= self._limit else number, now)

    def _switch_to(self, slots: int, now: float) -> None:
        self.is_settled = slots == self._best[0]
        self.slots = slots
        self._begin(now)

    def halve(self, now: float) -> None:
        """Ask half as many at once, and no more than that from here on: the server could not take them."""
        self.slots = self._max = max(1, self.slots // 2)
        self.is_settled = True
        self._begin(now)


_LATEST_WEIGHT: Final = 0.3
"""How much the latest answer counts in the mean time that a server takes."""


@dataclass(slots=True)
class ServerSlots:
    """What is known of one server."""

    slots: int = 1
    """How many questions it may be asked at the same time; 0 where it is left out."""
    running: int = 0
    mean_seconds: float = 0.0
    """How long it takes for an answer in the mean; 0 while it has given none."""
    is_unreachable: bool = False
    """Whether it does not answer at present."""
    paused_until: float | None = None
    """When it may be asked again that counts how often it is; None where it may be asked now."""
    limit_count: int = 0
    """How many times it has said so since it last answered."""
    limited_since: float = 0.0
    shared_context: int = 0
    """How many tokens of context all that is answered at once may share; 0 where nobody tells."""
    used_context: int = 0
    """How many of them what is being answered will take, as it was estimated."""
    max_slots: int = MAX_CONCURRENCY
    """More than this are never asked at the same time."""
    overloads: int = 0
    """How often the server was found to be asked too much at once."""
    missing_models: set[str] = field(default_factory=set)
    """The models that were asked for and that it does not have."""

    @property
    def is_available(self) -> bool:
        return not self.is_unreachable and self.paused_until is None

    @property
    def is_usable(self) -> bool:
        """Whether it is there, and not left out."""
        return self.slots > 0 and not self.is_unreachable

    def can_take(self, tokens: int) -> bool:
        """Whether a question of so many tokens, its answer included, may be asked beside what is being answered.

        One that alone is more than there is room for is asked alone.
        """
        free = self.running < self.slots
        return free and (
            not self.shared_context or not self.running or self.used_context + tokens <= self.shared_context
        )


class Scheduler:
    """Servers by number; told what happens to each."""

    def __init__(self, number: int, slots: int = 1) -> None:
        self.servers = tuple(ServerSlots(slots) for _ in range(number))

    @property
    def running(self) -> int:
        """How many questions are being answered."""
        return sum(place.running for place in self.servers)

    @property
    def is_cut_off(self) -> bool:
        """Whether none of them answers at present."""
        return all(place.is_unreachable for place in self.servers)

    def is_missing_everywhere(self, model: str) -> bool:
        """Whether every server that may be asked was found to lack a model."""
        return all(model in place.missing_models for place in self.servers if place.slots)

    def pick_server(self, model: str, waiting: int | None = None, tokens: int = 0) -> int | None:
        """Return who should be asked a question now, or None where it had better wait.

        It is the fastest that is free. One that is slow is left out at the end, where the faster ones, busy as they
        are, will be through with all that waits before it is through with one.

        Args:
            model: who is to answer it.
            waiting: how many questions wait, this one included; None where that is unknown.
            tokens: how many it and its answer are estimated to have.
        """
        able = [at for at, place in enumerate(self.servers) if place.is_available and model not in place.missing_models]
        free = [at for at in able if self.servers[at].can_take(tokens)]
        if not free:
            return None
        best = min(
            free, key=lambda at: (self.servers[at].mean_seconds, self.servers[at].running / self.servers[at].slots)
        )
        if waiting is not None and self._count_done_by_others(best, able) >= waiting:
            return None
        return best

    def _count_done_by_others(self, slow: int, able: list[int]) -> int:
        """Return how many questions the busy ones will have begun and answered before a slow one has answered one."""
        patience = self.servers[slow].mean_seconds
        others = [
            self.servers[at] for at in able if at != slow and self.servers[at].running and self.servers[at].mean_seconds
        ]
        return sum(
            int(patience / other.mean_seconds - 1) * other.slots for other in others if other.mean_seconds < patience
        )

    def begin(self, at: int, tokens: int = 0) -> None:
        self.servers[at].running += 1
        self.servers[at].used_context += tokens

    def end(self, at: int, seconds: float | None = None, tokens: int = 0) -> None:
        """Note that a question is over; `seconds` tells how long an answer took, where there was one."""
        place = self.servers[at]
        place.running -= 1
        place.used_context -= tokens
        if seconds is not None:
            before = place.mean_seconds or seconds
            place.mean_seconds = before + _LATEST_WEIGHT * (seconds - before)


GROWING_SECONDS: Final = 0.25
"""How often a server is asked for its queue while more lines are tried."""
STEADY_SECONDS: Final = 5.0
"""How often once it has said that some wait, or as many are asked as ever will be."""
MIN_LINES_TO_PROBE: Final = 4
"""With fewer lines that wait it does not matter how many are answered at once."""
QUEUED_POLLS: Final = 2
"""So many times in a row requests must wait before fewer are sent: a new one waits for the next step of the model."""


class ConcurrencyController:
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
        scheduler: Scheduler,
        is_fixed: bool,
        callbacks: Callbacks,
        count_waiting: Callable[[], int | None],
        notify_changed: Callable[[], None],
        start_background: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._servers = servers
        self._scheduler = scheduler
        self._is_fixed = is_fixed
        self._callbacks = callbacks
        self._count_waiting = count_waiting
        self._notify_changed = notify_changed
        self._start_background = start_background
        self._is_inspected = [False] * len(servers)
        """Whether each has been asked what it tells."""
        self._is_decided = [is_fixed] * len(servers)
        """Whether nothing more is to be found out by asking."""
        self._shared_contexts = [0] * len(servers)
        """The context that requests may share, as each tells; a number that was given is kept to until it is full."""
        self._tuners: list[ConcurrencyTuner | None] = [None] * len(servers)

    async def inspect_server(self, at: int) -> None:
        """Ask a server that is there what it tells of itself before it is asked a line."""
        if self._is_inspected[at]:
            return
        self._is_inspected[at] = True
        told = await self._servers[at].load_capacity()
        if told is None:
            return
        place = self._scheduler.servers[at]
        self._shared_contexts[at], self._is_decided[at] = told.shared_context, True
        if self._is_fixed:
            return
        place.shared_context = told.shared_context
        if told.slots:
            place.slots = place.max_slots = min(told.slots, MAX_CONCURRENCY)
            self._tell(at, _slots_text(place.slots, at_least=False))
        elif await self._servers[at].load_workload() is not None:
            self._start_background(self._grow_slots(at))
        else:
            self._start_tuner(at)

    async def record_answer(self, question: Question, at: int, outcome: Outcome) -> None:
        """Note that a line is over: its model is loaded, so that there is something to find out."""
        pace = self._tuners[at]
        if pace:
            self._follow_tuner(pace, at, outcome)
        elif not self._is_decided[at] and self._has_many_waiting():
            self._is_decided[at] = True
            await self._probe_server(question, self._servers[at], at)

    def _follow_tuner(self, tuner: ConcurrencyTuner, at: int, outcome: Outcome) -> None:
        place = self._scheduler.servers[at]
        was = tuner.is_settled
        tuner.record_line(outcome.tokens, _now(), is_saturated=self._count_waiting() != 0)
        place.slots = tuner.slots
        if tuner.is_settled and not was:
            self._tell(at, f"is fastest with {_lines_text(tuner.slots)} at once: so many are asked, or --jobs N")
        self._notify_changed()

    def _has_many_waiting(self) -> bool:
        """Whether so many lines wait that it matters how many are asked at once."""
        waiting = self._count_waiting()
        return waiting is None or waiting >= MIN_LINES_TO_PROBE

    def _start_tuner(self, at: int, *, is_settled: bool = False) -> None:
        """Go by the lines themselves from here on; where it is settled, what was found is doubted only later."""
        self._tuners[at] = ConcurrencyTuner(self._scheduler.servers[at].slots, _now(), is_settled=is_settled)

    async def _probe_server(self, question: Question, server: Server, at: int) -> None:
        """Send some tiny requests at once; what they do not show for sure, the lines will."""
        try:
            found = await server.probe_slots(question)
        except ReflecttyError:
            return
        if not found.is_certain:
            self._start_tuner(at)
            return
        self._scheduler.servers[at].slots = slots = max(1, found.slots)
        self._tell(at, _slots_text(slots, at_least=found.is_lower_bound))
        self._start_tuner(at, is_settled=not found.is_lower_bound)

    async def _grow_slots(self, at: int) -> None:
        """Ask more and more at once of a server that tells its queue, until some wait."""
        server, place = self._servers[at], self._scheduler.servers[at]
        queued, said = 0, 0
        while (load := await server.load_workload()) is not None or place.is_unreachable:
            waiting = load.waiting if load else 0
            queued = queued + 1 if waiting else 0
            if queued >= QUEUED_POLLS:
                place.slots = max(1, min(place.slots, place.running - waiting))
            elif not waiting and place.running >= place.slots and place.slots < place.max_slots:
                place.slots = min(2 * place.slots, place.max_slots)
                self._notify_changed()
            resting = queued >= QUEUED_POLLS or place.slots >= place.max_slots
            if resting and said != place.slots:
                said = place.slots
                self._tell(at, _slots_text(said, at_least=not queued))
            await asyncio.sleep(STEADY_SECONDS if resting or place.is_unreachable else GROWING_SECONDS)
        self._start_tuner(at)

    # What a server cannot take

    def handle_busy(self, job: Job, at: int) -> None:
        """Ask fewer at once of a server that takes no more at present, unless it was said how many."""
        if not self._is_fixed:
            self._reduce_slots(job, at)

    def _reduce_slots(self, job: Job, at: int) -> None:
        """Ask fewer lines at once of a server that could not take so many; once for all that were sent together."""
        place = self._scheduler.servers[at]
        if job.overloads_at_start != place.overloads:
            return
        place.overloads += 1
        pace = self._tuners[at]
        if pace:
            pace.halve(_now())
        place.slots = place.max_slots = max(1, min(place.slots, place.running) // 2)

    def handle_full_context(self, job: Job, at: int) -> None:
        """Ask fewer at once where the replies together filled a context that they share, and say so."""
        before = self._scheduler.servers[at].slots
        self._scheduler.servers[at].shared_context = self._shared_contexts[at]
        self._reduce_slots(job, at)
        slots = self._scheduler.servers[at].slots
        if slots != before:
            text = f"what was answered together filled its context: {_lines_text(slots)} at once from here on"
            self._callbacks.note(f"{self._servers[at].name}: {text}")

    def _tell(self, at: int, text: str) -> None:
        self._callbacks.tell(f"{self._servers[at].name} {text}")


def _now() -> float:
    return asyncio.get_running_loop().time()


def _lines_text(number: int) -> str:
    return "1 line" if number == 1 else f"{number} lines"


def _slots_text(slots: int, *, at_least: bool) -> str:
    if slots == 1:
        return "answers one line at a time"
    return f"answers {'at least ' if at_least else ''}{slots} lines at once: so many are asked, or --jobs N"
