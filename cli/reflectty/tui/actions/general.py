"""Actions of the chat as a whole: help, the palette, the editor, attaching, leaving."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reflectty.tui.screens.chat import Chat

TWICE_SECONDS = 2.0


class General:
    """Each method is the action of its name."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._interrupted = 0.0

    async def keys(self, _: str) -> None:
        self._chat.dialogs.keys(self._chat.actions)

    async def palette(self, _: str) -> None:
        """Offer everything that can be done."""
        chat = self._chat
        rows = [
            (one.name, one.label, one.hint) for one in chat.actions if one.name not in ("send", "newline", "palette")
        ]
        wanted = await chat.dialogs.choose("Do", rows, "")
        if wanted:
            await chat.do(wanted)

    async def editor(self, _: str) -> None:
        """Write the question in the user's own editor."""
        from reflectty.tui.editor import edit  # noqa: PLC0415 - only few use it

        chat = self._chat
        with chat.app.suspend():
            text = edit(chat.composer.expanded, os.environ)
        if text is not None:
            chat.composer.fill(text.rstrip("\n"))

    async def attach(self, path: str) -> None:
        """Attach a file or an image to the next question."""
        wanted = path.strip() or await self._chat.dialogs.line("File or image", "")
        if wanted:
            self._chat.attach(wanted)

    async def interrupt(self, _: str) -> None:
        """Copy what is selected; else stop the reply; else empty the composer; else leave, when asked twice."""
        chat = self._chat
        selected = chat.get_selected_text()
        if selected:
            await chat.copy(selected, "the selection")
            chat.clear_selection()
        elif chat.talk.running:
            chat.talk.cancel()
        elif chat.composer.text:
            chat.composer.fill("")
        elif time.monotonic() - self._interrupted < TWICE_SECONDS:
            await self.quit("")
        else:
            self._interrupted = time.monotonic()
            chat.note("once more to leave")

    async def quit(self, _: str) -> None:
        """Leave; a reply that is coming is stopped and kept."""
        await self._chat.exchanges.rest()
        self._chat.app.exit()
