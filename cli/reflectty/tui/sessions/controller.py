"""Answers the panel's messages from the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.errors import ReflecttyError
from reflectty.tui.sessions import messages

if TYPE_CHECKING:
    from textual.message import Message

    from reflectty.tui.controller import ChatController
    from reflectty.tui.sessions.panel import SessionsPanel

PAGE_SIZE = 50
"""Sessions per page."""


class SessionsController:
    """Answers the panel from the store."""

    def __init__(self, controller: ChatController) -> None:
        self._controller = controller
        self._created_panel: SessionsPanel | None = None

    @property
    def _panel(self) -> SessionsPanel:
        """The panel, created on first use."""
        if self._created_panel is None:
            from reflectty.tui.sessions.panel import SessionsPanel

            self._created_panel = SessionsPanel(unicode=self._controller.unicode)
        return self._created_panel

    async def toggle(self) -> None:
        if not self._panel.is_attached:
            await self._controller.screen.query_one("#middle").mount(self._panel, before=0)
        if self._panel.display:
            self._panel.slide_out()
            self._controller.composer.focus()
        else:
            self._update_panel()
            self._panel.slide_in()

    async def search(self, words: str) -> None:
        """Open the panel with a search."""
        if not (self._panel.is_attached and self._panel.display):
            await self.toggle()
        self._panel.search(words)

    def _update_panel(self) -> None:
        session = self._controller.conversation.session
        self._panel.current = session.id if session else ""
        self._panel.running = frozenset({session.id} if session and self._controller.turns.current else ())

    def handle(self, message: Message) -> None:
        """Answer a message of the panel."""
        store = self._controller.conversation.store
        try:
            if isinstance(message, messages.PageRequested):
                self._panel.add_sessions(store.sessions(PAGE_SIZE, message.offset))
            elif isinstance(message, messages.Searched):
                self._panel.show_hits(store.search(message.words), message.words)
            elif isinstance(message, messages.Renamed):
                self._rename(message.session_id, message.title)
        except ReflecttyError as error:
            self._controller.report_error(error)

    def _rename(self, session: str, title: str) -> None:
        conversation = self._controller.conversation
        if conversation.session and conversation.session.id == session:
            conversation.rename(title)
        else:
            conversation.store.rename(session, title)
        self._controller.refresh_status()

    async def remove(self, session: str) -> None:
        """Remove a session; if it is on the screen, stop its reply first."""
        controller, conversation = self._controller, self._controller.conversation
        here = conversation.session is not None and conversation.session.id == session
        if here:
            await controller.stop_session()
        try:
            conversation.store.remove(session)
        except ReflecttyError as error:
            controller.report_error(error)
            return
        if here:
            conversation.close()
            controller.show_conversation()

    async def open(self, session: str, turn: int | None) -> None:
        """Show a session; stop and store a reply that is running in another."""
        controller = self._controller
        await controller.stop_session()
        try:
            controller.show_conversation(controller.conversation.store.find(session), turn)
        except ReflecttyError as error:
            controller.report_error(error)
        self._panel.slide_out()
        controller.composer.focus()
