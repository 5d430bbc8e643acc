"""Actions on the chat and its sessions: help, palette, editor, attachments, quit, open, search, save and rename."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.core.errors import OutputError, UsageError, reason_of
from reflectty.core.safety import clean_line

if TYPE_CHECKING:
    from reflectty.tui.controller import ChatController
    from reflectty.tui.sessions.controller import SessionsController


QUIT_CONFIRM_SECONDS = 2.0


class GeneralActions:
    """Each method performs the action of its name."""

    def __init__(self, controller: ChatController) -> None:
        self._controller = controller
        self._interrupt_time = 0.0

    async def keys(self, _: str) -> None:
        self._controller.dialogs.show_keys(self._controller.actions)

    async def palette(self, _: str) -> None:
        """Offer all actions."""
        controller = self._controller
        rows = [
            (one.name, one.label, one.hint)
            for one in controller.actions
            if one.name not in ("send", "newline", "palette")
        ]
        wanted = await controller.dialogs.choose("Commands", rows, "")
        if wanted:
            await controller.perform(wanted, "")

    async def editor(self, _: str) -> None:
        """Edit the question in the user's editor."""
        from reflectty.system.editor import edit_text

        controller = self._controller
        with controller.screen.app.suspend():
            text = edit_text(controller.composer.expanded_text, os.environ)
        if text is not None:
            controller.composer.fill(text.rstrip("\n"))

    async def attach(self, path: str) -> None:
        """Attach a file or an image to the next question."""
        wanted = path.strip() or await self._controller.dialogs.ask_line("File or image", "")
        if wanted:
            self._controller.attach(wanted)

    async def interrupt(self, _: str) -> None:
        """Copy the selection; else stop the reply; else clear the composer; else leave, on the second press."""
        controller = self._controller
        selected = controller.screen.get_selected_text()
        if selected:
            await controller.copy(selected, "selection")
            controller.screen.clear_selection()
        elif controller.runner.current:
            controller.runner.cancel()
        elif controller.composer.text:
            controller.composer.fill("")
        elif time.monotonic() - self._interrupt_time < QUIT_CONFIRM_SECONDS:
            await self.quit("")
        else:
            self._interrupt_time = time.monotonic()
            key = next((one.hint for one in controller.actions if one.name == "interrupt"), "") or "the same key"
            controller.note(f"press {key} again to quit")

    async def quit(self, _: str) -> None:
        """Leave the chat; stop and store the running reply."""
        await self._controller.turns.stop_all()
        self._controller.screen.app.exit()


class SessionActions:
    """Each method performs the action of its name."""

    def __init__(self, controller: ChatController, sessions_controller: SessionsController) -> None:
        self._controller = controller
        self._sessions_controller = sessions_controller

    async def new(self, _: str) -> None:
        """Begin a session; stop and store the running reply."""
        await self._controller.stop_session()
        self._controller.conversation.close()
        self._controller.show_conversation()

    async def sessions(self, _: str) -> None:
        await self._sessions_controller.toggle()

    async def search(self, words: str) -> None:
        """Open the panel with a search."""
        await self._sessions_controller.search(words.strip())

    async def rename(self, title: str) -> None:
        controller = self._controller
        if controller.conversation.session is None:
            raise UsageError("no session yet: ask a question first")
        wanted = title.strip() or await controller.dialogs.ask_line("Title", controller.conversation.title)
        if wanted:
            controller.conversation.rename(clean_line(wanted, 200))
            controller.refresh_status()

    async def save(self, path: str) -> None:
        """Write the session to a file, whose suffix selects the format."""
        controller = self._controller
        if controller.conversation.session is None:
            raise UsageError("nothing to save yet")
        wanted = path.strip() or await controller.dialogs.ask_line(
            "Save as (.md, .html or .json)", f"{controller.conversation.session.id}.md"
        )
        if wanted:
            controller.note(f"saved as {self._write_file(wanted)}")

    def _write_file(self, name: str) -> Path:
        from reflectty.export import FORMAT_BY_SUFFIX, ExportFormat, export_session

        path = Path(name).expanduser()
        controller, session = self._controller, self._controller.conversation.session
        if session is None:
            raise UsageError("nothing to save yet")
        if path.exists():
            raise UsageError(f"{path} already exists", "choose another name")
        seen = session._replace(leaf=controller.conversation.leaf)
        text = export_session(
            seen,
            controller.conversation.store.turns(session.id),
            FORMAT_BY_SUFFIX.get(path.suffix, ExportFormat.MARKDOWN),
        )
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise OutputError(f"cannot write {path}: {reason_of(error)}") from error
        return path
