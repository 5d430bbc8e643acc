"""A finding of a check, as a value."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

FactValue = str | int | float | bool | None | tuple[str, ...]


class FindingState(StrEnum):
    """How what was found is to be taken."""

    OK = "ok"
    NOTE = "note"
    """Good to know; nothing has to be done."""
    WARNING = "warning"
    """Something is lost or slow, and can be mended."""
    WRONG = "wrong"
    """Something does not work."""
    UNCHECKED = "not checked"


class Finding(NamedTuple):
    """One line of what was found out; its texts may hold what a server said, and are cleaned where they are shown."""

    check: str
    """What was checked, in a word or two."""
    state: FindingState
    text: str
    advice: str = ""
    """What to do about it, or nothing."""
    facts: tuple[tuple[str, FactValue], ...] = ()
    """What programs want to know of it, by name."""
