"""The events of a parsed reply: segments of thinking, reflection and answer, and their reclassification."""

from __future__ import annotations

from enum import StrEnum

from reflectty.core.named_tuple import NamedTuple


class Kind(StrEnum):
    """The part of a reply that a text belongs to."""

    THINKING = "thinking"
    REFLECTION = "reflection"
    ANSWER = "answer"


class SecondThoughtKind(StrEnum):
    """What a second thought does to what was thought before."""

    CORRECTION = "correction"
    """Takes it back, contradicts it or doubts it."""
    CHECK = "check"
    """Verifies it, or reads the task again."""
    ALTERNATIVE = "alternative"
    """Sets another approach, reading or answer beside it."""


class Segment(NamedTuple):
    """A piece of one block of a reply as it arrives; the joined pieces of a block are its text."""

    kind: Kind
    text: str
    block: int
    """Numbers the blocks of a reply from 0; a new number is a new segment, even of the same kind."""
    tagged: bool = False
    """Whether the model marked it as its answer."""
    certain: bool = True
    """False while a late `</think>` could still reclassify it."""


class Reclassification(NamedTuple):
    """Changes the kind of blocks that have been shown already."""

    blocks: tuple[int, ...]
    kind: Kind | None = Kind.THINKING
    """The new kind: thinking, after a closer without an opener. None takes the blocks back: an opener in the middle of
    an answer was never closed, and their text, opener included, follows as part of that answer."""


Event = Segment | Reclassification
