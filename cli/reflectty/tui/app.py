"""The application: colours, signals and the one screen of the chat; leaves the terminal as it found it."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, ClassVar

from textual.app import App
from textual.worker import WorkerFailed

from reflectty.tui.driver import Driver
from reflectty.tui.keys import teach
from reflectty.tui.screens.chat import Chat

if TYPE_CHECKING:
    from textual.screen import Screen

    from reflectty.tui.setup import Setup

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

    def __init__(self, setup: Setup, *, animation: bool = True) -> None:
        self._setup = setup._replace(write=self._write)
        teach(setup.actions)
        super().__init__(driver_class=Driver, ansi_color=setup.looks.native)
        self.animation_level = "full" if animation else "none"

    def get_default_screen(self) -> Screen[None]:
        return Chat(self._setup)

    def get_css_variables(self) -> dict[str, str]:
        return super().get_css_variables() | self._setup.looks.variables

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for name in _SIGNALS:
            number = getattr(signal, name, None)
            # A chat that is to outlive its terminal, as under nohup, goes on.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._leave, 128 + number)

    def _leave(self, code: int) -> None:
        """Keep what has come of a reply, restore the terminal, and end with the signal's code."""
        self.exit(return_code=code)

    @property
    def failure(self) -> Exception | None:
        """What broke the chat, for whoever runs it to say; None while nothing did."""
        error = self._exception
        return error.error if isinstance(error, WorkerFailed) and isinstance(error.error, Exception) else error

    def _fatal_error(self) -> None:
        # Textual's own prints a traceback with all local variables, what was asked among them.
        self._close_messages_no_wait()

    def _write(self, sequence: str) -> None:
        """Write a control sequence of ours past the screen."""
        if self._driver:
            self._driver.write(sequence)
            self._driver.flush()

    def copy_to_clipboard(self, text: str) -> None:
        """Copy what was selected; Textual's own way reaches too few terminals."""
        chat = next(screen for screen in self.screen_stack if isinstance(screen, Chat))
        self.run_worker(chat.desk.copy(text, "the selection"))
