"""The figures of a reply as lines of text; measures nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.summary import counted
from reflectty.safety import clean_line
from reflectty.stream import Kind

if TYPE_CHECKING:
    from reflectty.reply import Reply


WORTH_SAYING_MS = 100
"""A model that was loaded already still takes some milliseconds to find."""


def figures(reply: Reply) -> str:
    """Return what is known of a reply's cost, a line each for what, how much and how long."""
    usage, tokens = reply.usage, reply.tokens
    thinking = tokens[Kind.THINKING] + tokens[Kind.REFLECTION]
    loaded = f"loaded in {usage.load_ms / 1000:.1f} s · " if usage.load_ms >= WORTH_SAYING_MS else ""
    speed = f" · {reply.tokens_per_second:.1f} tok/s" if reply.tokens_per_second else ""
    cached = f" ({usage.cached_tokens} of it cached)" if usage.cached_tokens else ""
    read = f" · prompt {usage.prompt_per_second:.1f} tok/s" if usage.prompt_per_second else ""
    return (
        f"{clean_line(reply.model)} · mode {reply.mode} · family {reply.family.name}\n"
        f"tokens: {usage.prompt_tokens} prompt{cached} · {thinking} thinking · {tokens[Kind.ANSWER]} answer"
        f" · {counted(reply.corrections, 'correction')}\n"
        f"{loaded}first token {reply.first_token_ms / 1000:.2f} s · total {reply.total_ms / 1000:.2f} s{speed}{read}\n"
    )
