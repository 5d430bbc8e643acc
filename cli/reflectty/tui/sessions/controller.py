"""Answers the panel's messages from the store."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reflectty.core.errors import ReflecttyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.store import Store
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
            await self._controller.query_one("#middle").mount(self._panel, before=0)
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

    def load_page(self, offset: int) -> None:
        """Give the panel the page of sessions at an offset."""
        with self._errors_reported():
            self._panel.add_sessions(self._store.sessions(PAGE_SIZE, offset))

    def search_store(self, words: str) -> None:
        """Give the panel the results of a search."""
        with self._errors_reported():
            self._panel.show_hits(self._store.search(words), words)

    def rename(self, session_id: str, title: str) -> None:
        with self._errors_reported():
            if self._is_open(session_id):
                self._controller.conversation.rename(title)
            else:
                self._store.rename(session_id, title)
            self._controller.refresh_status()

    async def remove(self, session_id: str) -> None:
        """Remove a session; if it is on the screen, stop its reply first."""
        is_open = self._is_open(session_id)
        if is_open:
            await self._controller.stop_session()
        with self._errors_reported():
            self._store.remove(session_id)
            if is_open:
                self._controller.conversation.close()
                self._controller.show_conversation()

    @property
    def is_focused(self) -> bool:
        return self._created_panel is not None and self._created_panel.has_focus_within

    async def open(self, session_id: str, turn: int | None, words: str = "") -> None:
        """Show a session at a turn, with marked words; stop and store a reply that is running in another."""
        await self._controller.stop_session()
        with self._errors_reported():
            self._controller.show_conversation(self._store.find(session_id), turn)
            self._mark(words, turn)
        if self._panel.is_attached:
            self._panel.slide_out()
        self._controller.composer.focus()

    def _mark(self, words: str, turn: int | None) -> None:
        """Mark the words that were searched for, and go to the first of them in a turn."""
        from reflectty.store.search import parse_terms

        terms = [re.escape(term.text) for term in parse_terms(words)]
        transcript, part = self._controller.transcript, self._controller.turns.parts.find(turn)
        if terms:
            transcript.mark(re.compile("|".join(terms), re.IGNORECASE))
        if part and terms:
            transcript.reveal_mark(part)

    @property
    def _store(self) -> Store:
        return self._controller.conversation.store

    def _is_open(self, session_id: str) -> bool:
        session = self._controller.conversation.session
        return session is not None and session.id == session_id

    @contextmanager
    def _errors_reported(self) -> Iterator[None]:
        """Show an error in the transcript."""
        try:
            yield
        except ReflecttyError as error:
            self._controller.report_error(error)
