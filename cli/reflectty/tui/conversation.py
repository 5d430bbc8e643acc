"""One session in the chat: its turns, the visible branch, its options, and what to omit when the context overflows."""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from reflectty.chat.context import IMAGE_TOKENS
from reflectty.chat.session_settings import apply_settings
from reflectty.core.errors import StoreError
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.core.session import (
    NO_METRICS,
    NO_SETTINGS,
    SessionSettings,
    branch_to,
    children_by_parent,
    history_of,
    message_of,
    parent_of,
    title_for,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reflectty.chat.request import Question
    from reflectty.core.errors import PromptTooLongError
    from reflectty.core.session import Attachment, ReplyMetrics, Session, Span, StoredReply, Turn
    from reflectty.reasoning.modes import AskOptions
    from reflectty.store import Store


CONTEXT_GROWTH = 2
CHARACTERS_PER_TOKEN = 4


def overflow_choices(before: int, error: PromptTooLongError, context: int) -> list[tuple[str, str, str]]:
    """The choices after an overflow: a value, a label and a detail each.

    Args:
        before: the number of earlier exchanges sent along.
        error: the server's error.
        context: the context length in tokens; 0 if unknown.
    """
    half = (before + 1) // 2
    rows: list[tuple[str, str, str]] = []
    if before > 1:
        rows.append(
            (
                f"leave {half}",
                f"Leave out the oldest {half} of {before} turns",
                "they stay in the session but are not sent",
            )
        )
    if before:
        rows.append((f"leave {before}", "Leave out all earlier turns", "only this question is sent"))
    wanted = _round_up_context(max(_prompt_tokens_of(error), context * CONTEXT_GROWTH)) if error.resizable else 0
    if wanted:
        rows.append((f"context {wanted}", f"Retry with a context of {wanted:,} tokens", "num_ctx: uses more memory"))
    rows.append(("", "Cancel", "the question stays and can be edited"))
    return rows


def _prompt_tokens_of(error: PromptTooLongError) -> int:
    """The number of tokens in the prompt according to the server's error; 0 if it has none."""
    numbers = [int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", str(error))]
    return max(numbers, default=0)


def _round_up_context(tokens: int) -> int:
    """The next power of two that leaves room for a reply."""
    size = 1024
    while tokens and size < tokens * 4 // 3:
        size *= 2
    return size if tokens else 0


class OptionSources(NamedTuple):
    """Where the user set the ask options of this chat, for an error that names one."""

    profile: str = ""
    """The profile that the user named."""
    typed: tuple[tuple[str, str], ...] = ()
    """The options that the user typed, each with what it was typed after, such as `/option`."""


NO_SOURCES = OptionSources()


class ContextUsage(NamedTuple):
    """The tokens that the next question sends before its own."""

    counted: int = 0
    """What the server counted for the last reply and everything before it."""
    estimated: int = 0
    """An estimate for what came after that."""


def estimate_tokens(turn: Turn) -> int:
    """The tokens of a turn whose model reports none, at four characters each."""
    said = turn.said
    if said:
        tokens = said.measured.thinking_tokens + said.measured.answer_tokens
        return tokens or len(said.raw + said.raw_thinking) // CHARACTERS_PER_TOKEN
    files = sum(len(item.content) for item in turn.attachments if item.kind == "file")
    images = sum(item.kind == "image" for item in turn.attachments)
    return (len(turn.text) + files) // CHARACTERS_PER_TOKEN + images * IMAGE_TOKENS


class Conversation:
    """The turns of a session and its visible branch; the first question creates the session.

    Args:
        store: the store of the sessions.
        ask_options: how questions are asked where the session does not say otherwise.
        option_sources: where these options were set.
        typed: what the command line sets, which is kept with each new session.
    """

    def __init__(
        self,
        store: Store,
        ask_options: AskOptions,
        option_sources: OptionSources = NO_SOURCES,
        typed: SessionSettings = NO_SETTINGS,
    ) -> None:
        self.store = store
        self._file_store = store
        self._own_options = ask_options
        """How questions are asked without a profile of the session; its model is the last one used so."""
        self._typed_settings = typed
        self.ask_options = ask_options
        """How questions are asked from here on."""
        self.settings = typed
        """What the user set for this session."""
        self.option_sources = self._own_sources = option_sources
        self.left_out = 0
        """Number of the oldest questions that are not sent any more, with their replies."""
        self.session: Session | None = None
        self.leaf: int | None = None
        self._turns: dict[int, Turn] = {}
        self._known_children: Mapping[int | None, list[Turn]] | None = None

    def open(self, session: Session, leaf: int | None = None) -> None:
        """Continue a stored session on the branch that ends with `leaf`, or on the last visible one."""
        self.session, self.leaf = session, leaf if leaf is not None else session.leaf
        self.left_out = 0
        self.settings = session.settings
        self._turns, self._known_children = {turn.id: turn for turn in self.store.turns(session.id)}, None
        if self.leaf not in self._turns:
            self.leaf = max(self._turns, default=None)
        self.restore_settings(None)

    def close(self) -> None:
        """Leave the session; the next question begins one in the file, even if this one was in memory."""
        self.store = self._file_store
        self.session, self.leaf, self._turns, self._known_children = None, None, {}, None
        self.left_out = 0
        self.settings = self._typed_settings
        self.restore_settings(None)

    @property
    def title(self) -> str:
        return self.session.title if self.session else ""

    @property
    def path(self) -> tuple[Turn, ...]:
        """The turns of the visible branch."""
        return branch_to(self._turns.values(), self.leaf)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All turns of the session, parents first."""
        return tuple(sorted(self._turns.values(), key=lambda turn: turn.id))

    def set_label(self, turn: int, label: str) -> None:
        """Name a turn; an empty label removes the name.

        Raises:
            StoreError: the write failed.
        """
        if self.session:
            self.store.set_label(self.session.id, turn, label)
            self._turns[turn] = self._turns[turn]._replace(label=label)

    def find_turn(self, number: int | None) -> Turn | None:
        return self._turns.get(number) if number is not None else None

    @property
    def last_reply(self) -> Turn | None:
        return next((turn for turn in reversed(self.path) if turn.said), None)

    @property
    def last_question(self) -> Turn | None:
        return next((turn for turn in reversed(self.path) if not turn.said), None)

    @property
    def questions(self) -> tuple[Turn, ...]:
        """The questions of the visible branch."""
        return tuple(turn for turn in self.path if turn.said is None)

    @property
    def numbered_questions(self) -> tuple[str, ...]:
        """The questions of the visible branch, latest first, each as its number and its title."""
        titles = (title_for(one.text, one.attachments, one.pastes) for one in self.questions)
        return tuple(reversed([clean_line(f"{number} {title}") for number, title in enumerate(titles, 1)]))

    # How questions are asked

    def change_ask_options(self, **changes: object) -> None:
        """Change how questions are asked from the next one on; all but the model is kept with the session.

        Raises:
            StoreError: the change could not be stored; it is made all the same.
        """
        values: dict[str, Any] = changes
        self.ask_options = self.ask_options._replace(**values)
        if "model" in values and not self.settings.profile:
            self._own_options = self._own_options._replace(model=values["model"])
        kept: dict[str, Any] = {
            name: str(value or "") for name, value in values.items() if name in {"mode", "effort", "system"}
        }
        kept |= {name: value for name, value in values.items() if name == "options"}
        kept |= {name: value.typed for name, value in values.items() if name == "budget"}
        kept |= {name: str(value) for name, value in values.items() if name == "samples"}
        kept |= {name: "on" if value else "off" for name, value in values.items() if name == "verify"}
        settings = self.settings._replace(**kept)
        self.ask_options = self.ask_options._replace(has_typed_way=bool(settings.effort or settings.budget))
        self._keep(settings)

    def use_profile(self, name: str, ask_options: AskOptions) -> None:
        """Ask as a profile says, in place of everything set for this session before.

        Raises:
            StoreError: the choice could not be stored; it is made all the same.
        """
        self.ask_options, self.option_sources = ask_options, OptionSources(name)
        self._keep(SessionSettings(name))

    def restore_settings(self, profile_options: AskOptions | None) -> None:
        """Ask as the settings of this session say, above its profile if that can be used."""
        settings, model = self.settings, self.session.model if self.session else ""
        if model and not settings.profile:
            self._own_options = self._own_options._replace(model=model)
        base = profile_options or self._own_options
        self.ask_options = apply_settings(base.override(model=model), settings)
        sources = OptionSources(settings.profile) if profile_options else self._own_sources
        typed = {key: f"/option {key}" for key, _ in settings.options or ()}
        self.option_sources = sources._replace(typed=tuple((typed | dict(sources.typed)).items()))

    @property
    def own_model(self) -> str:
        """The model that answers without a profile."""
        return self._own_options.model

    def _keep(self, settings: SessionSettings) -> None:
        if settings == self.settings:
            return
        self.settings = settings
        if self.session:
            self.session = self.session._replace(settings=settings)
            self.store.set_settings(self.session.id, settings)

    # Writing

    def add_question(self, text: str, attachments: tuple[Attachment, ...] = (), pastes: tuple[Span, ...] = ()) -> Turn:
        """Store a question at the end of the branch.

        Raises:
            StoreError: the write failed.
        """
        if self.session is None:
            self.session = self.store.create_session(title_for(text, attachments, pastes), self.settings)
        return self.put(self.store.add_question(self.session.id, self.leaf, text, attachments, pastes))

    def rephrase(
        self, question: Turn, text: str, attachments: tuple[Attachment, ...] = (), pastes: tuple[Span, ...] = ()
    ) -> Turn:
        """Store a question beside another, as a branch.

        Raises:
            StoreError: the write failed.
        """
        if self.session is None:
            return self.add_question(text, attachments, pastes)
        return self.put(self.store.add_question(self.session.id, question.parent, text, attachments, pastes))

    def add_reply(self, question: Turn, reply: StoredReply) -> Turn | None:
        """Store a finished reply at once; None without a session.

        Raises:
            StoreError: the write failed.
        """
        if self.session is None:
            return None
        turn = self.store.add_reply(self.session.id, question.id, reply)
        self.store.finish(turn.id, reply)
        return turn._replace(said=reply)

    def keep_probe(self, question: Turn, probed: Turn, replies: Iterable[StoredReply]) -> bool:
        """Store continuations beside a reply that was probed, and the reply with what was found; the branch stays.

        Returns:
            Whether the session still has the reply, so that a screen can show what was found.

        Raises:
            StoreError: a write failed.
        """
        if self.session is None or probed.id not in self._turns or probed.said is None:
            return False
        leaf = self.leaf
        try:
            for reply in replies:
                turn = self.add_reply(question, reply)
                self._turns |= {turn.id: turn} if turn else {}
            self.store.finish(probed.id, probed.said)
            self._turns[probed.id] = probed
        finally:
            self._known_children = None
            if leaf is not None:
                self.store.set_leaf(self.session.id, leaf)
        return True

    def put(self, turn: Turn) -> Turn:
        """Add or replace a turn that has been stored, and end the visible branch with it."""
        self._turns[turn.id], self._known_children = turn, None
        self.leaf = turn.id
        return turn

    def fall_back_to_memory(self) -> None:
        """Move the session to memory, as its file is no longer writable."""
        self.store = self.store.fall_back_to_memory(self.session.id if self.session else "", self._turns.values())

    def set_leaf(self, leaf: int) -> None:
        """Show another branch.

        Raises:
            StoreError: the choice could not be stored.
        """
        self.leaf = leaf
        if self.session:
            self.store.set_leaf(self.session.id, leaf)

    def rename(self, title: str) -> None:
        """Change the session's title.

        Raises:
            StoreError: the write failed.
        """
        if self.session:
            self.store.rename(self.session.id, title)
            self.session = self.session._replace(title=title)

    # Tokens, and what other chats write

    def usage_at(self, leaf: int | None) -> ContextUsage:
        """The context usage of a branch."""
        turn, estimated = self.find_turn(leaf), 0
        while turn:
            usage = turn.said.measured.usage if turn.said else NO_METRICS.usage
            if usage.prompt_tokens or usage.reply_tokens:
                return ContextUsage(usage.prompt_tokens + usage.reply_tokens, estimated)
            estimated += estimate_tokens(turn)
            turn = self.find_turn(parent_of(turn, self._turns))
        return ContextUsage(0, estimated)

    def reread_replies(self) -> tuple[Turn, ...]:
        """Read again the replies that another chat was writing; return those that have changed.

        Once one has ended, the turns that followed it are known, too.

        Raises:
            StoreError: the session cannot be read.
        """
        streaming = {turn.id: turn for turn in self._turns.values() if turn.is_streaming}
        if self.session is None or not streaming:
            return ()
        stored = {turn.id: turn for turn in self.store.turns(self.session.id)}
        changed = tuple(stored[number] for number, turn in streaming.items() if stored.get(number, turn) != turn)
        self._known_children = None
        self._turns |= {turn.id: turn for turn in changed}
        if not any(turn.is_streaming for turn in stored.values()):
            self._turns |= stored
        return changed

    def reread(self) -> None:
        """Read all turns again, after replies were stored as branches.

        Raises:
            StoreError: the session cannot be read.
        """
        if self.session:
            self._turns, self._known_children = {turn.id: turn for turn in self.store.turns(self.session.id)}, None

    # Branches

    @property
    def _children(self) -> Mapping[int | None, list[Turn]]:
        """The turns below each turn, in order of creation."""
        if self._known_children is None:
            self._known_children = children_by_parent(self._turns.values())
        return self._known_children

    def _siblings_of(self, turn: Turn) -> list[int]:
        """The turns with the same parent, this one included, in order of creation."""
        return [other.id for other in self._children[parent_of(turn, self._children)]]

    def branch_position(self, turn: Turn) -> tuple[int, int]:
        """The number of a turn's branch, and the number of branches there."""
        beside = self._siblings_of(turn)
        return (beside.index(turn.id) + 1 if turn.id in beside else 1, max(1, len(beside)))

    def adjacent_leaf(self, direction: int) -> int | None:
        """The leaf of the previous or next branch at the path's last fork; None if there is none."""
        for turn in reversed(self.path):
            beside = self._siblings_of(turn)
            if len(beside) > 1:
                at = beside.index(turn.id) + direction
                return self._newest_leaf_of(beside[at]) if 0 <= at < len(beside) else None
        return None

    def leaf_through(self, turn: int) -> int:
        """The end of the visible branch if a turn is on it, else of the newest branch through that turn."""
        return self.leaf if self.leaf and turn in {one.id for one in self.path} else self._newest_leaf_of(turn)

    def _newest_leaf_of(self, turn: int) -> int:
        """The newest turn at the end of a branch."""
        while self._children[turn]:
            turn = self._children[turn][-1].id
        return turn

    # Asking

    def build_question(
        self, turn: Turn, *, reply_prefix: str = "", prefix_stats: ReplyMetrics = NO_METRICS
    ) -> Question:
        """The question to ask for a stored question, with its history."""
        from reflectty.chat.request import Question
        from reflectty.reasoning.governor import LoopAction

        message = message_of(turn)
        before = branch_to(self._turns.values(), turn.parent)
        return Question(
            prompt=message.content,
            ask_options=self.ask_options,
            images=message.images,
            history=history_of(before, self.ask_options.model)[2 * self.left_out :],
            reply_prefix=reply_prefix,
            prefix_metrics=prefix_stats,
            default_loop_action=LoopAction.NOTE,
        )

    def apply_overflow_choice(self, choice: str) -> bool:
        """Apply one of the choices after an overflow; False if the question is not to be retried."""
        what, _, number = choice.partition(" ")
        if what == "leave":
            self.left_out += int(number)
        elif what == "context":
            options = self.ask_options.override(options=(("num_ctx", int(number)),)).options
            # A store that fails is reported with the turn.
            with contextlib.suppress(StoreError):
                self.change_ask_options(options=options)
        return bool(what)

    def count_exchanges_before(self, turn: Turn) -> int:
        """The number of earlier exchanges sent along with a question."""
        return len(history_of(branch_to(self._turns.values(), turn.parent))) // 2 - self.left_out
