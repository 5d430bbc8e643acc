"""Actions on sessions: new, list, search, save, rename."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.errors import OutputError, UsageError
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from reflectty.tui.desk import Desk
    from reflectty.tui.screens.panelled import Panelled


class Keeping:
    """Each method is the action of its name."""

    def __init__(self, desk: Desk, shelf: Panelled) -> None:
        self._desk = desk
        self._shelf = shelf

    async def new(self, _: str) -> None:
        """Begin a session; a reply that is coming is stopped and kept."""
        await self._desk.leave_session()
        self._desk.conversation.close()
        self._desk.show_conversation()

    async def sessions(self, _: str) -> None:
        await self._shelf.toggle()

    async def search(self, words: str) -> None:
        """Open the panel with a search."""
        await self._shelf.search(words.strip())

    async def rename(self, title: str) -> None:
        desk = self._desk
        if desk.conversation.session is None:
            raise UsageError("there is no session yet: ask something first")
        wanted = title.strip() or await desk.dialogs.line("Title", desk.conversation.title)
        if wanted:
            desk.conversation.rename(clean_line(wanted, 200))
            desk.changed()

    async def save(self, path: str) -> None:
        """Write the session to a file, whose ending says in which form."""
        desk = self._desk
        if desk.conversation.session is None:
            raise UsageError("there is nothing to save yet")
        wanted = path.strip() or await desk.dialogs.line(
            "Save as (.md, .html or .json)", f"{desk.conversation.session.id}.md"
        )
        if wanted:
            desk.note(f"saved as {self._write(wanted)}")

    def _write(self, name: str) -> Path:
        from reflectty.exporting import SUFFIXES, Format, export  # noqa: PLC0415 - few save anything

        path = Path(name).expanduser()
        desk, session = self._desk, self._desk.conversation.session
        if session is None:
            raise UsageError("there is nothing to save yet")
        if path.exists():
            raise UsageError(f"{path} exists", "choose another name")
        seen = session._replace(leaf=desk.conversation.leaf)
        text = export(seen, desk.conversation.store.turns(session.id), SUFFIXES.get(path.suffix, Format.MARKDOWN))
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise OutputError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from error
        return path
