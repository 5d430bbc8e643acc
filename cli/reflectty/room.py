"""Whether a prompt and its reply surely fit into the context that a request names; asks nobody and counts no token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.chat import Message, Model, OptionValue

FRAME: Final = 1024
"""Tokens for what a server writes around a conversation by itself: headers of a format, a date, a default system."""
EACH: Final = 256
"""Bytes at least that a template may write around one message."""


def surely_fits(
    model: Model, options: Iterable[tuple[str, OptionValue]], messages: Iterable[Message] = (), so_far: str = ""
) -> bool:
    """Whether nothing of a prompt, nor of its reply, can be cut: the request bounds both below the context it names.

    A token stands for one byte at least, and a template writes no more around a message than it has bytes itself. So
    the bound is far above the true number, and what is said to fit does. Without `num_ctx` and `num_predict` among
    the options of the request nothing is bounded; pictures take an unknown number of tokens.
    """
    given, said = dict(options), tuple(messages)
    texts = [
        *(text for message in said for text in (message.content, message.thinking) if text),
        *model.examples,
        model.system,
        so_far,
    ]
    context, reply = (given.get(name) for name in ("num_ctx", "num_predict"))
    if not (isinstance(context, int) and isinstance(reply, int)) or reply <= 0 or not model.context_length:
        return False
    if any(message.images for message in said):
        return False
    around = len(texts) * max(EACH, _bytes(model.template))
    return sum(map(_bytes, texts)) + around + FRAME + reply <= min(context, model.context_length)


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))
