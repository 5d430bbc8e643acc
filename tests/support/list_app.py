"""A small application around the panel of sessions and the screens with lists, for tests."""

from __future__ import annotations

import asyncio
import unicodedata
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.widgets import Static

from reflectty.core.session import SearchHit, Session
from reflectty.system import assets, theme
from reflectty.tui import theme as chat_theme
from reflectty.tui.sessions.panel import SessionsPanel
from support import app_pilot

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from rich.style import Style
    from textual.app import ComposeResult
    from textual.message import Message
    from textual.pilot import Pilot
    from textual.screen import Screen

DAY = 86_400.0
NOW = 1_795_003_200.0
"""Noon UTC, 18 November 2026."""


class Host(App[None]):
    """An empty chat."""

    CSS = "Screen { background: $r-background; color: $r-text; } #behind { height: 1fr; }"

    def __init__(self, *, shown_theme: str = "ink", ansi: bool | None = None) -> None:
        self.shown_theme = shown_theme
        super().__init__(ansi_color=ansi)
        self.animation_level = "none"
        self.given: list[object] = []

    def get_css_variables(self) -> dict[str, str]:
        colours = chat_theme.css_variables_of(
            theme.load_theme(self.shown_theme, (assets.find_asset_folder("themes"),)).theme
        )
        return super().get_css_variables() | colours

    def compose(self) -> ComposeResult:
        yield Static("what was said before", id="behind")

    def rows(self) -> list[str]:
        """The rows of the screen, without the scroll bar."""
        return ["".join(text for text, _ in row).rstrip(" ▐") for row in self.runs()]

    def runs(self) -> list[list[tuple[str, Style | None]]]:
        """The rows of the screen in pieces with their styles."""
        strips = self.screen._compositor.render_strips()  # noqa: SLF001 - there is no public view of the drawn rows
        return [[(segment.text, segment.style) for segment in strip] for strip in strips]

    def row(self, part: str) -> str:
        """The first row that contains a text."""
        return next(row for row in self.rows() if part in row)

    def style(self, text: str, start: int = 0) -> Style:
        """The style of the first piece that contains a text, from row `start` on."""
        return next(style for row in self.runs()[start:] for piece, style in row if text in piece and style is not None)


class PanelHost(Host):
    """A chat with a panel of sessions that serves the panel's requests from a list and records them."""

    def __init__(self, sessions: Sequence[Session], *, page: int = 50, unicode: bool = True, **looks: Any) -> None:
        super().__init__(**looks)
        self.sessions = list(sessions)
        self.page = page
        self.unicode = unicode
        self.asked: list[Message] = []
        self.offsets: list[int] = []

    def compose(self) -> ComposeResult:
        yield SessionsPanel(unicode=self.unicode, now=lambda: NOW)
        yield from super().compose()

    @property
    def panel(self) -> SessionsPanel:
        return self.query_one(SessionsPanel)

    def on_sessions_panel_page_requested(self, event: SessionsPanel.PageRequested) -> None:
        self.offsets.append(event.offset)
        self.panel.add_sessions(self.sessions[event.offset : event.offset + self.page])

    def on_sessions_panel_searched(self, event: SessionsPanel.Searched) -> None:
        self.asked.append(event)

    def on_sessions_panel_opened(self, event: SessionsPanel.Opened) -> None:
        self.asked.append(event)

    def on_sessions_panel_removed(self, event: SessionsPanel.Removed) -> None:
        self.asked.append(event)

    def on_sessions_panel_renamed(self, event: SessionsPanel.Renamed) -> None:
        self.asked.append(event)

    def on_sessions_panel_closed(self, event: SessionsPanel.Closed) -> None:
        self.asked.append(event)


def session(name: str, title: str, days: float = 0.0) -> Session:
    """A session that was last used a number of days ago."""
    return Session(name, title, NOW - days * DAY, NOW - days * DAY)


SESSIONS = (
    session("larger", "Which is larger, 9.11 or 9.9?"),
    session("mirror", "Mirrored declaration", 0.01),
    session("regex", "Why does my regex backtrack?", 1),
    session("birthday", "Birthday paradox, n = 23", 4),
    session("old", "Rust lifetimes, again", 90),
)


def search_result(
    of: Session, before: str = "", match: str = "number", after: str = "", part: Any = "thinking"
) -> SearchHit:
    return SearchHit(of, 7, part, ((before, False), (match, True), (after, False)))


def using(host: Host, use: Callable[[Pilot[None]], Awaitable[None]], size: tuple[int, int] = (100, 30)) -> None:
    async def run() -> None:
        async with app_pilot.piloted(host, size) as pilot:
            await use(pilot)

    asyncio.run(run())


async def opened(pilot: Pilot[None]) -> None:
    """Slide the panel in, with its first sessions."""
    host = pilot.app
    assert isinstance(host, PanelHost)
    host.panel.slide_in()
    await pilot.pause()
    await pilot.pause()


async def until(pilot: Pilot[None], condition: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    host = pilot.app
    assert isinstance(host, Host)
    await app_pilot.until(pilot, condition, host.rows)


async def searched(pilot: Pilot[None], *results: SearchHit) -> PanelHost:
    """Type words, wait for the search, and show its results."""
    host = pilot.app
    assert isinstance(host, PanelHost)
    await opened(pilot)
    await pilot.press(*"number")
    await until(pilot, lambda: host.asked[-1:] == [SessionsPanel.Searched("number")])
    host.panel.show_hits(results)
    await pilot.pause()
    host.asked.clear()
    return host


async def show_screen(pilot: Pilot[None], screen: Screen[Any]) -> Host:
    """Show a screen; its result is recorded."""
    host = pilot.app
    assert isinstance(host, Host)
    await host.push_screen(screen, host.given.append)
    await pilot.pause()
    return host


async def close_screen(host: Host) -> None:
    """Leave the screen, answered or not, and forget the answer."""
    if len(host.screen_stack) > 1:
        await host.pop_screen()
    host.given.clear()


def controls(rows: Iterable[str]) -> set[str]:
    """The code points in rows that a terminal could obey, or that are invisible."""
    return {char for row in rows for char in row if unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}}
