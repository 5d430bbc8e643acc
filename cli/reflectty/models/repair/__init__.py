"""Repairs models whose tags are lost: requests, results, progress."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.reasoning.token_types import LostTag


class RepairStep(StrEnum):
    """What is being done, in the order in which it is done."""

    READING = "reading"
    SENDING = "sending"
    MAKING = "making"
    ASKING = "asking"


class RepairRequest(NamedTuple):
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


class RepairResult(NamedTuple):
    """What a repair came to."""

    model: str
    name: str
    """The model whose tags are whole: the copy, or the model itself where nothing is lost."""
    tokens: tuple[LostTag, ...] = ()
    """What was lost, and is text now."""
    proven: bool | None = None
    """Whether tags came in an answer of the copy; None where it was not asked."""


class RepairObserver(Protocol):
    """Who is told how it goes on."""

    def progress(self, step: RepairStep, total: int = 0, completed: int = 0) -> None:
        """Hear that a step has come so far, in bytes; both are 0 where nobody knows."""
        ...

    def note(self, text: str) -> None:
        """Hear of something that the user should know."""
        ...


__all__ = ["RepairObserver", "RepairRequest", "RepairResult", "RepairStep"]
