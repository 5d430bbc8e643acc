"""What a repair is told, tells while it goes on, and comes to; asks nobody."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.vocabulary import LostTag


class Step(StrEnum):
    """What is being done, in the order in which it is done."""

    READING = "reading"
    SENDING = "sending"
    MAKING = "making"
    ASKING = "asking"


class Wanted(NamedTuple):
    """What is to be repaired."""

    model: str
    name: str = ""
    """What the copy is called; empty is the model's name with `-repaired`."""
    gguf: Path | None = None
    """A file to read instead of the server's own."""
    tokens: tuple[str, ...] = ()
    """Tokens that are to be seen besides the tags of the families."""
    force: bool = False
    """Whether a model of the copy's name is replaced."""


class Repaired(NamedTuple):
    """What a repair came to."""

    model: str
    name: str
    """The model whose tags are whole: the copy, or the model itself where nothing is lost."""
    tokens: tuple[LostTag, ...] = ()
    """What was lost, and is text now."""
    proven: bool | None = None
    """Whether tags came in an answer of the copy; None where it was not asked."""


class Observer(Protocol):
    """Who is told how it goes on."""

    def progress(self, step: Step, total: int = 0, completed: int = 0) -> None:
        """Hear that a step has come so far, in bytes; both are 0 where nobody knows."""
        ...

    def note(self, text: str) -> None:
        """Hear of something that the user should know."""
        ...
