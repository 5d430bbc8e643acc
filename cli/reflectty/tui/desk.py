"""What lies on the desk of a chat: its conversation, its talk, its widgets; and what every action may do with them."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.drawing.paint import Glyphs
from reflectty.errors import ReflecttyError
from reflectty.mini import is_mini
from reflectty.safety import clean
from reflectty.tui import slash, standing
from reflectty.tui.attaching import attachment
from reflectty.tui.conversation import Conversation
from reflectty.tui.dialogs import Dialogs
from reflectty.tui.exchanges import Exchanges
from reflectty.tui.keys import shown
from reflectty.tui.parts.legend import LegendPart
from reflectty.tui.parts.note import NotePart
from reflectty.tui.parts.part import Scene
from reflectty.tui.talk import Talk
from reflectty.tui.widgets.composer import Composer
from reflectty.tui.widgets.status import StatusLine
from reflectty.tui.widgets.suggestions import Suggestions
from reflectty.tui.widgets.topline import TopLine
from reflectty.tui.widgets.transcript import Transcript
from reflectty.tui.wording import in_chat

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator
    from typing import Any

    from textual.screen import Screen

    from reflectty.chat import Engine
    from reflectty.errors import PromptTooLongError
    from reflectty.session import Session, Turn
    from reflectty.tui.setup import Setup
    from reflectty.tui.talk import Exchange

SHORT_NOTE_SECONDS = 4.0


class Desk:
    """Everything that one screen works with.

    Args:
        screen: whose desk it is.
        setup: what the chat is given.
        do: does an action by its name, with what was typed behind the command.
    """

    def __init__(self, screen: Screen[None], setup: Setup, do: Callable[[str, str], Awaitable[None]]) -> None:
        self.screen = screen
        self.setup = setup
        self.do = do
        self.looks = setup.looks
        self.actions = setup.actions
        self.unicode = setup.looks.palette.glyphs == Glyphs()
        self.editing: Turn | None = None
        """The question that is being put in other words."""
        self._running = False
        self._keys = {action.name: shown(action.keys[0]) for action in self.actions if action.keys}
        self.conversation = Conversation(setup.store, setup.manner)
        self.transcript = Transcript(Scene(self.looks.palette, 80, 24, setup.view, tuple(self._keys.items())))
        self.talk = Talk(self.conversation, self.transcript, self)
        self.exchanges = Exchanges(self.conversation, self.talk, self.transcript, self.run)
        self.suggestions = Suggestions()
        self.composer = self._composer()
        self.topline, self.status = TopLine(), StatusLine()
        self.dialogs = Dialogs(lambda: screen.app, unicode=self.unicode)

    def _composer(self) -> Composer:
        keys = {action.name: action.keys for action in self.actions}
        composer = Composer(self.suggestions, Path())
        composer.commands = slash.commands(self.actions)
        composer.choices = slash.choices((), self.looks.names)
        composer.send_keys, composer.newline_keys = keys["send"], keys["newline"]
        return composer

    def run(self, work: Callable[[], Coroutine[Any, Any, None]], group: str = "", *, exclusive: bool = False) -> None:
        """Do something beside what is going on; what is given up before it begins is never made."""
        # What Textual's type of work leaves out is what every coroutine function is.
        self.screen.run_worker(work, group=group, exclusive=exclusive)  # type: ignore[arg-type]

    # The server

    def connect(self) -> None:
        """Open the engine, and find out who will answer; the chat goes on without what fails."""
        with self._complaining():
            self.talk.engine = standing.warned(self.setup.engine(), self.note)
            self.talk.engines.append(self.talk.engine)
            self.run(self._choose_model)
        self.talk.sought.set()
        with self._complaining():
            self.composer.earlier = self.conversation.store.questions()

    @contextlib.contextmanager
    def _complaining(self) -> Iterator[None]:
        try:
            yield
        except ReflecttyError as error:
            self.complain(error)

    async def _choose_model(self) -> None:
        """Find out who will answer, where nobody was named, or the built-in model, which a server may have as well."""
        named = self.conversation.manner.model
        if not named or is_mini(named):
            with self._complaining():
                self.manner(model=await standing.introduced(self.engine, named, self.note))
        with contextlib.suppress(ReflecttyError):
            pulls = getattr(self.engine, "pulls", True)
            names = [model.name.removesuffix(":latest" if pulls else "") for model in await self.engine.models()]
            self.composer.choices = slash.choices(names, self.looks.names)
        self.poll()

    @property
    def engine(self) -> Engine:
        """The engine.

        Raises:
            ReflecttyError: it could not be opened.
        """
        if self.talk.engine is None:
            raise ReflecttyError("the server is not known yet")
        return self.talk.engine

    def poll(self) -> None:
        """Look after the server."""
        if self.talk.engine:
            self.run(partial(self._look, self.talk.engine), group="poll", exclusive=True)

    async def _look(self, engine: Engine) -> None:
        found = await standing.look(engine, self.status.facts, self.talk.answered)
        back = self.status.facts.there is False and found.there
        # A reply may have gone on meanwhile: only what the server knows is taken over.
        self.status.facts = self.status.facts._replace(there=found.there, context=found.context, gpu=found.gpu)
        if back and not self.conversation.manner.model:
            self.run(self._choose_model)
        self.changed()

    # What is said and asked

    def note(self, text: str, *, wrong: bool = False) -> None:
        """Say something: what went wrong stays in the transcript, the rest is gone in a moment."""
        text = in_chat(text)
        if wrong:
            self._leave_legend()
            self.transcript.add(NotePart(text, wrong=True))
        else:
            # What is being written is never covered.
            for rack in self.screen.query("ToastRack"):
                rack.styles.margin = (0, 1, self.composer.outer_size.height + 1, 0)
            self.screen.notify(clean(text), markup=False, timeout=SHORT_NOTE_SECONDS)

    def complain(self, error: ReflecttyError) -> None:
        self.note(f"{error} ({error.hint})" if error.hint else str(error), wrong=True)

    async def too_long(self, exchange: Exchange, error: PromptTooLongError) -> bool:
        """Ask what to leave out of a conversation that does not fit; return whether to ask again."""
        before, context = self.conversation.exchanges_before(exchange.question), self.status.facts.context
        changed = await self.dialogs.leave_out(before, error, context, self.conversation.manner)
        if changed:
            self.conversation.manner = changed
        return changed is not None

    async def copy(self, text: str, what: str) -> None:
        """Copy, and say what was used."""
        from reflectty.tui.clipboard import copy  # noqa: PLC0415 - only who copies pays for it

        used = await asyncio.to_thread(copy, text, self.setup.write)
        self.note(f"{what}: {used}")

    # What is written

    def attach(self, name: str) -> None:
        """Name a file in the question; it comes along when that is sent."""
        path = Path(name).expanduser()
        attachment(path, self.note)
        self.composer.insert(f'@"{path}" ')

    async def send(self, text: str, typed: str, mentioned: tuple[Path, ...]) -> None:
        """Do what was written in the composer: a command, a changed thought, another wording, or a question."""
        if self.exchanges.steering:
            self.exchanges.go_on(text)
            self.changed()
            return
        try:
            command = None if self.editing else slash.typed(typed, self.actions)
            if command:
                await self.do(command.name, command.rest)
                return
            found = tuple(attachment(path, self.note) for path in mentioned)
        except ReflecttyError as error:
            self.complain(error)
            self.composer.fill(text)
            return
        editing, self.editing = self.editing, None
        if editing:
            await self.exchanges.rephrase(editing, text, found)
        else:
            self._leave_legend()
            self.exchanges.ask(text, found)
        self.changed()

    def begin_editing(self, question: Turn) -> None:
        """Open a question in the composer."""
        self.editing = question
        self.composer.fill(question.text)
        part = self.exchanges.part_of(question.id)
        if part:
            self.transcript.reveal(part)
        self.changed()

    def leave_editing(self) -> None:
        self.editing = None
        self.composer.fill("")
        self.changed()

    # What is shown

    def manner(self, **changes: object) -> None:
        """Ask differently from here on."""
        self.conversation.manner = self.conversation.manner._replace(**changes)  # type: ignore[arg-type]
        self.changed()

    def wear(self, name: str) -> str:
        """Show everything in another theme; return why that cannot be, or nothing."""
        problem = self.looks.wear(name)
        self.dress()
        if problem:
            self.note(problem, wrong=True)
        return problem

    def dress(self) -> None:
        """Give all that is on the screen the colours of the theme."""
        self.screen.app.refresh_css()
        palette = self.looks.palette
        self.topline.palette = self.status.palette = palette
        self.transcript.set_scene(self.transcript.scene._replace(palette=palette))

    def show_conversation(self, session: Session | None = None, turn: int | None = None) -> None:
        """Show a session, or an empty transcript."""
        self.editing = None
        if session:
            self.conversation.open(session)
        self.exchanges.show()
        if not self.transcript.parts:
            self.transcript.add(LegendPart())
        part = self.exchanges.part_of(turn)
        if part:
            self.transcript.reveal(part)
        self.changed()

    def _leave_legend(self) -> None:
        for part in [part for part in self.transcript.parts if isinstance(part, LegendPart)]:
            self.transcript.drop(part)

    async def leave_session(self) -> None:
        """Bring everything in the session to rest, the changing of a thought included."""
        if self.exchanges.steering:
            self.composer.fill("")
        await self.exchanges.rest()

    async def clear(self) -> None:
        """Stop what is coming, keep it, and close what is open."""
        # A worker that is cancelled before its first step never takes it.
        self.talk.give_up()
        await self.exchanges.rest()
        self.talk.close()
        for engine in self.talk.engines:
            await engine.aclose()

    def changed(self) -> None:
        """See that something of what is known has changed, and say so in the lines around the transcript."""
        if not self.screen.is_attached:
            return
        running, self._running = self._running, self.talk.running is not None
        if running and not self._running:
            # A reply that has ended tells whether the server is there, and has loaded the model.
            self.poll()
        part, steering = self.talk.part, self.exchanges.steering is not None
        self.topline.title = self.conversation.title
        self.status.facts = self.status.facts._replace(
            model=part.state.model if part else self.conversation.manner.model,
            ids=not getattr(self.talk.engine, "pulls", True),
            mode=standing.mode(self.conversation),
            used=self.talk.used,
            speed=self.talk.speed,
            host=standing.place(self.talk.engine, self.setup.host),
        )
        apply = standing.applying(
            steering=steering,
            editing=self.editing is not None,
            running=bool(self.talk.running),
            resumable=self.talk.reply is None or self.talk.reply.resumable,
        )
        self.composer.hints = tuple(f"{self._keys[name]} {word}" for name, word in apply if name in self._keys)
        gone = self.status.facts.there is False
        self.composer.state = "steering" if steering else "gone" if gone else "quiet"
