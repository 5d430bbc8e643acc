"""Actions of a reader: corrections, how thinking is shown, and moving through the transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty import config
from reflectty.errors import UsageError
from reflectty.tui.parts.part import View

if TYPE_CHECKING:
    from reflectty.tui.desk import Desk
    from reflectty.tui.parts.reply import ReplyPart

_ORDER = tuple(View)


class Reading:
    """Each method is the action of its name."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._at: tuple[ReplyPart, int] | None = None

    async def next_correction(self, _: str) -> None:
        self._jump(1)

    async def previous_correction(self, _: str) -> None:
        self._jump(-1)

    def _jump(self, direction: int) -> None:
        """Go to the correction after the last one gone to, or before it; from the end where there was none."""
        transcript = self._desk.transcript
        found = [
            (part, number) for part in self._desk.exchanges.replies for number in range(part.state.measured.corrections)
        ]
        if not found:
            raise UsageError("no reply here has a correction")
        known = self._at in found
        at = found.index(self._at) + direction if known and self._at else (len(found) - 1 if direction < 0 else -1)
        if not known and direction > 0:
            at = next((at for at, (part, _) in enumerate(found) if part is found[-1][0]), 0)
        self._at = found[at % len(found)]
        part, number = self._at
        if not part.is_open:
            transcript.change(part, part.toggle)
        transcript.reveal(part)
        for other in self._desk.exchanges.replies:
            other.marked = -1
        rows = part.corrections
        if rows:
            part.marked = rows[min(number, len(rows) - 1)]
            transcript.reveal(part, part.marked)
            transcript.refresh()

    async def cycle_thinking(self, wanted: str) -> None:
        """Show thinking in the next way, or in the one named; it is remembered."""
        scene = self._desk.transcript.scene
        wanted = wanted.strip()
        if wanted and wanted not in set(View):
            raise UsageError(f"thinking is not shown {wanted!r}", f"there are {', '.join(View)}")
        view = View(wanted) if wanted else _ORDER[(_ORDER.index(scene.view) + 1) % len(_ORDER)]
        for part in self._desk.exchanges.replies:
            part.opened = None
        self._desk.transcript.set_scene(scene._replace(view=view))
        config.remember("thinking", view)
        self._desk.note(f"thinking: {view}")

    async def toggle_thinking(self, _: str) -> None:
        """Open or fold the thinking nearest to what is read."""
        part = self._nearest()
        if part is None:
            raise UsageError("there is no thinking here")
        self.toggle(part)

    def toggle(self, part: ReplyPart) -> None:
        self._desk.transcript.change(part, part.toggle)

    def _nearest(self) -> ReplyPart | None:
        transcript, replies = self._desk.transcript, self._desk.exchanges.replies
        if transcript.follow:
            return replies[-1] if replies else None
        line = transcript.scroll_offset.y
        above = [part for part in replies if 0 <= transcript.top_of(part) <= line + transcript.size.height // 2]
        return above[-1] if above else None

    async def previous_block(self, _: str) -> None:
        self._desk.transcript.block(-1)

    async def next_block(self, _: str) -> None:
        self._desk.transcript.block(1)

    async def page_up(self, _: str) -> None:
        self._desk.transcript.page(-1)

    async def page_down(self, _: str) -> None:
        self._desk.transcript.page(1)

    async def top(self, _: str) -> None:
        self._desk.transcript.to_start()

    async def bottom(self, _: str) -> None:
        self._desk.transcript.to_end()
