"""What the chat does when its panel of sessions asks for something; the panel itself knows no store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.errors import ReflecttyError
from reflectty.tui.widgets import panel_wishes as wishes

if TYPE_CHECKING:
    from textual.message import Message

    from reflectty.tui.desk import Desk
    from reflectty.tui.widgets.sessions import SessionsPanel

PAGE = 50
"""Sessions that are read at once."""


class Panelled:
    """Answers the panel from the store."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._made: SessionsPanel | None = None

    @property
    def _panel(self) -> SessionsPanel:
        """The panel, made when it is first asked for."""
        if self._made is None:
            from reflectty.tui.widgets.sessions import SessionsPanel  # noqa: PLC0415 - not before the first frame

            self._made = SessionsPanel(unicode=self._desk.unicode)
        return self._made

    async def toggle(self) -> None:
        if not self._panel.is_attached:
            await self._desk.screen.query_one("#middle").mount(self._panel, before=0)
        if self._panel.display:
            self._panel.slide_out()
            self._desk.composer.focus()
        else:
            self._mark()
            self._panel.slide_in()

    async def search(self, words: str) -> None:
        """Open the panel with a search."""
        if not (self._panel.is_attached and self._panel.display):
            await self.toggle()
        self._panel.seek(words)

    def _mark(self) -> None:
        session = self._desk.conversation.session
        self._panel.current = session.id if session else ""
        self._panel.running = frozenset({session.id} if session and self._desk.talk.running else ())

    def answer(self, message: Message) -> None:
        """Do what the panel asks for."""
        store = self._desk.conversation.store
        try:
            if isinstance(message, wishes.More):
                self._panel.add(store.sessions(PAGE, message.offset))
            elif isinstance(message, wishes.Searched):
                self._panel.show_found(store.search(message.words), message.words)
            elif isinstance(message, wishes.Renamed):
                self._rename(message.session_id, message.title)
        except ReflecttyError as error:
            self._desk.complain(error)

    def _rename(self, session: str, title: str) -> None:
        conversation = self._desk.conversation
        if conversation.session and conversation.session.id == session:
            conversation.rename(title)
        else:
            conversation.store.rename(session, title)
        self._desk.changed()

    async def remove(self, session: str) -> None:
        """Remove a session; if it is the one on the screen, its reply is stopped first."""
        desk, conversation = self._desk, self._desk.conversation
        here = conversation.session is not None and conversation.session.id == session
        if here:
            await desk.leave_session()
        try:
            conversation.store.remove(session)
        except ReflecttyError as error:
            desk.complain(error)
            return
        if here:
            conversation.close()
            desk.show_conversation()

    async def open(self, session: str, turn: int | None) -> None:
        """Show a session; a reply that is coming in another is stopped and kept."""
        desk = self._desk
        await desk.leave_session()
        try:
            desk.show_conversation(desk.conversation.store.find(session), turn)
        except ReflecttyError as error:
            desk.complain(error)
        self._panel.slide_out()
        desk.composer.focus()
