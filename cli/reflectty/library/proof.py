"""Asks a model one question to see whether its thinking and its answer can be told apart; prints nothing."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.chat import Message, Request
from reflectty.errors import ReflecttyError
from reflectty.modes import Wish, plan
from reflectty.reply import Reply

if TYPE_CHECKING:
    from reflectty.chat import Engine

QUESTION: Final = "Which is larger, 9.11 or 9.9?"
LIMIT: Final = ("num_predict", 1024)
"""Tokens after which a model that does not come to an end is stopped, unless it has a limit of its own."""


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
    options = () if LIMIT[0] in model.parameters else (LIMIT,)
    request = Request(model.name, messages, options=options, think=chosen.think)
    reply = Reply(model.name, chosen.family, mode=str(chosen.mode), prefilled=chosen.prefilled)
    async with aclosing(engine.chat(request)) as chunks:
        async for chunk in chunks:
            reply.feed(chunk)
    reply.close()
    return reply


def _problem(reply: Reply) -> str:
    if not reply.stopped:
        return "it was still writing at the token limit"
    if not reply.marked:
        return "it sent none of its tags"
    if not reply.answer or reply.doubtful:
        return "it thought, and gave no answer"
    return "" if reply.thinking or reply.corrections else "it answered without thinking"
