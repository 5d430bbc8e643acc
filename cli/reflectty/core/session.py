"""Sessions, turns and stored replies, and the message history that a branch sends back to the model."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from reflectty.core.inputs import compose_prompt
from reflectty.core.messages import Message, Usage
from reflectty.core.model_names import is_same_model
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from reflectty.core.messages import OptionValue
    from reflectty.core.segments import Kind

Span = tuple[int, int]
"""The start and the end of a passage, in characters."""
NO_USAGE = Usage()
MAX_TITLE_LENGTH = 60


class ReplyStatus(StrEnum):
    """How a reply ended."""

    STREAMING = "streaming"
    """It has not ended: its writer is alive."""
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    """The user stopped it, or its writer died."""
    INCOMPLETE = "incomplete"
    """The connection, the server or the token limit cut it off."""
    FAILED = "failed"
    """No text arrived."""


class ReplyOrigin(StrEnum):
    """How a reply was made."""

    ASKED = "asked"
    STEERED = "steered"
    """The user edited the thinking; the original reply is another branch."""
    CONCLUDED = "concluded"
    """The user closed the thinking."""
    CONTINUED = "continued"
    """A reply that was cut off and continued."""
    PROBED = "probed"
    """It goes on behind or before a correction of another reply, to see what that is worth."""


class Attachment(NamedTuple):
    """An attachment to a question: `content` is the text of a file, or an image in base64."""

    name: str
    kind: Literal["file", "image"]
    content: str


class Readings(NamedTuple):
    """How many second thoughts were read in a thinking: those that are sure, by kind."""

    corrections: int = 0
    checks: int = 0
    alternatives: int = 0


class ProbedCorrection(NamedTuple):
    """What a correction was worth when it was probed."""

    correction: int
    """Its number in the reply, from 1."""
    changed: int = 0
    compared: int = 0
    """Continuations without it, of which `changed` have another answer."""


class ReplyMetrics(NamedTuple):
    """The metrics of one reply; times in milliseconds, tokens by part are estimates."""

    thinking_tokens: int = 0
    """Includes those of the corrections."""
    answer_tokens: int = 0
    corrections: int = 0
    thinking_ms: float = 0.0
    first_token_ms: float = 0.0
    total_ms: float = 0.0
    tokens_per_second: float = 0.0
    usage: Usage = NO_USAGE
    ended_by: str = ""
    """What ended the thinking from outside, a value of `reasoning.governor.EndReason`; empty if the model did."""
    ended_at: int = 0
    """Tokens of thinking at that point."""
    budget: str = ""
    """The budget that ended it, in words."""
    readings: Readings | None = None
    """Its sure second thoughts; None if they were not read."""
    probed: tuple[ProbedCorrection, ...] = ()
    """Its corrections that were probed."""

    @property
    def as_object(self) -> dict[str, object]:
        """As a JSON object."""
        readings = self.readings._asdict() if self.readings else None
        probed = [one._asdict() for one in self.probed]
        return {**self._asdict(), "usage": self.usage._asdict(), "readings": readings, "probed": probed}

    def with_probed(self, one: ProbedCorrection) -> ReplyMetrics:
        """The metrics with what a correction was worth, in place of an earlier result for it."""
        others = (other for other in self.probed if other.correction != one.correction)
        return self._replace(probed=tuple(sorted((*others, one))))


NO_METRICS = ReplyMetrics()


class StoredReply(NamedTuple):
    """A reply as stored, possibly partial."""

    model: str
    digest: str = ""
    mode: str = ""
    family: str = ""
    prefilled: bool = False
    effort: str = ""
    options: tuple[tuple[str, OptionValue], ...] = ()
    segments: tuple[tuple[Kind, str], ...] = ()
    answer: str = ""
    """The final answer, by the rule of `Reply`; sent back to the model as this turn."""
    raw: str = ""
    """The content as the model wrote it, tags included."""
    raw_thinking: str = ""
    """The text of the `thinking` field."""
    ended: ReplyStatus = ReplyStatus.STREAMING
    done_reason: str = ""
    origin: ReplyOrigin = ReplyOrigin.ASKED
    error: str = ""
    """Why it is incomplete, in one sentence."""
    warnings: tuple[str, ...] = ()
    measured: ReplyMetrics = NO_METRICS

    @property
    def thinking(self) -> str:
        """The thinking with its corrections, one block below the other."""
        return "\n".join(text for kind, text in self.segments if str(kind) != "answer")


class Turn(NamedTuple):
    """A question, or the reply to its parent; turns with the same parent are branches."""

    id: int
    parent: int | None
    created: float
    """Seconds since 1970, as are all times here."""
    text: str = ""
    """The question as typed; empty for a reply."""
    attachments: tuple[Attachment, ...] = ()
    said: StoredReply | None = None
    """None for a question."""
    label: str = ""
    """The name that the user gave it."""
    pastes: tuple[Span, ...] = ()
    """Where long pasted texts stand in the question; screens show a label for each."""

    @property
    def is_streaming(self) -> bool:
        """True for a reply that is still being written."""
        return self.said is not None and self.said.ended is ReplyStatus.STREAMING


class SessionSettings(NamedTuple):
    """What the user set for one session; None leaves a field to the settings of the chat."""

    profile: str = ""
    mode: str | None = None
    effort: str | None = None
    """Empty is the model's own default."""
    system: str | None = None
    """Empty is the model's own system prompt."""
    options: tuple[tuple[str, OptionValue], ...] | None = None
    """All options, not only those that differ from the settings of the chat."""
    budget: str | None = None
    """How much the model may think, as it is typed."""
    samples: str | None = None
    """How many replies vote on the answer, as it is typed."""
    verify: str | None = None
    """Whether a reply is verified and revised: `on` or `off`."""

    def override(self, other: SessionSettings) -> SessionSettings:
        """Replace the fields that the other settings set."""
        return self._replace(**{name: value for name, value in other._asdict().items() if value not in (None, "")})


NO_SETTINGS = SessionSettings()


UNTITLED = "untitled"


class Session(NamedTuple):
    """A stored conversation."""

    id: str
    title: str
    created: float
    updated: float
    model: str = ""
    """The model of the latest reply."""
    leaf: int | None = None
    """The last turn of the branch viewed last; None without questions."""
    questions: int = 0
    """The number of questions on all branches."""
    settings: SessionSettings = NO_SETTINGS

    @property
    def display_title(self) -> str:
        """The title, safe for a terminal and on one line."""
        return clean_line(self.title) or UNTITLED


SearchPart = Literal["title", "question", "thinking", "reflection", "answer", "correction", "check", "alternative"]
"""What a search found; the last three are second thoughts, read in the thinking."""


class SearchHit(NamedTuple):
    """A match of a search."""

    session: Session
    turn: int | None
    """None if the title matched."""
    part: SearchPart
    passage: tuple[tuple[str, bool], ...]
    """The text around the match, in pieces; the flag marks those that matched."""


def title_for(text: str, attachments: Iterable[Attachment] = (), pastes: Iterable[Span] = ()) -> str:
    """The title of a new session: the first line of its question with a word, or else the names of its attachments.

    Pasted texts count only if nothing else has a word. At most 60 characters; a longer line is cut after a word, unless
    that leaves less than half of it, and ends in "…".
    """
    typed = without_spans(text, pastes)
    lines = [line.strip() for line in (typed if typed.strip() else text).splitlines() if line.strip()]
    first = next((line for line in lines if any(map(str.isalnum, line))), lines[0] if lines else "")
    title = first or ", ".join(item.name for item in attachments)
    if len(title) <= MAX_TITLE_LENGTH:
        return title
    head, rest = title[: MAX_TITLE_LENGTH - 1], title[MAX_TITLE_LENGTH - 1 :]
    words = head.rpartition(" ")[0] if rest[0].isalnum() else head
    return f"{(words if len(words) > MAX_TITLE_LENGTH // 2 else head).rstrip()}…"


def spans_in(value: object, length: int) -> tuple[Span, ...]:
    """The passages of a text of this length in a value as JSON has it, without those that are none or overlap."""
    spans: list[Span] = []
    end = 0
    for item in value if isinstance(value, (list, tuple)) else ():
        match item:
            case [int(start), int(stop)] if end <= start < stop <= length:
                spans.append((start, stop))
                end = stop
    return tuple(spans)


def without_spans(text: str, spans: Iterable[Span]) -> str:
    """The text without these passages, which are in order."""
    pieces, end = [], 0
    for start, stop in spans:
        pieces.append(text[end:start])
        end = stop
    return "".join((*pieces, text[end:]))


def branch_to(turns: Iterable[Turn], leaf: int | None) -> tuple[Turn, ...]:
    """The turns from the first question to `leaf`."""
    by_id = {turn.id: turn for turn in turns}
    path: list[Turn] = []
    while leaf is not None and leaf in by_id:
        path.append(by_id[leaf])
        leaf = parent_of(path[-1], by_id)
    return tuple(reversed(path))


def children_by_parent(turns: Iterable[Turn]) -> dict[int | None, list[Turn]]:
    """The turns by their parent, with an entry for each turn."""
    turns = tuple(turns)
    children: dict[int | None, list[Turn]] = {None: [], **{turn.id: [] for turn in turns}}
    for turn in turns:
        children[parent_of(turn, children)].append(turn)
    return children


def parent_of(turn: Turn, known: Container[int | None]) -> int | None:
    """The parent of a turn; None if it is lost or could not precede the turn."""
    return turn.parent if turn.parent in known and turn.parent is not None and turn.parent < turn.id else None


def _own_thinking(reply: StoredReply, thinker: str) -> str:
    """The model's native thinking; thinking requested by a prompt does not count."""
    if not thinker or not is_same_model(reply.model, thinker):
        return ""
    if reply.raw_thinking or reply.mode == "reflect":
        return reply.raw_thinking.strip()
    return reply.thinking.strip()


def message_of(turn: Turn) -> Message:
    """A question as a message: the files first, the words last."""
    files = tuple((item.name, item.content) for item in turn.attachments if item.kind == "file")
    images = tuple(item.content for item in turn.attachments if item.kind == "image")
    return Message("user", compose_prompt(turn.text, "", files), images)


def history_of(path: Iterable[Turn], thinker: str = "") -> tuple[Message, ...]:
    """The messages of a branch to send back to the model: questions and answers, without tags.

    A question without an answer is omitted, so that questions and answers alternate, as templates expect.

    Args:
        path: the turns.
        thinker: the model whose own thinking is sent with its answers; empty omits all thinking.
    """
    messages: list[Message] = []
    for turn in path:
        if turn.said is None:
            messages[len(messages) - len(messages) % 2 :] = [message_of(turn)]
        elif turn.said.answer and messages and messages[-1].role == "user":
            messages.append(Message("assistant", turn.said.answer, thinking=_own_thinking(turn.said, thinker)))
    return tuple(messages[: len(messages) - len(messages) % 2])
