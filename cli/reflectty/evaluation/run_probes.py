"""Probes corrections of the replies of a run, drawn at random, for the causal column of the ledger."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from reflectty.core.segments import Kind
from reflectty.core.session import ReplyStatus, StoredReply
from reflectty.evaluation.arms import Way, parse_arm
from reflectty.evaluation.grader import Verdict
from reflectty.evaluation.plan import Task
from reflectty.evaluation.probe import Probe, find_target, run_probe
from reflectty.evaluation.probe_judge import judge_of_item
from reflectty.evaluation.probe_points import points_of
from reflectty.evaluation.records import ProbeRecord, encode_probe, time_stamp
from reflectty.evaluation.run_file import RunTexts
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.steering import closed_draft_of, conclude_thinking

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.batch.server import Server
    from reflectty.chat.request import Question
    from reflectty.evaluation.grader import MathCheck
    from reflectty.evaluation.items import Item
    from reflectty.evaluation.plan import RunPlan
    from reflectty.evaluation.probe_judge import AnswerJudge
    from reflectty.evaluation.probe_points import ProbePoint
    from reflectty.evaluation.probe_result import ProbeOptions, ProbeResult
    from reflectty.evaluation.records import StepRecord
    from reflectty.evaluation.run_file import RunData

_ENDED = (Verdict.RIGHT, Verdict.WRONG)


def candidates_of(run: RunData) -> tuple[tuple[str, str], ...]:
    """The items and arms whose reply corrected itself and states an answer, in an order that depends on the seed alone.

    Models that think in tags do so in any arm. What `revise` corrects was asked for, so it cannot be left out, and the
    answer of a vote has no single reply.
    """
    found = [
        key
        for key, facts in run.results.items()
        if facts.verdict in _ENDED
        and (facts.corrections or facts.second_thoughts)
        and parse_arm(key[1]).way not in (Way.REVISE, Way.VOTE)
    ]
    seed = run.manifest.seed
    return tuple(sorted(found, key=lambda key: sha256("\n".join((str(seed), *key)).encode()).digest()))


async def probe_run(  # noqa: PLR0913, PLR0917 - what is probed, by whom, how, and who is told
    run: RunData,
    plan: RunPlan,
    server_of: Callable[[str], Server],
    count: int,
    options: ProbeOptions,
    put: Callable[[bytes], None],
    tell: Callable[[ProbeRecord], None] = lambda _: None,
    check_math: MathCheck | None = None,
) -> tuple[ProbeRecord, ...]:
    """Probe one correction of each of so many replies, in which the model corrected itself.

    The replies are drawn by the seed of the run, so that a larger number contains those of a smaller one; what has been
    probed before is not probed again.

    Args:
        run: the run, as its file has it.
        plan: how it asks.
        server_of: the server that has a model, by the model's name in an arm.
        count: how many replies.
        options: how often, and in what way.
        put: writes a line to the run's file.
        tell: called with each record.
        check_math: compares formulas.

    Raises:
        ReflecttyError: a server is gone, or cannot continue replies.
    """
    probed = {(probe.item, probe.arm) for probe in run.probes}
    records: list[ProbeRecord] = []
    with RunTexts(run) as texts:
        for name, arm in candidates_of(run)[:count]:
            result = None if (name, arm) in probed else texts.result(name, arm)
            if result is None or not result.steps:
                continue
            item, server = texts.item(name), server_of(parse_arm(arm).model)
            judge, question = judge_of_item(item, check_math), _question_of(plan, item, arm)
            found = await _probe_reply(server, question, result.steps[0], judge, options)
            if found:
                records.append(_record_of(found, name, arm, options))
                put(encode_probe(records[-1]))
                tell(records[-1])
    return tuple(records)


async def _probe_reply(
    server: Server, question: Question, step: StepRecord, judge: AnswerJudge, options: ProbeOptions
) -> ProbeResult | None:
    """Probe the first correction of a reply; None if it has none."""
    model = await server.find_model(question.ask_options.model)
    target = await find_target(server, question, reply_of_step(step, model.name, question))
    point = first_correction(points_of(target.reply.segments))
    return await run_probe(server, Probe(target, point, options, judge)) if point else None


def first_correction(points: Sequence[ProbePoint]) -> ProbePoint | None:
    """The first tagged correction, else the first one that is surely one; None if there is none."""
    corrections = [point for point in points if point.is_correction and point.is_sure]
    return next((point for point in corrections if point.is_tagged), next(iter(corrections), None))


def reply_of_step(step: StepRecord, model: str, question: Question) -> StoredReply:
    """The reply of an arm as a stored one, with the raw text of its thinking written again."""
    segments = tuple((Kind(kind), text) for kind, text in step.segments)
    family = FAMILIES.get(step.family, FAMILIES["native"])
    has_tags = not step.is_thinking_apart and bool(family.thinking)
    thinking = closed_draft_of(segments, family)
    return StoredReply(
        model=model,
        mode=str(question.ask_options.mode),
        family=step.family,
        options=question.ask_options.options,
        segments=segments,
        answer=step.answer,
        raw=conclude_thinking(family, thinking) + step.answer if has_tags else step.answer,
        raw_thinking=thinking if step.is_thinking_apart else "",
        ended=ReplyStatus.COMPLETE if step.is_complete else ReplyStatus.INCOMPLETE,
    )


def _question_of(plan: RunPlan, item: Item, arm: str) -> Question:
    number = next(at for at, one in enumerate(plan.content.items) if one.id == item.id)
    return plan.question_of(Task(item, parse_arm(arm), plan.content.manifest.seed + number))


def _record_of(result: ProbeResult, item: str, arm: str, options: ProbeOptions) -> ProbeRecord:
    point = result.point
    return ProbeRecord(
        item=item,
        arm=arm,
        correction=point.number,
        kind=str(point.kind),
        is_tagged=point.is_tagged,
        text=point.text,
        method=str(result.method),
        samples=options.samples,
        seed=options.seed,
        temperature=result.temperature,
        answer=result.reference,
        is_right=result.is_reference_right,
        compared=result.compared,
        changed=result.changed,
        with_correction=len(result.with_correction),
        varied=result.varied,
        towards_right=result.towards_right,
        away_from_right=result.away_from_right,
        corrected_again=result.corrected_again,
        without_answer=result.without_answer,
        p=result.p,
        answers=result.counts,
        tokens=sum(sample.tokens for sample in result.samples),
        seconds=round(sum(sample.seconds for sample in result.samples), 3),
        at=time_stamp(),
    )
