"""Counts how much of the context the next question takes: what the server counted, the running reply, the draft."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.chat.context import IMAGE_TOKENS
from reflectty.tui.conversation import CHARACTERS_PER_TOKEN, ContextUsage

if TYPE_CHECKING:
    from textual.timer import Timer

    from reflectty.tui.controller import ChatController

MIN_ESTIMATED_TOKENS = 500
"""An estimate for a whole context below this is not shown."""
DRAFT_SECONDS = 0.3
"""Seconds between two counts of a draft, so that a key costs nothing."""


class ContextMeter:
    """The context usage of one chat, with an estimate for what no server has counted yet."""

    def __init__(self, controller: ChatController) -> None:
        self._controller = controller
        self._draft_tokens = 0
        self._timer: Timer | None = None

    def note_draft(self) -> None:
        """Count the draft soon, as it has changed."""
        if self._timer is None:
            self._timer = self._controller.set_timer(DRAFT_SECONDS, self._count_draft)

    def _count_draft(self) -> None:
        self._timer = None
        size = self._controller.composer.draft_size
        tokens = size.characters // CHARACTERS_PER_TOKEN + size.images * IMAGE_TOKENS
        if tokens != self._draft_tokens:
            self._draft_tokens = tokens
            self._controller.refresh_status()

    @property
    def usage(self) -> ContextUsage:
        """The usage of the visible branch with the running reply and the draft.

        The template's tokens are not known before the first reply: a short question alone counts for nothing.
        """
        turns, edited = self._controller.turns, self._controller.submissions.edited_question
        leaf, estimated = self._controller.conversation.leaf, 0 if turns.is_steering else self._draft_tokens
        if edited:
            leaf = edited.parent
        elif turns.current:
            leaf = turns.current.request.question.id
            measured = turns.current.part.state.measured
            estimated += measured.thinking_tokens + measured.answer_tokens
        usage = self._controller.conversation.usage_at(leaf)
        usage = usage._replace(estimated=usage.estimated + estimated)
        return usage if usage.counted or usage.estimated >= MIN_ESTIMATED_TOKENS else ContextUsage()
