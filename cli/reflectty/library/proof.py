"""Asks a model one question to see whether its thinking and its answer can be told apart; prints nothing."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.chat import Message, Request
from reflectty.errors import ReflecttyError, RefusedError
from reflectty.modes import Wish, plan
from reflectty.reply import Reply
from reflectty.room import bounds_of
from reflectty.wire.recipes import parameters_of

if TYPE_CHECKING:
    from reflectty.chat import Engine

QUESTION: Final = "Which is larger, 9.11 or 9.9?"
LIMIT: Final = ("num_predict", 1024)
"""Tokens after which a model that does not come to an end is stopped, unless it has a limit of its own."""
ENOUGH: Final = 512
"""Tokens within which a model that uses tags has used one: with none, a slow model is not waited for any longer."""


class Proof(NamedTuple):
    """What came of the question."""

    passed: bool
    thinking: str = ""
    corrections: int = 0
    answer: str = ""
    problem: str = ""
    """Why it did not pass."""


async def prove(engine: Engine, name: str) -> Proof:
    """Ask the model as it will be asked where nothing else is wished; a failure to answer is no error."""
    try:
        reply = await _replied(engine, name)
    except ReflecttyError as error:
        return Proof(passed=False, problem=str(error))
    problem = _problem(reply)
    return Proof(not problem, reply.thinking, reply.corrections, reply.answer, problem)


async def _replied(engine: Engine, name: str) -> Reply:
    model = await engine.show(name)
    chosen = plan(model, Wish())
    system = (Message("system", chosen.system),) if chosen.system else ()
    messages = (*system, Message("user", QUESTION))
    options = () if _limited(model.parameters) else (LIMIT,)
    bounds = bounds_of(model, options, messages)
    request = Request(model.name, messages, options=options, think=chosen.think, bounds=bounds)
    reply = Reply(model.name, chosen.family, mode=str(chosen.mode), prefilled=chosen.prefilled)
    await _heard(engine, request, reply)
    return reply


async def _heard(engine: Engine, request: Request, reply: Reply) -> None:
    """Let a reply be written to its end, or as far as it is sure that no tag comes."""
    pieces = 0
    async with aclosing(engine.chat(request)) as chunks:
        async for chunk in chunks:
            reply.feed(chunk)
            pieces += 1
            if pieces > ENOUGH and not reply.marked:
                break
    reply.close()


def _limited(parameters: str) -> bool:
    """Whether a model has a limit of its own; below 0 is none."""
    try:
        own = dict(parameters_of(parameters)).get(LIMIT[0])
    except RefusedError:
        return False
    return isinstance(own, int | float) and own > 0


def _problem(reply: Reply) -> str:
    if not reply.marked:
        return "it sent none of its tags"
    if not reply.stopped:
        return "it was still writing at the token limit"
    if not reply.answer or reply.doubtful:
        return "it thought, and gave no answer"
    return "" if reply.thinking or reply.corrections else "it answered without thinking"
