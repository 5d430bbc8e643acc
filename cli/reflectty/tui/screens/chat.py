"""The chat: transcript, composer, panel and the lines around them; actions arrive here and are done elsewhere."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Container
from textual.screen import Screen

from reflectty.drawing.paint import Glyphs
from reflectty.errors import ReflecttyError
from reflectty.safety import clean
from reflectty.tui import slash
from reflectty.tui.actions import Actions
from reflectty.tui.attaching import attachment
from reflectty.tui.conversation import Conversation
from reflectty.tui.dialogs import Dialogs
from reflectty.tui.exchanges import Exchanges
from reflectty.tui.keys import shown
from reflectty.tui.parts.legend import LegendPart
from reflectty.tui.parts.note import NotePart
from reflectty.tui.parts.part import Scene
from reflectty.tui.screens.panelled import Panelled
from reflectty.tui.standing import Standing
from reflectty.tui.talk import Talk
from reflectty.tui.widgets.composer import Composer
from reflectty.tui.widgets.status import StatusLine
from reflectty.tui.widgets.suggestions import Suggestions
from reflectty.tui.widgets.topline import TopLine
from reflectty.tui.widgets.transcript import Transcript
from reflectty.tui.wording import in_chat

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.app import ComposeResult

    from reflectty.chat import Engine
    from reflectty.errors import PromptTooLongError
    from reflectty.session import Session, Turn
    from reflectty.tui.setup import Setup
    from reflectty.tui.talk import Exchange
    from reflectty.tui.widgets import panel_wishes as wishes

POLL_SECONDS = 5.0
SHORT_NOTE_SECONDS = 4.0


class Chat(Screen[None]):
    """Puts the parts together and passes on what they tell each other."""

    AUTO_FOCUS = "Composer"
    DEFAULT_CSS = """
    Chat { background: $r-background; layout: vertical; }
    Chat #middle { height: 1fr; }
    Chat Transcript { height: 1fr; padding: 1 1 0 1; }
    Chat.-plain Composer, Chat.-plain Composer:focus { border: ascii $r-line; }
    """
    BINDINGS: ClassVar = []

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        self.setup = setup
        self.looks = setup.looks
        self.actions = setup.actions
        self.editing: Turn | None = None
        """The question that is being put in other words."""
        unicode = setup.looks.palette.glyphs == Glyphs()
        self.conversation = Conversation(setup.store, setup.manner)
        self.transcript = Transcript(self._scene())
        self.talk = Talk(self.conversation, self.transcript, self)
        self.exchanges = Exchanges(self.conversation, self.talk, self.transcript, self.run_worker)
        self.suggestions = Suggestions()
        self.composer = self._composer()
        self.shelf = Panelled(self, unicode=unicode)
        self.topline, self.status = TopLine(), StatusLine()
        self.dialogs = Dialogs(lambda: self.app, unicode=unicode)
        self.standing = Standing(self)
        self._does = Actions(self)
        self.set_class(not unicode, "-plain")
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
            yield self.transcript
        yield self.suggestions
        yield self.composer
        yield self.status

    def on_mount(self) -> None:
        self._dress()
        self.show_conversation(self.setup.session)
        if self.setup.insists:
            self.manner(model=self.setup.manner.model)
        for text in self.setup.notes:
            self.note(text, wrong=True)
        self.call_after_refresh(self._connect)

    def _connect(self) -> None:
        """Open the engine, now that the reader can type."""
        self._attempt(self._open_engine)
        self.talk.sought.set()
        self._attempt(self._recall)
        self.composer.choices = slash.choices((), self.looks.names)
        if self.talk.engine is None:
            return
        self.run_worker(self.choose_model())
        self.set_interval(POLL_SECONDS, self.poll)

    def _attempt(self, work: Callable[[], None]) -> None:
        """Do what the chat can do without."""
        try:
            work()
        except ReflecttyError as error:
            self.complain(error)

    def _open_engine(self) -> None:
        self.talk.engine = self.setup.engine()

    def _recall(self) -> None:
        self.composer.earlier = self.conversation.store.questions()

    async def choose_model(self) -> None:
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

    async def on_unmount(self) -> None:
        """Stop what is coming, and keep it."""
        # A worker that is cancelled before its first step never takes it.
        self.talk.give_up()
        await self.exchanges.rest()
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
            # A reply that was stopped and cannot go on holds nobody up.
            self.exchanges.next()
        self.changed()

    async def on_composer_sent(self, event: Composer.Sent) -> None:
        if self.exchanges.steering:
            self.exchanges.go_on(event.text)
            self.changed()
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
            await self.exchanges.rephrase(editing, event.text, found)
        else:
            self._leave_legend()
            self.exchanges.ask(event.text, found)
        self.changed()

    async def on_composer_leave_wanted(self) -> None:
        await self.do("quit")

    def on_transcript_toggled(self, event: Transcript.Toggled) -> None:
        self.transcript.change(event.part, event.part.toggle)

    # What the panel asks for

    def on_sessions_panel_more(self, event: wishes.More) -> None:
        self.shelf.answer(event)

    def on_sessions_panel_searched(self, event: wishes.Searched) -> None:
        self.shelf.answer(event)

    def on_sessions_panel_renamed(self, event: wishes.Renamed) -> None:
        self.shelf.answer(event)

    async def on_sessions_panel_removed(self, event: wishes.Removed) -> None:
        await self.shelf.remove(event.session_id)

    async def on_sessions_panel_opened(self, event: wishes.Opened) -> None:
        await self.shelf.open(event.session_id, event.turn)

    def on_sessions_panel_closed(self) -> None:
        self.composer.focus()

    async def too_long(self, exchange: Exchange, error: PromptTooLongError) -> bool:
        """Ask what to leave out of a conversation that does not fit; return whether to ask again."""
        before, context = self.conversation.exchanges_before(exchange.question), self.status.facts.context
        changed = await self.dialogs.leave_out(before, error, context, self.conversation.manner)
        if changed:
            self.conversation.manner = changed
        return changed is not None

    # What actions need

    def note(self, text: str, *, wrong: bool = False) -> None:
        """Say something: what went wrong stays in the transcript, the rest is gone in a moment."""
        text = in_chat(text)
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

        used = await asyncio.to_thread(copy, text, self.setup.write)
        self.note(f"{what}: {used}")

    def attach(self, name: str) -> None:
        """Name a file in the question; it comes along when that is sent."""
        path = Path(name).expanduser()
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

    async def leave_session(self) -> None:
        """Bring everything in the session to rest, the changing of a thought included."""
        if self.exchanges.steering:
            self.composer.fill("")
        await self.exchanges.rest()

    def _leave_legend(self) -> None:
        for part in [part for part in self.transcript.parts if isinstance(part, LegendPart)]:
            self.transcript.drop(part)

    def changed(self) -> None:
        """See that something of what is known has changed."""
        if self.is_attached:
            self.standing.refresh()

    def poll(self) -> None:
        """Look after the server."""
        if self.talk.engine:
            self.run_worker(self.standing.look(self.talk.engine), group="poll", exclusive=True)
