"""Combines the renderers for replies if at least one stream is a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.segments import Kind
from reflectty.output.live import LiveRenderer
from reflectty.output.plain import PlainRenderer
from reflectty.system import theme

if TYPE_CHECKING:
    from reflectty.core.segments import Event
    from reflectty.output import OutputOptions, Renderer
    from reflectty.reasoning.reply import Reply
    from reflectty.system.terminal import Terminal

ANSWER_ONLY = frozenset({Kind.ANSWER})


def terminal_renderer_for(terminal: Terminal, look: OutputOptions) -> Renderer:
    """A renderer that draws on streams that are terminals and writes to pipes and files."""
    draws_answer = terminal.out.tty or bool(terminal.out.color_count)
    draws_thinking = terminal.err.tty and not look.quiet
    loaded = theme.load_theme(look.theme)
    live = LiveRenderer(
        terminal,
        loaded.theme,
        look.parts if draws_answer else look.parts - ANSWER_ONLY,
        thinking=draws_thinking,
        answer=draws_answer,
        quiet=look.quiet,
        reads_thoughts=look.reads_thoughts,
        has_answer_key=look.has_answer_key,
    )
    if loaded.problem:
        live.note(loaded.problem)
    if draws_answer and (draws_thinking or not look.has_chosen_parts):
        return live
    written = look.parts - ANSWER_ONLY if draws_answer else look.parts & ANSWER_ONLY
    return SplitRenderer(live, PlainRenderer(terminal, look, written))


class SplitRenderer:
    """Draws on one stream and writes plain text to the other."""

    def __init__(self, live: LiveRenderer, written: PlainRenderer) -> None:
        self._live = live
        self._plain = written

    def start(self, reply: Reply) -> None:
        self._live.start(reply)
        self._plain.start(reply)

    def tick(self, seconds: float) -> None:
        self._live.tick(seconds)

    def show(self, event: Event) -> None:
        self._live.show(event)
        self._plain.show(event)

    def note(self, text: str) -> None:
        self._live.note(text)

    def end(self, reply: Reply) -> None:
        self._plain.end(reply)
        self._live.end(reply)

    def stop(self) -> None:
        try:
            self._plain.stop()
        finally:
            self._live.stop()
