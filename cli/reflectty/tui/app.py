"""The Textual application and its configuration: runs one chat, handles signals and restores the terminal."""

from __future__ import annotations

import asyncio
import signal
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.worker import WorkerFailed

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.session import NO_SETTINGS
from reflectty.tui.attention import Notifier
from reflectty.tui.controller import ChatController
from reflectty.tui.conversation import NO_SOURCES
from reflectty.tui.driver import TerminalDriver
from reflectty.tui.keys import register_sequences
from reflectty.view.parts import ThinkingView

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from textual.screen import Screen

    from reflectty.core.messages import Engine
    from reflectty.core.session import Session, SessionSettings, StoredReply
    from reflectty.models.fit import ServerHardware
    from reflectty.models.manager import ModelLibrary
    from reflectty.reasoning.modes import AskOptions
    from reflectty.store import Store
    from reflectty.tui.actions.action import Action
    from reflectty.tui.conversation import OptionSources
    from reflectty.tui.driver import BackgroundReported
    from reflectty.tui.theme import ChatTheme


class ChatProfile(NamedTuple):
    """The ask options and the server of a profile."""

    ask_options: AskOptions
    open_engine: Callable[[], Engine] | None = None
    """Opens the engine of the profile's server; None if it names none."""
    host: str = ""
    open_library: Callable[[], ModelLibrary] | None = None
    """Opens the model library of that server."""


NO_NOTIFIER = Notifier("off")


class ChatConfig(NamedTuple):
    """The configuration of the chat."""

    theme: ChatTheme
    actions: tuple[Action, ...]
    ask_options: AskOptions
    store: Store
    open_engine: Callable[[], Engine]
    """Opens the engine; called once the screen is shown."""
    open_library: Callable[[], ModelLibrary]
    """Opens the model library of the same server; called on first use."""
    load_profile: Callable[[str], ChatProfile]
    """Loads a profile by name.

    Raises:
        UsageError: there is no such profile, or it is invalid.
    """
    host: str = ""
    """The server's name in the status line."""
    view: ThinkingView = ThinkingView.LIVE
    reads_thoughts: bool = True
    """Whether second thoughts are marked in the thinking."""
    session: Session | None = None
    """The session to continue."""
    model_overrides_session: bool = False
    """True if the model of the ask options overrides the session's model."""
    hardware: Callable[[ModelLibrary], Awaitable[ServerHardware]] | None = None
    """Detects the server's hardware; without it no fit is estimated."""
    write_sequence: Callable[[str], object] = print
    """Writes a control sequence to the terminal."""
    exit_message: Callable[[str], object] = print
    """Prints a message once the screen is closed."""
    show_title: Callable[[str], object] = str
    """Sets the title of the terminal's window."""
    announce: Callable[[StoredReply, str], object] = lambda *_: None
    """Announces the end of a reply, given with the session's title, to a user who looks elsewhere."""
    notifier: Notifier = NO_NOTIFIER
    typed_ahead: str = ""
    """What was typed before the chat could read it."""
    notes: tuple[str, ...] = ()
    """Errors from before the screen was shown."""
    option_sources: OptionSources = NO_SOURCES
    typed_settings: SessionSettings = NO_SETTINGS
    """What the command line sets for the session."""


_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


class ReflectApp(App[None]):
    """Runs one chat."""

    TITLE = "reflect"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = []
    CSS = """
    Screen { background: $r-background; }
    ToastRack { margin: 0 1 4 0; }
    Toast { background: $r-panel; color: $r-text; padding: 0 1; max-width: 60; border-left: outer $r-accent; }
    """

    def __init__(self, chat_config: ChatConfig, *, animation: bool = True) -> None:
        self._chat_config = chat_config._replace(
            write_sequence=self._write_sequence, show_title=self._show_title, announce=self._announce
        )
        register_sequences(chat_config.actions)
        self.typed_ahead = chat_config.typed_ahead
        self.terminal_title = ""
        self._reports_focus = False
        super().__init__(driver_class=TerminalDriver, ansi_color=chat_config.theme.uses_terminal_colors)
        color_filter = chat_config.theme.color_filter
        # Textual has no parameter for it; its own filters, which it keeps here as well, come first.
        self._filters += [color_filter] if color_filter else []
        self.animation_level = "full" if animation else "none"

    def get_default_screen(self) -> Screen[None]:
        return ChatController(self._chat_config)

    def get_css_variables(self) -> dict[str, str]:
        return super().get_css_variables() | self._chat_config.theme.css_variables

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            # If the signal is ignored, as under nohup, the chat outlives its terminal.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._exit_on_signal, 128 + number)

    def _exit_on_signal(self, code: int) -> None:
        """Store the running reply, restore the terminal, and exit with the signal's code."""
        self.exit(return_code=code)

    def _show_title(self, title: str) -> None:
        if title != self.terminal_title and isinstance(self._driver, TerminalDriver):
            self._driver.set_title(title)
        self.terminal_title = title

    def _announce(self, reply: StoredReply, title: str) -> None:
        notifier = self._chat_config.notifier
        sequence = notifier.announce(reply, title, has_focus=self.app_focus, reports_focus=self._reports_focus)
        if sequence:
            self._write_sequence(sequence)

    def on_app_focus(self) -> None:
        self._reports_focus = True

    def on_app_blur(self) -> None:
        self._reports_focus = True

    def on_background_reported(self, event: BackgroundReported) -> None:
        if self._chat_config.theme.take_background(is_dark=event.is_dark):
            self._chat.refresh_theme()

    @property
    def _chat(self) -> ChatController:
        return next(screen for screen in self.screen_stack if isinstance(screen, ChatController))

    @property
    def failure(self) -> Exception | None:
        """The error that broke the chat, for the caller to report."""
        error = self._exception
        return error.error if isinstance(error, WorkerFailed) and isinstance(error.error, Exception) else error

    def _fatal_error(self) -> None:
        # Textual's own method prints a traceback with all local variables, including prompts.
        self._close_messages_no_wait()

    def _write_sequence(self, sequence: str) -> None:
        """Write a control sequence, bypassing the screen."""
        if self._driver:
            self._driver.write(sequence)
            self._driver.flush()

    def copy_to_clipboard(self, text: str) -> None:
        """Copy the selection, also for ctrl+v here; Textual's own method works in too few terminals."""
        self._clipboard = text
        self._chat.run_in_background(partial(self._chat.copy, text, "selection"))
