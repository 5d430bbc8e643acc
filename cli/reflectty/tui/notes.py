"""Shows notes and refusals in one place, the composer's lower border, each for as long as reading it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.safety import clean_line
from reflectty.view.parts import NotePart, to_chat_wording

if TYPE_CHECKING:
    from textual.timer import Timer

    from reflectty.tui.controller import ChatController

MIN_SECONDS = 3.0
SECONDS_PER_CHARACTER = 0.06
"""Reading takes about 17 characters a second."""


def seconds_for(text: str) -> float:
    """How long a note is shown."""
    return MIN_SECONDS + SECONDS_PER_CHARACTER * len(text)


class Notes:
    """The notes of one chat: a new one replaces the one before, so they never pile up."""

    def __init__(self, controller: ChatController) -> None:
        self._controller = controller
        self._timer: Timer | None = None
        self._long_note: NotePart | None = None
        """The note in the transcript, which is too long for the composer."""

    def show(self, text: str, *, wrong: bool = False) -> None:
        """Show a note; one that is too long for the composer stands in the transcript until the next note or question.

        Args:
            text: the note.
            wrong: whether it is a failure that stays in the transcript.
        """
        controller, text = self._controller, clean_line(to_chat_wording(text))
        self.clear()
        if wrong:
            controller.transcript.add(NotePart(text, wrong=True))
        elif controller.app.screen is not controller:
            controller.notify(text, markup=False, timeout=seconds_for(text))
        elif controller.composer.has_room_for(text):
            controller.composer.note = text
            self._timer = controller.set_timer(seconds_for(text), self.clear)
        else:
            self._long_note = NotePart(text)
            controller.transcript.add(self._long_note)

    def clear(self) -> None:
        """Remove the note."""
        if self._timer:
            self._timer.stop()
        part, self._long_note, self._timer = self._long_note, None, None
        self._controller.composer.note = ""
        if part is not None and part in self._controller.transcript.parts:
            self._controller.transcript.drop(part)
