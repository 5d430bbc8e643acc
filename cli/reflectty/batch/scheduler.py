"""Picks the server for the next prompt and tunes how many prompts each server gets at once.

What a server reports takes precedence over measurements: llama-server reports its slots, vLLM and SGLang whether
requests wait. Ollama gets a few tiny requests, whose result is used if it is certain. For any other server, the speed
of the lines themselves shows the best number; no other requests are sent, since gateways count each one.
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
"""Maximum number of lines sent to one server at the same time if none is configured."""
MIN_SPEEDUP: Final = 1.2
"""Factor by which tokens per second must rise before more lines at the same time count as faster."""
GROWTH_FACTOR: Final = 4
"""Factor by which the number is raised: a batch of a hundred lines has no time for small steps."""
RETRY_AFTER_LINES: Final = 64
"""Minimum number of lines before a settled tuner tries more again."""


class ConcurrencyTuner:
    """Raises the number of lines at the same time while that is faster, goes back otherwise, and tries again later.

    A number is measured by the tokens that arrive until that many lines are finished.
    """

    def __init__(self, slots: int, now: float, max_slots: int = MAX_CONCURRENCY, *, is_settled: bool = False) -> None:
        self.slots = slots
        """Number of lines to ask at the same time."""
        self.is_settled = is_settled
        """True if more were tried and were not faster."""
        self._max = self._limit = max_slots
        self._best = (0, 0.0)
        """The fastest number, and its tokens per second."""
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._measured_since, self._lines, self._tokens = now, 0, 0

    def record_line(self, tokens: int, now: float, *, is_saturated: bool) -> None:
        """Record an answered line.

        Args:
            tokens: the tokens of its reply.
            now: the time in seconds.
            is_saturated: whether more lines wait, so that all slots are in use; otherwise nothing is measured.
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
        """Halve the number and make it the maximum, since the server could not take more."""
        self.slots = self._max = max(1, self.slots // 2)
        self.is_settled = True
        self._begin(now)


_LATEST_WEIGHT: Final = 0.3
"""Weight of the latest answer in a server's mean time."""


@dataclass(slots=True)
class ServerSlots:
    """The state of one server."""

    slots: int = 1
    """Maximum number of prompts at the same time; 0 if the server is excluded."""
    running: int = 0
    mean_seconds: float = 0.0
    """Moving mean of the seconds per answer; 0 before the first answer."""
    is_unreachable: bool = False
    """True while the server does not answer."""
    paused_until: float | None = None
    """Time at which the pause of a rate-limited server ends; None if it is not paused."""
    limit_count: int = 0
    """Number of pauses since its last answer."""
    limited_since: float = 0.0
    shared_context: int = 0
    """Tokens of context that all running prompts share; 0 if unknown."""
    used_context: int = 0
    """Estimated tokens of the running prompts and their answers."""
    max_slots: int = MAX_CONCURRENCY
    """Upper limit of `slots`."""
    overloads: int = 0
    """Number of times that the server was overloaded."""
    missing_models: set[str] = field(default_factory=set)
    """Requested models that the server does not have."""

    @property
    def is_available(self) -> bool:
        return not self.is_unreachable and self.paused_until is None

    @property
    def is_usable(self) -> bool:
        """True if the server is reachable and not excluded."""
        return self.slots > 0 and not self.is_unreachable

    def can_take(self, tokens: int) -> bool:
        """True if a prompt of `tokens`, including its answer, fits alongside the running ones.

        A prompt that exceeds the shared context by itself runs alone.
        """
        free = self.running < self.slots
        return free and (
            not self.shared_context or not self.running or self.used_context + tokens <= self.shared_context
        )


class Scheduler:
    """The states of all servers by index, updated at the start and end of each prompt."""

    def __init__(self, number: int, slots: int = 1) -> None:
        self.servers = tuple(ServerSlots(slots) for _ in range(number))

    @property
    def running(self) -> int:
        """Number of running prompts on all servers."""
        return sum(state.running for state in self.servers)

    def is_missing_everywhere(self, model: str) -> bool:
        """True if no server that is in use has the model."""
        return all(model in state.missing_models for state in self.servers if state.slots)

    def pick_server(self, model: str, waiting: int | None = None, tokens: int = 0) -> int | None:
        """Pick the server for a prompt, or None if it should wait.

        The fastest free server is picked. At the end of a batch a slow server gets no prompt if the faster ones, though
        busy, will finish all waiting prompts before it finishes one.

        Args:
            model: the model that answers.
            waiting: number of waiting prompts including this one; None if unknown.
            tokens: estimated tokens of the prompt and its answer.
        """
        able = [at for at, state in enumerate(self.servers) if state.is_available and model not in state.missing_models]
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
        """Count the prompts that busy servers will start and finish before a slow one finishes one."""
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
        """Record the end of a prompt; `seconds` is the time of an answer, None without one."""
        state = self.servers[at]
        state.running -= 1
        state.used_context -= tokens
        if seconds is not None:
            before = state.mean_seconds or seconds
            state.mean_seconds = before + _LATEST_WEIGHT * (seconds - before)


GROWING_SECONDS: Final = 0.25
"""Seconds between two polls of a server's queue while its slots grow."""
STEADY_SECONDS: Final = 5.0
"""Seconds between two polls once requests wait or the maximum is reached."""
MIN_LINES_TO_PROBE: Final = 4
"""With fewer waiting lines, the number of slots does not matter."""
QUEUED_POLLS: Final = 2
"""Consecutive polls with waiting requests before slots shrink: a new request always waits for the next model step."""


class ConcurrencyController:
    """Sets the number of slots of every server; a configured number stays.

    Args:
        servers: the servers of the batch.
        scheduler: holds their state, in the same order.
        is_fixed: whether the number is configured; then it shrinks only when a shared context is full.
        callbacks: show notes and progress information.
        count_waiting: the number of waiting lines; None while not all lines are read.
        notify_changed: called when more lines may be asked.
        start_background: starts work that runs alongside the lines until the batch ends.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - all are needed
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
        """Whether the capacity of each server has been requested."""
        self._is_decided = [is_fixed] * len(servers)
        """Whether the slots of each server need no probe."""
        self._shared_contexts = [0] * len(servers)
        """The shared context that each server reports; with configured slots it applies only once it is full."""
        self._tuners: list[ConcurrencyTuner | None] = [None] * len(servers)

    async def inspect_server(self, at: int) -> None:
        """Request the capacity of a reachable server before its first line."""
        if self._is_inspected[at]:
            return
        self._is_inspected[at] = True
        capacity = await self._servers[at].load_capacity()
        if capacity is None:
            return
        state = self._scheduler.servers[at]
        self._shared_contexts[at], self._is_decided[at] = capacity.shared_context, True
        if self._is_fixed:
            return
        state.shared_context = capacity.shared_context
        if capacity.slots:
            state.slots = state.max_slots = min(capacity.slots, MAX_CONCURRENCY)
            self._tell(at, _slots_text(state.slots, at_least=False))
        elif await self._servers[at].load_workload() is not None:
            self._start_background(self._grow_slots(at))
        else:
            self._start_tuner(at)

    async def record_answer(self, question: Question, at: int, outcome: Outcome) -> None:
        """Record an answered line; its model is loaded now, so the server can be probed or measured."""
        tuner = self._tuners[at]
        if tuner:
            self._follow_tuner(tuner, at, outcome)
        elif not self._is_decided[at] and self._has_many_waiting():
            self._is_decided[at] = True
            await self._probe_server(question, self._servers[at], at)

    def _follow_tuner(self, tuner: ConcurrencyTuner, at: int, outcome: Outcome) -> None:
        state = self._scheduler.servers[at]
        was = tuner.is_settled
        tuner.record_line(outcome.tokens, _now(), is_saturated=self._count_waiting() != 0)
        state.slots = tuner.slots
        if tuner.is_settled and not was:
            self._tell(at, f"is fastest with {_lines_text(tuner.slots)} at once: using that (--jobs N to change)")
        self._notify_changed()

    def _has_many_waiting(self) -> bool:
        """True if enough lines wait for the number of slots to matter."""
        waiting = self._count_waiting()
        return waiting is None or waiting >= MIN_LINES_TO_PROBE

    def _start_tuner(self, at: int, *, is_settled: bool = False) -> None:
        """Measure the lines themselves from now on; if `is_settled`, more slots are tried only later."""
        self._tuners[at] = ConcurrencyTuner(self._scheduler.servers[at].slots, _now(), is_settled=is_settled)

    async def _probe_server(self, question: Question, server: Server, at: int) -> None:
        """Probe a server with tiny requests; if the result is uncertain, tune by the lines."""
        try:
            probed = await server.probe_slots(question)
        except ReflecttyError:
            return
        if not probed.is_certain:
            self._start_tuner(at)
            return
        self._scheduler.servers[at].slots = slots = max(1, probed.slots)
        self._tell(at, _slots_text(slots, at_least=probed.is_lower_bound))
        self._start_tuner(at, is_settled=not probed.is_lower_bound)

    async def _grow_slots(self, at: int) -> None:
        """Raise the slots of a server that reports its queue until requests wait."""
        server, state = self._servers[at], self._scheduler.servers[at]
        queued, reported = 0, 0
        while (load := await server.load_workload()) is not None or state.is_unreachable:
            waiting = load.waiting if load else 0
            queued = queued + 1 if waiting else 0
            if queued >= QUEUED_POLLS:
                state.slots = max(1, min(state.slots, state.running - waiting))
            elif not waiting and state.running >= state.slots and state.slots < state.max_slots:
                state.slots = min(2 * state.slots, state.max_slots)
                self._notify_changed()
            resting = queued >= QUEUED_POLLS or state.slots >= state.max_slots
            if resting and reported != state.slots:
                reported = state.slots
                self._tell(at, _slots_text(reported, at_least=not queued))
            await asyncio.sleep(STEADY_SECONDS if resting or state.is_unreachable else GROWING_SECONDS)
        self._start_tuner(at)

    # Overload

    def handle_busy(self, job: Job, at: int) -> None:
        """Reduce the slots of a busy server, unless their number is configured."""
        if not self._is_fixed:
            self._reduce_slots(job, at)

    def _reduce_slots(self, job: Job, at: int) -> None:
        """Halve the slots of an overloaded server, once for all lines that were sent together."""
        state = self._scheduler.servers[at]
        if job.overloads_at_start != state.overloads:
            return
        state.overloads += 1
        tuner = self._tuners[at]
        if tuner:
            tuner.halve(_now())
        state.slots = state.max_slots = max(1, min(state.slots, state.running) // 2)

    def handle_full_context(self, job: Job, at: int) -> None:
        """Reduce the slots, with a note, when replies together filled a shared context."""
        before = self._scheduler.servers[at].slots
        self._scheduler.servers[at].shared_context = self._shared_contexts[at]
        self._reduce_slots(job, at)
        slots = self._scheduler.servers[at].slots
        if slots != before:
            text = f"concurrent replies filled its context: {_lines_text(slots)} at a time from now on"
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
    return f"answers {'at least ' if at_least else ''}{slots} lines at once: sending that many (--jobs N to change)"
