"""Runs a batch: dispatches prompts to servers, retries them and waits for unreachable servers."""

from __future__ import annotations

import asyncio
import gc
from bisect import insort
from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from reflectty.batch.records import Outcome
from reflectty.batch.scheduler import ConcurrencyController
from reflectty.chat.context import prompt_tokens
from reflectty.core.errors import (
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
from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Sequence

    from reflectty.batch.progress import BatchProgress
    from reflectty.batch.prompts import PromptLine
    from reflectty.batch.scheduler import Scheduler
    from reflectty.batch.server import Server
    from reflectty.chat.request import Question


AROUND: Final = 256
"""Tokens allowed around a prompt in a shared context; few, since an overestimate takes context from other prompts."""
DEFAULT_ANSWER_TOKENS: Final = 512
"""Tokens assumed for an answer before the first answer."""
ANSWER_SPREAD: Final = 1.5
"""Factor by which an answer may be longer than the mean."""


class BatchOptions(NamedTuple):
    """How a batch asks its lines."""

    jobs: int = 0
    """Lines sent to each server at the same time; 0 tunes the number."""
    retry: int = 3
    """Retries of a line whose reply was cut or whose request failed."""
    patience: float = 3600.0
    """Seconds to wait for any server once all are unreachable."""
    delay: float = 1.0
    """Seconds before the first retry; doubles with each retry."""


def answer_once(server: Server, item: PromptLine, question: Question) -> Awaitable[Outcome]:
    """Ask the question of a line."""
    del item
    return server.answer(question)


class Callbacks(NamedTuple):
    """Functions that make questions, deliver outcomes and show messages."""

    question_of: Callable[[PromptLine], Question]
    """Makes a question from a line, or raises UsageError."""
    has_room: Callable[[int], bool]
    """True if the output has room for the line of this number."""
    deliver: Callable[[int, PromptLine, Outcome], None]
    note: Callable[[str], None]
    tell: Callable[[str], None]
    """Shows progress information."""
    answer: Callable[[Server, PromptLine, Question], Awaitable[Outcome]] = answer_once
    """Asks a server for what a line wants, in one request or several."""


@dataclass(slots=True)
class Job:
    """A line to ask, with the number of its tries and server losses."""

    number: int
    """Counted from 0 in the order of the lines."""
    prompt_line: PromptLine
    question: Question | None = None
    """None if the line cannot be asked."""
    tries: int = 0
    server_losses: int = 0
    estimated_tokens: int = 0
    """Estimated tokens of prompt and answer at dispatch."""
    overloads_at_start: int = 0
    """The server's `overloads` at dispatch."""

    @property
    def model(self) -> str:
        return self.question.ask_options.model if self.question else ""


def estimate_tokens(question: Question, mean_tokens: float) -> int:
    """Estimate the tokens of a question and its answer, rather too many than too few.

    Args:
        question: the question.
        mean_tokens: mean tokens of the answers so far; 0 if there are none.
    """
    prompt = prompt_tokens(question, template_tokens=AROUND)
    limit = dict(question.ask_options.options).get("num_predict")
    if isinstance(limit, int) and limit > 0:
        return prompt + limit
    return prompt + int(ANSWER_SPREAD * mean_tokens if mean_tokens else DEFAULT_ANSWER_TOKENS)


GARBAGE_THRESHOLDS: Final = (5_000, 10, 10)
"""How often cycles of objects are collected: at the thresholds of our start-up, 4,000 replies held 200 MB, not 50."""
READ_AHEAD: Final = 16
"""Lines that are read ahead of dispatch."""
MAX_DELAY: Final = 30.0
"""Maximum seconds between two tries."""
FIRST_PAUSE: Final = 5.0
"""Seconds of the first pause after a rate limit without a retry time."""
MAX_PAUSE: Final = 60.0
"""Maximum seconds of such a pause, since most rate limits are per minute."""
MAX_SERVER_LOSSES: Final = 8
"""The number of server losses after which a line counts as their cause and fails."""


class BatchRunner:
    """Asks all lines on the servers; delivers each line once, unless an error ends the batch."""

    def __init__(
        self,
        servers: Sequence[Server],
        scheduler: Scheduler,
        options: BatchOptions,
        callbacks: Callbacks,
        progress: BatchProgress,
    ) -> None:
        self._servers = servers
        self._scheduler = scheduler
        self._options = options
        self._callbacks = callbacks
        self._progress = progress
        self._queue: list[Job] = []
        self._running: set[asyncio.Task[None]] = set()
        self._background: set[asyncio.Task[None]] = set()
        self._has_read_all = False
        self._failure: BaseException | None = None
        self._change_event = asyncio.Event()
        self._room_event = asyncio.Event()
        self._stuck_since: float | None = None
        self._concurrency = ConcurrencyController(
            servers,
            scheduler,
            options.jobs > 0,
            callbacks,
            lambda: len(self._queue) if self._has_read_all else None,
            self._change_event.set,
            lambda work: self._start_task(work, self._background),
        )

    async def run(self, prompts: AsyncGenerator[PromptLine, None]) -> None:
        """Ask until every line is delivered.

        Raises:
            UnreachableError: no server has answered within `patience`.
            ReflecttyError: the lines cannot be read, or an outcome cannot be delivered.
        """
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        self._start_task(self._read_prompts(prompts), self._background)
        await asyncio.gather(
            *(
                self._concurrency.inspect_server(at)
                for at, state in enumerate(self._scheduler.servers)
                if state.is_usable
            )
        )
        for at, state in enumerate(self._scheduler.servers):
            if state.is_unreachable:
                self._start_task(self._wait_until_reachable(at), self._background)
        try:
            while not self._is_done():
                self._change_event.clear()
                self._dispatch()
                if self._failure:
                    raise self._failure
                if not self._is_done():
                    await self._wait_for_change()
        finally:
            await self._stop()

    def _is_done(self) -> bool:
        return self._has_read_all and not self._queue and not self._running

    async def _stop(self) -> None:
        tasks = (*self._running, *self._background)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait_for_change(self) -> None:
        """Wait until something changes; if no server answers, for at most `patience`."""
        resting = any(state.paused_until is not None for state in self._scheduler.servers)
        if self._running or resting or not self._queue:
            self._stuck_since = None
            await self._change_event.wait()
            return
        now = asyncio.get_running_loop().time()
        since = self._stuck_since = now if self._stuck_since is None else self._stuck_since
        try:
            async with asyncio.timeout(max(0.0, since + self._options.patience - now)):
                await self._change_event.wait()
        except TimeoutError as error:
            message = f"no server has responded for {self._options.patience:g} s"
            raise UnreachableError(message, "raise --patience to wait longer") from error

    def _start_task(self, work: Coroutine[None, None, None], among: set[asyncio.Task[None]]) -> None:
        task = asyncio.create_task(work)
        among.add(task)
        task.add_done_callback(lambda done: self._on_task_done(done, among))

    def _on_task_done(self, task: asyncio.Task[None], among: set[asyncio.Task[None]]) -> None:
        among.discard(task)
        if not task.cancelled() and task.exception():
            self._failure = self._failure or task.exception()
        self._change_event.set()

    # Lines

    async def _read_prompts(self, prompts: AsyncGenerator[PromptLine, None]) -> None:
        number = 0
        async for item in prompts:
            while len(self._queue) >= READ_AHEAD:
                self._room_event.clear()
                await self._room_event.wait()
            self._enqueue(self._job_of(number, item))
            number += 1
        self._has_read_all = True

    def _job_of(self, number: int, item: PromptLine) -> Job:
        if item.problem:
            return Job(number, item)
        try:
            return Job(number, item, self._callbacks.question_of(item))
        except UsageError as error:
            return Job(number, item._replace(problem=error))

    def _enqueue(self, job: Job) -> None:
        insort(self._queue, job, key=attrgetter("number"))
        self._change_event.set()

    def _dispatch(self) -> None:
        """Start every waiting line for which a server is free."""
        for job in tuple(self._queue):
            if not self._callbacks.has_room(job.number):
                return
            error = self._blocking_error_of(job)
            tokens = estimate_tokens(job.question, self._progress.mean_tokens) if job.question else 0
            left = len(self._queue) if self._has_read_all else None
            at = None if error else self._scheduler.pick_server(job.model, left, tokens)
            if error is None and at is None:
                continue
            self._queue.remove(job)
            self._room_event.set()
            if at is None:
                self._finish(job, Outcome(error=error))
            else:
                job.estimated_tokens, job.overloads_at_start = tokens, self._scheduler.servers[at].overloads
                self._scheduler.begin(at, tokens)
                self._start_task(self._ask(job, at), self._running)

    def _blocking_error_of(self, job: Job) -> ReflecttyError | None:
        """The error if no server can be asked this line."""
        if job.prompt_line.problem or not self._scheduler.is_missing_everywhere(job.model):
            return job.prompt_line.problem
        where = "on any server" if len(self._servers) > 1 else f"on {self._servers[0].name}"
        return ModelMissingError(
            f"the model {job.model} is not installed {where}", f"pull it: reflect models pull {job.model}"
        )

    def _finish(self, job: Job, outcome: Outcome) -> None:
        self._progress.count(failed=outcome.error is not None, tokens=outcome.tokens)
        self._callbacks.deliver(job.number, job.prompt_line, outcome)

    # Asking

    async def _ask(self, job: Job, at: int) -> None:
        assert job.question is not None  # noqa: S101 - only jobs with a question are dispatched
        clock = asyncio.get_running_loop().time
        began, seconds = clock(), None
        try:
            outcome = await self._callbacks.answer(self._servers[at], job.prompt_line, job.question)
            if outcome.error is None:
                seconds = clock() - began
                self._scheduler.servers[at].limit_count = 0
            if isinstance(outcome.error, ModelMissingError):
                self._handle_missing_model(job, at)
            elif isinstance(outcome.error, BusyError) and self._pause_if_limited(at, outcome.error):
                self._concurrency.handle_busy(job, at)
                self._enqueue(job)
            elif isinstance(outcome.error, CrowdedError) and self._was_concurrent(job, at):
                self._concurrency.handle_full_context(job, at)
                self._enqueue(job)
            elif outcome.error and self._is_retryable(outcome.error, job, at):
                if isinstance(outcome.error, BusyError):
                    self._concurrency.handle_busy(job, at)
                await self._retry(job, at, outcome)
            else:
                self._finish(job, outcome)
                await self._concurrency.record_answer(job.question, at, outcome)
        finally:
            self._scheduler.end(at, seconds, job.estimated_tokens)

    def _was_concurrent(self, job: Job, at: int) -> bool:
        """True if other lines were running on the server at the same time."""
        state = self._scheduler.servers[at]
        return state.running > 1 or job.overloads_at_start != state.overloads

    def _is_retryable(self, error: ReflecttyError, job: Job, at: int) -> bool:
        """True if the same question may succeed on another try."""
        if isinstance(error, CirclingError) and job.question:
            return not self._servers[at].is_deterministic(job.question)
        is_cut = isinstance(error, IncompleteError) and not isinstance(error, NoAnswerError)
        is_transient = isinstance(error, RefusedError) and error.transient
        return is_cut or is_transient or isinstance(error, UnreachableError)

    def _handle_missing_model(self, job: Job, at: int) -> None:
        self._scheduler.servers[at].missing_models.add(job.model)
        self._servers[at].forget_model(job.model)
        self._callbacks.note(f"{self._servers[at].name} does not have {job.model}")
        self._enqueue(job)

    async def _retry(self, job: Job, at: int, outcome: Outcome) -> None:
        """Put a line back into the queue, or finish it after too many tries or server losses."""
        if await self._servers[at].is_reachable():
            job.tries += 1
            given_up = job.tries > self._options.retry
        else:
            job.server_losses += 1
            given_up = job.server_losses >= MAX_SERVER_LOSSES
            self._mark_unreachable(at)
        if given_up:
            self._finish(job, outcome)
            return
        if not self._scheduler.servers[at].is_unreachable:
            await asyncio.sleep(min(self._options.delay * 2 ** (job.tries - 1), MAX_DELAY))
        self._enqueue(job)

    def _pause_if_limited(self, at: int, error: BusyError) -> bool:
        """Pause a server that limits its rate or names a retry time; False otherwise or if it exceeds `patience`."""
        if not (error.rate_limited or error.retry_after):
            return False
        state, now = self._scheduler.servers[at], asyncio.get_running_loop().time()
        if not state.limit_count:
            state.limited_since = now
        seconds = error.retry_after or min(FIRST_PAUSE * 2**state.limit_count, MAX_PAUSE)
        until = now + seconds
        if until - state.limited_since > self._options.patience:
            return False
        if state.paused_until is None:
            state.limit_count += 1
            self._progress.resting = (*self._progress.resting, self._servers[at].name)
            reason = "as it requested" if error.retry_after else "since it gave no wait time"
            self._callbacks.note(
                f"{self._servers[at].name} accepts no more requests: waiting {seconds:.0f} s, {reason}"
            )
            self._start_task(self._wait_out_pause(at), self._background)
        state.paused_until = max(state.paused_until or 0.0, until)
        return True

    async def _wait_out_pause(self, at: int) -> None:
        state, clock = self._scheduler.servers[at], asyncio.get_running_loop().time
        while (left := (state.paused_until or 0.0) - clock()) > 0:  # noqa: ASYNC110 - the pause may be extended
            await asyncio.sleep(left)
        state.paused_until = None
        self._progress.resting = tuple(name for name in self._progress.resting if name != self._servers[at].name)

    def _mark_unreachable(self, at: int) -> None:
        state = self._scheduler.servers[at]
        if state.is_unreachable:
            return
        state.is_unreachable = True
        self._update_unreachable()
        self._callbacks.note(f"{self._servers[at].name} no longer responds: retrying until it does")
        self._start_task(self._wait_until_reachable(at), self._background)

    async def _wait_until_reachable(self, at: int) -> None:
        """Poll a server until it is reachable again."""
        self._update_unreachable()
        delay = self._options.delay
        while True:
            await asyncio.sleep(delay)
            if await self._servers[at].is_reachable():
                break
            delay = min(2 * delay, MAX_DELAY)
        await self._concurrency.inspect_server(at)
        self._scheduler.servers[at].is_unreachable = False
        self._update_unreachable()
        self._callbacks.note(f"{self._servers[at].name} responds again")

    def _update_unreachable(self) -> None:
        pairs = zip(self._servers, self._scheduler.servers, strict=True)
        self._progress.unreachable_servers = tuple(server.name for server, state in pairs if state.is_unreachable)
