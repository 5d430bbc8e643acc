"""The chat: transcript, composer, panel and the two lines around them; every action arrives here and is done elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.containers import Container
from textual.screen import Screen

from reflectty.errors import ReflecttyError
from reflectty.safety import clean
from reflectty.tui.actions import Actions
from reflectty.tui.attaching import attachment
from reflectty.tui.conversation import Conversation
from reflectty.tui.exchanges import Exchanges
from reflectty.tui.keys import shown
from reflectty.tui.leaving import applied, choices
from reflectty.tui.parts.legend import LegendPart
from reflectty.tui.parts.note import NotePart
from reflectty.tui.parts.part import Scene, View
from reflectty.tui.screens.panelled import Panelled
from reflectty.tui import slash
from reflectty.tui.talk import Talk
from reflectty.tui.widgets.composer import Composer
from reflectty.tui.widgets.sessions import SessionsPanel
from reflectty.tui.widgets.status import StatusLine
from reflectty.tui.widgets.suggestions import Suggestions
from reflectty.tui.widgets.topline import TopLine
from reflectty.tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult

    from reflectty.chat import Engine
    from reflectty.errors import PromptTooLongError
    from reflectty.session import Session, Turn
    from reflectty.store import Store
    from reflectty.tui.conversation import Manner
    from reflectty.tui.keys import Action
    from reflectty.tui.looks import Looks
    from reflectty.tui.talk import Exchange

POLL_SECONDS = 5.0
SHORT_NOTE_SECONDS = 4.0


class Setup(NamedTuple):
    """What the chat is given."""

    looks: Looks
    actions: tuple[Action, ...]
    manner: Manner
    store: Store
    engine: Callable[[], Engine]
    """Opens the engine; called once the screen is there."""
    host: str = ""
    """How the server is named in the status line."""
    view: View = View.LIVE
    session: Session | None = None
    """The session to go on with."""
    notes: tuple[str, ...] = ()
    """What went wrong before there was a screen to say it on."""


class Chat(Screen[None]):
    """Puts the parts together and passes on what they tell each other."""

    AUTO_FOCUS = "Composer"
    DEFAULT_CSS = """
    Chat { background: $r-background; layout: vertical; }
    Chat #middle { height: 1fr; }
    Chat Transcript { height: 1fr; padding: 1 1 0 1; }
    """
    BINDINGS: ClassVar = []

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self.setup = setup
        self.looks = setup.looks
        self.actions = setup.actions
        self.editing: Turn | None = None
        """The question that is being put in other words."""
        self.conversation = Conversation(setup.store, setup.manner)
        self.transcript = Transcript(self._scene())
        self.talk = Talk(self.conversation, self.transcript, self)
        self.exchanges = Exchanges(self.conversation, self.talk, self.transcript, self.run_worker)
        self.suggestions = Suggestions()
        self.composer = self._composer()
        self.panel = SessionsPanel(unicode=self._unicode)
        self.shelf = Panelled(self, self.panel)
        self.topline, self.status = TopLine(), StatusLine()
        self._does = Actions(self)
        self._bind()

    def _scene(self) -> Scene:
        hints = tuple((action.name, shown(action.keys[0])) for action in self.actions if action.keys)
        return Scene(self.looks.palette, 80, 24, self.setup.view, hints)

    def _composer(self) -> Composer:
        keys = {action.name: action.keys for action in self.actions}
        composer = Composer(self.suggestions, Path())
        composer.commands = slash.commands(self.actions)
        composer.send_keys, composer.newline_keys = keys["send"], keys["newline"]
        return composer

    def _bind(self) -> None:
        """Bind every action's keys; those that a list or the composer may need first are not taken from them."""
        shared = ("cancel", "page_up", "page_down", "top", "bottom", "send", "newline")
        for action in self.actions:
            for key in action.keys if action.name not in ("send", "newline") else ():
                urgent = action.name not in shared
                self._bindings.bind(key, f"do('{action.name}')", action.label, show=False, priority=urgent)

    def compose(self) -> ComposeResult:
        yield self.topline
        with Container(id="middle"):
            yield self.panel
            yield self.transcript
        yield self.suggestions
        yield self.composer
        yield self.status

    def on_mount(self) -> None:
        self._dress()
        self.show_conversation(self.setup.session)
        for text in self.setup.notes:
            self.note(text, wrong=True)
        self.call_after_refresh(self._connect)

    def _connect(self) -> None:
        """Open the engine, now that the reader can type."""
        try:
            self.talk.engine = self.setup.engine()
        except ReflecttyError as error:
            self.complain(error)
            return
        self.composer.earlier = self.conversation.store.questions()
        self.composer.choices = slash.choices((), self.looks.names)
        self.run_worker(self._choose_model())
        self.set_interval(POLL_SECONDS, self._poll)

    async def _choose_model(self) -> None:
        """Find out who will answer, where nobody was named."""
        from reflectty.asking import find_model  # noqa: PLC0415 - not before the first frame

        if not self.conversation.manner.model:
            try:
                model = await find_model(self.engine, "", lambda _: None)
            except ReflecttyError as error:
                self.complain(error)
            else:
                self.manner(model=model.name)
        with contextlib.suppress(ReflecttyError):
            names = [model.name.removesuffix(":latest") for model in await self.engine.models()]
            self.composer.choices = slash.choices(names, self.looks.names)
        self._poll()

    @property
    def engine(self) -> Engine:
        """The engine.

        Raises:
            ReflecttyError: it could not be opened.
        """
        if self.talk.engine is None:
            raise ReflecttyError("the server is not known yet")
        return self.talk.engine

    async def close(self) -> None:
        """Stop what is coming, and keep it."""
        await self.talk.stop()
        self.talk.close()
        if self.talk.engine:
            await self.talk.engine.aclose()

    # What the reader does

    async def action_do(self, name: str) -> None:
        await self.do(name)

    async def do(self, name: str, argument: str = "") -> None:
        """Do an action beside what is going on; what goes wrong is said in the transcript."""
        self.run_worker(self._do(name, argument))

    async def _do(self, name: str, argument: str) -> None:
        try:
            await self._does.find(name)(argument)
        except ReflecttyError as error:
            self.complain(error)
        self.changed()

    async def on_composer_sent(self, event: Composer.Sent) -> None:
        if self.exchanges.steering:
            self.end_steering()
            self.exchanges.go_on(event.text)
            return
        try:
            command = None if self.editing else slash.typed(event.typed, self.actions)
            if command:
                await self.do(command.name, command.rest)
                return
            found = tuple(attachment(path, self.note) for path in event.mentioned)
        except ReflecttyError as error:
            self.complain(error)
            self.composer.fill(event.text)
            return
        editing, self.editing = self.editing, None
        if editing:
            self.exchanges.rephrase(editing, event.text, found)
        else:
            self._leave_legend()
            self.exchanges.ask(event.text, found)
        self.changed()

    async def on_composer_leave_wanted(self) -> None:
        await self.do("quit")

    def on_transcript_toggled(self, event: Transcript.Toggled) -> None:
        event.part.toggle()
        self.transcript.touch(event.part)

    # What the panel asks for

    def on_sessions_panel_more(self, event: SessionsPanel.More) -> None:
        self.shelf.answer(event)

    def on_sessions_panel_searched(self, event: SessionsPanel.Searched) -> None:
        self.shelf.answer(event)

    def on_sessions_panel_renamed(self, event: SessionsPanel.Renamed) -> None:
        self.shelf.answer(event)

    def on_sessions_panel_removed(self, event: SessionsPanel.Removed) -> None:
        self.shelf.answer(event)

    async def on_sessions_panel_opened(self, event: SessionsPanel.Opened) -> None:
        await self.shelf.open(event.session_id, event.turn)

    def on_sessions_panel_closed(self) -> None:
        self.composer.focus()

    async def too_long(self, exchange: Exchange, error: PromptTooLongError) -> bool:
        """Ask what to leave out of a conversation that does not fit; return whether to ask again."""
        rows = choices(self.conversation.exchanges_before(exchange.question), error, self.status.facts.context)
        wanted = await self.choose(f"This does not fit: {error}", rows, "")
        changed = applied(wanted or "", self.conversation.manner)
        if changed is None:
            return False
        self.conversation.manner = changed
        return True

    # What actions need

    def note(self, text: str, *, wrong: bool = False) -> None:
        """Say something: what went wrong stays in the transcript, the rest is gone in a moment."""
        if wrong:
            self._leave_legend()
            self.transcript.add(NotePart(text, wrong=True))
        else:
            self.notify(clean(text), markup=False, timeout=SHORT_NOTE_SECONDS)

    def complain(self, error: ReflecttyError) -> None:
        self.note(f"{error} ({error.hint})" if error.hint else str(error), wrong=True)

    async def copy(self, text: str, what: str) -> None:
        """Copy, and say what was used."""
        from reflectty.tui.clipboard import copy  # noqa: PLC0415 - only who copies pays for it

        used = await asyncio.to_thread(copy, text, self.app.write_to_terminal)
        self.note(f"{what}: {used}")

    async def choose(
        self, title: str, rows: Sequence[tuple[str, str, str]], now: str, preview: Callable[[str], None] | None = None
    ) -> str | None:
        """Let the reader choose one of several, each a value, its label and a detail."""
        from reflectty.tui.screens.choice import Choice, Offer  # noqa: PLC0415 - not before it is needed

        offers = [Offer(value, label, detail, value == now) for value, label, detail in rows]
        return await self.app.push_screen_wait(Choice(title, offers, preview=preview, unicode=self._unicode))

    async def line(self, title: str, default: str) -> str | None:
        """Let the reader type a line."""
        from reflectty.tui.screens.question import Line  # noqa: PLC0415 - not before it is needed

        return await self.app.push_screen_wait(Line(title, default, unicode=self._unicode))

    def show_keys(self) -> None:
        from reflectty.tui.screens.keys import KeysScreen  # noqa: PLC0415 - not before it is needed

        self.app.push_screen(KeysScreen(self.actions, unicode=self._unicode))

    @property
    def _unicode(self) -> bool:
        return self.looks.palette.glyphs.bar == "│"

    def attach(self, path: Path) -> None:
        """Name a file in the question; it comes along when that is sent."""
        attachment(path, self.note)
        self.composer.insert(f'@"{path}" ')

    def manner(self, **changes: object) -> None:
        """Ask differently from here on."""
        self.conversation.manner = self.conversation.manner._replace(**changes)  # type: ignore[arg-type]
        self.changed()

    def wear(self, name: str) -> str:
        """Show everything in another theme; return why that cannot be, or nothing."""
        problem = self.looks.wear(name)
        self._dress()
        if problem:
            self.note(problem, wrong=True)
        return problem

    def _dress(self) -> None:
        self.app.refresh_css()
        palette = self.looks.palette
        self.topline.palette = self.status.palette = palette
        self.transcript.set_scene(self.transcript.scene._replace(palette=palette))

    def begin_steering(self, text: str) -> None:
        """Open a thought in the composer."""
        self.composer.state = "steering"
        self.composer.fill(text)
        self.changed()

    def end_steering(self) -> None:
        self.composer.state = "quiet"
        self.composer.fill("")

    def leave_steering(self) -> None:
        """Leave the thought as it was."""
        self.end_steering()
        self.exchanges.leave()

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
        for part in self.transcript.parts:
            if isinstance(part, LegendPart):
                self.transcript.drop(part)

    def changed(self) -> None:
        """See that what is known has changed: the lines around the transcript say so."""
        if not self.is_attached:
            return
        manner, part = self.conversation.manner, self.talk.part
        self.topline.title = self.conversation.title
        said = self.conversation.last_reply
        mode = str(manner.mode)
        if said and said.said and manner.mode == "auto":
            mode = said.said.mode or mode
        self.status.facts = self.status.facts._replace(
            model=part.state.model if part else manner.model,
            mode=mode,
            used=self.talk.used,
            speed=self.talk.speed,
            host=self.setup.host,
        )
        self.composer.hints = self._hints()
        if self.composer.state != "steering":
            self.composer.state = "gone" if self.status.facts.there is False else "quiet"

    def _hints(self) -> tuple[str, ...]:
        wanted: tuple[tuple[str, str], ...]
        if self.exchanges.steering:
            wanted = (("send", "go on"), ("conclude", "answer now"), ("cancel", "leave it"))
        elif self.editing:
            wanted = (("send", "ask as a branch"), ("cancel", "leave it"))
        elif self.talk.running:
            wanted = (("cancel", "stop"), ("send", "queue"), ("steer", "steer"))
        else:
            wanted = (("send", "send"), ("newline", "new line"), ("keys", "keys"))
        keys = {action.name: shown(action.keys[0]) for action in self.actions if action.keys}
        return tuple(f"{keys[name]} {word}" for name, word in wanted if name in keys)

    def _poll(self) -> None:
        if self.talk.engine:
            self.run_worker(self._look(self.talk.engine), group="poll", exclusive=True)

    async def _look(self, engine: Engine) -> None:
        from reflectty.tui.watching import look  # noqa: PLC0415

        found = await look(engine, self.status.facts)
        self.status.facts = self.status.facts._replace(there=found.there, context=found.context, gpu=found.gpu)
        self.changed()
