"""The help screen: lists all actions with their keys and slash commands."""

from __future__ import annotations

from itertools import chain, groupby, repeat, zip_longest
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from reflectty.tui.keys import format_key
from reflectty.tui.widgets.field import Field
from reflectty.tui.widgets.list import Listing, list_glyphs, pad
from reflectty.view.rows import cell_width, fitting_length, row_spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from reflectty.tui.actions.action import Action
    from reflectty.tui.widgets.list import RowPainter
    from reflectty.view.rows import Row

TWO_COLUMN_WIDTH = 100
"""Minimum columns for two columns of actions."""
SHORT = 16
"""Below this many rows, blank rows and hints are hidden."""
HINTS = "type to filter · ↑ ↓ scroll · esc back"
PLAIN_HINTS = "type to filter - up down scroll - esc back"
NO_MATCH = "No matches."
_GAP = 4
_MAX_COLUMN_WIDTH = 90
"""Maximum width of a column, which keeps keys and labels close together."""
_MAX_KEYS_WIDTH = 16
_MARGINS = 5
"""Columns of the padding and the scroll bar."""


class KeysScreen(ModalScreen[None]):
    """All actions by group; typing filters them."""

    DEFAULT_CSS = """
    KeysScreen, KeysScreen:ansi {
        & > #keys { padding: 1 2; height: 100%; background: $r-panel; color: $r-text; }
        & #keys-head { height: 1; margin: 0 0 1 0; }
        & #keys-title { width: auto; margin: 0 2 0 0; text-style: bold; color: $r-accent; }
        & #keys-note { display: none; color: $r-dim; height: 1fr; }
        & #keys-hints { height: 1; color: $r-faint; margin: 1 0 0 0; }
        &.-short > #keys { padding: 0 2; }
        &.-short #keys-head { margin: 0; }
        &.-short #keys-hints { display: none; }
        &.-bare #keys-note { display: block; }
        &.-bare #keys-list { display: none; }
    }
    KeysScreen:ansi { & #keys-note, & #keys-hints { text-style: dim; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll(-1)", priority=True),
        Binding("down", "scroll(1)", priority=True),
        Binding("pageup", "page(-1)", priority=True),
        Binding("pagedown", "page(1)", priority=True),
        Binding("escape,enter,f1", "back", priority=True),
    ]

    def __init__(self, actions: Sequence[Action], *, unicode: bool = True) -> None:
        super().__init__()
        self._actions = tuple(actions)
        self._unicode = unicode
        self._filter_text = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="keys"):
            with Horizontal(id="keys-head"):
                yield Static(Content("Keyboard shortcuts"), id="keys-title")
                yield Field(placeholder="type to filter")
            yield Listing(glyphs=list_glyphs(unicode=self._unicode), id="keys-list")
            yield Static(Content(NO_MATCH), id="keys-note")
            yield Static(Content(HINTS if self._unicode else PLAIN_HINTS), id="keys-hints")

    def on_resize(self) -> None:
        self.set_class(self.size.height < SHORT, "-short")
        self._fill_list()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._filter_text = event.value
        self._fill_list()

    def action_scroll(self, by: int) -> None:
        self.query_one(Listing).scroll_relative(y=by, animate=False)

    def action_page(self, pages: int) -> None:
        self.query_one(Listing).page(pages)

    def action_back(self) -> None:
        self.dismiss(None)

    def _fill_list(self) -> None:
        actions = [action for action in self._actions if has_words(action, self._filter_text)]
        wide = self.size.width >= TWO_COLUMN_WIDTH
        width = min(_MAX_COLUMN_WIDTH, (self.size.width - _MARGINS - _GAP * wide) // (1 + wide))
        keys = min(
            _MAX_KEYS_WIDTH,
            width // 3,
            max((cell_width(_keys_text_of(action) or action.slash) for action in actions), default=0),
        )
        blocks = [_group_lines(tuple(group), keys, width) for _, group in groupby(actions, lambda action: action.group)]
        left, right = split_columns(blocks) if wide else (_join_blocks(blocks), [])
        pairs = zip_longest(left, right, fillvalue=_BLANK_LINE)
        self.query_one(Listing).fill([_KeyRow(one, other if wide else None, width) for one, other in pairs])
        self.set_class(not actions, "-bare")


def has_words(action: Action, words: str) -> bool:
    """True if the shown text of an action contains every word."""
    text = (
        f"{action.group} {action.label} {action.name} {' '.join(map(format_key, action.keys))} {action.slash}".lower()
    )
    return all(word in text for word in words.lower().split())


def split_columns(blocks: Sequence[Sequence[_KeyLine]]) -> tuple[list[_KeyLine], list[_KeyLine]]:
    """Split blocks into two columns of about the same height, without splitting a block."""
    splits = [(_join_blocks(blocks[:at]), _join_blocks(blocks[at:])) for at in range(1, len(blocks) + 1)]
    return min(splits, key=lambda columns: max(map(len, columns)), default=([], []))


class _KeyLine(NamedTuple):
    """A line of a column: a heading, or a part of an action; empty for a blank line."""

    heading: str = ""
    keys: str = ""
    label: str = ""
    command: str = ""

    def row(self, width: int, painter: RowPainter) -> Row:
        heading, text = painter.style_of("dim"), painter.style_of("text")
        filled = cell_width(self.heading + self.keys + self.label + self.command)
        row = [
            (self.heading, heading),
            (self.keys, painter.style_of("you")),
            (self.label, text),
            (self.command, heading),
        ]
        return [*row, (" " * max(0, width - filled), text)]


_BLANK_LINE = _KeyLine()


class _KeyRow(NamedTuple):
    """A line of each column, or of the only one."""

    left: _KeyLine
    right: _KeyLine | None
    width: int

    @property
    def is_choosable(self) -> bool:
        return False

    def height(self, width: int) -> int:  # noqa: ARG002 - the same at any
        return 1

    def row(self, at: int, painter: RowPainter) -> Row:  # noqa: ARG002 - there is one
        left = self.left.row(self.width, painter)
        return (
            left
            if self.right is None
            else [*left, (" " * _GAP, painter.style_of("text")), *self.right.row(self.width, painter)]
        )


def _group_lines(group: Sequence[Action], keys: int, width: int) -> list[_KeyLine]:
    """The lines of a group, its name first."""
    return [
        _KeyLine(heading=group[0].group),
        *(line for action in group for line in _action_lines(action, keys, width)),
    ]


def _action_lines(action: Action, keys: int, width: int) -> list[_KeyLine]:
    """The lines of an action: its label beside its keys, and its command after that or below.

    Without keys, the command takes their place.
    """
    room = max(1, width - keys - 2)
    labels = [action.label[start:end] for start, end in row_spans(action.label, room)]
    head, command = _fit_keys(action, keys), _command_text_of(action, room)
    if not action.keys:
        head = _command_text_of(action, keys)
        command = "" if head.endswith(action.argument) else action.argument[: fitting_length(action.argument, room)]
    beside = bool(command) and cell_width(f"{labels[-1]}  {command}") <= room
    texts = [(label, "") for label in labels[:-1]] + [(labels[-1], f"  {command}" if beside else "")]
    if command and not beside:
        texts.append(("", command))
    heads = chain([head], repeat(""))
    return [_KeyLine("", f"{pad(head, keys)}  ", *text) for head, text in zip(heads, texts, strict=False)]


def _join_blocks(blocks: Sequence[Sequence[_KeyLine]]) -> list[_KeyLine]:
    """The lines of all blocks, with a blank line between blocks."""
    return [line for block in blocks for line in (_BLANK_LINE, *block)][1:]


def _keys_text_of(action: Action) -> str:
    return " ".join(map(format_key, action.keys))


def _fit_keys(action: Action, width: int) -> str:
    """The keys that fit into a width, at least the first one, truncated."""
    keys = list(action.keys)
    while len(keys) > 1 and cell_width(" ".join(map(format_key, keys))) > width:
        keys.pop()
    text = " ".join(map(format_key, keys))
    return text[: fitting_length(text, width)] if text else ""


def _command_text_of(action: Action, width: int) -> str:
    """The command with its argument, or without it if that is too long."""
    whole = f"{action.slash} {action.argument}".strip() if action.slash else ""
    return whole if cell_width(whole) <= width else action.slash[: fitting_length(action.slash, width)]
