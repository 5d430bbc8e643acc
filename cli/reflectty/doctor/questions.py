"""Asks a trial question and checks the answer, its tags and the parallel slots."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Final

from reflectty.chat.model_choice import load_tags
from reflectty.chat.request import Question
from reflectty.chat.run import ask
from reflectty.chat.trial import QUESTION, probe_parallel_slots
from reflectty.config.explain import with_option_source
from reflectty.core.errors import OptionError
from reflectty.core.findings import Finding, FindingState
from reflectty.core.model_names import short_name_of
from reflectty.core.text import format_count
from reflectty.doctor.models import display_name
from reflectty.output import SilentRenderer
from reflectty.reasoning.modes import Mode, lost_tokens_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.chat.trial import ParallelSlots
    from reflectty.core.messages import Capacity, Engine, Model
    from reflectty.doctor.context import DoctorContext, DoctorState
    from reflectty.reasoning.modes import Plan
    from reflectty.reasoning.reply import Reply

    Judgment = tuple[FindingState, str, str]
    """How it is to be taken, what was found, and what to do."""

NO_MODEL: Final = "no model to ask"
ONE_AT_A_TIME: Final = "requests are answered one at a time"
RAISE_SLOTS: Final = "start llama-server with --parallel 4"
RAISE_SLOTS_EFFECT: Final = "to answer more at once (uses more memory)"
NOT_ANSWERED: Final = "no question was answered"
NOT_ASKED: Final = "no question was asked"
MIN_LOADING_MS: Final = 100
"""Loading times below this mean that the model was already loaded."""
_MAX_ANSWER_LENGTH: Final = 60
"""Characters of the answer that a finding shows."""


async def check_question(context: DoctorContext, state: DoctorState) -> Sequence[Finding]:
    """Ask a trial question as `reflect` would, and report the answer.

    Raises:
        ReflecttyError: the reply is incomplete.
    """
    if state.engine is None or state.model is None:
        return [Finding("question", FindingState.UNCHECKED, NO_MODEL)]
    if not context.may_ask:
        text = f"{NOT_ASKED}, so answers are not tested"
        return [Finding("question", FindingState.UNCHECKED, text, "omit --no-question to ask one")]
    try:
        state.reply = await ask(
            state.engine, _trial_question(context, state.model), SilentRenderer(), first_time=lambda _: False
        )
    except OptionError as error:
        raise with_option_source(error, context.settings.profile) from error
    return [_answer_finding(state.model, state.reply)]


def _trial_question(context: DoctorContext, model: Model) -> Question:
    """The trial question with the user's settings."""
    return Question(QUESTION, context.settings.ask_options.override(model=model.name), announce=False)


def _answer_finding(model: Model, reply: Reply) -> Finding:
    usage = reply.usage
    loading = f" ({usage.load_ms / 1000:.1f} s to load)" if usage.load_ms >= MIN_LOADING_MS else ""
    speed = f" at {reply.tokens_per_second:.0f} tok/s" if reply.tokens_per_second >= 1 else ""
    answer = " ".join(reply.answer.split())
    answer = answer if len(answer) <= _MAX_ANSWER_LENGTH else f"{answer[: _MAX_ANSWER_LENGTH - 1]}…"
    facts = (
        ("question", QUESTION),
        ("answer", reply.answer),
        ("corrections", reply.corrections),
        ("total_ms", round(reply.total_ms)),
        ("load_ms", round(usage.load_ms)),
        ("tokens_per_second", round(reply.tokens_per_second, 1)),
    )
    text = f"{display_name(model.name)} answered in {reply.total_ms / 1000:.1f} s{loading}{speed}: {answer}"
    if reply.has_fallback_answer:
        return Finding(
            "question", FindingState.WARNING, text, "the reply has no separate answer: try another model", facts
        )
    return Finding("question", FindingState.OK, text, facts=facts)


async def check_tags(context: DoctorContext, state: DoctorState) -> Sequence[Finding]:
    """Report whether the model's tags arrive, by its vocabulary and its reply."""
    model, plan = state.model, state.plan
    if state.engine is None or model is None or plan is None:
        return [Finding("tags", FindingState.UNCHECKED, NO_MODEL)]
    if "thinking" in model.capabilities:
        return [Finding("tags", FindingState.OK, "none needed: the server separates thinking and answer")]
    state.model = model = await load_tags(state.engine, model)
    lost = lost_tokens_of(model, plan.family)
    facts = (("lost", lost), ("seen", state.reply.has_markers if state.reply else None))
    if state.reply is not None and state.reply.has_markers:
        severity, text, advice = _judge_seen_tags(model, state.reply, lost)
    else:
        why = "" if state.reply is not None else NOT_ANSWERED if context.may_ask else NOT_ASKED
        severity, text, advice = _judge_missing_tags(model, plan, lost, why)
    return [Finding("tags", severity, text, advice, facts)]


def _judge_seen_tags(model: Model, reply: Reply, lost: Sequence[str]) -> Judgment:
    """The judgment of a reply with tags, which outweighs the vocabulary."""
    corrected = reply.corrections
    corrections = f", {format_count(corrected, 'correction')}" if corrected else ""
    text = f"received: thinking{corrections} and answer are separated"
    raw = "".join(reply.raw)
    unseen = [token for token in lost if token not in raw]
    if not unseen:
        return FindingState.OK, text, ""
    warning = f"{text}; but {', '.join(unseen)} may be dropped because of their token type"
    return FindingState.NOTE, warning, _repair_advice(model)


def _judge_missing_tags(model: Model, plan: Plan, lost: Sequence[str], unanswered: str) -> Judgment:
    """The judgment of a reply without tags, or of no reply."""
    name = display_name(model.name)
    if lost:
        text = f"{name} loses its tags: {', '.join(lost)} have a token type that Ollama 0.30 and later drops"
        return FindingState.WARNING, text, _repair_advice(model)
    if not plan.expects_tags:
        return FindingState.OK, "none expected from this model in this mode", ""
    if unanswered:
        advice = "omit --no-question to ask one" if unanswered == NOT_ASKED else ""
        return FindingState.UNCHECKED, f"no tag has a token type that is dropped; {unanswered}", advice
    if plan.mode is Mode.REFLECT:
        return FindingState.NOTE, f"{name} did not use the requested tags", "use --mode direct to ask without tags"
    text = f"{name} sent none of its tags: thinking and answer are not separated"
    return FindingState.WARNING, text, "try a harder question; if it still sends none, use --mode direct"


def _repair_advice(model: Model) -> str:
    # Quoted for pasting into a shell: a server may send any model name.
    return f"`reflect models repair {quote(short_name_of(model.name))}` makes a copy that keeps them"


async def check_parallel(context: DoctorContext, state: DoctorState) -> Sequence[Finding]:
    """Report how many requests the server answers in parallel, as it reports itself or as probed."""
    if state.engine is None or state.model is None or state.plan is None:
        return [Finding("parallel", FindingState.UNCHECKED, NO_MODEL)]
    capacity = await state.engine.capacity(state.model.name)
    if capacity and capacity.slots:
        return [_capacity_finding(capacity)]
    if not context.may_ask or state.reply is None:
        return [Finding("parallel", FindingState.UNCHECKED, NOT_ASKED if not context.may_ask else NOT_ANSWERED)]
    probed = await probe_parallel_slots(state.engine, _trial_question(context, state.model), state.model)
    return [_probe_finding(probed, state.engine)]


def _capacity_finding(capacity: Capacity) -> Finding:
    """The finding for slots that a llama-server reports; with a shared context, several slots guarantee nothing."""
    facts = (("at_once", capacity.slots), ("sent", 0), ("sure", True), ("shared_context", capacity.shared_context))
    if capacity.slots == 1:
        return Finding(
            "parallel",
            FindingState.NOTE,
            f"{ONE_AT_A_TIME} (reported by the server)",
            f"{RAISE_SLOTS} {RAISE_SLOTS_EFFECT}",
            facts,
        )
    text = f"{capacity.slots} requests are answered in parallel (reported by the server)"
    if not capacity.shared_context:
        return Finding("parallel", FindingState.OK, text, facts=facts)
    fits = f"together they may have to share its context of {capacity.shared_context:,} tokens"
    return Finding("parallel", FindingState.OK, f"{text}; {fits}, so a batch sends only what fits", facts=facts)


def _probe_finding(probed: ParallelSlots, engine: Engine) -> Finding:
    """The finding for the slots that probing requests showed, and how certain they are."""
    facts = (("at_once", probed.slots), ("sent", probed.sent), ("sure", probed.is_certain))
    if not probed.is_certain:
        text = "the number of parallel requests is unknown: the replies came in too few pieces"
        return Finding("parallel", FindingState.NOTE, f"{text}; a batch measures it with its own lines", facts=facts)
    if probed.slots == 1:
        more = "set OLLAMA_NUM_PARALLEL=4 for the server" if engine.manages_models else RAISE_SLOTS
        advice = "" if engine.using_fallback else f"{more} {RAISE_SLOTS_EFFECT}"
        return Finding("parallel", FindingState.NOTE, ONE_AT_A_TIME, advice, facts)
    text = f"{probed.slots}{' or more' if probed.is_lower_bound else ''} requests are answered in parallel"
    addition = "; a batch sends more as long as that is faster" if probed.is_lower_bound else ""
    return Finding("parallel", FindingState.OK, f"{text} (tested with {probed.sent}){addition}", facts=facts)
