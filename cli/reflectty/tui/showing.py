"""Shows a reply in the transcript while it comes: the renderer that `asking` speaks to when the screen is the chat."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.reply import Reply
    from reflectty.stream import Event
    from reflectty.tui.parts.reply import ReplyPart
    from reflectty.tui.widgets.transcript import Transcript


class Showing:
    """Draws one reply into its part."""

    def __init__(
        self,
        transcript: Transcript,
        part: ReplyPart,
        note: Callable[[str], None],
        began: Callable[[Reply], None] = lambda _: None,
    ) -> None:
        self.reply: Reply | None = None
        self.part = part
        self._transcript = transcript
        self._note = note
        self._began = began
        self._loop = asyncio.get_running_loop()

    def start(self, reply: Reply) -> None:
        self.reply = reply
        self.part.begin(reply)
        self._began(reply)

    def tick(self, seconds: float) -> None:
        height = self.part.height
        self.part.tick(seconds)
        if self.part.height == height:
            self._transcript.touch_line(self.part)
        else:
            self._transcript.touch(self.part)

    def show(self, event: Event) -> None:
        row = self.part.stable
        self.part.show(event)
        self._transcript.touch(self.part, row)

    def note(self, text: str) -> None:
        if self.reply and text in self.reply.warnings:
            # It stands under the reply.
            return
        # Whoever keeps the exchange says so from the thread in which it writes.
        self._loop.call_soon_threadsafe(self._note, text)

    def end(self, reply: Reply) -> None:
        """Nothing: how it ended is told to the part by whoever asked."""

    def stop(self) -> None:
        """Nothing: the screen stays."""
