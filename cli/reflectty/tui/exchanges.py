"""Puts questions and replies on the screen and hands them to the talk, in order; the steering of replies included."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from reflectty.errors import RefusedError, StoreError, UsageError
from reflectty.modes import Mode, Wish, plan
from reflectty.session import Ended, Origin
from reflectty.steering import concluded, cut, draft, figures, opened
from reflectty.tui.going_on import Way, way_of
from reflectty.tui.parts.note import NotePart
from reflectty.tui.parts.question import QuestionPart
from reflectty.tui.parts.reply import ReplyPart
from reflectty.tui.talk import IN_MEMORY, Exchange

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any

    from reflectty.chat import Model
    from reflectty.families import Family
    from reflectty.modes import Plan
    from reflectty.session import Attachment, Said, Turn
    from reflectty.tui.conversation import Conversation
    from reflectty.tui.parts.part import Part
    from reflectty.tui.talk import Talk
    from reflectty.tui.widgets.transcript import Transcript

    Run = Callable[[Callable[[], Coroutine[Any, Any, None]]], object]


NO_REPLY = "there is no reply to the last question"


class Steering(NamedTuple):
    """A thought that is being changed."""

    question: Turn
    said: Said
    family: Family


class Waiting(NamedTuple):
    """A question that waits for the reply before it."""

    text: str
    attachments: tuple[Attachment, ...]
    part: QuestionPart


class Exchanges:
    """What is asked and answered on one screen.

    Args:
        conversation: whose turns they are.
        talk: who asks.
        transcript: where they are shown.
        run: starts a coroutine beside what is going on.
    """

    def __init__(self, conversation: Conversation, talk: Talk, transcript: Transcript, run: Run) -> None:
        self.waiting: list[Waiting] = []
        self.steering: Steering | None = None
        self._conversation = conversation
        self._talk = talk
        self._transcript = transcript
        self._run = run
        self._held = False
        """Whether a reply is being stopped so that it can go on differently: nothing else is asked then."""

    # On the screen

    def show(self, *, noted: bool = False) -> None:
        """Show the branch that is looked at, from its end; with what was `noted` before, where it stays the session."""
        parts: list[Part] = []
        for turn in self._conversation.path:
            part = self._part(turn)
            part.branch = self._conversation.place(turn)
            parts.append(part)
        notes = (part for part in self._transcript.parts if noted and isinstance(part, NotePart))
        self._transcript.fill([*parts, *notes, *(waiting.part for waiting in self.waiting)])
        self._mark_last()

    @staticmethod
    def _part(turn: Turn) -> QuestionPart | ReplyPart:
        if turn.said is None:
            return QuestionPart(turn.text, turn.attachments, turn=turn.id)
        return ReplyPart.of(turn.said, turn=turn.id)

    def part_of(self, turn: int | None) -> Part | None:
        found = (part for part in self._transcript.parts if getattr(part, "turn", None) == turn and turn is not None)
        return next(found, None)

    @property
    def replies(self) -> tuple[ReplyPart, ...]:
        return tuple(part for part in self._transcript.parts if isinstance(part, ReplyPart))

    def _mark_last(self) -> None:
        """Let hints stand beside the last reply alone."""
        replies = self.replies
        for part in replies:
            last = part is replies[-1]
            if part.last != last:
                part.last = last
                self._transcript.touch_line(part)

    def _number(self, turn: Turn | None, part: QuestionPart | ReplyPart) -> None:
        """Say beside a part which branch it is, where that is not the only one."""
        place = self._conversation.place(turn) if turn else (1, 1)
        if place != part.branch:
            part.branch = place
            self._transcript.relay(part)

    # Asking

    def ask(self, text: str, attachments: tuple[Attachment, ...] = ()) -> None:
        """Ask a question, now or when the reply that is coming is over."""
        part = QuestionPart(text, attachments, queued=self._talk.running is not None)
        self.waiting.append(Waiting(text, attachments, part))
        self._transcript.add(part)
        self._transcript.to_end()
        self.next()

    def next(self) -> None:
        """Ask what waits longest, unless a reply is coming or is about to go on."""
        if not self.waiting or self._talk.running or self.steering or self._held:
            return
        waiting = self.waiting.pop(0)
        turn = self._stored(lambda: self._conversation.ask(waiting.text, waiting.attachments))
        waiting.part.turn, waiting.part.queued = turn.id, False
        self._transcript.relay(waiting.part)
        self._begin(Exchange(turn), waiting.part)

    def _stored(self, write: Callable[[], Turn]) -> Turn:
        """Write a question; where the file cannot be written any more, the session goes on in memory."""
        try:
            return write()
        except StoreError as error:
            self._conversation.retreat()
            self._talk.note(f"{error}: {IN_MEMORY}")
            return write()

    def _begin(self, exchange: Exchange, after: Part) -> None:
        """Put a new reply below its question and start it."""
        part = ReplyPart(exchange.model or self._conversation.manner.model, origin=exchange.origin)
        at = next(at for at, other in enumerate(self._transcript.parts) if other is after) + 1
        self._transcript.insert(at, part)
        self._mark_last()
        self._talk.reserve(exchange)
        self._run(partial(self._put, exchange, part))

    async def _put(self, exchange: Exchange, part: ReplyPart) -> None:
        await self._talk.put(exchange, part)
        self._number(self._conversation.turn(part.turn), part)
        self.next()

    async def rest(self) -> None:
        """Stop the reply that is coming, and keep the questions that wait without asking them."""
        await self._stop()
        self.steering = None
        while self.waiting:
            waiting = self.waiting.pop(0)
            self._stored(partial(self._conversation.ask, waiting.text, waiting.attachments))

    async def _stop(self) -> None:
        """Stop the reply that is coming, and wait until it is kept; what waits goes on waiting."""
        self._held = True
        try:
            await self._talk.stop()
        finally:
            self._held = False

    async def rephrase(self, question: Turn, text: str, attachments: tuple[Attachment, ...] = ()) -> None:
        """Ask a question in other words, as a branch; what followed the old one stays, stopped if it was coming."""
        await self._stop()
        kept = attachments or question.attachments
        turn = self._stored(lambda: self._conversation.rephrase(question, text, kept))
        self.show(noted=True)
        part = self.part_of(turn.id)
        if part:
            self._begin(Exchange(turn), part)

    def again(self) -> None:
        """Ask the last question again; the other reply stays as a branch."""
        question = self._conversation.last_question
        part = self.part_of(question.id) if question else None
        if question is None or part is None:
            raise UsageError("nothing was asked yet")
        self._conversation.leaf = question.id
        self._drop_after(part)
        self._begin(Exchange(question), part)

    def _drop_after(self, part: Part) -> None:
        """Take the replies to a question off the screen; they are still in the store."""
        parts = self._transcript.parts
        at = next(at for at, other in enumerate(parts) if other is part)
        waiting = {id(waiting.part) for waiting in self.waiting}
        for other in [other for other in parts[at + 1 :] if id(other) not in waiting]:
            self._transcript.drop(other)

    # Going on with a reply

    async def steer(self) -> str:
        """Stop the reply that is coming, or take the last one, and return what it thought, to be changed.

        Raises:
            ReflecttyError: there is no reply, or its model cannot go on in the middle of one.
        """
        way = await self._way()
        question, said, _ = await self._stopped()
        said = way.read(said)
        family = way.family(said)
        self.steering = Steering(question, said, family)
        self._mark(steered=True)
        return draft(said.segments, family)

    def _mark(self, *, steered: bool) -> None:
        """Say above the reply that what it thought is being changed, or that it no longer is."""
        if self.replies:
            part = self.replies[-1]
            part.state.steered = steered
            if steered:
                part.opened = True
            self._transcript.relay(part)
            self._transcript.to_end()

    def go_on(self, text: str, *, conclude: bool = False) -> None:
        """Let the model go on from a changed thought, as a branch; or answer at once."""
        steering, self.steering = self.steering, None
        if steering is None:
            return
        so_far = (concluded if conclude else opened)(steering.family, text)
        earlier = figures(steering.said, steering.family, text)
        part = self.part_of(steering.question.id)
        if part is None:
            return
        self._drop_after(part)
        exchange = Exchange(steering.question, Origin.STEERED, so_far, earlier, steering.said.model)
        self._begin(exchange, part)

    def leave(self) -> None:
        """Leave a thought as it was."""
        steering, self.steering = self.steering, None
        if steering:
            self._mark(steered=False)
        self.next()

    async def conclude(self) -> None:
        """Close the thinking and ask for the answer at once: in the same reply, or as a branch of one that is complete.

        Raises:
            ReflecttyError: there is no reply, or its model cannot go on in the middle of one.
        """
        way = await self._way()
        question, said, turn = await self._stopped()
        said = way.read(said)
        family = way.family(said)
        so_far = concluded(family, draft(said.segments, family))
        again = turn if said.ended is not Ended.COMPLETE else None
        self._resume(Exchange(question, Origin.CONCLUDED, so_far, said.measured, said.model, again))

    async def continue_(self) -> None:
        """Let a reply that was cut or stopped go on where it ended.

        Raises:
            ReflecttyError: there is none, it is complete, or its model cannot go on in the middle of one.
        """
        if self._talk.running:
            return
        path = self._conversation.path
        if path and path[-1].said is None:
            self.again()
            return
        question, said, turn = await self._stopped()
        if said.ended is Ended.COMPLETE:
            raise UsageError("the last reply is complete: there is nothing to continue")
        if not said.segments:
            self.again()
            return
        way = await self._way_of(question, said)
        so_far = cut(said, way.model, way.chosen, way.opener)
        self._resume(Exchange(question, Origin.CONTINUED, so_far, said.measured, said.model, turn))

    def _resume(self, exchange: Exchange) -> None:
        part = self.part_of(exchange.question.id)
        if part is not None:
            self._drop_after(part)
            self._begin(exchange, part)

    async def _way(self) -> Way:
        """Find out how the last reply can go on, while it comes: one that cannot is not stopped.

        Raises:
            ReflecttyError: there is no reply, or it cannot go on.
        """
        running, said = self._talk.running, self._talk.said
        last = self._conversation.last_reply
        if running is None and last:
            question, said = self._conversation.turn(last.parent), last.said
        else:
            question = running.question if running else None
        if question is None or said is None:
            raise UsageError("nothing has come yet that could go on" if running else NO_REPLY)
        try:
            way = await self._way_of(question, said)
            way.family(said)
        except RefusedError:
            if self._talk.reply:
                self._talk.reply.resumable = False
                self._talk.refresh()
            raise
        return way

    async def _way_of(self, question: Turn, said: Said) -> Way:
        model, chosen = await self._model(said)
        asked = self._conversation.question(question)
        return await way_of(self._talk.engine_known, asked, said, model, chosen)

    async def _stopped(self) -> tuple[Turn, Said, Turn]:
        """Return the last question, what was said to it, and that turn; a reply that is coming is stopped first."""
        await self._stop()
        turn = next(reversed(self._conversation.path), None)
        question = self._conversation.turn(turn.parent) if turn else None
        if turn is None or turn.said is None or question is None:
            raise UsageError(NO_REPLY)
        return question, turn.said, turn

    async def _model(self, said: Said) -> tuple[Model, Plan]:
        model = await self._talk.engine_known.show(said.model)
        manner = self._conversation.manner
        mode = Mode(said.mode) if said.mode in set(Mode) else manner.mode
        return model, plan(model, Wish(mode, manner.effort, manner.family, manner.system))
