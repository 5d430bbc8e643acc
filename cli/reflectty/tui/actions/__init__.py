"""All actions of the chat, the user's keys for them, and the methods that perform them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.errors import did_you_mean
from reflectty.tui.actions.action import actions_of
from reflectty.tui.actions.general import COMPOSER_ACTIONS, ChatActions, ComposerActions, SessionActions
from reflectty.tui.actions.reply import CopyActions, ReplyActions
from reflectty.tui.actions.settings import SettingsActions
from reflectty.tui.actions.view import MoveActions, ThinkingActions
from reflectty.tui.keys import format_key, key_error, parse_key

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from reflectty.tui.actions.action import Action
    from reflectty.tui.controller import ChatController

_GROUPS = (
    *(ComposerActions, ReplyActions, ThinkingActions, CopyActions),
    *(SessionActions, SettingsActions, MoveActions, ChatActions),
)
ACTIONS = (*COMPOSER_ACTIONS, *(action for group in _GROUPS for action, _ in actions_of(group)))
"""All actions, in the order of help.

No key is `ctrl+a` or `ctrl+b`, the prefixes of screen and tmux, and none is an editing key of the composer. Digits and
most punctuation with alt stay free: Textual reads them as what a Mac's Option key types.
"""


def bind_actions(overrides: Iterable[tuple[str, tuple[str, ...]]] = ()) -> tuple[Action, ...]:
    """All actions, with the user's keys in place of the defaults.

    Raises:
        UsageError: there is no such action or key, or one key has two actions.
    """
    wanted = {_require_action(name): tuple(parse_key(name, key) for key in keys) for name, keys in overrides}
    actions = tuple(action._replace(keys=wanted.get(action.name, action.keys)) for action in ACTIONS)
    owners: dict[str, str] = {}
    for key, name in ((key, action.name) for action in actions for key in action.keys):
        if owners.setdefault(key, name) != name:
            raise key_error(
                f"{format_key(key)} is assigned to {owners[key]} and {name}",
                'assign another key to one of them, or "" for none',
            )
    return actions


def _require_action(name: str) -> str:
    names = [action.name for action in ACTIONS]
    if name not in names:
        raise key_error(f"unknown action {name!r}", did_you_mean(name, names) or f"choose from {', '.join(names)}")
    return name


def methods_of(controller: ChatController) -> dict[str, Callable[[str], Awaitable[None]]]:
    """The methods that perform the actions, by name; each takes the argument typed after the command."""
    groups = [group(controller) for group in _GROUPS]
    return {action.name: getattr(group, method) for group in groups for action, method in actions_of(type(group))}
