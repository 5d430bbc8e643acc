"""The composer: the framed field in which a question is written; knows no engine and sends nothing itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import TextArea

from reflectty.safety import clean
from reflectty.tui.completing import NOTHING, Command, Suggested, mentions, suggestions
from reflectty.tui.pasting import FILLED, Pastes, newlines
from reflectty.tui.recalling import Recall

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from textual import events
    from textual.document._document import EditResult, Location
    from textual.document._edit import Edit
    from textual.geometry import Size

    from reflectty.tui.widgets.suggestions import Suggestions

State = Literal["quiet", "steering", "gone"]

PLACEHOLDER = "Ask, or / for commands"
MOST_ROWS = 10
MOST_OF_SCREEN = 0.4
_TITLES: dict[State, str] = {"quiet": "", "steering": "steer", "gone": "no server"}
# What belongs to the transcript, to the application, or means something else here.
_NOT_EDITING = frozenset(("pageup", "pagedown", "ctrl+c", "ctrl+d", "f6", "f7"))
_CORNERS = 6
_ACCEPT = frozenset(("enter", "tab"))


def _editing(bindings: Iterable[object]) -> Iterator[Binding]:
    """Return the keys of a text area without those that have another meaning in the chat."""
    for binding in bindings:
        if isinstance(binding, Binding):
            keys = [key for key in binding.key.split(",") if key not in _NOT_EDITING]
            if keys:
                yield replace(binding, key=",".join(keys))


def _place(text: str, index: int) -> Location:
    return text.count("\n", 0, index), index - text.rfind("\n", 0, index) - 1


class Composer(TextArea, inherit_bindings=False):
    """One row that grows to ten; what is asked for goes up as messages, what can be meant comes down as attributes."""

    DEFAULT_CSS = """
    Composer, Composer:focus {
        height: auto;
        padding: 0 1;
        border: round $r-line;
        border-title-color: $r-accent;
        border-subtitle-color: $r-faint;
        background: $r-background;
        color: $r-text;
        scrollbar-size-vertical: 1;
        scrollbar-color: $r-line;
        scrollbar-background: $r-background;
        &.-steering { border: round $r-accent; }
        &.-gone { border: round $r-error; border-title-color: $r-error; }
        & .text-area--cursor { background: $r-text; color: $r-background; text-style: none; }
        & .text-area--placeholder { color: $r-faint; }
        & .text-area--selection { background: $r-line; color: $r-text; }
    }
    Composer:ansi {
        border-subtitle-style: dim;
        & .text-area--cursor { background: ansi_default; color: ansi_default; text-style: reverse; }
        & .text-area--placeholder { color: ansi_default; text-style: dim; }
        & .text-area--selection { background: ansi_default; color: ansi_default; text-style: reverse; }
    }
    """

    BINDINGS: ClassVar = [*_editing(TextArea.BINDINGS)]

    state: reactive[State] = reactive("quiet")
    hints: reactive[tuple[str, ...]] = reactive(())
    """What is said in the lower border, the most important first."""

    @dataclass
    class Sent(Message):
        """The user asks; the composer is empty again."""

        text: str
        """The question, with what was pasted."""
        typed: str
        """The same as it was shown, in which a command can be looked for."""
        mentioned: tuple[Path, ...]
        """The files that were named in what was shown."""

    class LeaveWanted(Message):
        """The user pressed ctrl+d on an empty composer."""

    def __init__(self, suggestions: Suggestions, folder: Path, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, highlight_cursor_line=False, placeholder=Content(PLACEHOLDER))
        self.match_cursor_bracket = False
        self.folder = folder
        self.commands: Sequence[Command] = ()
        self.choices: Mapping[str, Sequence[str]] = {}
        self.earlier: Sequence[str] = ()
        self.send_keys: Sequence[str] = ("enter",)
        self.newline_keys: Sequence[str] = ("ctrl+j", "alt+enter", "shift+enter")
        self._list = suggestions
        self._pastes = Pastes()
        self._recall = Recall()
        self._untouched: str | None = None
        self._dismissed = -1

    @property
    def expanded(self) -> str:
        """The text with what was pasted."""
        return self._pastes.expanded(self.text)

    def fill(self, text: str) -> None:
        """Put a text in place of what is written, to be edited; it can be undone."""
        self._show(self._pastes.put(text, FILLED))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        rows = int(viewport.height * MOST_OF_SCREEN) - self.gutter.height
        return max(1, min(rows, MOST_ROWS, super().get_content_height(container, viewport, width)))

    def load_text(self, text: str) -> None:
        super().load_text(clean(newlines(text)))

    def edit(self, edit: Edit) -> EditResult:
        """Perform an edit; whatever is put in is made safe first."""
        edit.text = clean(newlines(edit.text))
        return super().edit(edit)

    def on_mount(self) -> None:
        self.cursor_blink = self.app.animation_level != "none"

    def on_resize(self) -> None:
        self._say_hints()

    def watch_state(self, state: State) -> None:
        self.set_class(state == "steering", "-steering")
        self.set_class(state == "gone", "-gone")
        self.border_title = Content(_TITLES[state])

    def watch_hints(self) -> None:
        self._say_hints()

    def watch_selection(self) -> None:
        # Every edit sets the selection after the text, so this sees each change of either.
        if self.is_mounted:
            self._suggest()

    def action_cursor_up(self, select: bool = False) -> None:
        if select or not (self._choose(-1) or self._recalled(1, (0, 0))):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if select or not (self._choose(1) or self._recalled(-1, self.document.end)):
            super().action_cursor_down(select)

    def action_paste(self) -> None:
        self._paste(self.app.clipboard)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self._paste(event.text)

    async def _on_key(self, event: events.Key) -> None:
        handle = self._meaning(event.key)
        if handle is not None:
            event.stop()
            handle()
        # A terminal sends alt+n with the letter, which is not meant to be written.
        if handle is not None or set(event.key.split("+")[:-1]) - {"shift"}:
            event.prevent_default()

    def _meaning(self, key: str) -> Callable[[], None] | None:
        if self._list.suggested.items:
            if key in _ACCEPT and not (key in self.send_keys and self._is_complete()):
                return self._accept
            if key == "escape":
                return self._dismiss
        if key in self.send_keys:
            return self._send
        if key in self.newline_keys:
            return lambda: self._write("\n")
        return {"tab": self._suggest_again, "ctrl+d": self._leave}.get(key)

    def _send(self) -> None:
        typed = self.text
        if not typed.strip():
            return
        self.post_message(self.Sent(self.expanded, typed, mentions(typed, self.folder)))
        self._recall, self._untouched = Recall(), None
        self.load_text("")
        self._pastes.forget()

    def _leave(self) -> None:
        if self.text:
            self.action_delete_right()
        else:
            self.post_message(self.LeaveWanted())

    def _write(self, text: str) -> None:
        if result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)

    def _paste(self, text: str) -> None:
        self._write(self._pastes.put(text))

    def _show(self, text: str) -> None:
        self._untouched = text
        self.replace(text, (0, 0), self.document.end, maintain_selection_offset=False)

    def _delete_via_keyboard(self, start: Location, end: Location) -> EditResult | None:
        (row, left), (last, right) = sorted((start, end))
        if self.selection.is_empty and row == last:
            left, right = self._pastes.whole(self.document[row], left, right, self.cursor_location[1])
        return super()._delete_via_keyboard((row, left), (last, right))

    def _recalled(self, by: int, edge: Location) -> bool:
        """Show the question before or after, if the cursor cannot go further that way or nothing was done to it."""
        if not (self._is_untouched() or self.selection.end == edge):
            return False
        text = self._recall.step(by, self.text, self.earlier, lambda question: self._pastes.put(question, FILLED))
        if text is not None:
            self._show(text)
        return text is not None

    def _is_untouched(self) -> bool:
        return self.text == self._untouched and self.cursor_location == self.document.end

    def _suggest(self) -> None:
        found = NOTHING if self._is_untouched() else self._suggestions()
        if found.start != self._dismissed or not found.items:
            self._dismissed = -1
        else:
            found = NOTHING
        if found != self._list.suggested:
            self._list.suggested, self._list.chosen = found, 0

    def _suggestions(self) -> Suggested:
        row, column = self.cursor_location
        cursor = sum(len(line) + 1 for line in self.document.lines[:row]) + column
        return suggestions(self.text, cursor, self.commands, self.folder, self.choices)

    def _suggest_again(self) -> None:
        self._dismissed, self._untouched = -1, None
        self._suggest()

    def _dismiss(self) -> None:
        self._dismissed = self._list.suggested.start
        self._suggest()

    def _choose(self, by: int) -> bool:
        items = self._list.suggested.items
        if items:
            self._list.chosen = (self._list.chosen + by) % len(items)
        return bool(items)

    def _is_complete(self) -> bool:
        start, end, items = self._list.suggested
        return self.text[start:end].rstrip() == items[self._list.chosen].text.rstrip()

    def _accept(self) -> None:
        start, end, items = self._list.suggested
        text = items[self._list.chosen].text
        gap = " " if text.startswith("@") and not text.endswith("/") else ""
        written = self.text
        self.replace(text + gap, _place(written, start), _place(written, end), maintain_selection_offset=False)

    def _say_hints(self) -> None:
        hints, room = list(self.hints), self.outer_size.width - _CORNERS
        while hints and Content(" · ".join(hints)).cell_length > room:
            hints.pop()
        self.border_subtitle = Content(" · ".join(hints))
