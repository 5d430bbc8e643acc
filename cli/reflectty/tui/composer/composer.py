"""The composer widget and its list of suggestions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding
from textual.content import Content
from textual.geometry import Offset
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widgets import TextArea

from reflectty.core.safety import clean
from reflectty.tui.composer.completion import (
    NO_SUGGESTIONS,
    SlashCommand,
    Suggestion,
    SuggestionList,
    find_mentions,
    find_suggestions,
)
from reflectty.tui.composer.draft import FILL_LIMIT, PasteBuffer, QuestionHistory, normalize_newlines
from reflectty.tui.widgets.list import ListEntry, Listing, pad, truncate
from reflectty.view.rows import cell_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from textual import events
    from textual.document._document import EditResult, Location
    from textual.document._edit import Edit
    from textual.geometry import Size

    from reflectty.tui.widgets.list import RowPainter
    from reflectty.view.rows import Row


MAX_SUGGESTION_ROWS = 8
_GAP = 3
_MIN_HELP_WIDTH = 8


@dataclass(frozen=True, slots=True)
class _SuggestionRow(ListEntry):
    """A suggestion as a row: its label, and its help if there is room."""

    item: Suggestion
    label_width: int

    def rows(self, painter: RowPainter) -> list[Row]:
        room = painter.width - self.label_width - _GAP
        if not self.item.help or room < _MIN_HELP_WIDTH:
            return [[painter.run(truncate(self.item.label, painter.width, painter.glyphs.more))]]
        label = pad(self.item.label, self.label_width + _GAP)
        return [[painter.run(label), painter.run(truncate(self.item.help, room, painter.glyphs.more), "dim")]]


class Suggestions(Listing):
    """Shows `suggested` with one chosen; hidden while empty.

    It overlays what is above the composer, so opening it moves no text. Mount it directly before the composer.
    """

    DEFAULT_CSS = f"""
    Suggestions {{
        overlay: screen;
        display: none;
        width: 1fr;
        height: auto;
        max-height: {MAX_SUGGESTION_ROWS};
        padding: 0 1;
        scrollbar-size-vertical: 0;
        & > .listing--chosen {{ background: $r-panel; }}
    }}
    """
    gutter_width = 2

    suggested: reactive[SuggestionList] = reactive(NO_SUGGESTIONS)

    def marks(self, painter: RowPainter, *, current: bool, chosen: bool) -> Row:  # noqa: ARG002 - none is current
        return [painter.run(f"{self.glyphs.current if chosen else ' '} ", "accent")]

    @property
    def chosen(self) -> int:
        return self.chosen_index or 0

    def watch_suggested(self, suggested: SuggestionList) -> None:
        items = suggested.items
        width = max((cell_width(item.label) for item in items), default=0)
        self.display = bool(items)
        self.styles.offset = Offset(0, -min(len(items), MAX_SUGGESTION_ROWS))
        self.fill([_SuggestionRow(item, width) for item in items])


ComposerState = Literal["quiet", "steering", "gone"]

PLACEHOLDER = "Ask, or / for commands"
MAX_COMPOSER_ROWS = 10
MAX_SCREEN_SHARE = 0.4
_TITLES: dict[ComposerState, str] = {"quiet": "", "steering": "steer", "gone": "no server"}
# Keys of the transcript or the application, or with another meaning here.
_EXCLUDED_KEYS = frozenset(("pageup", "pagedown", "ctrl+c", "ctrl+d", "f6", "f7"))
_BORDER_COLUMNS = 6
_ACCEPT_KEYS = frozenset(("enter", "tab"))


def _editing_bindings_of(bindings: Iterable[object]) -> Iterator[Binding]:
    """The key bindings of a text area, without keys that have another meaning in the chat."""
    for binding in bindings:
        if isinstance(binding, Binding):
            keys = [key for key in binding.key.split(",") if key not in _EXCLUDED_KEYS]
            if keys:
                yield replace(binding, key=",".join(keys))


def _location_of(text: str, index: int) -> Location:
    return text.count("\n", 0, index), index - text.rfind("\n", 0, index) - 1


class Composer(TextArea, inherit_bindings=False):
    """A text area of one to ten rows that posts messages; attributes set what it completes."""

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

    BINDINGS: ClassVar = [*_editing_bindings_of(TextArea.BINDINGS)]

    state: reactive[ComposerState] = reactive("quiet")
    hints: reactive[tuple[str, ...]] = reactive(())
    """Hints in the lower border, most important first."""

    @dataclass
    class Sent(Message):
        """The user sent the text; the composer is empty again."""

        text: str
        """The question, with pasted texts expanded."""
        visible_text: str
        """The text as shown, from which slash commands are parsed."""
        mentioned_files: tuple[Path, ...]
        """The files mentioned in the visible text."""

    class LeaveWanted(Message):
        """The user pressed ctrl+d on an empty composer."""

    def __init__(self, suggestions: Suggestions, folder: Path, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, highlight_cursor_line=False, placeholder=Content(PLACEHOLDER))
        self.match_cursor_bracket = False
        self.folder = folder
        self.commands: Sequence[SlashCommand] = ()
        self.choices: Mapping[str, Sequence[str]] = {}
        self.earlier_questions: Sequence[str] = ()
        self.send_keys: Sequence[str] = ("enter",)
        self.newline_keys: Sequence[str] = ("ctrl+j", "alt+enter", "shift+enter")
        self._suggestions_widget = suggestions
        self._pastes = PasteBuffer()
        self._question_history = QuestionHistory()
        self._untouched_text: str | None = None
        self._dismissed_start = -1

    @property
    def expanded_text(self) -> str:
        """The text with pasted texts expanded."""
        return self._pastes.expand(self.text)

    def fill(self, text: str) -> None:
        """Replace the text by one to edit; undo restores it."""
        self._show_text(self._pastes.insert(text, FILL_LIMIT))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        rows = int(viewport.height * MAX_SCREEN_SHARE) - self.gutter.height
        return max(1, min(rows, MAX_COMPOSER_ROWS, super().get_content_height(container, viewport, width)))

    def render_line(self, y: int) -> Strip:
        # Textual wraps the placeholder even at a width of zero, and fails.
        return super().render_line(y) if self.content_size.width else Strip.blank(0, self.rich_style)

    def load_text(self, text: str) -> None:
        super().load_text(clean(normalize_newlines(text)))

    def edit(self, edit: Edit) -> EditResult:
        """Perform an edit after making the inserted text safe."""
        edit.text = clean(normalize_newlines(edit.text))
        return super().edit(edit)

    def on_mount(self) -> None:
        self.cursor_blink = self.app.animation_level != "none"

    def on_resize(self) -> None:
        self._show_hints()

    def watch_state(self, state: ComposerState) -> None:
        self.set_class(state == "steering", "-steering")
        self.set_class(state == "gone", "-gone")
        self.border_title = Content(_TITLES[state])

    def watch_hints(self) -> None:
        self._show_hints()

    def watch_selection(self) -> None:
        # Every edit sets the selection after the text, so this sees each change of either.
        if self.is_mounted:
            self._suggest()

    def action_cursor_up(self, select: bool = False) -> None:
        if select or not (self._choose(-1) or self._recall_question(1, (0, 0))):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if select or not (self._choose(1) or self._recall_question(-1, self.document.end)):
            super().action_cursor_down(select)

    def action_paste(self) -> None:
        self._paste(self.app.clipboard)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self._paste(event.text)

    async def _on_key(self, event: events.Key) -> None:
        handle = self._handler_for(event.key)
        if handle is not None:
            event.stop()
            handle()
        # A terminal sends the letter with alt+n; it is not input.
        if handle is not None or set(event.key.split("+")[:-1]) - {"shift"}:
            event.prevent_default()

    def _handler_for(self, key: str) -> Callable[[], None] | None:
        if self._suggestions_widget.suggested.items:
            if key in _ACCEPT_KEYS and not (key in self.send_keys and self._is_complete()):
                return self._accept
            if key == "escape":
                return self._dismiss
        if key in self.send_keys:
            return self._send
        if key in self.newline_keys:
            return lambda: self._insert_typed("\n")
        return {"tab": self._suggest_again, "ctrl+d": self._delete_or_leave}.get(key)

    def _send(self) -> None:
        typed = self.text
        if not typed.strip():
            return
        self.post_message(self.Sent(self.expanded_text, typed, find_mentions(typed, self.folder)))
        self._question_history, self._untouched_text = QuestionHistory(), None
        self.load_text("")
        self._pastes.forget()

    def _delete_or_leave(self) -> None:
        if self.text:
            self.action_delete_right()
        else:
            self.post_message(self.LeaveWanted())

    def _insert_typed(self, text: str) -> None:
        if result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)

    def _paste(self, text: str) -> None:
        self._insert_typed(self._pastes.insert(text))

    def _show_text(self, text: str) -> None:
        self._untouched_text = text
        self.replace(text, (0, 0), self.document.end, maintain_selection_offset=False)

    def _delete_via_keyboard(self, start: Location, end: Location) -> EditResult | None:
        (row, left), (last, right) = sorted((start, end))
        if self.selection.is_empty and row == last:
            left, right = self._pastes.widen_to_marks(self.document[row], left, right, self.cursor_location[1])
        return super()._delete_via_keyboard((row, left), (last, right))

    def _recall_question(self, by: int, edge: Location) -> bool:
        """Show an earlier or later question if the cursor is at the edge or the shown text is untouched."""
        if not (self._is_untouched() or self.selection.end == edge):
            return False
        text = self._question_history.step(
            by, self.text, self.earlier_questions, lambda question: self._pastes.insert(question, FILL_LIMIT)
        )
        if text is not None:
            self._show_text(text)
        return text is not None

    def _is_untouched(self) -> bool:
        return self.text == self._untouched_text and self.cursor_location == self.document.end

    def _suggest(self) -> None:
        found = NO_SUGGESTIONS if self._is_untouched() else self._find_suggestions()
        if found.start != self._dismissed_start or not found.items:
            self._dismissed_start = -1
        else:
            found = NO_SUGGESTIONS
        if found != self._suggestions_widget.suggested:
            self._suggestions_widget.suggested = found

    def _find_suggestions(self) -> SuggestionList:
        row, column = self.cursor_location
        cursor = sum(len(line) + 1 for line in self.document.lines[:row]) + column
        return find_suggestions(self.text, cursor, self.commands, self.folder, self.choices)

    def _suggest_again(self) -> None:
        self._dismissed_start, self._untouched_text = -1, None
        self._suggest()

    def _dismiss(self) -> None:
        self._dismissed_start = self._suggestions_widget.suggested.start
        self._suggest()

    def _choose(self, by: int) -> bool:
        items = self._suggestions_widget.suggested.items
        if items:
            self._suggestions_widget.choose((self._suggestions_widget.chosen + by) % len(items))
        return bool(items)

    def _is_complete(self) -> bool:
        start, end, items = self._suggestions_widget.suggested
        return self.text[start:end].rstrip() == items[self._suggestions_widget.chosen].text.rstrip()

    def _accept(self) -> None:
        start, end, items = self._suggestions_widget.suggested
        text = items[self._suggestions_widget.chosen].text
        gap = " " if text.startswith("@") and not text.endswith("/") else ""
        written = self.text
        self.replace(
            text + gap, _location_of(written, start), _location_of(written, end), maintain_selection_offset=False
        )

    def _show_hints(self) -> None:
        hints, room = list(self.hints), self.outer_size.width - _BORDER_COLUMNS
        while hints and Content(" · ".join(hints)).cell_length > room:
            hints.pop()
        self.border_subtitle = Content(" · ".join(hints))
