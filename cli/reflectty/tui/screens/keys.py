"""The list of everything that can be done, with its keys and commands; does none of it."""

from __future__ import annotations

from itertools import chain, groupby, repeat, zip_longest
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from reflectty.drawing.wrap import cells, chop, fold
from reflectty.tui.keys import shown
from reflectty.tui.widgets.field import Field
from reflectty.tui.widgets.listing import Listing, padded, signs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from reflectty.drawing.paint import Row
    from reflectty.tui.keys import Action
    from reflectty.tui.widgets.listing import Pen

WIDE = 100
"""From that many columns on there are two columns of actions."""
SHORT = 16
"""Below this many rows there is no room for blanks and hints."""
HINTS = "type to narrow · ↑ ↓ scroll · esc back"
PLAIN_HINTS = "type to narrow - up down scroll - esc back"
NOTHING = "Nothing matches."
_GAP = 4
_COLUMN = 90
"""A column is never wider, so that what belongs together stays in sight."""
_KEYS = 16
_MARGINS = 5
"""Columns that the padding and the scroll bar take."""


class KeysScreen(ModalScreen[None]):
    """All actions by group; typing narrows them."""

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
        self._words = ""

    def compose(self) -> ComposeResult:
        with Vertical(id="keys"):
            with Horizontal(id="keys-head"):
                yield Static(Content("keys"), id="keys-title")
                yield Field(placeholder="type to narrow")
            yield Listing(signs=signs(unicode=self._unicode), id="keys-list")
            yield Static(Content(NOTHING), id="keys-note")
            yield Static(Content(HINTS if self._unicode else PLAIN_HINTS), id="keys-hints")

    def on_resize(self) -> None:
        self.set_class(self.size.height < SHORT, "-short")
        self._list()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._words = event.value
        self._list()

    def action_scroll(self, by: int) -> None:
        self.query_one(Listing).scroll_relative(y=by, animate=False)

    def action_page(self, pages: int) -> None:
        self.query_one(Listing).page(pages)

    def action_back(self) -> None:
        self.dismiss(None)

    def _list(self) -> None:
        actions = [action for action in self._actions if speaks_of(action, self._words)]
        wide = self.size.width >= WIDE
        width = min(_COLUMN, (self.size.width - _MARGINS - _GAP * wide) // (1 + wide))
        keys = min(_KEYS, width // 3, max((cells(_keys(action) or action.slash) for action in actions), default=0))
        blocks = [_block(tuple(group), keys, width) for _, group in groupby(actions, lambda action: action.group)]
        left, right = halves(blocks) if wide else (_joined(blocks), [])
        pairs = zip_longest(left, right, fillvalue=_BLANK)
        self.query_one(Listing).fill([_Pair(one, other if wide else None, width) for one, other in pairs])
        self.set_class(not actions, "-bare")


def speaks_of(action: Action, words: str) -> bool:
    """Whether every word stands somewhere in what is shown of an action."""
    text = f"{action.group} {action.label} {action.name} {' '.join(map(shown, action.keys))} {action.slash}".lower()
    return all(word in text for word in words.lower().split())


def halves(blocks: Sequence[Sequence[_Line]]) -> tuple[list[_Line], list[_Line]]:
    """Return blocks as two columns, as even as they can be without parting one."""
    splits = [(_joined(blocks[:at]), _joined(blocks[at:])) for at in range(1, len(blocks) + 1)]
    return min(splits, key=lambda columns: max(map(len, columns)), default=([], []))


class _Line(NamedTuple):
    """One line of a column: a heading, or what fits into it of an action; nothing of either is a blank."""

    heading: str = ""
    keys: str = ""
    label: str = ""
    command: str = ""

    def row(self, width: int, pen: Pen) -> Row:
        heading, text = pen.look("dim"), pen.look("text")
        filled = cells(self.heading + self.keys + self.label + self.command)
        row = [(self.heading, heading), (self.keys, pen.look("you")), (self.label, text), (self.command, heading)]
        return [*row, (" " * max(0, width - filled), text)]


_BLANK = _Line()


class _Pair(NamedTuple):
    """A line of each column, or of the only one."""

    left: _Line
    right: _Line | None
    width: int

    @property
    def choosable(self) -> bool:
        return False

    def height(self, width: int) -> int:  # noqa: ARG002 - the same at any
        return 1

    def row(self, at: int, pen: Pen) -> Row:  # noqa: ARG002 - there is one
        left = self.left.row(self.width, pen)
        return left if self.right is None else [*left, (" " * _GAP, pen.look("text")), *self.right.row(self.width, pen)]


def _block(group: Sequence[Action], keys: int, width: int) -> list[_Line]:
    """Return the lines of a group, its name first."""
    return [_Line(heading=group[0].group), *(line for action in group for line in _lines(action, keys, width))]


def _lines(action: Action, keys: int, width: int) -> list[_Line]:
    """Return the lines of an action: what it does beside its keys, and its command behind that or below.

    Where there are no keys, the command stands in their place.
    """
    room = max(1, width - keys - 2)
    labels = [action.label[start:end] for start, end in fold(action.label, room)]
    head, command = _fitting(action, keys), _command(action, room)
    if not action.keys:
        head = _command(action, keys)
        command = "" if head.endswith(action.takes) else action.takes[: chop(action.takes, room)]
    beside = bool(command) and cells(f"{labels[-1]}  {command}") <= room
    texts = [(label, "") for label in labels[:-1]] + [(labels[-1], f"  {command}" if beside else "")]
    if command and not beside:
        texts.append(("", command))
    heads = chain([head], repeat(""))
    return [_Line("", f"{padded(head, keys)}  ", *text) for head, text in zip(heads, texts, strict=False)]


def _joined(blocks: Sequence[Sequence[_Line]]) -> list[_Line]:
    """Return blocks below each other, with a blank line between them."""
    return [line for block in blocks for line in (_BLANK, *block)][1:]


def _keys(action: Action) -> str:
    return " ".join(map(shown, action.keys))


def _fitting(action: Action, width: int) -> str:
    """Return as many of the keys as fit, at least the first as far as it goes."""
    keys = list(action.keys)
    while len(keys) > 1 and cells(" ".join(map(shown, keys))) > width:
        keys.pop()
    text = " ".join(map(shown, keys))
    return text[: chop(text, width)] if text else ""


def _command(action: Action, width: int) -> str:
    """Return the command with what it takes, or without where that is too long."""
    whole = f"{action.slash} {action.takes}".strip() if action.slash else ""
    return whole if cells(whole) <= width else action.slash[: chop(action.slash, width)]
