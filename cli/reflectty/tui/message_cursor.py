"""The cursor over the messages of a conversation: copy, edit, regenerate and fold act on the message that it marks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError
from reflectty.view.parts import QuestionPart
from reflectty.view.reply_part import ReplyPart

if TYPE_CHECKING:
    from reflectty.core.session import StoredReply, Turn
    from reflectty.tui.conversation import Conversation
    from reflectty.tui.status import Hints
    from reflectty.tui.turns import TurnQueue
    from reflectty.tui.widgets.transcript import Transcript

    MessagePart = QuestionPart | ReplyPart


class MessageCursor:
    """Chooses one message of the transcript; none is chosen at first.

    Args:
        conversation: the conversation whose messages they are.
        transcript: the widget that shows and marks them.
        turns: the running turn and those that wait.
    """

    def __init__(self, conversation: Conversation, transcript: Transcript, turns: TurnQueue) -> None:
        self._conversation, self._transcript, self._turns = conversation, transcript, turns

    @property
    def message(self) -> MessagePart | None:
        """The chosen message."""
        part = self._transcript.chosen
        return part if isinstance(part, QuestionPart | ReplyPart) else None

    @property
    def _messages(self) -> list[MessagePart]:
        return [part for part in self._transcript.parts if isinstance(part, QuestionPart | ReplyPart)]

    def move(self, direction: int) -> None:
        """Choose the next or the previous message; beyond the last one, leave and follow the end."""
        messages, transcript = self._messages, self._transcript
        at = self._next_position(messages, direction)
        if at >= len(messages):
            self.leave()
            transcript.go_to_end()
        elif at >= 0:
            transcript.choose(messages[at])

    def _next_position(self, messages: list[MessagePart], direction: int) -> int:
        transcript = self._transcript
        found = next((at for at, part in enumerate(messages) if part is self.message), None)
        if found is not None:
            return max(0, found + direction)
        if transcript.follows_end:
            return len(messages) - (direction < 0)
        line = transcript.scroll_offset.y
        if direction > 0:
            return next((at for at, part in enumerate(messages) if transcript.top_of(part) > line), len(messages))
        above = [at for at, part in enumerate(messages) if 0 <= transcript.top_of(part) < line + transcript.size.height]
        return above[-1] if above else -1

    def leave(self) -> None:
        """Choose none."""
        self._transcript.choose(None)

    @property
    def reply_part(self) -> ReplyPart | None:
        """The chosen reply, or the reply to the chosen question."""
        messages = self._messages
        at = next((at for at, part in enumerate(messages) if part is self.message), len(messages))
        return next((part for part in messages[at : at + 2] if isinstance(part, ReplyPart)), None)

    @property
    def reply(self) -> StoredReply:
        """The chosen reply, or the reply to the chosen question, as far as it has come; else the last complete one.

        Raises:
            UsageError: there is none.
        """
        part, current = self.reply_part, self._turns.current
        turn = self._conversation.find_turn(part.turn) if part else self._conversation.last_reply
        said = turn.said if turn else None
        if current and part is current.part:
            said = current.reply_so_far
        if said is None or (self.message and part is None):
            raise UsageError("nothing to copy yet")
        return said

    @property
    def question(self) -> Turn | None:
        """The chosen question, or the question of the chosen reply; None if none is chosen.

        Raises:
            UsageError: the question is not asked yet.
        """
        if self.message is None:
            return None
        messages = self._messages
        at = next(at for at, part in enumerate(messages) if part is self.message)
        asked = next((part for part in reversed(messages[: at + 1]) if isinstance(part, QuestionPart)), None)
        turn = self._conversation.find_turn(asked.turn) if asked else None
        if turn is None:
            raise UsageError("this question is not asked yet")
        return turn

    @property
    def hints(self) -> Hints:
        """The actions on the chosen message, each with a label; none if none is chosen."""
        message = self.message
        if message is None:
            return ()
        idle = self._turns.current is None
        wanted: tuple[tuple[str, str, bool], ...]
        if isinstance(message, QuestionPart):
            wanted = (("copy_answer", "copy", True), ("edit", "edit", True), ("regenerate", "regenerate", idle))
        else:
            thinks = message.has_thinking
            wanted = (
                ("copy_answer", "copy", True),
                ("copy_code", "code", "```" in message.text),
                ("copy_thinking", "thinking", thinks),
                ("toggle_thinking", "fold" if message.is_open else "open", thinks),
                ("regenerate", "regenerate", idle and message.state.is_over),
            )
        return (*((name, label) for name, label, here in wanted if here), ("cancel", "leave"))
