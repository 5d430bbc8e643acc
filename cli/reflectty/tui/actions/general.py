"""Actions on the composer, the sessions and the chat itself."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.config.templates import load_template, template_names
from reflectty.core.errors import OutputError, UsageError, reason_of
from reflectty.core.safety import clean_line
from reflectty.core.templates import INPUT, fields_of, fill_template
from reflectty.core.text import format_bytes
from reflectty.tui.actions.action import Action, ActionGroup, action

if TYPE_CHECKING:
    from reflectty.tui.controller import ChatController


QUIT_CONFIRM_SECONDS = 2.0
RECENT = "Recent"
MAX_RECENT = 3


class ComposerActions(ActionGroup):
    """Actions on the text of the composer."""

    group = "Ask"

    @action("Write in your editor", "ctrl+g", slash="/editor")
    async def editor(self, _: str) -> None:
        """Edit the question in the user's editor."""
        from reflectty.system.editor import edit_text

        controller = self._controller
        before = controller.composer.expanded_text
        with controller.app.suspend():
            text = edit_text(before, os.environ)
        if text is not None and text.rstrip("\n") != before.rstrip("\n"):
            controller.composer.fill(text.rstrip("\n"))

    @action("Attach a file or an image", slash="/attach", argument="PATH")
    async def attach(self, path: str) -> None:
        """Attach a file or an image to the next question."""
        wanted = path.strip() or await self._controller.dialogs.ask_line("File or image", "")
        if wanted:
            self._controller.submissions.attach(wanted)

    @action("Attach the image in the clipboard", "alt+v", slash="/paste")
    async def paste_image(self, _: str) -> None:
        """Attach the image in the clipboard to the next question."""
        from reflectty.system.clipboard_image import read_clipboard_image

        controller = self._controller
        controller.turns.require_no_steering()
        controller.note("reading the clipboard")
        image = await read_clipboard_image()
        controller.composer.insert_image(image)
        controller.note(f"image attached ({format_bytes(len(image) * 3 / 4)})")  # base64 takes four bytes for three

    @action("Start from a template", slash="/template", argument="NAME")
    async def template(self, text: str) -> None:
        """Fill the composer with a template; words after its name are its input, other fields are left to fill."""
        controller = self._controller
        name, _, words = text.strip().partition(" ")
        if not name:
            rows = [(one, one, " ".join(fields_of(load_template(one).text))) for one in template_names()]
            if not rows:
                raise UsageError("no templates yet", "create one with reflect templates edit NAME")
            name = await controller.dialogs.choose("Template", rows, None) or ""
        if name:
            found = load_template(name, "/template")
            left = {field: f"{{{field}}}" for field in fields_of(found.text)} | dict(found.settings.fields)
            controller.composer.fill(fill_template(found.text, left | {INPUT: words}))


COMPOSER_ACTIONS = (
    Action("send", ("enter",), "Send the question", ComposerActions.group),
    Action("newline", ("ctrl+j", "alt+enter", "shift+enter"), "Insert a new line", ComposerActions.group),
)
"""The actions that the composer itself performs."""
EDITING_HELP = tuple(
    Action("", keys, label, "Write and point")
    for keys, label in (
        (("up", "down"), "Recall earlier questions; edit a queued one"),
        (("tab",), "Complete, or open […]"),
        (("@path",), "Attach a file or an image"),
        (("home", "end"), "Start or end of the line"),
        (("ctrl+left", "ctrl+right"), "Previous or next word"),
        (("ctrl+w", "ctrl+u", "ctrl+k"), "Delete word, line before, line after"),
        (("ctrl+z", "ctrl+y"), "Undo, redo"),
        (("ctrl+x", "ctrl+v"), "Cut; paste it, or the image in the clipboard"),
        (("mouse",), "Select; ctrl+c copies the selection"),
        (("click",), "Open a thought, or a long question"),
    )
)
"""What the composer and the mouse do, for help."""


MAX_NAME_LENGTH = 60


def _path_of(name: str) -> Path:
    return Path(name).expanduser().absolute()


def _file_name_for(title: str) -> str:
    """A name that every file system takes: the words of a title, with hyphens."""
    words = "-".join(re.findall(r"\w+", title.lower()))
    return words[:MAX_NAME_LENGTH].rstrip("-") or "session"


class SessionActions(ActionGroup):
    """Actions on the session and on other sessions."""

    group = "Session"

    @action("New session", "ctrl+n", slash="/new", aliases=("/clear",))
    async def new(self, _: str) -> None:
        """Begin a session; stop and store the running reply."""
        await self._controller.stop_session()
        self._controller.conversation.close()
        self._controller.show_conversation()

    @action("Sessions", "ctrl+o", slash="/sessions", aliases=("/resume", "/history"))
    async def sessions(self, _: str) -> None:
        await self._controller.sessions.toggle()

    @action("Search sessions", "ctrl+f", slash="/search", argument="WORDS")
    async def search(self, words: str) -> None:
        """Open the panel with a search."""
        await self._controller.sessions.search(words.strip())

    @action("Tree of versions", "ctrl+t", slash="/tree")
    async def tree(self, _: str) -> None:
        """Show all branches of the session."""
        await self._controller.version_tree.open()

    @action("Save the session to a file", "ctrl+s", slash="/save", argument="PATH", aliases=("/export",))
    async def save(self, path: str) -> None:
        """Write the session to a file, whose suffix selects the format."""
        controller = self._controller
        if controller.conversation.session is None:
            raise UsageError("nothing to save yet")
        wanted = path.strip() or await controller.dialogs.ask_line(
            "Save as (.md, .html or .json)", f"{_file_name_for(controller.conversation.title)}.md"
        )
        target = _path_of(wanted or "")
        if wanted and (
            not target.is_file() or await controller.dialogs.confirm(f"Overwrite {target}?", "overwrite it", "keep it")
        ):
            self._write_file(target)
            controller.note(f"saved as {target}")

    def _write_file(self, path: Path) -> None:
        from reflectty.export import FORMAT_BY_SUFFIX, ExportFormat, export_session

        controller, session = self._controller, self._controller.conversation.session
        if session is None:
            raise UsageError("nothing to save yet")
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

    @action("Rename the session", slash="/title", argument="TEXT", aliases=("/rename",))
    async def rename(self, title: str) -> None:
        controller = self._controller
        if controller.conversation.session is None:
            raise UsageError("no session yet: ask a question first")
        wanted = title.strip() or await controller.dialogs.ask_line("Title", controller.conversation.title)
        if wanted:
            controller.conversation.rename(clean_line(wanted, 200))
            controller.refresh_status()


class ChatActions(ActionGroup):
    """Actions on the chat itself."""

    group = "Chat"

    def __init__(self, controller: ChatController) -> None:
        super().__init__(controller)
        self._interrupt_time = 0.0
        self._recent_names: tuple[str, ...] = ()
        """What was chosen from the palette, latest first."""

    @action(
        "Keyboard shortcuts",
        "f1",
        "ctrl+slash",
        "ctrl+underscore",
        slash="/help",
        argument="WORDS",
        aliases=("/?", "?"),
    )
    async def keys(self, words: str) -> None:
        self._controller.dialogs.show_keys((*self._controller.actions, *EDITING_HELP), words.strip())

    @action("Commands", "ctrl+p", slash="/commands")
    async def palette(self, _: str) -> None:
        """Offer all actions."""
        controller = self._controller
        hidden = {"palette", *(one.name for one in COMPOSER_ACTIONS)}
        offered = {one.name: one for one in controller.actions if one.name not in hidden}
        recent = [offered[name] for name in self._recent_names if name in offered]
        listed = [*recent, *(one for one in offered.values() if one not in recent)]
        rows = [(one.name, one.label, "  ".join(filter(None, (one.key_hint, one.slash)))) for one in listed]
        groups = [RECENT if one in recent else one.group for one in listed]
        wanted = await controller.dialogs.choose("Commands", rows, "", groups=groups)
        if wanted:
            others = [name for name in self._recent_names if name != wanted]
            self._recent_names = (wanted, *others)[:MAX_RECENT]
            controller.action_perform(wanted)

    @action("Keys without alt", "ctrl+l", slash="/keys")
    async def key_menu(self, _: str) -> None:
        """Perform the action of the next key as if it had alt, where a terminal lets no alt through."""
        typed = {one.name for one in COMPOSER_ACTIONS}
        offered = [one for one in self._controller.actions if one.name not in typed]
        wanted = await self._controller.dialogs.choose_by_key(offered)
        if wanted:
            self._controller.action_perform(wanted)

    @action("Copy the selection; stop the reply; twice to quit", "ctrl+c")
    async def interrupt(self, _: str) -> None:
        """Copy the selection; else stop the reply; else clear the composer; else leave, on the second press."""
        controller = self._controller
        selected = controller.get_selected_text()
        if selected:
            await controller.copy(selected, "selection")
            controller.clear_selection()
        elif controller.turns.current:
            controller.turns.stop()
        elif controller.composer.text:
            controller.composer.fill("")
        elif time.monotonic() - self._interrupt_time < QUIT_CONFIRM_SECONDS:
            await self.quit("")
        else:
            self._interrupt_time = time.monotonic()
            key = next((one.hint for one in controller.actions if one.name == "interrupt"), "") or "the same key"
            controller.note(f"press {key} again to quit")

    @action("Quit", "ctrl+q", slash="/quit", aliases=("/bye", "/exit", "/q"))
    async def quit(self, _: str) -> None:
        """Leave the chat; stop and store the running reply."""
        await self._controller.turns.stop_all()
        self._controller.app.exit()
