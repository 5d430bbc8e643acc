"""One session as the chat holds it: its turns, the branch that is looked at, and how its next question is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.modes import Mode, Wish
from reflectty.session import NOT_MEASURED, asked, branch, history

if TYPE_CHECKING:
    from reflectty.asking import Question
    from reflectty.chat import Effort, OptionValue
    from reflectty.families import Family
    from reflectty.session import Attachment, Measured, Session, Turn
    from reflectty.store import Store

TITLE = 60


class Manner(NamedTuple):
    """How questions are asked: what the user chose, for this chat and from here on."""

    model: str = ""
    mode: Mode = Mode.AUTO
    effort: Effort | None = None
    family: Family | None = None
    options: tuple[tuple[str, OptionValue], ...] = ()
    system: str = ""
    keep_alive: str = ""
    keep_thinking: str = "auto"
    left_out: int = 0
    """So many of the oldest questions are not sent any more, with their answers."""
    profile: str = ""
    """The profile that was named for it."""
    typed: tuple[tuple[str, str], ...] = ()
    """The options that were typed, each with what they were typed behind: `/option`, say."""


class Conversation:
    """Turns in the store, and which of them are on the screen; a session begins with its first question."""

    def __init__(self, store: Store, manner: Manner) -> None:
        self.store = store
        self._durable = store
        self.manner = manner
        self.session: Session | None = None
        self.leaf: int | None = None
        self._turns: dict[int, Turn] = {}

    def open(self, session: Session, leaf: int | None = None) -> None:
        """Go on with a stored session, on the branch that ends with `leaf` or the one looked at last."""
        self.session, self.leaf = session, leaf if leaf is not None else session.leaf
        self.manner = self.manner._replace(left_out=0, model=session.model or self.manner.model)
        self.reload()

    def close(self) -> None:
        """Leave the session; the next question begins another, which may well be written where this one could not."""
        self.store = self._durable
        self.session, self.leaf, self._turns = None, None, {}
        self.manner = self.manner._replace(left_out=0)

    def reload(self) -> None:
        """Read the turns again, after somebody wrote some."""
        if self.session:
            self._turns = {turn.id: turn for turn in self.store.turns(self.session.id)}
            if self.leaf not in self._turns:
                self.leaf = max(self._turns, default=None)

    @property
    def title(self) -> str:
        return self.session.title if self.session else ""

    @property
    def path(self) -> tuple[Turn, ...]:
        """The turns on the screen."""
        return branch(self._turns.values(), self.leaf)

    def turn(self, number: int | None) -> Turn | None:
        return self._turns.get(number) if number is not None else None

    @property
    def last_reply(self) -> Turn | None:
        return next((turn for turn in reversed(self.path) if turn.said), None)

    @property
    def last_question(self) -> Turn | None:
        return next((turn for turn in reversed(self.path) if not turn.said), None)

    # Writing

    def ask(self, text: str, attachments: tuple[Attachment, ...] = ()) -> Turn:
        """Store a question at the end of the branch.

        Raises:
            StoreError: it could not be written.
        """
        if self.session is None:
            self.session = self.store.begin(title_of(text))
        return self._take(self.store.ask(self.session.id, self.leaf, text, attachments))

    def rephrase(self, question: Turn, text: str, attachments: tuple[Attachment, ...] = ()) -> Turn:
        """Store a question beside another, as a branch.

        Raises:
            StoreError: it could not be written.
        """
        if self.session is None:
            return self.ask(text, attachments)
        return self._take(self.store.ask(self.session.id, question.parent, text, attachments))

    def _take(self, turn: Turn) -> Turn:
        self._turns[turn.id] = turn
        self.leaf = turn.id
        return turn

    def retreat(self) -> None:
        """Keep the session in memory from here on: its file cannot be written any more."""
        self.store = self.store.retreat(self.session.id if self.session else "", self._turns.values())

    def look_at(self, leaf: int) -> None:
        """Show another branch.

        Raises:
            StoreError: that could not be remembered.
        """
        self.leaf = leaf
        if self.session:
            self.store.look_at(self.session.id, leaf)

    def rename(self, title: str) -> None:
        """Give the session another title.

        Raises:
            StoreError: it could not be written.
        """
        if self.session:
            self.store.rename(self.session.id, title)
            self.session = self.session._replace(title=title)

    # Branches

    def beside(self, turn: Turn) -> tuple[Turn, ...]:
        """Return the turns at the same place, this one among them, in the order in which they came."""
        return tuple(other for other in self._turns.values() if other.parent == turn.parent)

    def place(self, turn: Turn) -> tuple[int, int]:
        """Return which of how many branches a turn is."""
        beside = self.beside(turn)
        return ([other.id for other in beside].index(turn.id) + 1 if turn in beside else 1, max(1, len(beside)))

    def neighbour(self, direction: int) -> int | None:
        """Return the leaf of the branch before or after this one, where the path parts last; None where it does not."""
        for turn in reversed(self.path):
            beside = self.beside(turn)
            if len(beside) > 1:
                at = [other.id for other in beside].index(turn.id) + direction
                return self._end_of(beside[at]) if 0 <= at < len(beside) else None
        return None

    def _end_of(self, turn: Turn) -> int:
        """Return the newest turn that follows."""
        children = [other for other in self._turns.values() if other.parent == turn.id]
        return self._end_of(children[-1]) if children else turn.id

    # Asking

    def question(self, turn: Turn, *, so_far: str = "", earlier: Measured = NOT_MEASURED) -> Question:
        """Return what is asked with a stored question, everything before it included."""
        from reflectty.asking import Question  # noqa: PLC0415 - not before the first frame

        message = asked(turn)
        before = branch(self._turns.values(), turn.parent)
        manner = self.manner
        return Question(
            prompt=message.content,
            model=manner.model,
            wish=Wish(manner.mode, manner.effort, manner.family, manner.system),
            images=message.images,
            options=manner.options,
            keep_alive=manner.keep_alive,
            keep_thinking=manner.keep_thinking,
            history=history(before, manner.model)[2 * manner.left_out :],
            so_far=so_far,
            earlier=earlier,
        )

    def exchanges_before(self, turn: Turn) -> int:
        """Return how many questions with answers are sent along with one."""
        return len(history(branch(self._turns.values(), turn.parent))) // 2 - self.manner.left_out


def title_of(text: str) -> str:
    """Return a title for a session that begins with that question: its first words."""
    line = next((line.strip() for line in text.split("\n") if line.strip()), "")
    if len(line) <= TITLE:
        return line
    cut = line[:TITLE].rsplit(" ", 1)[0]
    return f"{cut if len(cut) > TITLE // 2 else line[:TITLE]}…"
