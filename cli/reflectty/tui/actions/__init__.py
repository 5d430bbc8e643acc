"""Finds the method that performs an action of the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.tui.actions.general import GeneralActions, SessionActions
from reflectty.tui.actions.reply import CopyActions, ReplyActions
from reflectty.tui.actions.settings import ModelActions, PresetActions, SettingsActions
from reflectty.tui.actions.view import ViewActions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reflectty.tui.controller import ChatController
    from reflectty.tui.sessions.controller import SessionsController


class Actions:
    """Finds actions by name."""

    def __init__(self, controller: ChatController, sessions_controller: SessionsController) -> None:
        choosing, general, keeping = (
            SettingsActions(controller),
            GeneralActions(controller),
            SessionActions(controller, sessions_controller),
        )
        self._model_actions = ModelActions(controller)
        self._groups = (
            *(ReplyActions(controller), ViewActions(controller), CopyActions(controller), keeping),
            *(choosing, PresetActions(controller), self._model_actions, general),
        )

    def find(self, name: str) -> Callable[[str], Awaitable[None]]:
        """The method that performs an action, given the argument typed after the command."""
        method = f"{name}_" if name == "continue" else name
        found: Callable[[str], Awaitable[None]] = next(
            getattr(group, method) for group in self._groups if hasattr(group, method)
        )
        return found

    async def close(self) -> None:
        """Stop the background work of actions."""
        await self._model_actions.close()
