"""Asks the user through dialogs, each loaded when it is first shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import App

    from reflectty.tui.actions.action import Action


class Dialogs:
    """Asks through dialogs on the application's screen; call it from a worker, which waits for the answer."""

    def __init__(self, app: Callable[[], App[None]], *, unicode: bool) -> None:
        self._app = app
        self._unicode = unicode

    async def choose(
        self,
        title: str,
        rows: Sequence[tuple[str, str, str]],
        current: str | None,
        preview: Callable[[str], None] | None = None,
        groups: Sequence[str] = (),
    ) -> str | None:
        """Let the user choose one of several rows of value, label and detail, in groups; None on cancel."""
        from reflectty.tui.screens.dialogs import Choice, ChoiceItem

        offers = [
            ChoiceItem(value, label, detail, value == current, groups[at] if groups else "")
            for at, (value, label, detail) in enumerate(rows)
        ]
        return await self._app().push_screen_wait(Choice(title, offers, preview=preview, unicode=self._unicode))

    async def ask_line(self, title: str, default: str = "", placeholder: str = "") -> str | None:
        """Let the user type a line; None on cancel."""
        from reflectty.tui.screens.dialogs import LinePrompt

        asked = LinePrompt(title, default, placeholder=placeholder, unicode=self._unicode)
        return await self._app().push_screen_wait(asked)

    async def confirm(self, question: str, yes: str, no: str) -> bool:
        """Ask for confirmation."""
        from reflectty.tui.screens.dialogs import Confirm

        return await self._app().push_screen_wait(Confirm(question, yes, no, unicode=self._unicode))

    async def choose_by_key(self, actions: Sequence[Action]) -> str | None:
        """Let the user press a key that has alt elsewhere; return the name of its action, or None."""
        from reflectty.tui.screens.key_menu import KeyMenu

        return await self._app().push_screen_wait(KeyMenu(actions, unicode=self._unicode))

    def show_keys(self, actions: Sequence[Action], words: str = "") -> None:
        """Show all keys and commands, or those with these words."""
        from reflectty.tui.screens.keys import KeysScreen

        self._app().push_screen(KeysScreen(actions, words, unicode=self._unicode))
