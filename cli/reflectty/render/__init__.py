"""What draws a reply, and the one place that decides how; rich is imported only where lines are drawn."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from reflectty.stream import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.reply import Reply
    from reflectty.stream import Event
    from reflectty.terminal import Terminal

ALL = frozenset(Kind)


class Form(Enum):
    """The form in which a reply leaves."""

    SHOWN = "shown"
    FINAL = "final"
    JSON = "json"
    JSONL = "jsonl"


class Renderer(Protocol):
    """Draws one reply; called in this order, `note` and `stop` at any time."""

    def start(self, reply: Reply) -> None:
        """Begin: the request for this reply is about to be sent."""
        ...

    def tick(self, seconds: float) -> None:
        """Say that time passes; `seconds` since the request was sent."""
        ...

    def show(self, event: Event) -> None:
        """Show a piece of the reply."""
        ...

    def note(self, text: str) -> None:
        """Say something beside the reply in one line."""
        ...

    def end(self, reply: Reply) -> None:
        """Finish: nothing more will come, be the reply complete or cut."""
        ...

    def stop(self) -> None:
        """Leave the terminal in order, whatever was going on; harmless when called twice."""
        ...


class Look(NamedTuple):
    """What the user wants to see, and how."""

    form: Form = Form.SHOWN
    parts: frozenset[Kind] = ALL
    chosen: bool = False
    """Whether the parts were named, so that thinking is shown even where stderr is no terminal."""
    quiet: bool = False
    whole: bool = False
    """Whether nothing may be written before the answer has been checked."""
    theme: str = "terminal"
    theme_folders: tuple[Path, ...] = ()
    """Where the user's own themes are, before those that come with the program."""


def choose(terminal: Terminal, look: Look) -> Renderer:
    """Return the renderer for a terminal and a wish."""
    if look.form in (Form.JSON, Form.JSONL):
        from reflectty.render.json import JsonRenderer  # noqa: PLC0415 - each form loads only itself

        return JsonRenderer(terminal, lines=look.form is Form.JSONL, quiet=look.quiet)
    if look.form is Form.SHOWN and (terminal.err.tty or terminal.out.tty or terminal.out.colours):
        from reflectty.render.shown import shown  # noqa: PLC0415 - the only one that needs rich

        return shown(terminal, look)
    from reflectty.render.plain import PlainRenderer  # noqa: PLC0415 - each form loads only itself

    return PlainRenderer(terminal, look, look.parts)
