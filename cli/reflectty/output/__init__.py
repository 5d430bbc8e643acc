"""Output of replies on stdout and stderr: the renderer protocol, its options and their choice."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.core.segments import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.core.segments import Event
    from reflectty.reasoning.reply import Reply
    from reflectty.system.terminal import Terminal


ALL_PARTS = frozenset(Kind)


class OutputForm(Enum):
    """The form in which a reply is written."""

    SHOWN = "shown"
    FINAL = "final"
    JSON = "json"
    JSONL = "jsonl"


if TYPE_CHECKING:
    # Only annotations name it, and making a protocol takes as long as a module.
    class Renderer(Protocol):
        """Draws one reply; called in this order, `note` and `stop` at any time."""

        def start(self, reply: Reply) -> None:
            """Begin: the request for this reply is about to be sent."""
            ...

        def tick(self, seconds: float) -> None:
            """Update the elapsed time; `seconds` since the request was sent."""
            ...

        def show(self, event: Event) -> None:
            """Show a piece of the reply."""
            ...

        def note(self, text: str) -> None:
            """Write a note beside the reply in one line."""
            ...

        def end(self, reply: Reply) -> None:
            """Finish: the reply has ended, complete or cut."""
            ...

        def stop(self) -> None:
            """Leave the terminal in order in any state; harmless if called twice."""
            ...


class SilentRenderer:
    """Shows nothing of a reply, and passes on the notes before it starts.

    Args:
        note: called with each of those notes; by default they are dropped.
    """

    def __init__(self, note: Callable[[str], None] = lambda _: None) -> None:
        self.reply: Reply | None = None
        """The reply, once it is requested."""
        self._note = note

    def start(self, reply: Reply) -> None:
        self.reply = reply

    def tick(self, seconds: float) -> None:
        """Do nothing."""

    def show(self, event: Event) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        if self.reply is None:
            self._note(text)

    def end(self, reply: Reply) -> None:
        """Do nothing: the caller reads the warnings of the reply."""

    def stop(self) -> None:
        """Do nothing."""


class OutputOptions(NamedTuple):
    """What the user wants to see, and how."""

    form: OutputForm = OutputForm.SHOWN
    parts: frozenset[Kind] = ALL_PARTS
    has_chosen_parts: bool = False
    """Whether the user named the parts, so that thinking is shown even if stderr is not a terminal."""
    quiet: bool = False
    hold_until_checked: bool = False
    """Whether nothing may be written before the answer has been checked."""
    reads_thoughts: bool = True
    """Whether second thoughts are marked and counted."""
    has_answer_key: bool = False
    """Whether a key asks for the answer, which a long thinking names."""
    theme: str = "terminal"
    """Folders of the user's own themes, which precede the built-in ones."""


def choose_renderer(terminal: Terminal, look: OutputOptions) -> Renderer:
    """The renderer for people and pipes; `JsonRenderer` is the one for programs."""
    if look.form is OutputForm.SHOWN and (terminal.err.tty or terminal.out.tty or terminal.out.color_count):
        from reflectty.output.choose import terminal_renderer_for

        return terminal_renderer_for(terminal, look)
    from reflectty.output.plain import PlainRenderer

    return PlainRenderer(terminal, look, look.parts)


def write_remark(terminal: Terminal, text: str) -> None:
    """Write one line to stderr; a broken stderr is not worth failing for."""
    terminal.write_stderr(f"reflect: {clean_line(text)}\n")
