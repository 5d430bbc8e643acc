"""Reads what the user sends, with its attachments, and performs its commands; puts into the composer what is edited."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.core.errors import ReflecttyError
from reflectty.tui import slash
from reflectty.tui.composer.completion import missing_mentions
from reflectty.tui.composer.draft import load_attachment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.core.session import Attachment, Turn
    from reflectty.tui.composer.composer import Composer
    from reflectty.tui.controller import ChatController


class Submissions:
    """What is sent from the composer of one chat, and what comes with it."""

    def __init__(self, controller: ChatController) -> None:
        self._controller = controller
        self.edited_question: Turn | None = None
        """The question that the user is rephrasing."""

    def accept(self, event: Composer.Sent) -> tuple[Attachment, ...] | None:
        """Perform a command, or read the attachments of a question; None if there is nothing to ask.

        A text that is refused returns to the composer.
        """
        controller = self._controller
        controller.notes.clear()
        try:
            if self._perform_command(event):
                return None
            attachments = self._load_attachments(event)
        except ReflecttyError as error:
            controller.report_error(error)
            controller.composer.fill(event.text, event.pastes, event.images)
            return None
        controller.cursor.leave()
        controller.finder.end()
        return attachments

    def _perform_command(self, event: Composer.Sent) -> bool:
        """Perform a slash command; False if the text is none, as while a question is edited."""
        actions = self._controller.actions
        command = None if self.edited_question else slash.parse_command(event.visible_text, actions)
        if command:
            command = slash.parse_command(event.text, actions) or command
            self._controller.action_perform(command.name, command.argument)
        return command is not None

    def _load_attachments(self, event: Composer.Sent) -> tuple[Attachment, ...]:
        """What is attached to the text; a file that is not there is noted."""
        controller = self._controller
        files = tuple(load_attachment(path, controller.note) for path in event.mentioned_files)
        for name in missing_mentions(event.visible_text, controller.composer.folder):
            controller.note(f"no file {name}: sent as text")
        return (*files, *event.images)

    def end_editing(self, text: str, attachments: tuple[Attachment, ...]) -> tuple[Turn | None, tuple[Attachment, ...]]:
        """The question that was being edited, if any, and its attachments after its new text."""
        editing, self.edited_question = self.edited_question, None
        names = {item.name for item in attachments}
        kept = tuple(_still_attached(editing, text, names)) if editing else ()
        return editing, (*kept, *attachments)

    def begin_editing(self, question: Turn) -> None:
        """Open a question in the composer."""
        controller = self._controller
        self.edited_question = question
        controller.cursor.leave()
        controller.composer.fill(question.text, question.pastes, question.attachments)
        part = controller.turns.parts.find(question.id)
        if part:
            controller.transcript.reveal(part)
        controller.refresh_status()

    def cancel_editing(self) -> None:
        self.edited_question = None
        self._controller.composer.fill("")
        self._controller.refresh_status()

    def attach(self, name: str) -> None:
        """Mention a file in the question, which attaches it on sending.

        Raises:
            UsageError: it cannot be attached.
        """
        path = Path(name).expanduser()
        load_attachment(path, self._controller.note)
        self._controller.composer.insert(f'@"{path}" ')


def _still_attached(question: Turn, text: str, found: set[str]) -> Iterable[Attachment]:
    """The attachments of a question that its new text keeps: those it still names, and those it never named."""
    for item in question.attachments:
        if item.name not in found and (item.name in text or item.name not in question.text):
            yield item
