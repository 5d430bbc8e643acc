"""Actions of the chat as a whole: help, the palette, the editor, attaching, leaving."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reflectty.tui.desk import Desk

TWICE_SECONDS = 2.0


class General:
    """Each method is the action of its name."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._interrupted = 0.0

    async def keys(self, _: str) -> None:
        self._desk.dialogs.keys(self._desk.actions)

    async def palette(self, _: str) -> None:
        """Offer everything that can be done."""
        desk = self._desk
        rows = [
            (one.name, one.label, one.hint) for one in desk.actions if one.name not in ("send", "newline", "palette")
        ]
        wanted = await desk.dialogs.choose("Do", rows, "")
        if wanted:
            await desk.do(wanted, "")

    async def editor(self, _: str) -> None:
        """Write the question in the user's own editor."""
        from reflectty.editor import edit  # noqa: PLC0415 - only few use it

        desk = self._desk
        with desk.screen.app.suspend():
            text = edit(desk.composer.expanded, os.environ)
        if text is not None:
            desk.composer.fill(text.rstrip("\n"))

    async def attach(self, path: str) -> None:
        """Attach a file or an image to the next question."""
        wanted = path.strip() or await self._desk.dialogs.line("File or image", "")
        if wanted:
            self._desk.attach(wanted)

    async def interrupt(self, _: str) -> None:
        """Copy what is selected; else stop the reply; else empty the composer; else leave, when asked twice."""
        desk = self._desk
        selected = desk.screen.get_selected_text()
        if selected:
            await desk.copy(selected, "the selection")
            desk.screen.clear_selection()
        elif desk.talk.running:
            desk.talk.cancel()
        elif desk.composer.text:
            desk.composer.fill("")
        elif time.monotonic() - self._interrupted < TWICE_SECONDS:
            await self.quit("")
        else:
            self._interrupted = time.monotonic()
            desk.note("once more to leave")

    async def quit(self, _: str) -> None:
        """Leave; a reply that is coming is stopped and kept."""
        await self._desk.exchanges.rest()
        self._desk.screen.app.exit()
