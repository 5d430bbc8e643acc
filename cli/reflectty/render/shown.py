"""Puts together what draws a reply where at least one stream is a terminal; draws nothing itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty import assets, theme
from reflectty.render.live import LiveRenderer
from reflectty.render.plain import PlainRenderer
from reflectty.stream import Kind

if TYPE_CHECKING:
    from reflectty.render import Look, Renderer
    from reflectty.reply import Reply
    from reflectty.stream import Event
    from reflectty.terminal import Terminal

ANSWER = frozenset({Kind.ANSWER})


def shown(terminal: Terminal, look: Look) -> Renderer:
    """Return a renderer: what is a terminal is drawn on, what is a pipe or a file is written to."""
    draws_answer = terminal.out.tty or bool(terminal.out.colours)
    draws_thinking = terminal.err.tty
    loaded = theme.load(look.theme, (*look.theme_folders, assets.folder("themes")))
    live = LiveRenderer(
        terminal,
        loaded.theme,
        look.parts if draws_answer else look.parts - ANSWER,
        thinking=draws_thinking,
        answer=draws_answer,
        quiet=look.quiet,
    )
    if loaded.problem:
        live.note(loaded.problem)
    if draws_answer and (draws_thinking or not look.chosen):
        return live
    written = look.parts - ANSWER if draws_answer else look.parts & ANSWER
    return Beside(live, PlainRenderer(terminal, look, written))


class Beside:
    """A drawing on one stream and plain text on the other."""

    def __init__(self, live: LiveRenderer, written: PlainRenderer) -> None:
        self._live = live
        self._written = written

    def start(self, reply: Reply) -> None:
        self._live.start(reply)
        self._written.start(reply)

    def tick(self, seconds: float) -> None:
        self._live.tick(seconds)

    def show(self, event: Event) -> None:
        self._live.show(event)
        self._written.show(event)

    def note(self, text: str) -> None:
        self._live.note(text)

    def end(self, reply: Reply) -> None:
        self._written.end(reply)
        self._live.end(reply)

    def stop(self) -> None:
        try:
            self._written.stop()
        finally:
            self._live.stop()
