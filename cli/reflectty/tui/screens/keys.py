"""The help screen: lists all actions with their keys and slash commands."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, groupby, repeat, zip_longest
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding

from reflectty.core.named_tuple import NamedTuple
from reflectty.tui.keys import format_key
from reflectty.tui.screens.list_screen import ListScreen
from reflectty.tui.widgets.field import Field
from reflectty.tui.widgets.list import ListEntry, pad
from reflectty.view.rows import cell_width, fitting_length, row_spans

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from textual.binding import BindingType
    from textual.widget import Widget

    from reflectty.tui.actions.action import Action
    from reflectty.tui.widgets.list import RowPainter
    from reflectty.view.rows import Row

TWO_COLUMN_WIDTH = 100
"""Minimum columns for two columns of actions."""
_GAP = 4
_MAX_COLUMN_WIDTH = 90
"""Maximum width of a column, which keeps keys and labels close together."""
_MAX_KEYS_WIDTH = 14
_MARGINS = 5
"""Columns of the padding and the scroll bar."""


class KeysScreen(ListScreen[None]):
    """All actions by group; typing filters them."""

    DEFAULT_CSS = "KeysScreen, KeysScreen:ansi { & .list-note { height: 1fr; } }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f1", "back", priority=True)]

    def __init__(self, actions: Sequence[Action], words: str = "", *, unicode: bool = True) -> None:
        scroll = "↑ ↓" if unicode else "up down"
        super().__init__("Keyboard shortcuts", f"type to filter · {scroll} scroll · esc back", unicode=unicode)
        self._actions = tuple(actions)
        self._words = words

    def head_widgets(self) -> Iterator[Widget]:
        yield Field(self._words, "type to filter")

    def on_resize(self) -> None:
        self.fill_list()

    def fill_list(self) -> None:
        actions = [action for action in self._actions if has_words(action, self.filter_text)]
        wide = self.size.width >= TWO_COLUMN_WIDTH
        width = min(_MAX_COLUMN_WIDTH, (self.size.width - _MARGINS - _GAP * wide) // (1 + wide))
        widest = max((cell_width(_keys_text_of(action) or action.slash) for action in actions), default=0)
        keys = min(_MAX_KEYS_WIDTH, width // 3, widest)
        blocks = [_group_lines(tuple(group), keys, width) for _, group in groupby(actions, lambda action: action.group)]
        left, right = split_columns(blocks) if wide else (_join_blocks(blocks), [])
        pairs = zip_longest(left, right, fillvalue=_BLANK_LINE)
        self.show_entries([_KeyRow(one, other, width) for one, other in pairs])


def has_words(action: Action, words: str) -> bool:
    """True if the shown text of an action contains every word."""
    commands, keys = " ".join((action.slash, *action.aliases)), " ".join(map(format_key, action.keys))
    text = f"{action.group} {action.label} {action.name} {keys} {commands}".lower()
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
        texts, roles = (self.heading, self.keys, self.label, self.command), ("dim", "you", "text", "dim")
        return [*map(painter.run, texts, roles), painter.run(" " * max(0, width - cell_width("".join(texts))))]


_BLANK_LINE = _KeyLine()


@dataclass(frozen=True, slots=True)
class _KeyRow(ListEntry):
    """A line of each column; the right one is blank if there is only one column."""

    left: _KeyLine
    right: _KeyLine
    width: int

    is_choosable = False

    def rows(self, painter: RowPainter) -> list[Row]:
        left, right = (line.row(self.width, painter) for line in (self.left, self.right))
        return [[*left, painter.run(" " * _GAP), *right]]


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
