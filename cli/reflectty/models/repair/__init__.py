"""Repairs models whose tags are lost: requests, results, progress."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from reflectty.reasoning.token_types import LostTag


class RepairStep(StrEnum):
    """The steps of a repair, in order."""

    READING = "reading"
    SENDING = "sending"
    MAKING = "making"
    ASKING = "asking"


class RepairRequest(NamedTuple):
    """The model to repair, and how."""

    model: str
    name: str = ""
    """The name of the copy; empty for the model's name with `-repaired`."""
    gguf: Path | None = None
    """A file to read instead of the server's own."""
    tokens: tuple[str, ...] = ()
    """Tokens to make visible besides the tags of the families."""
    force: bool = False
    """Replace a model of the copy's name."""


class RepairResult(NamedTuple):
    """The result of a repair."""

    model: str
    name: str
    """The model whose tags are visible: the copy, or the model itself if no tags are lost."""
    tokens: tuple[LostTag, ...] = ()
    """The tokens that were lost and are now text."""
    proven: bool | None = None
    """Whether an answer of the copy contained tags; None if the copy was not tested."""


class RepairObserver(Protocol):
    """Receives the progress and notes of a repair."""

    def progress(self, step: RepairStep, total: int = 0, completed: int = 0) -> None:
        """Receive the progress of a step in bytes; both are 0 when unknown."""
        ...

    def note(self, text: str) -> None:
        """Receive a note for the user."""
        ...


__all__ = ["RepairObserver", "RepairRequest", "RepairResult", "RepairStep"]
