"""What the chat asks its reader in a screen of its own; each screen is imported when it is first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.tui.leaving import applied, choices

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import App

    from reflectty.errors import PromptTooLongError
    from reflectty.tui.conversation import Manner
    from reflectty.tui.keys import Action


class Dialogs:
    """Asks on the screen of an application; call it from a worker, which waits for the answer."""

    def __init__(self, app: Callable[[], App[None]], *, unicode: bool) -> None:
        self._app = app
        self._unicode = unicode

    async def choose(
        self,
        title: str,
        rows: Sequence[tuple[str, str, str]],
        now: str | None,
        preview: Callable[[str], None] | None = None,
    ) -> str | None:
        """Let the reader choose one of several, each a value, its label and a detail; None when he went back."""
        from reflectty.tui.screens.choice import Choice, Offer  # noqa: PLC0415

        offers = [Offer(value, label, detail, value == now) for value, label, detail in rows]
        return await self._app().push_screen_wait(Choice(title, offers, preview=preview, unicode=self._unicode))

    async def line(self, title: str, default: str = "", placeholder: str = "") -> str | None:
        """Let the reader type a line; None when he went back."""
        from reflectty.tui.screens.question import Line  # noqa: PLC0415

        asked = Line(title, default, placeholder=placeholder, unicode=self._unicode)
        return await self._app().push_screen_wait(asked)

    async def confirm(self, question: str, yes: str, no: str) -> bool:
        """Ask whether something is to be done."""
        from reflectty.tui.screens.question import Confirm  # noqa: PLC0415

        return await self._app().push_screen_wait(Confirm(question, yes, no, unicode=self._unicode))

    def keys(self, actions: Sequence[Action]) -> None:
        """Show all keys and commands."""
        from reflectty.tui.screens.keys import KeysScreen  # noqa: PLC0415

        self._app().push_screen(KeysScreen(actions, unicode=self._unicode))

    async def leave_out(self, before: int, error: PromptTooLongError, context: int, manner: Manner) -> Manner | None:
        """Ask what to leave out of a conversation that does not fit; None when it is not to be asked again.

        Args:
            before: how many questions with answers are sent along.
            error: what the server said.
            context: how many tokens it holds now; 0 when unknown.
            manner: how questions are asked now.
        """
        wanted = await self.choose(f"This does not fit: {error}", choices(before, error, context), None)
        return applied(wanted or "", manner)
