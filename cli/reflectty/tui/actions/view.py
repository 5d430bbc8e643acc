"""Actions on the view: jump to corrections, fold the thinking and move through the transcript."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from reflectty import config
from reflectty.core.errors import UsageError
from reflectty.tui.actions.action import ActionGroup, action
from reflectty.view.parts import QuestionPart, ThinkingView

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.tui.controller import ChatController
    from reflectty.view.reply_part import ReplyPart

    Foldable = TypeVar("Foldable", ReplyPart, QuestionPart)

_VIEW_ORDER = tuple(ThinkingView)


class ThinkingActions(ActionGroup):
    """Actions on the view of the thinking."""

    group = "Thinking"

    def __init__(self, controller: ChatController) -> None:
        super().__init__(controller)
        self._current_correction: tuple[ReplyPart, int] | None = None

    @action("Next correction, or next match", "alt+n", slash="/next correction")
    async def next_correction(self, _: str) -> None:
        self._go(1)

    @action("Previous correction, or previous match", "alt+p", slash="/previous correction")
    async def previous_correction(self, _: str) -> None:
        self._go(-1)

    @action("Probe what a correction is worth", "alt+w", slash="/probe")
    async def probe(self, _: str) -> None:
        """Go on with and without the correction that was jumped to, or one of the chosen or last reply."""
        replies = self._controller.turns.parts.replies
        part, row = self._controller.cursor.reply_part, -1
        if part is None and self._current_correction and self._current_correction[0] in replies:
            part = self._current_correction[0]
        if part:
            row = part.marked_row
        await self._controller.prober.probe(part, row)

    def _go(self, direction: int) -> None:
        """Go to another match while words are marked, else to another correction."""
        if self._controller.finder.is_active:
            self._controller.finder.move(direction)
        else:
            self._jump(direction)

    def _jump(self, direction: int) -> None:
        """Go to the correction after or before the last visited one; initially start at the end."""
        transcript = self._controller.transcript
        for part in self._controller.turns.parts.replies:
            if part.state.has_turns and not part.is_open:
                transcript.change(part, part.toggle)
        found = [
            (part, number) for part in self._controller.turns.parts.replies for number in range(len(part.turning_rows))
        ]
        if not found:
            raise UsageError("no corrections here")
        known = self._current_correction in found
        at = (
            found.index(self._current_correction) + direction
            if known and self._current_correction
            else (len(found) - 1 if direction < 0 else -1)
        )
        if not known and direction > 0:
            at = next((at for at, (part, _) in enumerate(found) if part is found[-1][0]), 0)
        self._current_correction = found[at % len(found)]
        part, number = self._current_correction
        if not part.is_open:
            transcript.change(part, part.toggle)
        transcript.reveal(part)
        for other in self._controller.turns.parts.replies:
            other.marked_row = -1
        rows = part.turning_rows
        if rows:
            transcript.mark_row(part, rows[min(number, len(rows) - 1)])

    @action("Expand or collapse thinking", "alt+o", slash="/expand")
    async def toggle_thinking(self, _: str) -> None:
        """Open or fold the thinking of the chosen message, or that nearest to the view."""
        part = self._controller.cursor.reply_part or self._nearest_reply()
        if part is None:
            raise UsageError("no thinking here")
        self._controller.transcript.change(part, part.toggle)

    @action("Expand or collapse a long question", "alt+i", slash="/pasted")
    async def toggle_question(self, _: str) -> None:
        """Show or hide what is hidden of the question nearest to the view."""
        parts = self._controller.transcript.parts
        part = self._nearest([part for part in parts if isinstance(part, QuestionPart) and part.is_foldable])
        if part is None:
            raise UsageError("no long question here")
        self._controller.transcript.change(part, part.toggle)
        self._controller.transcript.reveal(part)

    def _nearest_reply(self) -> ReplyPart | None:
        return self._nearest(self._controller.turns.parts.replies)

    def _nearest(self, parts: Sequence[Foldable]) -> Foldable | None:
        """The last of these parts that begins above the middle of the view."""
        transcript = self._controller.transcript
        if transcript.follows_end:
            return parts[-1] if parts else None
        line = transcript.scroll_offset.y
        above = [part for part in parts if 0 <= transcript.top_of(part) <= line + transcript.size.height // 2]
        return above[-1] if above else None

    @action("Change how thinking is shown", "alt+t", slash="/thinking", argument="live|peek|folded|off")
    async def cycle_thinking(self, wanted: str) -> None:
        """Show the thinking in the next view, or the named one, and remember it."""
        scene = self._controller.transcript.scene
        wanted = wanted.strip()
        if wanted and wanted not in set(ThinkingView):
            raise UsageError(f"unknown thinking view {wanted!r}", f"choose from {', '.join(ThinkingView)}")
        view = ThinkingView(wanted) if wanted else _VIEW_ORDER[(_VIEW_ORDER.index(scene.view) + 1) % len(_VIEW_ORDER)]
        for part in self._controller.turns.parts.replies:
            part.open_override = None
        self._controller.transcript.set_scene(scene._replace(view=view))
        config.remember_choice("thinking", view)
        self._controller.note(f"thinking: {view}")


class MoveActions(ActionGroup):
    """Actions that move through the transcript."""

    group = "Move"

    @action("Choose the previous message", "alt+up", slash="/previous")
    async def previous_block(self, _: str) -> None:
        self._controller.cursor.move(-1)

    @action("Choose the next message", "alt+down", slash="/next")
    async def next_block(self, _: str) -> None:
        self._controller.cursor.move(1)

    @action("Find in this conversation", "f7", slash="/find", argument="WORDS")
    async def find(self, words: str) -> None:
        """Mark words in the questions, thinking and answers, and go to the last of them."""
        wanted = words.strip() or await self._controller.dialogs.ask_line("Find in this conversation")
        if wanted and wanted.strip():
            self._controller.notes.clear()
            self._controller.finder.begin(wanted)

    @action("Page up", "pageup", slash="/page up", yields=True)
    async def page_up(self, _: str) -> None:
        self._controller.transcript.go_by_page(-1)

    @action("Page down", "pagedown", slash="/page down", yields=True)
    async def page_down(self, _: str) -> None:
        self._controller.transcript.go_by_page(1)

    @action("Go to the first question", "ctrl+home", slash="/top", yields=True)
    async def top(self, _: str) -> None:
        self._controller.transcript.go_to_start()

    @action("Go to the end and follow the reply", "ctrl+end", slash="/bottom", yields=True)
    async def bottom(self, _: str) -> None:
        self._controller.transcript.go_to_end()
