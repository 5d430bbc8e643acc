"""Asks a model a trial question to check its tags."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.core.errors import ReflecttyError, RefusedError
from reflectty.core.messages import Message, Request
from reflectty.core.model_spec import bounds_of
from reflectty.protocols.ollama.model_specs import parameters_of
from reflectty.reasoning.modes import AskOptions, Mode, plan
from reflectty.reasoning.reply import Reply

if TYPE_CHECKING:
    from reflectty.core.messages import Engine, Model, OptionValue
    from reflectty.reasoning.modes import Plan

    Options = tuple[tuple[str, OptionValue], ...]


QUESTION: Final = "Which is larger, 9.11 or 9.9?"
LIMIT: Final = ("num_predict", 1024)
"""The token limit of a model that has none of its own."""
TAG_TOKEN_LIMIT: Final = 512
"""Tokens within which a model with tags has used one."""


class TrialResult(NamedTuple):
    """The result of the trial question."""

    passed: bool
    thinking: str = ""
    corrections: int = 0
    answer: str = ""
    problem: str = ""
    """Why it failed."""


async def run_trial(engine: Engine, name: str) -> TrialResult:
    """Ask the model with default options; a failed request is a result as well."""
    try:
        reply = await _ask_model(engine, name)
    except ReflecttyError as error:
        return TrialResult(passed=False, problem=str(error))
    problem = _problem(reply)
    return TrialResult(not problem, reply.thinking, reply.corrections, reply.answer, problem)


async def _ask_model(engine: Engine, name: str) -> Reply:
    model = await engine.show(name)
    chosen = plan(model, AskOptions())
    request = _request(model, model.name, chosen, () if _has_own_limit(model.parameters) else (LIMIT,))
    reply = Reply(model.name, chosen.family, mode=str(chosen.mode), prefilled=chosen.prefilled)
    await _read_reply(engine, request, reply)
    return reply


def _request(model: Model, name: str, chosen: Plan, options: Options) -> Request:
    """The trial question, asked as planned."""
    system = (Message("system", chosen.system),) if chosen.system else ()
    messages = (*system, Message("user", QUESTION))
    return Request(name, messages, options, chosen.think, bounds=bounds_of(model, options, messages))


async def _read_reply(engine: Engine, request: Request, reply: Reply) -> None:
    """Read a reply to its end, or until a tag can no longer be expected."""
    pieces = 0
    async with aclosing(engine.chat(request)) as chunks:
        async for chunk in chunks:
            reply.feed(chunk)
            pieces += 1
            if pieces > TAG_TOKEN_LIMIT and not reply.has_markers:
                break
    reply.close()


def _has_own_limit(parameters: str) -> bool:
    """True if the model's parameters limit its tokens; a value below 0 does not."""
    try:
        own = dict(parameters_of(parameters)).get(LIMIT[0])
    except RefusedError:
        return False
    return isinstance(own, int | float) and own > 0


def _problem(reply: Reply) -> str:
    if not reply.has_markers:
        return "it sent none of its tags"
    if not reply.is_finished:
        return "it did not finish within the token limit"
    if not reply.answer or reply.has_fallback_answer:
        return "it thought but gave no answer"
    return "" if reply.thinking or reply.corrections else "it answered without thinking"


async def sends_tags(engine: Engine, name: str) -> bool:
    """True if a reply contains a tag; stops the model at the first.

    Raises:
        ReflecttyError: the model did not answer.
    """
    model = await engine.show(name)
    chosen = plan(model, AskOptions(Mode.NATIVE))
    request = _request(model, name, chosen, (("num_predict", TAG_TOKEN_LIMIT),))
    reply = Reply(name, chosen.family, prefilled=chosen.prefilled)
    async with aclosing(engine.chat(request)) as chunks:
        async for chunk in chunks:
            reply.feed(chunk)
            if reply.has_markers:
                return True
    reply.close()
    return reply.has_markers
