"""Sends test requests: whether a model sends its tags, and how many requests a server answers at once."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from reflectty.chat.request import Question
from reflectty.chat.run import read_reply
from reflectty.core.errors import ReflecttyError, RefusedError
from reflectty.core.named_tuple import NamedTuple
from reflectty.protocols.ollama.model_specs import parameters_of
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.modes import AskOptions, Mode

if TYPE_CHECKING:
    from reflectty.core.messages import Engine, Model, OptionValue
    from reflectty.reasoning.reply import Reply

QUESTION: Final = "Which is larger, 9.11 or 9.9?"
LIMIT: Final = ("num_predict", 1024)
"""The token limit of a model that has none of its own."""
TAG_TOKEN_LIMIT: Final = 512
"""Tokens within which a model with tags has used one."""


class TrialResult(NamedTuple):
    """The result of the trial question."""

    passed: bool
    thinking: str = ""
    corrections: int = 0
    answer: str = ""
    problem: str = ""
    """Why it failed."""


async def run_trial(engine: Engine, name: str) -> TrialResult:
    """Ask the model with default options; a failed request is a result as well."""
    try:
        model = await engine.show(name)
        options = () if _has_own_limit(model.parameters) else (LIMIT,)
        reply = await read_reply(engine, Question(QUESTION, AskOptions(options=options)), model, _has_lost_its_tags)
    except ReflecttyError as error:
        return TrialResult(passed=False, problem=str(error))
    problem = _problem(reply)
    return TrialResult(not problem, reply.thinking, reply.corrections, reply.answer, problem)


def _has_lost_its_tags(reply: Reply) -> bool:
    """True if a tag can no longer be expected."""
    return _pieces_of(reply) > TAG_TOKEN_LIMIT and not reply.has_markers


def _pieces_of(reply: Reply) -> int:
    return len(reply.raw) + len(reply.raw_thinking)


def _has_own_limit(parameters: str) -> bool:
    """True if the model's parameters limit its tokens; a value below 0 does not."""
    try:
        own = dict(parameters_of(parameters)).get(LIMIT[0])
    except RefusedError:
        return False
    return isinstance(own, int | float) and own > 0


def _problem(reply: Reply) -> str:
    if not reply.has_markers:
        return "it sent none of its tags"
    if not reply.is_finished:
        return "it did not finish within the token limit"
    if not reply.answer or reply.has_fallback_answer:
        return "it thought but gave no answer"
    return "" if reply.thinking or reply.corrections else "it answered without thinking"


async def sends_tags(engine: Engine, name: str) -> bool:
    """True if a reply contains a tag; stops the model at the first.

    Raises:
        ReflecttyError: the model did not answer.
    """
    question = Question(QUESTION, AskOptions(Mode.NATIVE, options=(("num_predict", TAG_TOKEN_LIMIT),)))
    reply = await read_reply(engine, question, await engine.show(name), lambda reply: reply.has_markers)
    return reply.has_markers


MAX_REQUESTS: Final = 8
"""Requests sent at the same time, and so the largest number of slots that the probe can detect."""
PROBE_TIMEOUT_SECONDS: Final = 30.0
ENOUGH_PIECES: Final = 16
"""Pieces of one reply after which every reply that runs in parallel must have started."""
STARTED_BY_PIECE: Final = 12
"""The piece by which a parallel reply must have started; a later one may have waited for another to end."""
_PIECES: Final = 24
_TINY_OPTIONS: Final[tuple[tuple[str, OptionValue], ...]] = (("num_predict", _PIECES), ("temperature", 0))
_MIN_REPLY_SECONDS: Final = 0.01
"""A faster reply arrives in one piece, which shows nothing about the others."""
_TINY_PROMPT: Final = "Count from 1 to 100."
_TINY_SYSTEM: Final = "Count."
"""Replaces the model's own system prompt, which may be long and would be processed for each request."""


class ParallelSlots(NamedTuple):
    """How many of several simultaneous requests a server answered in parallel."""

    slots: int
    """Number of requests answered at the same time; 0 if none was answered in time."""
    sent: int
    is_certain: bool
    """False if replies were too short or arrived in one piece, so that more slots may have gone unnoticed."""

    @property
    def is_lower_bound(self) -> bool:
        """True if all requests were answered at the same time, so that there may be more slots."""
        return self.slots == self.sent


async def probe_parallel_slots(
    engine: Engine,
    question: Question,
    model: Model,
    max_requests: int = MAX_REQUESTS,
    seconds: float = PROBE_TIMEOUT_SECONDS,
) -> ParallelSlots:
    """Send tiny requests at the same time and count the replies that start while the first is still running.

    Takes about the time of one short reply: all requests are canceled once the number is known. Requests of other
    clients make the number smaller, never larger.

    Args:
        engine: the engine to probe.
        question: a normal question; with other options the server might reload its model.
        model: its model, which should be loaded, since loading counts as waiting.
        max_requests: how many requests to send.
        seconds: the timeout, after which the replies seen so far are counted.

    Raises:
        ReflecttyError: every request was refused or broke off before its first token.
    """
    ask_options = question.ask_options._replace(
        mode=Mode.DIRECT, effort=None, family=FAMILIES["none"], system=_TINY_SYSTEM
    )
    probe = Question(_TINY_PROMPT, ask_options.override(options=_TINY_OPTIONS))
    model = model._replace(system="")
    watch = _ProbeWatch(max_requests)
    tasks = [asyncio.create_task(_follow_reply(engine, probe, model, watch, number)) for number in range(max_requests)]
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(watch.done.wait(), seconds)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    failure = next((end for end in ends if isinstance(end, Exception)), None)
    if failure or (len(watch.errors) == max_requests and not any(watch.pieces)):
        raise failure or watch.errors[0]
    return watch.count_slots()


async def _follow_reply(engine: Engine, question: Question, model: Model, watch: _ProbeWatch, number: int) -> None:
    def note(reply: Reply) -> bool:
        watch.note_pieces(number, _pieces_of(reply))
        return False

    try:
        await read_reply(engine, question, model, note)
        watch.done.set()
    except ReflecttyError as error:
        watch.note_failure(error)
    except Exception:
        watch.done.set()
        raise


class _ProbeWatch:
    """Records when the pieces of each reply arrive; `done` is set once more pieces add no information."""

    def __init__(self, sent: int) -> None:
        self.pieces: list[list[float]] = [[] for _ in range(sent)]
        self.errors: list[ReflecttyError] = []
        self.done = asyncio.Event()

    def note_pieces(self, number: int, count: int) -> None:
        if count > len(self.pieces[number]):
            self.pieces[number].append(asyncio.get_running_loop().time())
        if len(self.pieces[number]) >= ENOUGH_PIECES:
            self.done.set()

    def note_failure(self, error: ReflecttyError) -> None:
        self.errors.append(error)
        if len(self.errors) == len(self.pieces):
            self.done.set()

    def count_slots(self) -> ParallelSlots:
        """Count the replies that had started when the longest one was still far from its end."""
        sent, longest = len(self.pieces), max(self.pieces, key=len)
        if not longest:
            return ParallelSlots(0, sent, is_certain=False)
        deadline = longest[min(len(longest), STARTED_BY_PIECE) - 1]
        started = sum(1 for times in self.pieces if times and times[0] <= deadline)
        has_all_started = len(longest) >= STARTED_BY_PIECE or started == sent
        return ParallelSlots(started, sent, is_certain=has_all_started and deadline - longest[0] >= _MIN_REPLY_SECONDS)
