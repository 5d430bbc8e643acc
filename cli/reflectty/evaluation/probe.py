"""Probes one correction: the reply goes on with and without it several times, and the final answers are compared."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from reflectty.batch.scheduler import MIN_LINES_TO_PROBE
from reflectty.chat.resume import make_resume_plan
from reflectty.core.errors import ReflecttyError
from reflectty.core.messages import Effort
from reflectty.core.model_spec import sampling_defaults_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.session import ReplyStatus
from reflectty.evaluation.probe_points import (
    ProbeMethod,
    begins_with_correction,
    points_of,
    prefix_with,
    prefix_without,
)
from reflectty.evaluation.probe_result import ProbeResult, ProbeSample
from reflectty.reasoning.modes import Mode, plan
from reflectty.reasoning.vote import tally

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reflectty.batch.records import Outcome
    from reflectty.batch.server import Server
    from reflectty.chat.request import Question
    from reflectty.core.messages import Model
    from reflectty.core.session import StoredReply
    from reflectty.evaluation.probe_judge import AnswerJudge
    from reflectty.evaluation.probe_points import ProbePoint
    from reflectty.evaluation.probe_result import ProbeOptions
    from reflectty.reasoning.families import Family
    from reflectty.reasoning.reply import Reply

    Watch = Callable[["ProbeJob", Reply | None], None]

PROBE_TEMPERATURE: Final = 0.7
"""The temperature of continuations if that of the reply was 0."""
MAX_PARALLEL: Final = 16
GATEWAY_PARALLEL: Final = 4
"""Continuations sent at once to a server that tells nothing about its capacity."""
SAME_EACH_TIME: Final = (
    "at the temperature of the reply, 0, all continuations would be the same: they are sampled at {temperature}"
)


class ProbeTarget(NamedTuple):
    """A reply that can go on from its middle."""

    question: Question
    """The question that it replies to, asked as it was."""
    reply: StoredReply
    model: Model
    family: Family
    """The family in whose tags it is written."""

    @property
    def points(self) -> tuple[ProbePoint, ...]:
        """Its corrections."""
        return points_of(self.reply.segments)


async def find_target(server: Server, question: Question, reply: StoredReply) -> ProbeTarget:
    """Work out how a reply goes on from its middle.

    Args:
        server: the server that goes on with it.
        question: the question that it replies to, with the mode, model and options of the reply.
        reply: the reply.

    Raises:
        RefusedError: the server cannot continue replies, or the tags of the model's thinking are unknown.
        ReflecttyError: the server does not answer, or does not have the model.
    """
    model = await server.find_model(question.ask_options.model)
    resume = await make_resume_plan(server.engine, question, reply, model, plan(model, question.ask_options))
    reply = resume.reinterpret(reply)
    return ProbeTarget(question, reply, model, resume.family_of(reply))


def as_asked(question: Question, reply: StoredReply) -> Question:
    """A question with the model, mode, effort and options with which a stored reply to it was asked."""
    mode = Mode(reply.mode) if reply.mode in set(Mode) else None
    effort = Effort(reply.effort) if reply.effort in set(Effort) else None
    asked = question.ask_options.override(model=reply.model, mode=mode)
    asked = asked._replace(options=reply.options, effort=effort, samples=0, verify=False, until_settled=False)
    return question._replace(ask_options=asked, digest=reply.digest)


def temperature_of(target: ProbeTarget) -> float | None:
    """The temperature at which a reply was sampled: of its request, else of its model; None for the server's own."""
    defaults = {one.option: one.value for one in sampling_defaults_of(target.model)}
    value = dict(target.reply.options).get("temperature", defaults.get("temperature"))
    try:
        return float(str(value))
    except ValueError:
        return None


def sampled_at(target: ProbeTarget) -> float | None:
    """The temperature of the continuations: that of the reply, unless it was 0; None for the server's own."""
    temperature = temperature_of(target)
    return PROBE_TEMPERATURE if temperature == 0 else temperature


def temperature_note(target: ProbeTarget) -> str:
    """The note that the continuations are sampled at another temperature than the reply; empty if they are not."""
    return "" if temperature_of(target) != 0 else SAME_EACH_TIME.format(temperature=PROBE_TEMPERATURE)


class Probe(NamedTuple):
    """What is probed, how often, and how its answers are compared."""

    target: ProbeTarget
    point: ProbePoint
    options: ProbeOptions
    judge: AnswerJudge


class ProbeJob(NamedTuple):
    """One continuation to ask for."""

    has_correction: bool
    seed: int
    question: Question


def jobs_of(probe: Probe) -> tuple[ProbeJob, ...]:
    """The continuations of a probe, with and without the correction in turn, so that any part of them is balanced."""
    target, options = probe.target, probe.options
    segments, family = target.reply.segments, target.family
    prefixes = {
        True: prefix_with(segments, probe.point, family),
        False: prefix_without(segments, probe.point, family, options.method),
    }
    seeds = range(options.seed, options.seed + options.samples)
    return tuple(
        ProbeJob(has_correction, seed, _continuation(target, prefix, seed))
        for seed in seeds
        for has_correction, prefix in prefixes.items()
    )


def _continuation(target: ProbeTarget, prefix: str, seed: int) -> Question:
    values: dict[str, float | int] = {"seed": seed}
    if (temperature := sampled_at(target)) is not None:
        values["temperature"] = temperature
    ask_options = target.question.ask_options.override(options=tuple(values.items()))
    return target.question._replace(ask_options=ask_options, reply_prefix=prefix, announce=False)


async def run_probe(server: Server, probe: Probe, watch: Watch = lambda _job, _reply: None) -> ProbeResult:
    """Go on with and without a correction, and compare the final answers.

    Args:
        server: the server that goes on with the reply.
        probe: what is probed.
        watch: called with each continuation as soon as it has ended, complete or not.

    Raises:
        ReflecttyError: every continuation failed; the first error.
    """
    first, *rest = jobs_of(probe)

    async def run(job: ProbeJob) -> tuple[ProbeSample, ReflecttyError | None]:
        began = time.monotonic()
        outcome = await server.answer(job.question)
        sample = _sample_of(probe, job, outcome)._replace(seconds=time.monotonic() - began)
        watch(job, outcome.reply)
        return sample, outcome.error

    # The first one loads the model, without which a server cannot be asked how much it answers at once.
    done = [await run(first)]
    slots = asyncio.Semaphore(probe.options.jobs or await _count_slots(server, probe.target.question, len(rest)))

    async def run_in_turn(job: ProbeJob) -> tuple[ProbeSample, ReflecttyError | None]:
        async with slots:
            return await run(job)

    done += await asyncio.gather(*map(run_in_turn, rest))
    errors = [error for sample, error in done if error and not sample.text]
    if len(errors) == len(done):
        raise errors[0]
    return _result_of(probe, tuple(sample for sample, _ in done))


async def _count_slots(server: Server, question: Question, waiting: int) -> int:
    """How many continuations to send at once; the model is loaded."""
    capacity = await server.load_capacity()
    if capacity is None:
        return await _probe_slots(server, question) if waiting >= MIN_LINES_TO_PROBE else 1
    if capacity.slots:
        return min(capacity.slots, MAX_PARALLEL)
    return MAX_PARALLEL if await server.load_workload() is not None else GATEWAY_PARALLEL


async def _probe_slots(server: Server, question: Question) -> int:
    try:
        return max(1, (await server.probe_slots(question)).slots)
    except ReflecttyError:
        return 1


def _sample_of(probe: Probe, job: ProbeJob, outcome: Outcome) -> ProbeSample:
    sample = ProbeSample(job.has_correction, job.seed, is_complete=False, error=str(outcome.error or ""))
    reply, judge = outcome.reply, probe.judge
    if reply is None:
        return sample
    segments, text = probe.target.reply.segments, reply.answer
    is_resampled = not job.has_correction and probe.options.method is ProbeMethod.RESAMPLE
    sample = sample._replace(
        text=text,
        corrected_again=is_resampled and begins_with_correction(segments, probe.point, reply.segments),
        tokens=reply.usage.reply_tokens,
    )
    if not reply.is_complete or reply.has_fallback_answer:
        return sample
    is_right = judge.is_right(text) if judge.is_right else None
    return sample._replace(answer=judge.read(text), is_complete=True, is_right=is_right)


def _result_of(probe: Probe, samples: tuple[ProbeSample, ...]) -> ProbeResult:
    reply, judge = probe.target.reply, probe.judge
    own = judge.read(reply.answer) if reply.ended is ReplyStatus.COMPLETE else ""
    is_own_right = judge.is_right(reply.answer) if judge.is_right and own else None
    own, *answers = _unify([own, *(sample.answer for sample in samples)], judge.is_same)
    unified = tuple(sample._replace(answer=answer) for sample, answer in zip(samples, answers, strict=True))
    temperature = sampled_at(probe.target)
    return ProbeResult(probe.point, probe.options.method, unified, own, is_own_right, temperature)


def _unify(answers: Iterable[str], is_same: Callable[[str, str], bool]) -> list[str]:
    """The answers, each as the first one that means the same was written; empty ones stay empty."""
    texts = list(answers)
    for group in tally(texts, is_same).groups:
        for member in group.members:
            texts[member] = group.answer
    return texts
