"""The finding of a check."""

from __future__ import annotations

from enum import StrEnum

from reflectty.core.named_tuple import NamedTuple

FactValue = str | int | float | bool | None | tuple[str, ...]


class FindingState(StrEnum):
    """The severity of a finding."""

    OK = "ok"
    NOTE = "note"
    """Informative; nothing needs to be done."""
    WARNING = "warning"
    """Something is lost or slow, and can be fixed."""
    WRONG = "wrong"
    """Something does not work."""
    UNCHECKED = "not checked"


class Finding(NamedTuple):
    """One finding; its texts may quote a server and are sanitized when shown."""

    check: str
    """The subject of the check, in a word or two."""
    state: FindingState
    text: str
    advice: str = ""
    """The next step, or ""."""
    facts: tuple[tuple[str, FactValue], ...] = ()
    """Data for programs, by name."""
