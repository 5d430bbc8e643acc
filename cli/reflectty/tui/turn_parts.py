"""The parts of the transcript that show the turns of the visible branch."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reflectty.view.parts import NotePart, QuestionPart
from reflectty.view.reply_part import ReplyPart, part_of

if TYPE_CHECKING:
    from reflectty.tui.conversation import Conversation
    from reflectty.tui.widgets.transcript import Transcript
    from reflectty.view.parts import Part


class TurnParts:
    """Shows the turns of a conversation in a transcript.

    Args:
        conversation: the session of the turns.
        transcript: the widget that shows them.
    """

    def __init__(self, conversation: Conversation, transcript: Transcript) -> None:
        self._conversation = conversation
        self._transcript = transcript

    def show(self, *, same_session: bool = False) -> None:
        """Show the visible branch from its end; the notes and queued questions of the same session stay."""
        shown = self._transcript.parts if same_session else ()
        notes = (part for part in shown if isinstance(part, NotePart))
        queued = (part for part in shown if _is_queued(part))
        parts: list[Part] = []
        known: frozenset[str] = frozenset()
        for turn in self._conversation.path:
            part = part_of(turn)
            if isinstance(part, ReplyPart) and turn.said:
                part.known_warnings = known
                known |= set(turn.said.warnings)
            part.branch = self._conversation.branch_position(turn)
            parts.append(part)
        last = next((part for part in reversed(parts) if isinstance(part, ReplyPart)), None)
        if last:
            last.is_last = True
        self._transcript.fill([*parts, *notes, *queued])

    def find(self, turn: int | None) -> Part | None:
        found = (part for part in self._transcript.parts if getattr(part, "turn", None) == turn and turn is not None)
        return next(found, None)

    @property
    def replies(self) -> tuple[ReplyPart, ...]:
        return tuple(part for part in self._transcript.parts if isinstance(part, ReplyPart))

    def follow_other_chats(self) -> None:
        """Show what other chats have added to replies that they were writing when this session was read.

        Raises:
            StoreError: the session cannot be read.
        """
        for turn in self._conversation.reread_replies():
            part = self.find(turn.id)
            if isinstance(part, ReplyPart) and turn.said:
                self._transcript.change(part, partial(part.restore, turn.said))

    def add_question(self, part: QuestionPart) -> None:
        self._transcript.add(part)
        self._transcript.go_to_end()

    def mark_asked(self, part: QuestionPart, turn: int) -> None:
        """Show that a question has left the queue."""
        part.turn, part.is_queued = turn, False
        self._transcript.lay_out_part(part)

    def drop(self, part: QuestionPart) -> None:
        """Remove a question that was withdrawn from the queue."""
        self._transcript.drop(part)

    def add_reply(self, question: Part, reply: ReplyPart) -> None:
        """Show a reply directly below its question."""
        said = (turn.said for turn in self._conversation.path if turn.said and turn.id != reply.turn)
        reply.known_warnings = frozenset(text for one in said for text in one.warnings)
        parts = self._transcript.parts
        self._transcript.insert(next(at for at, part in enumerate(parts) if part is question) + 1, reply)
        self._mark_last()

    def drop_after(self, question: Part) -> None:
        """Remove what follows a question, but for queued questions, from the screen and not from the store."""
        parts = self._transcript.parts
        at = next(at for at, part in enumerate(parts) if part is question)
        for part in [part for part in parts[at + 1 :] if not _is_queued(part)]:
            self._transcript.drop(part)

    def mark_branch(self, part: ReplyPart) -> None:
        """Update the branch position that a part shows."""
        turn = self._conversation.find_turn(part.turn)
        position = self._conversation.branch_position(turn) if turn else (1, 1)
        if position != part.branch:
            part.branch = position
            self._transcript.lay_out_part(part)

    def mark_steered(self, *, steered: bool) -> None:
        """Show above the last reply whether its thinking is being edited."""
        if self.replies:
            part = self.replies[-1]
            part.state.is_steered = steered
            if steered:
                part.open_override = True
            self._transcript.lay_out_part(part)
            self._transcript.go_to_end()

    def _mark_last(self) -> None:
        """Show key hints beside the last reply only."""
        replies = self.replies
        for part in replies:
            last = part is replies[-1]
            if part.is_last != last:
                part.is_last = last
                if part.state.is_cut:
                    self._transcript.lay_out_part(part)
                else:
                    self._transcript.refresh_first_row(part)


def _is_queued(part: Part) -> bool:
    return isinstance(part, QuestionPart) and part.is_queued
