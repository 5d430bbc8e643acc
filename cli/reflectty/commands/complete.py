"""`reflect __complete KIND BEGINNING [WORD]...`: what the shells' completions ask; never says what is wrong."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.completing import candidates
from reflectty.errors import UsageError

if TYPE_CHECKING:
    from reflectty.terminal import Terminal


def complete(arguments: list[str], terminal: Terminal) -> None:
    """Print what a word may become, one a line, each with a tab and a few words on it."""
    kind, beginning, *words = (*arguments, "", "")
    with suppress(UsageError):
        found = candidates(kind, beginning, [word for word in words if word])
        terminal.out.write("".join(f"{one.value}\t{one.about}\n" for one in found))
