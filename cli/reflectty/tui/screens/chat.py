"""The chat's screen: lays out the widgets, binds the keys and passes messages to the controller."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.containers import Container
from textual.screen import Screen

from reflectty.tui.actions.general import COMPOSER_ACTIONS
from reflectty.tui.controller import ChatController

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from reflectty.tui.app import ChatConfig
    from reflectty.tui.composer.composer import Composer
    from reflectty.tui.sessions.panel import SessionsPanel
    from reflectty.tui.widgets.transcript import Transcript

POLL_SECONDS = 5.0


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

    def __init__(self, chat_config: ChatConfig) -> None:
        super().__init__()
        self.controller = ChatController(self, chat_config)
        self.set_class(not self.controller.unicode, "-plain")
        handled = {action.name for action in COMPOSER_ACTIONS}
        for action in chat_config.actions:
            for key in action.keys if action.name not in handled else ():
                self._bindings.bind(key, f"do('{action.name}')", action.label, show=False, priority=not action.yields)

    def compose(self) -> ComposeResult:
        yield self.controller.topline
        with Container(id="middle"):
            yield self.controller.transcript
        yield self.controller.suggestions
        yield self.controller.composer
        yield self.controller.status

    def on_mount(self) -> None:
        controller, chat_config = self.controller, self.controller.config
        controller.refresh_theme()
        controller.show_conversation(chat_config.session)
        if chat_config.model_overrides_session:
            controller.change_ask_options(model=chat_config.ask_options.model)
        for text in chat_config.notes:
            controller.note(text, wrong=True)
        # The user can type before the server is found.
        self.call_after_refresh(controller.connect)
        self.set_interval(POLL_SECONDS, controller.poll)

    async def on_unmount(self) -> None:
        await self.controller.shut_down()

    async def action_do(self, name: str) -> None:
        await self.controller.perform(name)

    async def on_composer_sent(self, event: Composer.Sent) -> None:
        await self.controller.send(event.text, event.visible_text, event.mentioned_files)

    async def on_composer_leave_wanted(self) -> None:
        await self.controller.perform("quit")

    def on_transcript_toggled(self, event: Transcript.Toggled) -> None:
        self.controller.transcript.change(event.part, event.part.toggle)

    def on_sessions_panel_page_requested(self, event: SessionsPanel.PageRequested) -> None:
        self.controller.sessions.load_page(event.offset)

    def on_sessions_panel_searched(self, event: SessionsPanel.Searched) -> None:
        self.controller.sessions.search_store(event.words)

    def on_sessions_panel_renamed(self, event: SessionsPanel.Renamed) -> None:
        self.controller.sessions.rename(event.session_id, event.title)

    async def on_sessions_panel_removed(self, event: SessionsPanel.Removed) -> None:
        await self.controller.sessions.remove(event.session_id)

    async def on_sessions_panel_opened(self, event: SessionsPanel.Opened) -> None:
        await self.controller.sessions.open(event.session_id, event.turn)

    def on_sessions_panel_closed(self) -> None:
        self.controller.composer.focus()
