"""Asks one question in several arms: those of one model at once, different models one after the other."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final

from reflectty.chat.evidence import apply_evidence
from reflectty.chat.model_choice import find_model
from reflectty.chat.outcome import status_of
from reflectty.chat.recorder import stored_reply_of
from reflectty.chat.request import has_images
from reflectty.chat.run import ask
from reflectty.chat.waits import DEADLINE_HINT, MAX_WAIT_SECONDS, RetryBudget
from reflectty.core.errors import DeadlineError, OutputError, ReflecttyError, StoppedError
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.session import Readings, StoredReply
from reflectty.core.text import format_duration
from reflectty.evaluation.agreement import winner_of
from reflectty.evaluation.arms import Arm, Way
from reflectty.evaluation.steps import first_question, next_question, seconds_of
from reflectty.output import SilentRenderer
from reflectty.reasoning.governor import AnswerRequest
from reflectty.reasoning.modes import Mode, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence
    from typing import Any

    from reflectty.chat.request import Question
    from reflectty.chat.run import ReplyRecorder
    from reflectty.core.messages import Engine, Model
    from reflectty.core.segments import Event
    from reflectty.output import Renderer
    from reflectty.reasoning.reply import Reply

    FoundModels = dict[str, Model | ReflecttyError]


STOPPED_EXIT_CODE: Final = 130


class ArmRun:
    """One arm of a comparison: its model and its replies, as far as they have come.

    It stands before the renderer of its replies, and so gets hold of one that is cut.
    """

    def __init__(self, arm: Arm, model: Model | None, error: ReflecttyError | None = None) -> None:
        self.arm = arm
        self.model = model
        self.error = error
        """Why it has no complete answer."""
        self.is_over = False
        self.replies: list[Reply] = []
        self.answer_request = AnswerRequest()
        """Set when the user asks for the answer of the running reply."""
        self.renderer: Renderer = SilentRenderer()
        self.on_close: Callable[[], None] = _do_nothing
        """Called once it is over, complete or not."""

    @property
    def reply(self) -> Reply | None:
        """The reply that has the answer, of a vote the first that gives it; None if the arm has not begun."""
        if self.arm.way is Way.VOTE and self.is_over and not self.error:
            return self.replies[winner_of([reply.answer for reply in self.replies])]
        return self.replies[-1] if self.replies else None

    @property
    def answer(self) -> str:
        """Its complete answer, or an empty string."""
        return self.reply.answer if self.reply and not self.error else ""

    @property
    def tokens(self) -> int:
        """Tokens that the model generated in all replies."""
        return sum(reply.usage.reply_tokens or sum(reply.tokens.values()) for reply in self.replies)

    @property
    def seconds(self) -> float:
        """Seconds of all replies, by the server's clock if it has one, without waiting in a queue."""
        return sum(seconds_of(reply) for reply in self.replies)

    @property
    def corrections(self) -> int:
        """Tagged corrections."""
        return sum(reply.corrections for reply in self.replies)

    @property
    def readings(self) -> Readings:
        """The sure second thoughts in the thinking of all replies."""
        marks = [mark for reply in self.replies for mark in reply.second_thoughts if mark.is_sure]
        return Readings(*(sum(mark.kind == kind for mark in marks) for kind in ("correction", "check", "alternative")))

    def stored(self, reply: Reply) -> StoredReply:
        """One of its replies as it is stored, with the hint of its error; only the last can be incomplete."""
        error = self.error if reply is self.replies[-1] else None
        ended = status_of(reply, StoppedError(STOPPED_EXIT_CODE) if self.is_stopped and error else error)
        stored = stored_reply_of(
            StoredReply(model=reply.model, mode=reply.mode, ended=ended, error=str(error or "")), reply
        )
        return stored._replace(error=error.with_hint) if error else stored

    @property
    def is_stopped(self) -> bool:
        """Whether a signal or a key has ended it."""
        return isinstance(self.error, StoppedError)

    @property
    def model_name(self) -> str:
        """The name of the model that is asked; empty if it cannot be."""
        return self.model.name if self.model else ""

    def answer_now(self) -> None:
        """End the thinking of the running reply, and ask for its answer."""
        if self.replies and not self.is_over:
            self.answer_request.set()

    def fail(self, error: ReflecttyError) -> None:
        """End the arm without a complete answer."""
        self.error = error
        self.close()

    def close(self) -> None:
        """End the arm."""
        self.is_over = True
        self.on_close()

    # The renderer of each of its replies

    def start(self, reply: Reply) -> None:
        self.replies.append(reply)
        self.renderer.start(reply)

    def tick(self, seconds: float) -> None:
        self.renderer.tick(seconds)

    def show(self, event: Event) -> None:
        self.renderer.show(event)

    def note(self, text: str) -> None:
        self.renderer.note(text)

    def end(self, reply: Reply) -> None:
        self.renderer.end(reply)

    def stop(self) -> None:
        self.renderer.stop()


def _do_nothing() -> None:
    """Do nothing: nobody waits for the end of the arm."""


async def find_models(
    engine: Engine, question: Question, arms: Iterable[Arm], note: Callable[[str], None]
) -> FoundModels:
    """The model of each name that the arms have, or why it cannot be asked; an empty name is the question's.

    Raises:
        ReflecttyError: none can be asked; the error is that of the first.
    """
    waits = RetryBudget(MAX_WAIT_SECONDS, note)
    found: FoundModels = {}
    for name in dict.fromkeys(arm.model for arm in arms):
        options = question.ask_options.override(model=name)
        look = partial(find_model, engine, options, note, needs_vision=has_images(question))
        try:
            found[name] = await waits.run(look)
        except ReflecttyError as error:
            found[name] = error
    first = next(iter(found.values()))
    if isinstance(first, ReflecttyError) and all(isinstance(one, ReflecttyError) for one in found.values()):
        raise first
    return found


_WAYS: Final = {Mode.NATIVE: Way.THINK, Mode.REFLECT: Way.REFLECT, Mode.DIRECT: Way.DIRECT}


async def usual_arm(engine: Engine, question: Question, model: Model, name: str) -> Arm:
    """How `--mode auto` asks a model, by its kind or by evidence, as an arm of this model's name."""
    automatic = question._replace(ask_options=question.ask_options._replace(mode=Mode.AUTO))
    asked, use = await apply_evidence(engine, automatic, model)
    way = _WAYS[plan(model, asked.ask_options).mode]
    if use is None or use.is_stale or way is Way.DIRECT:
        return Arm(way, model=name)
    return Arm(way, asked.ask_options.effort, asked.ask_options.budget, model=name)


async def usual_arms(engine: Engine, question: Question, found: FoundModels) -> tuple[Arm, ...]:
    """The arms of a comparison that names none: of one model step by step and as usual, of several each as usual."""
    usual = [
        Arm(Way.THINK, model=name)
        if isinstance(model, ReflecttyError)
        else await usual_arm(engine, question, model, name)
        for name, model in found.items()
    ]
    if len(usual) > 1:
        return tuple(usual)
    (only,) = usual
    return (Arm(Way.COT, model=only.model), only if only.thinks else Arm(Way.REFLECT, model=only.model))


def make_runs(arms: Iterable[Arm], found: FoundModels) -> tuple[ArmRun, ...]:
    """The arms with their models; one whose model cannot be asked has an error."""
    return tuple(
        ArmRun(arm, None, model) if isinstance(model := found[arm.model], ReflecttyError) else ArmRun(arm, model)
        for arm in arms
    )


class Asker(NamedTuple):
    """What all arms of a comparison ask with."""

    engine: Engine
    question: Question
    recorder_for: Callable[[ArmRun, Question], ReplyRecorder | None]
    """Makes the recorder of the next reply of an arm, to this question."""


async def compare(asker: Asker, runs: Sequence[ArmRun]) -> None:
    """Ask all arms; why one of them has no complete answer is kept in it.

    Raises:
        OutputError: stdout cannot be written.
        StoppedError: the reader of stdout has closed it.
    """
    loop = asyncio.get_running_loop()
    end = loop.time() + asker.question.deadline if asker.question.deadline else None
    waiting = list(runs)
    try:
        for run in [run for run in runs if run.error]:
            waiting.remove(run)
            run.close()
        # A server that holds one model at a time would load each of several again and again.
        for name in list(dict.fromkeys(run.model_name for run in waiting)):
            group = [run for run in waiting if run.model_name == name]
            waiting = [run for run in waiting if run.model_name != name]
            await _gather([_ask_arm(asker, run, end) for run in group])
    finally:
        for run in waiting:
            run.fail(StoppedError(STOPPED_EXIT_CODE))


async def _gather(calls: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run calls at once; if one fails, the others are canceled first."""
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _ask_arm(asker: Asker, run: ArmRun, end: float | None) -> None:
    """Ask everything that an arm asks, one question after the other."""
    try:
        await _ask_all(asker, run, end)
    except (OutputError, StoppedError):
        raise
    except ReflecttyError as error:
        run.fail(error)
    except BaseException:
        run.fail(StoppedError(STOPPED_EXIT_CODE))
        raise
    else:
        run.close()


async def _ask_all(asker: Asker, run: ArmRun, end: float | None) -> None:
    first = first_question(run.arm, _as_asked_by(run.arm, asker.question))
    asked: Question | None = first
    while asked is not None:
        run.answer_request = AnswerRequest()
        seconds = _seconds_until(end, asker.question.deadline)
        asked = asked._replace(deadline=seconds, answer_request=run.answer_request)
        recorder = asker.recorder_for(run, asked)
        await ask(asker.engine, asked, run, first_time=lambda _: False, recorder=recorder, model=run.model)
        asked = next_question(run.arm, first, run.replies)


def _as_asked_by(arm: Arm, question: Question) -> Question:
    """The question without the effort and the budget of the settings, if the arm does not think."""
    if arm.thinks:
        return question
    return question._replace(ask_options=question.ask_options._replace(effort=None, budget=None))


def _seconds_until(end: float | None, seconds: float) -> float:
    """The seconds that are left until the end of the comparison; 0 if it has none.

    Raises:
        DeadlineError: none are left.
    """
    if end is None:
        return 0.0
    left = end - asyncio.get_running_loop().time()
    if left <= 0:
        raise DeadlineError(f"the deadline of {format_duration(seconds)} ended the comparison", DEADLINE_HINT)
    return left
