"""A menu of the actions whose keys have alt, for terminals that keep alt for themselves or type characters with it."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from reflectty.tui.keys import format_key
from reflectty.tui.layouts import place_of
from reflectty.tui.screens.dialogs import Prompt  # noqa: TID253 - this module waits too
from reflectty.tui.widgets.list import list_glyphs, pad, truncate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from textual import events

    from reflectty.tui.actions.action import Action

_ALT = "alt+"
_MARGINS = 4
_KEY_WIDTH = 3
_MAX_COLUMN_WIDTH = 50


class KeyMenu(Prompt[str | None]):
    """Lists keys without alt and waits for one; returns the name of its action, or None on any other key."""

    def __init__(self, actions: Sequence[Action], *, unicode: bool = True) -> None:
        super().__init__("Press a key, esc cancels", Content(""), unicode=unicode)
        self._more = list_glyphs(unicode=unicode).more
        self._actions = [action for action in actions if _plain_keys_of(action)]
        self._names = {key: action.name for action in self._actions for key in _plain_keys_of(action)}

    def on_resize(self) -> None:
        width = min(_MAX_COLUMN_WIDTH, (self.size.width - _MARGINS) // 2)
        items = [f"{pad(format_key(_plain_keys_of(action)[0]), _KEY_WIDTH)} {action.label}" for action in self._actions]
        half = (len(items) + 1) // 2
        pairs = zip_longest(items[:half], items[half:], fillvalue="")
        rows = ("".join(pad(truncate(item, width - 1, self._more), width) for item in pair) for pair in pairs)
        self.query_one("#ask-hints", Static).update(Content("\n".join(rows)))

    def on_key(self, event: events.Key) -> None:
        event.stop()
        event.prevent_default()
        self.dismiss(self._names.get(place_of(event.key)))


def _plain_keys_of(action: Action) -> tuple[str, ...]:
    """The keys of an action that have alt, without it."""
    return tuple(key.removeprefix(_ALT) for key in action.keys if key.startswith(_ALT))
