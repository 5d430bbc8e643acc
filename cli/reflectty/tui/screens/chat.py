"""The screen of the chat: lays out what is on its desk, binds the keys, and passes on what the widgets say."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.containers import Container
from textual.screen import Screen

from reflectty.errors import ReflecttyError
from reflectty.tui.actions import Actions
from reflectty.tui.desk import Desk
from reflectty.tui.screens.panelled import Panelled

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from reflectty.tui.setup import Setup
    from reflectty.tui.widgets import panel_wishes as wishes
    from reflectty.tui.widgets.composer import Composer
    from reflectty.tui.widgets.transcript import Transcript

POLL_SECONDS = 5.0
_OWN = ("send", "newline")
"""Actions whose keys the composer itself knows."""
_SHARED = ("cancel", "page_up", "page_down", "top", "bottom")
"""Actions whose keys a list or the composer may need first."""


class Chat(Screen[None]):
    """Shows one chat."""

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
        self.desk = Desk(self, setup, self.do)
        self._shelf = Panelled(self.desk)
        self._does = Actions(self.desk, self._shelf)
        self.set_class(not self.desk.unicode, "-plain")
        for action in setup.actions:
            for key in action.keys if action.name not in _OWN else ():
                urgent = action.name not in _SHARED
                self._bindings.bind(key, f"do('{action.name}')", action.label, show=False, priority=urgent)

    def compose(self) -> ComposeResult:
        yield self.desk.topline
        with Container(id="middle"):
            yield self.desk.transcript
        yield self.desk.suggestions
        yield self.desk.composer
        yield self.desk.status

    def on_mount(self) -> None:
        desk, setup = self.desk, self.desk.setup
        desk.dress()
        desk.show_conversation(setup.session)
        if setup.insists:
            desk.manner(model=setup.manner.model)
        for text in setup.notes:
            desk.note(text, wrong=True)
        # The reader can type before the server is sought.
        self.call_after_refresh(desk.connect)
        self.set_interval(POLL_SECONDS, desk.poll)

    async def on_unmount(self) -> None:
        await self._does.close()
        await self.desk.clear()

    async def action_do(self, name: str) -> None:
        await self.do(name)

    async def do(self, name: str, argument: str = "") -> None:
        """Do an action beside what is going on; what goes wrong is said in the transcript."""
        self.desk.run(partial(self._do, name, argument))

    async def _do(self, name: str, argument: str) -> None:
        try:
            await self._does.find(name)(argument)
        except ReflecttyError as error:
            self.desk.complain(error)
            # A reply that was stopped and cannot go on holds nobody up.
            self.desk.exchanges.next()
        self.desk.changed()

    async def on_composer_sent(self, event: Composer.Sent) -> None:
        await self.desk.send(event.text, event.typed, event.mentioned)

    async def on_composer_leave_wanted(self) -> None:
        await self.do("quit")

    def on_transcript_toggled(self, event: Transcript.Toggled) -> None:
        self.desk.transcript.change(event.part, event.part.toggle)

    def on_sessions_panel_more(self, event: wishes.More) -> None:
        self._shelf.answer(event)

    def on_sessions_panel_searched(self, event: wishes.Searched) -> None:
        self._shelf.answer(event)

    def on_sessions_panel_renamed(self, event: wishes.Renamed) -> None:
        self._shelf.answer(event)

    async def on_sessions_panel_removed(self, event: wishes.Removed) -> None:
        await self._shelf.remove(event.session_id)

    async def on_sessions_panel_opened(self, event: wishes.Opened) -> None:
        await self._shelf.open(event.session_id, event.turn)

    def on_sessions_panel_closed(self) -> None:
        self.desk.composer.focus()
