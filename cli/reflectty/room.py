"""How much room a prompt and its reply need and have, as far as it is known before anything is sent; asks nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.chat import Bounds
from reflectty.sampling import given

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.chat import Message, Model, OptionValue

FRAME: Final = 1024
"""Tokens for what a server writes around a conversation by itself: a date, the defaults of a format."""
EACH: Final = 256
"""Tokens at most of what a template writes around one message."""


def bounds_of(
    model: Model, options: Iterable[tuple[str, OptionValue]], messages: Iterable[Message] = (), so_far: str = ""
) -> Bounds | None:
    """Return what is known of the room for a prompt and its reply; None for a model that its server passes on.

    A token stands for one byte at least, and what a template writes once, a system prompt of its own say, it holds
    itself. So the prompt has fewer tokens than is said here, mostly a quarter. Pictures take an unknown number of them.

    Args:
        model: who is asked; its own PARAMETERs hold where no option says otherwise.
        options: of the request.
        messages: what is said.
        so_far: what the reply begins with.
    """
    if model.remote_host:
        return None
    said = tuple(messages)
    context, reply = (_number(name, options, model) for name in ("num_ctx", "num_predict"))
    return Bounds(
        prompt=0 if any(message.images for message in said) else _most(model, said, so_far),
        # A reply of no token has one all the same; below 0 is no limit.
        reply=0 if reply is None or reply < 0 else max(1, reply),
        # A server gives no more than the model was made for, whatever is asked of it.
        context=min(max(0, context or 0), model.context_length),
    )


def _most(model: Model, said: tuple[Message, ...], so_far: str) -> int:
    written = [text for message in said for text in (message.content, message.thinking) if text]
    texts = [*filter(None, (*written, *model.examples, model.system, so_far))]
    return sum(map(_bytes, (*texts, model.template))) + len(texts) * EACH + FRAME


def _number(option: str, options: Iterable[tuple[str, OptionValue]], model: Model) -> int | None:
    """Return what an option is set to, by the request or else by the model; None where neither says a number."""
    value = dict(options).get(option, given(model.parameters).get(option, ""))
    try:
        return int(value) if isinstance(value, int | float | str) else None
    except ValueError:
        return None


def _bytes(text: str) -> int:
    return len(text.encode(errors="replace"))
