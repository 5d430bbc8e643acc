"""A small application around the composer, for tests."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from textual import events
from textual.app import App
from textual.widgets import Static

from reflectty.system import assets, theme
from reflectty.tui import theme as chat_theme
from reflectty.tui.composer.completion import SlashCommand
from reflectty.tui.composer.composer import Composer
from reflectty.tui.composer.suggestions import Suggestions
from support.app_pilot import piloted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from textual.app import ComposeResult
    from textual.pilot import Pilot

Result = TypeVar("Result")

COMMANDS = (
    SlashCommand("model", "NAME", "choose a model"),
    SlashCommand("mode", "auto|direct", "how it reflects"),
    SlashCommand("new", "", "begin a session"),
)


class Host(App[None]):
    """Records the composer's messages, and the keys that it leaves to others."""

    CSS = "#above { height: 1fr; } #below { height: 1; }"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        self.sent: list[Composer.Sent] = []
        self.leaves = 0
        self.pressed: list[str] = []

    def get_css_variables(self) -> dict[str, str]:
        colours = chat_theme.css_variables_of(theme.load_theme("ink", (assets.find_asset_folder("themes"),)).theme)
        return super().get_css_variables() | colours

    def compose(self) -> ComposeResult:
        yield Static("above", id="above")
        suggestions = Suggestions()
        yield suggestions
        composer = Composer(suggestions, self.folder)
        composer.commands = COMMANDS
        composer.choices = {"model": ("mini", "qwen3:8b")}
        yield composer
        yield Static("below", id="below")

    def on_mount(self) -> None:
        self.composer.focus()
        for key in ("escape", "tab", "pageup", "pagedown", "ctrl+home", "ctrl+end", "alt+n"):
            self.bind(key, f"note('{key}')")

    def action_note(self, key: str) -> None:
        self.pressed.append(key)

    def on_composer_sent(self, sent: Composer.Sent) -> None:
        self.sent.append(sent)

    def on_composer_leave_wanted(self) -> None:
        self.leaves += 1

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def offered(self) -> list[str]:
        return [item.label for item in self.query_one(Suggestions).suggested.items]

    def rows(self) -> list[str]:
        """The rows of the screen as text."""
        return [strip.text for strip in self.screen._compositor.render_strips()]  # noqa: SLF001 - there is no public view of the drawn rows


def composing(
    folder: Path, use: Callable[[Host, Pilot[None]], Awaitable[Result]], size: tuple[int, int] = (60, 24)
) -> Result:
    """Run the application without a terminal and return the result of the test."""

    async def run() -> Result:
        host = Host(folder)
        async with piloted(host, size) as pilot:
            await pilot.pause()
            return await use(host, pilot)

    return asyncio.run(run())


async def write(pilot: Pilot[None], text: str) -> None:
    """Press the keys that write a text."""
    await pilot.press(
        *({"/": "slash", "@": "at", " ": "space", "\n": "ctrl+j", ".": "full_stop"}.get(c, c) for c in text)
    )
    await pilot.pause()


async def paste(host: Host, pilot: Pilot[None], text: str) -> None:
    """Paste as a terminal does."""
    host.composer.post_message(events.Paste(text))
    await pilot.pause()
