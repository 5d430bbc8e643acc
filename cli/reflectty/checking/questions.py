"""What a model does when it is asked: whether an answer comes, with its tags, and how many come at once."""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, Final

from reflectty.asking import Question, ask, request_for, standing
from reflectty.asking.tags import looked_at
from reflectty.checking.models import shown
from reflectty.config.sources import option_source
from reflectty.engines import EngineName
from reflectty.errors import OptionError
from reflectty.finding import Finding, State
from reflectty.modes import Mode
from reflectty.modes import lost as lost_of
from reflectty.names import short
from reflectty.parallel import probe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.chat import Capacity, Engine, Model
    from reflectty.checking.around import Around, Known
    from reflectty.modes import Plan
    from reflectty.parallel import Parallel
    from reflectty.reply import Reply
    from reflectty.stream import Event

    Judged = tuple[State, str, str]
    """How it is to be taken, what was found, and what to do."""

QUESTION: Final = "Which is larger, 9.11 or 9.9?"
NO_MODEL: Final = "there is no model to ask"
ONE: Final = "one request is answered at a time, others wait"
MORE_SLOTS: Final = "llama-server --parallel 4 lets"
MORE: Final = "it answer more, and takes memory for each"
FAILED: Final = "no question was answered"
NOT_ASKED: Final = "the model was asked nothing"
WORTH_SAYING_MS: Final = 100
"""A model that was loaded already still takes some milliseconds to find."""
_SHOWN: Final = 60
"""Of an answer, so many characters are enough to see that it is one."""


async def question(around: Around, known: Known) -> Sequence[Finding]:
    """Ask one question, as `reflect` would, and say what came of it.

    Raises:
        ReflecttyError: no complete answer came.
    """
    if known.engine is None or known.model is None:
        return [Finding("question", State.UNCHECKED, NO_MODEL)]
    if not around.asks:
        text = f"{NOT_ASKED}: that an answer comes is not proven"
        return [Finding("question", State.UNCHECKED, text, "without --no-question one is asked")]
    try:
        known.reply = await ask(known.engine, _asked(around, known.model), _Silent(), first_time=lambda _: False)
    except OptionError as error:
        source = option_source(error.option, around.settings.profile)
        error.hint = f"{source} sets it: leave it out" if source else error.hint
        raise
    return [_answered(known.model, known.reply)]


def _asked(around: Around, model: Model) -> Question:
    """Return the question as `reflect` would ask it with these settings."""
    return standing(around.settings)._replace(prompt=QUESTION, model=model.name, announce=False)


def _answered(model: Model, reply: Reply) -> Finding:
    usage = reply.usage
    loading = f", {usage.load_ms / 1000:.1f} s of it to be loaded" if usage.load_ms >= WORTH_SAYING_MS else ""
    speed = f" at {reply.tokens_per_second:.0f} tok/s" if reply.tokens_per_second >= 1 else ""
    answer = " ".join(reply.answer.split())
    answer = answer if len(answer) <= _SHOWN else f"{answer[: _SHOWN - 1]}…"
    facts = (
        ("question", QUESTION),
        ("answer", reply.answer),
        ("corrections", reply.corrections),
        ("total_ms", round(reply.total_ms)),
        ("load_ms", round(usage.load_ms)),
        ("tokens_per_second", round(reply.tokens_per_second, 1)),
    )
    text = f"{shown(model.name)} answered in {reply.total_ms / 1000:.1f} s{speed}{loading}: {answer}"
    if reply.doubtful:
        return Finding("question", State.WARNING, text, "the reply has no answer of its own: ask another model", facts)
    return Finding("question", State.OK, text, facts=facts)


class _Silent:
    """Draws nothing of a reply."""

    def start(self, reply: Reply) -> None:
        """Nobody looks on."""

    def tick(self, seconds: float) -> None:
        """Nothing moves."""

    def show(self, event: Event) -> None:
        """Nothing is shown."""

    def note(self, text: str) -> None:
        """What there is to say of the model, the checks say."""

    def end(self, reply: Reply) -> None:
        """The reply itself is looked at."""

    def stop(self) -> None:
        """Nothing is left open."""


async def tags(around: Around, known: Known) -> Sequence[Finding]:
    """Say whether the tags that the model thinks in come through, by its vocabulary and by what it said."""
    model, plan = known.model, known.plan
    if known.engine is None or model is None or plan is None:
        return [Finding("tags", State.UNCHECKED, NO_MODEL)]
    if "thinking" in model.capabilities:
        return [Finding("tags", State.OK, "none are needed: its thinking comes apart from its answer")]
    known.model = model = await looked_at(known.engine, model)
    lost = lost_of(model, plan.family)
    facts = (("lost", lost), ("seen", known.reply.marked if known.reply else None))
    if known.reply is not None and known.reply.marked:
        state, found, advice = _seen(model, known.reply, lost)
    else:
        why = "" if known.reply is not None else FAILED if around.asks else NOT_ASKED
        state, found, advice = _unseen(model, plan, lost, why)
    return [Finding("tags", state, found, advice, facts)]


def _seen(model: Model, reply: Reply, lost: Sequence[str]) -> Judged:
    """Return what there is to say of tags that were seen: what the model said weighs more than its vocabulary."""
    corrected = reply.corrections
    corrections = f", {corrected} correction{'' if corrected == 1 else 's'}" if corrected else ""
    text = f"they come through: thinking{corrections} and answer are told apart"
    raw = "".join(reply.raw)
    unseen = [token for token in lost if token not in raw]
    if not unseen:
        return State.OK, text, ""
    but = f"{text}; but {', '.join(unseen)} may be dropped, because of their type"
    return State.NOTE, but, _repair(model)


def _unseen(model: Model, plan: Plan, lost: Sequence[str], unanswered: str) -> Judged:
    """Return what there is to say where no tag was seen, as may be since no question was answered."""
    name = shown(model.name)
    if lost:
        text = f"{name} loses its tags: {', '.join(lost)} are tokens of a type that Ollama 0.30 and later drop"
        return State.WARNING, text, _repair(model)
    if not plan.expects_tags:
        return State.OK, "none are expected of this model in this mode", ""
    if unanswered:
        advice = "without --no-question it is asked" if unanswered == NOT_ASKED else ""
        return State.UNCHECKED, f"no tag is dropped by its type; {unanswered}", advice
    if plan.mode is Mode.REFLECT:
        return State.NOTE, f"{name} did not use the tags it was asked for", "--mode direct asks it without"
    text = f"{name} sent none of its tags, so that thinking and answer run together"
    return State.WARNING, text, "ask it something harder; where that stays so, --mode direct asks without tags"


def _repair(model: Model) -> str:
    # A server may call a model whatever it likes, and this is there to be pasted into a shell.
    return f"`reflect models repair {quote(short(model.name))}` makes a copy that keeps them"


async def parallel(around: Around, known: Known) -> Sequence[Finding]:
    """Say how many requests the server answers at the same time: as it tells itself, or as is seen."""
    if known.engine is None or known.model is None or known.plan is None:
        return [Finding("parallel", State.UNCHECKED, NO_MODEL)]
    told = await _told(known.engine, known.model)
    if told and told.slots:
        return [_as_told(told)]
    if not around.asks or known.reply is None:
        return [Finding("parallel", State.UNCHECKED, NOT_ASKED if not around.asks else FAILED)]
    seen = await probe(known.engine, request_for(_asked(around, known.model), known.model, known.plan))
    return [_as_seen(seen, around, known)]


async def _told(engine: Engine, model: Model) -> Capacity | None:
    tell = getattr(engine, "capacity", None)
    found: Capacity | None = await tell(model.name) if tell else None
    return found


def _as_told(told: Capacity) -> Finding:
    """Return what a llama-server tells: several slots promise nothing where they share a context."""
    facts = (("at_once", told.slots), ("sent", 0), ("sure", True), ("shared_context", told.shared))
    if told.slots == 1:
        return Finding("parallel", State.NOTE, f"{ONE}, as the server says", f"{MORE_SLOTS} {MORE}", facts)
    text = f"{told.slots} requests are answered at the same time, as the server says"
    if not told.shared:
        return Finding("parallel", State.OK, text, facts=facts)
    fits = f"prompts and replies that come together may have to share its context of {told.shared:,} tokens"
    return Finding("parallel", State.OK, f"{text}; {fits}, and a batch sends no more than fit", facts=facts)


def _as_seen(seen: Parallel, around: Around, known: Known) -> Finding:
    """Return what a few requests showed, and how sure that is."""
    facts = (("at_once", seen.at_once), ("sent", seen.sent), ("sure", seen.sure))
    ours = around.settings.engine != EngineName.OPENAI
    if not seen.sure:
        text = "how many requests are answered at once cannot be told: the replies came in too few pieces"
        return Finding("parallel", State.NOTE, f"{text}; a batch finds out by its own lines", facts=facts)
    if seen.at_once == 1:
        more = "OLLAMA_NUM_PARALLEL=4 where the server runs lets" if ours else MORE_SLOTS
        built_in = getattr(known.engine, "away", False)
        return Finding("parallel", State.NOTE, ONE, "" if built_in else f"{more} {MORE}", facts)
    text = f"{seen.at_once}{' or more' if seen.at_least else ''} requests are answered at the same time"
    further = "; a batch goes on to as many as make it faster" if seen.at_least else ""
    return Finding("parallel", State.OK, f"{text}, as {seen.sent} showed{further}", facts=facts)
