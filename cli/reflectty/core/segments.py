"""The events of a parsed reply: segments of thinking, reflection and answer, and their reclassification."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What a piece of a reply is."""

    THINKING = "thinking"
    REFLECTION = "reflection"
    ANSWER = "answer"


class Segment(NamedTuple):
    """A piece of one block of a reply, as it arrives; the pieces of a block, joined, are its text."""

    kind: Kind
    text: str
    block: int
    """Numbers the blocks of a reply from 0; a new number is a new segment, even of the same kind."""
    tagged: bool = False
    """Whether the model marked it as its answer."""
    certain: bool = True
    """Whether it can no longer turn out to be thinking."""


class Reclassification(NamedTuple):
    """Blocks turn out to be something else than they were shown as."""

    blocks: tuple[int, ...]
    kind: Kind | None = Kind.THINKING
    """What they are: thinking, where a closer came without its opener. None where they are taken back: their opener,
    in the middle of an answer, never closed, and their text follows as that answer's, opener included."""


Event = Segment | Reclassification
