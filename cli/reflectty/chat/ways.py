"""The ways to ask that take several replies, and what they share: where they are shown, and how a late one is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.chat.run import ask, look_up_model
from reflectty.chat.waits import MAX_WAIT_SECONDS, Deadline
from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import Segment
from reflectty.core.text import format_duration
from reflectty.output import SilentRenderer

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.chat.request import Question
    from reflectty.chat.run import ReplyRecorder
    from reflectty.core.messages import Engine, Model
    from reflectty.core.segments import Event
    from reflectty.output import Renderer
    from reflectty.reasoning.reply import Reply

MIN_SHOWN_SECONDS = 1.0
"""A shorter wait is not shown."""
BOTH = "samples and verify cannot be combined"


def _show_nothing(_: str) -> None:
    """Show no progress."""


class Stage(NamedTuple):
    """Where the replies to one question are shown."""

    renderer: Renderer
    """Shows the reply that counts."""
    streams: bool = False
    """Whether the first reply is shown as it streams, though another one may take its place."""
    progress: Callable[[str], None] = _show_nothing
    """Shows in a line how far the other replies are; an empty text removes the line."""


class Requester:
    """Asks one model several times within one deadline.

    Args:
        engine: the engine that answers.
        question: the question whose deadline holds for all replies.
        stage: where they are shown.
        first_time: whether a note on the mode or the model is shown for the first time.
        recorder: records the replies that are answers to the question.
    """

    def __init__(
        self,
        engine: Engine,
        question: Question,
        stage: Stage,
        first_time: Callable[[str], bool],
        recorder: ReplyRecorder | None,
    ) -> None:
        self.stage = stage
        self.recorder = recorder
        self._engine = engine
        self._question = question
        self._first_time = first_time
        self.noted: set[str] = set()
        """The notes that were shown before a reply: each is shown once."""
        self._deadline = Deadline(
            question.deadline, "the verification" if question.ask_options.verify else "the samples"
        )
        self._model: Model | None = None

    async def find_model(self, model: Model | None) -> Model:
        """Find the model, unless it is known.

        Raises:
            ReflecttyError: there is none, or the deadline is over.
        """
        if model is None:
            async with self._deadline.enforce():
                model = await look_up_model(self._engine, self._question, self.stage.renderer.note, self._first_time)
        self._model = model
        return model

    async def ask(
        self, question: Question, renderer: Renderer, *, records: bool = True, patience: float = MAX_WAIT_SECONDS
    ) -> Reply:
        """Ask once; the arguments and errors are those of `chat.run.ask`."""
        return await ask(
            self._engine,
            question,
            renderer,
            first_time=self._first_time,
            recorder=self.recorder if records else None,
            model=self._model,
            patience=patience,
            deadline=self._deadline,
        )


class SeveralRenderer:
    """Keeps one of several replies, and passes everything on to another renderer, the notes before the reply once.

    Args:
        requester: asks for the replies.
        progress: what is shown with the seconds that the reply takes, unless another renderer shows it.
        renderer: the other renderer; by default one that passes on the notes before the reply.
    """

    def __init__(self, requester: Requester, progress: str = "", renderer: Renderer | None = None) -> None:
        self.reply: Reply | None = None
        """The reply, once it is requested."""
        self._stage, self._progress, self._noted = requester.stage, progress, requester.noted
        self._is_shown = renderer is not None
        self._renderer = renderer or SilentRenderer(requester.stage.renderer.note)

    def start(self, reply: Reply) -> None:
        self.reply = reply
        self._renderer.start(reply)
        self._show_progress(0.0)

    def tick(self, seconds: float) -> None:
        self._renderer.tick(seconds)
        self._show_progress(seconds)

    def _show_progress(self, seconds: float) -> None:
        if not self._is_shown:
            waited = f" · {format_duration(seconds)}" if seconds >= MIN_SHOWN_SECONDS else ""
            self._stage.progress(f"{self._progress}{waited}")

    def show(self, event: Event) -> None:
        self._renderer.show(event)

    def note(self, text: str) -> None:
        if self.reply is None and text in self._noted:
            return
        self._noted.add(text)
        self._renderer.note(text)

    def end(self, reply: Reply) -> None:
        self._renderer.end(reply)

    def stop(self) -> None:
        self._renderer.stop()
        if not self._is_shown:
            self._stage.progress("")


def present(reply: Reply, renderer: Renderer) -> None:
    """Show a reply that has ended, as if it came at once, with its warnings."""
    try:
        renderer.start(reply)
        for number, (kind, text) in enumerate(reply.segments):
            # What is uncertain is held until the end, where the reply decides what its answer is.
            renderer.show(Segment(kind, text, number, certain=False))
        renderer.end(reply)
        for text in reply.warnings:
            renderer.note(text)
    finally:
        renderer.stop()


async def ask_in_its_way(  # noqa: PLR0913 - as `chat.run.ask`
    engine: Engine,
    question: Question,
    stage: Stage,
    *,
    first_time: Callable[[str], bool],
    recorder: ReplyRecorder | None = None,
    model: Model | None = None,
    patience: float = MAX_WAIT_SECONDS,
) -> Reply:
    """Ask a question with samples or a verification, as its options say, and return the reply that counts.

    Args:
        engine: the engine that answers.
        question: the question; its deadline holds for all replies, its budget for each.
        stage: where the replies are shown.
        first_time: whether a note on the mode or the choice of the model is shown for the first time.
        recorder: records all answers to the question as branches; the one that counts is chosen.
        model: the model, if it was looked up before.
        patience: seconds that the first reply waits in all when the server names a time to retry after.

    Raises:
        ReflecttyError: no reply is complete, or the options contradict each other.
    """
    requester = Requester(engine, question, stage, first_time, recorder)
    options = question.ask_options
    if options.samples > 1 and options.verify:
        raise UsageError(BOTH, "set one of them: --samples 1 turns off both")
    if options.verify:
        from reflectty.chat.verification import ask_verified

        return await ask_verified(requester, question, model, patience)
    from reflectty.chat.samples import ask_samples

    return await ask_samples(requester, question, model, patience)
