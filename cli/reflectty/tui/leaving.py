"""What to leave out of a conversation that does not fit its context: the user's choice, never made in silence."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reflectty.errors import PromptTooLongError
    from reflectty.tui.conversation import Manner

LARGER = 2


def choices(before: int, error: PromptTooLongError, context: int) -> list[tuple[str, str, str]]:
    """Return what can be done: a value, its label and a detail each.

    Args:
        before: how many questions with answers are sent along.
        error: what the server said.
        context: how many tokens it holds now; 0 when unknown.
    """
    half = (before + 1) // 2
    rows: list[tuple[str, str, str]] = []
    if before > 1:
        rows.append(
            (f"leave {half}", f"Leave out the oldest {half} of {before}", "they stay in the session, and are not sent")
        )
    if before:
        rows.append((f"leave {before}", "Leave out all that came before", "only this question is sent"))
    wanted = _rounded(max(_needed(error), context * LARGER)) if error.resizable else 0
    if wanted:
        rows.append((f"context {wanted}", f"Ask with a context of {wanted:,} tokens", "num_ctx: it takes more memory"))
    rows.append(("", "Do not ask", "the question stays, and can be edited"))
    return rows


def applied(choice: str, manner: Manner) -> Manner | None:
    """Return how questions are asked after a choice; None when nothing is to be asked."""
    what, _, number = choice.partition(" ")
    if what == "leave":
        return manner._replace(left_out=manner.left_out + int(number))
    if what == "context":
        kept = tuple(pair for pair in manner.options if pair[0] != "num_ctx")
        return manner._replace(options=(*kept, ("num_ctx", int(number))))
    return None


def _needed(error: PromptTooLongError) -> int:
    """Return how many tokens the prompt has, by the server's own words; 0 when it does not say."""
    numbers = [int(found.replace(",", "")) for found in re.findall(r"\d[\d,]*", str(error))]
    return max(numbers, default=0)


def _rounded(tokens: int) -> int:
    """Return the next power of two that leaves room for a reply."""
    size = 1024
    while tokens and size < tokens * 4 // 3:
        size *= 2
    return size if tokens else 0
