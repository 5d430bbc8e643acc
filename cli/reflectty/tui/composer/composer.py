"""The composer widget."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

from textual.binding import Binding
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widgets import TextArea

from reflectty.core.safety import clean
from reflectty.tui.composer.completion import (
    NO_SUGGESTIONS,
    SuggestionList,
    dropped_files,
    find_mentions,
    find_suggestions,
)
from reflectty.tui.composer.draft import DraftSize, QuestionHistory, size_of_files
from reflectty.tui.composer.pastes import Draft, PasteBuffer, normalize_newlines
from reflectty.view.rows import cell_width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from textual import events
    from textual.document._document import EditResult, Location
    from textual.document._edit import Edit
    from textual.geometry import Size

    from reflectty.core.session import Attachment, Span
    from reflectty.tui.composer.completion import SlashCommand, Suggestion
    from reflectty.tui.composer.suggestions import Suggestions


ComposerState = Literal["quiet", "steering", "gone"]

PLACEHOLDER = "Ask, or / for commands"
MAX_COMPOSER_ROWS = 10
MAX_SCREEN_SHARE = 0.4
_TITLES: dict[ComposerState, str] = {"quiet": "", "steering": "steer", "gone": "no server"}
# Keys of the transcript or the application, or with another meaning here.
_EXCLUDED_KEYS = frozenset(("pageup", "pagedown", "ctrl+c", "ctrl+d", "f6", "f7"))
_BORDER_COLUMNS = 6
_EDIT_COMMAND = "/edit "
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
        border-title-color: $r-accent-words;
        border-title-style: bold;
        border-subtitle-color: $r-faint;
        background: $r-background;
        color: $r-text;
        scrollbar-size-vertical: 1;
        scrollbar-color: $r-line;
        scrollbar-background: $r-background;
        &.-steering { border: round $r-accent; }
        &.-noted { border-subtitle-color: $r-text; border-subtitle-style: none; }
        &.-gone { border: round $r-error; border-title-color: $r-error-words; }
        & .text-area--cursor { background: $r-text; color: $r-background; text-style: none; }
        & .text-area--placeholder { color: $r-faint; }
        & .text-area--selection { background: $r-chosen; color: $r-text; }
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
    note: reactive[str] = reactive("")
    """A note in the lower border, in place of the hints."""

    @dataclass
    class Sent(Message):
        """The user sent the text; the composer is empty again."""

        text: str
        """The question, with pasted texts expanded."""
        pastes: tuple[Span, ...]
        """Where the pasted texts stand in it."""
        visible_text: str
        """The text as shown, from which slash commands are parsed."""
        mentioned_files: tuple[Path, ...]
        """The files mentioned in the visible text."""
        images: tuple[Attachment, ...] = ()
        """The pasted images whose marks the text has."""

    class ImageWanted(Message):
        """The user pasted where there is no text to paste: the clipboard may have an image."""

    class WithdrawalWanted(Message):
        """The user wants the last queued question back."""

    class LeaveWanted(Message):
        """The user pressed ctrl+d on an empty composer."""

    def __init__(self, suggestions: Suggestions, folder: Path, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name
        super().__init__(id=id, highlight_cursor_line=False, placeholder=Content(PLACEHOLDER))
        self.match_cursor_bracket = False
        self.folder = folder
        self.commands: Sequence[SlashCommand] = ()
        self.choices: Mapping[str, Sequence[str]] = {}
        self.numbered_questions: Callable[[], Sequence[str]] = tuple
        """The questions of the conversation to edit, latest first, each after its number."""
        self.earlier_questions: Sequence[str] = ()
        """The questions before this run, latest first."""
        self.queued_count = 0
        self.editor_key = ""
        self.send_keys: Sequence[str] = ("enter",)
        self.newline_keys: Sequence[str] = ("ctrl+j", "alt+enter", "shift+enter")
        self._suggestions_widget = suggestions
        self._pastes = PasteBuffer()
        self._sent_drafts: list[Draft] = []
        """What was sent in this run, latest first."""
        self._question_history = QuestionHistory()
        self._untouched_text: str | None = None
        self._dismissed_start = -1
        self._shows_marks = False

    @property
    def expanded_text(self) -> str:
        """The text with pasted texts expanded."""
        return self._pastes.expand(self.text).text

    @property
    def draft_size(self) -> DraftSize:
        """How much the text sends, with its attachments; nothing if it is a command."""
        if self.text.startswith("/") and "\n" not in self.text:
            return DraftSize()
        text, files = self._pastes.size_of(self.text), size_of_files(find_mentions(self.text, self.folder))
        return DraftSize(text.characters + files.characters, text.images + files.images)

    @property
    def is_free(self) -> bool:
        """True unless replacing the text would lose what the user has written."""
        return not self.text or self._is_untouched()

    def fill(self, text: str, pastes: tuple[Span, ...] = (), attachments: tuple[Attachment, ...] = ()) -> None:
        """Replace the text by one to edit; undo restores it."""
        images = tuple(item for item in attachments if item.kind == "image")
        self._show_text(self._pastes.show(Draft(text, pastes, images)))

    def insert_image(self, content: str) -> None:
        """Insert a mark for an image in base64, which is attached on sending."""
        self._insert_typed(f"{self._pastes.paste_image(content)} ")

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        rows = int(viewport.height * MAX_SCREEN_SHARE) - self.gutter.height
        return max(1, min(rows, MAX_COMPOSER_ROWS, super().get_content_height(container, viewport, width)))

    def render_line(self, y: int) -> Strip:
        # Textual wraps the placeholder even at a width of zero, and fails.
        return super().render_line(y) if self.content_size.width else Strip.blank(0, self.rich_style)

    def _recompute_cursor_offset(self) -> None:
        # While Textual undoes an edit, the cursor may stand below the last line, and Textual fails.
        if self.cursor_location[0] < self.document.line_count:
            super()._recompute_cursor_offset()  # type: ignore[no-untyped-call] # Textual gives it no types

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

    def watch_note(self, note: str) -> None:
        self.set_class(bool(note), "-noted")
        self._show_hints()

    def has_room_for(self, note: str) -> bool:
        """Whether a note fits into the lower border."""
        return cell_width(note) <= self.outer_size.width - _BORDER_COLUMNS

    def watch_selection(self) -> None:
        # Every edit sets the selection after the text, so this sees each change of either.
        if self.is_mounted:
            self._suggest()
            if bool(self._pastes.find_mark(self.text, 0)) != self._shows_marks:
                self._show_hints()

    def action_cursor_up(self, select: bool = False) -> None:
        if select or not (self._choose(-1) or self._withdraw() or self._recall_question(1, (0, 0))):
            super().action_cursor_up(select)

    def action_cursor_down(self, select: bool = False) -> None:
        if select or not (self._choose(1) or self._recall_question(-1, self.document.end)):
            super().action_cursor_down(select)

    def action_paste(self) -> None:
        """Paste what was cut or copied in the composer, or else an image of the desktop's clipboard."""
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
        elif await self._edit_by_key(event.key):
            event.stop()
            event.prevent_default()
        # A terminal sends the letter with alt+n; it is not input.
        if handle is not None or set(event.key.split("+")[:-1]) - {"shift"}:
            event.prevent_default()

    async def _edit_by_key(self, key: str) -> bool:
        """Perform the editing action of a key; False if it has none.

        Textual would perform it once the key has bubbled to the application, after letters that arrived with it.
        """
        for binding in self._bindings.key_to_bindings.get(key, ()):
            if await self.app.run_action(binding.action, self):
                return True
        return False

    def _handler_for(self, key: str) -> Callable[[], None] | None:
        if self._suggestions_widget.suggested.items:
            if key in self.send_keys and self._chosen_suggestion.is_whole:
                return self._accept_and_send
            if key in _ACCEPT_KEYS and not (key in self.send_keys and self._is_complete()):
                return self._accept
            if key == "escape":
                return self._dismiss
        if key in self.send_keys:
            return self._send
        if key in self.newline_keys:
            return lambda: self._insert_typed("\n")
        return {"tab": self._open_mark_or_suggest, "ctrl+d": self._delete_or_leave}.get(key)

    def _send(self) -> None:
        typed = self.text
        if not typed.strip():
            return
        draft = self._pastes.expand(typed)
        self.post_message(self.Sent(draft.text, draft.pastes, typed, find_mentions(typed, self.folder), draft.images))
        if self.state != "steering":
            self._sent_drafts = [draft, *(other for other in self._sent_drafts if other.text != draft.text)]
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
        """Insert a pasted text; a path that a dropped file leaves becomes a mention, which undo takes back."""
        if not text:
            self.post_message(self.ImageWanted())
            return
        start = self._cursor_index if self.selection.is_empty else None
        shown = self._pastes.paste(text)
        self._insert_typed(shown)
        before = self.text[:start]
        free = start is not None and self.state != "steering" and not before.startswith("/")
        if free and (not before or before[-1].isspace()) and (mentions := dropped_files(text)):
            self.history.checkpoint()
            self._replace_passage(len(before), len(before) + len(shown), " ".join((*mentions, "")))

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
        text = self._question_history.step(by, self.text, self._earlier_drafts(), self._pastes.show)
        if text is not None:
            self._show_text(text)
        return text is not None

    def _earlier_drafts(self) -> list[Draft]:
        sent = {draft.text for draft in self._sent_drafts}
        return [*self._sent_drafts, *(Draft(text) for text in self.earlier_questions if text not in sent)]

    def _withdraw(self) -> bool:
        """Ask for the last queued question; False if there is none or the composer has something else."""
        wanted = bool(self.queued_count) and not self.text
        if wanted:
            self.post_message(self.WithdrawalWanted())
        return wanted

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
        text, choices = self.text, self.choices
        if text.startswith(_EDIT_COMMAND):
            choices = {**choices, _EDIT_COMMAND.strip("/ "): self.numbered_questions()}
        return find_suggestions(text, self._cursor_index, self.commands, self.folder, choices)

    @property
    def _cursor_index(self) -> int:
        row, column = self.cursor_location
        return sum(len(line) + 1 for line in self.document.lines[:row]) + column

    def _open_mark_or_suggest(self) -> None:
        """Show the text of the mark at the cursor, or the suggestions again."""
        mark = self._pastes.find_mark(self.text, self._cursor_index)
        if mark is None:
            self._suggest_again()
        else:
            self._replace_passage(mark.start(), mark.end(), self._pastes.open(mark[0]))

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

    @property
    def _chosen_suggestion(self) -> Suggestion:
        return self._suggestions_widget.suggested.items[self._suggestions_widget.chosen]

    def _is_complete(self) -> bool:
        start, end, _ = self._suggestions_widget.suggested
        return self.text[start:end].rstrip() == self._chosen_suggestion.text.rstrip()

    def _accept_and_send(self) -> None:
        self._accept()
        self._send()

    def _accept(self) -> None:
        start, end, _ = self._suggestions_widget.suggested
        text = self._chosen_suggestion.text
        gap = " " if text.startswith("@") and not text.endswith("/") else ""
        self._replace_passage(start, end, text + gap)

    def _replace_passage(self, start: int, end: int, text: str) -> None:
        written = self.text
        self.replace(text, _location_of(written, start), _location_of(written, end), maintain_selection_offset=False)

    def _show_hints(self) -> None:
        hints, room = list(self.hints), self.outer_size.width - _BORDER_COLUMNS
        self._shows_marks = bool(self._pastes.find_mark(self.text, 0))
        if self._shows_marks:
            hints[1:1] = filter(None, ("tab open […]", self.editor_key and f"{self.editor_key} edit in full"))
        hints = [self.note] if self.note else hints
        while hints and Content(" · ".join(hints)).cell_length > room:
            hints.pop()
        self.border_subtitle = Content(" · ".join(hints))
