"""Asks a model one question, as far as its first tag; shows nothing of the answer."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final

from reflectty.chat import Message, Request
from reflectty.library.proof import QUESTION
from reflectty.modes import Mode, Wish, plan
from reflectty.reply import Reply
from reflectty.room import bounds_of

if TYPE_CHECKING:
    from reflectty.chat import Engine

ENOUGH: Final = 512
"""Tokens within which a model that uses tags has used one."""


async def sends_tags(engine: Engine, name: str) -> bool:
    """Whether a tag comes in the answer to a question; the model is stopped at the first.

    Raises:
        ReflecttyError: the model did not answer.
    """
    model = await engine.show(name)
    chosen = plan(model, Wish(Mode.NATIVE))
    system = (Message("system", chosen.system),) if chosen.system else ()
    messages, options = (*system, Message("user", QUESTION)), (("num_predict", ENOUGH),)
    request = Request(name, messages, options, chosen.think, bounds=bounds_of(model, options, messages))
    reply = Reply(name, chosen.family, prefilled=chosen.prefilled)
    async with aclosing(engine.chat(request)) as chunks:
        async for chunk in chunks:
            reply.feed(chunk)
            if reply.marked:
                return True
    reply.close()
    return reply.marked
