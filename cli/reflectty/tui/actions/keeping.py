"""Actions on sessions: new, list, search, save, rename."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.errors import OutputError, UsageError
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from reflectty.tui.screens.chat import Chat


class Keeping:
    """Each method is the action of its name."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    async def new(self, _: str) -> None:
        """Begin a session; a reply that is coming is stopped and kept."""
        await self._chat.leave_session()
        self._chat.conversation.close()
        self._chat.show_conversation()

    async def sessions(self, _: str) -> None:
        await self._chat.shelf.toggle()

    async def search(self, words: str) -> None:
        """Open the panel with a search."""
        await self._chat.shelf.search(words.strip())

    async def rename(self, title: str) -> None:
        chat = self._chat
        if chat.conversation.session is None:
            raise UsageError("there is no session yet: ask something first")
        wanted = title.strip() or await chat.dialogs.line("Title", chat.conversation.title)
        if wanted:
            chat.conversation.rename(clean_line(wanted, 200))
            chat.changed()

    async def save(self, path: str) -> None:
        """Write the session to a file, whose ending says in which form."""
        chat = self._chat
        if chat.conversation.session is None:
            raise UsageError("there is nothing to save yet")
        wanted = path.strip() or await chat.dialogs.line(
            "Save as (.md, .html or .json)", f"{chat.conversation.session.id}.md"
        )
        if wanted:
            chat.note(f"saved as {self._write(wanted)}")

    def _write(self, name: str) -> Path:
        from reflectty.exporting import SUFFIXES, Format, export  # noqa: PLC0415 - few save anything

        path = Path(name).expanduser()
        chat, session = self._chat, self._chat.conversation.session
        if session is None:
            raise UsageError("there is nothing to save yet")
        if path.exists():
            raise UsageError(f"{path} exists", "choose another name")
        seen = session._replace(leaf=chat.conversation.leaf)
        text = export(seen, chat.conversation.store.turns(session.id), SUFFIXES.get(path.suffix, Format.MARKDOWN))
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise OutputError(f"cannot write {path}: {(error.strerror or str(error)).lower()}") from error
        return path
