"""Shows the tree of the session on the screen, and does what the user wants of its branches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.core.session import Session, Turn
    from reflectty.tui.controller import ChatController


class TreeController:
    """Opens the tree, and serves it from the conversation and its store."""

    def __init__(self, controller: ChatController) -> None:
        self._controller = controller

    async def open(self) -> None:
        """Show the tree until the user leaves it.

        Raises:
            UsageError: there is no session yet, or a reply is running and another branch was chosen.
        """
        from reflectty.tui.tree.screen import TreeScreen

        controller = self._controller
        title = self._session.display_title
        keys = next(action.keys for action in controller.actions if action.name == "tree")
        choice = await controller.app.push_screen_wait(TreeScreen(title, self, keys, unicode=controller.unicode))
        if choice and choice.action == "open":
            self._show(choice.turn)
        elif choice:
            forked = controller.conversation.store.fork(self._session.id, choice.turn)
            await controller.sessions.open(forked.id, None)
            controller.note(f"this is now a session of its own: {forked.title}")

    @property
    def _session(self) -> Session:
        session = self._controller.conversation.session
        if session is None:
            raise UsageError("no session yet: ask a question first")
        return session

    def _show(self, turn: int) -> None:
        """Show the branch of a turn, and that turn."""
        controller = self._controller
        conversation = controller.conversation
        leaf = conversation.leaf_through(turn)
        if leaf != conversation.leaf:
            controller.turns.require_idle()
            controller.show_branch(leaf)
        part = controller.turns.parts.find(turn)
        if part:
            controller.transcript.reveal(part)

    # What the screen asks for

    def load(self) -> tuple[Sequence[Turn], int | None]:
        conversation = self._controller.conversation
        return conversation.turns, conversation.leaf

    def set_label(self, turn: int, label: str) -> None:
        self._controller.conversation.set_label(turn, label)

    def remove(self, turn: int) -> None:
        """Remove a branch; without any other one, the session."""
        controller, session = self._controller, self._session
        controller.turns.require_idle()
        store = controller.conversation.store
        store.remove_turns(session.id, turn)
        found = store.get(session.id)
        if found and found.leaf is not None:
            controller.show_conversation(found)
        else:
            store.remove(session.id)
            controller.conversation.close()
            controller.show_conversation()
