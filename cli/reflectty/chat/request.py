"""Holds a question and builds the request that is sent to the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from reflectty.chat.model_choice import VISION_HINT, is_text_only
from reflectty.core.errors import RefusedError
from reflectty.core.known_models import keeps_thinking
from reflectty.core.messages import Effort, Message, Request
from reflectty.core.model_spec import bounds_of
from reflectty.core.options import AUTO, NUM_CTX
from reflectty.core.session import NO_METRICS, ReplyMetrics
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.modes import AskOptions, Mode

if TYPE_CHECKING:
    from reflectty.config import Settings
    from reflectty.core.messages import Model, OptionValue
    from reflectty.core.schema import Schema
    from reflectty.reasoning.modes import Plan

DEFAULT_ASK_OPTIONS = AskOptions()


class Question(NamedTuple):
    """Everything that is asked."""

    prompt: str
    model: str = ""
    ask_options: AskOptions = DEFAULT_ASK_OPTIONS
    images: tuple[str, ...] = ()
    options: tuple[tuple[str, OptionValue], ...] = ()
    keep_alive: str = ""
    schema: Schema | None = None
    announce: bool = True
    """Whether to say which model was chosen, where none was named."""
    history: tuple[Message, ...] = ()
    """What was said before: questions and answers in turn."""
    reply_prefix: str = ""
    """The raw text, tags included, that the reply begins with and goes on from in the middle of its sentence."""
    prefix_metrics: ReplyMetrics = NO_METRICS
    """The figures of `so_far` where it is what the model wrote; nothing where a user changed it."""
    context_growth: Literal["", "here", "anywhere"] = ""
    """Where it may be asked again with a larger context, should its prompt not fit: here the memory is known."""
    keep_thinking: str = "auto"
    """Whether earlier thinking is handed back to the model: `on`, `off`, or `auto` where its family was trained so."""
    digest: str = ""
    """Which model it is, where that is known; else the server is asked when a reply is kept."""


def question_from_settings(settings: Settings) -> Question:
    """Return what the settings say of every question; its prompt is empty."""
    family = FAMILIES[settings.family] if settings.family else None
    effort = Effort(settings.effort) if settings.effort else None
    return Question(
        prompt="",
        model=settings.model,
        ask_options=AskOptions(Mode(settings.mode), effort, family, settings.system),
        options=settings.options,
        keep_alive=settings.keep_alive,
        keep_thinking=settings.keep_thinking,
    )


def request_for(question: Question, model: Model, chosen: Plan) -> Request:
    """Return the request that a plan makes of a question."""
    system = (Message("system", chosen.system),) if chosen.system else ()
    messages = (*system, *_history_of(question, model, chosen), Message("user", question.prompt, question.images))
    bounds = bounds_of(model, question.options, messages, question.reply_prefix)
    return Request(
        model=model.name,
        messages=messages,
        options=tuple(pair for pair in question.options if pair != (NUM_CTX, AUTO)),
        think=chosen.think,
        arguments=chosen.arguments,
        schema=question.schema.prepare_for(model.grammar, sorts_keys=model.sorts_schema_keys).text
        if question.schema
        else "",
        keep_alive=question.keep_alive,
        bounds=bounds,
        fits_context=bool(bounds and bounds.are_safe),
    )


def _history_of(question: Question, model: Model, chosen: Plan) -> tuple[Message, ...]:
    """Return what was said before, with the thinking where it is handed back: in a field of its own, never as tags."""
    if not any(message.thinking for message in question.history):
        return question.history
    trained = chosen.mode is Mode.NATIVE and keeps_thinking(model.name)
    if question.keep_thinking == "on" or (question.keep_thinking == "auto" and trained):
        return question.history
    return tuple(message._replace(thinking="") for message in question.history)


def ignored_options_note(question: Question, model: Model) -> str:
    """Return what to say of options that the model's server has no counterpart for; often nothing."""
    given = [
        *(name for name, value in question.options if value != AUTO),
        *(("keep_alive",) if question.keep_alive else ()),
    ]
    names = [name for name in given if name in model.unsupported_options]
    return f"this server has no counterpart for {', '.join(names)}: it goes on without" if names else ""


def unenforced_schema_note(question: Question, model: Model) -> str:
    """Return what to say of a schema that the model's server does not hold all answers to; often nothing.

    Raises:
        UsageError: nothing fits the schema.
    """
    if question.schema is None:
        return ""
    names = question.schema.prepare_for(model.grammar, sorts_keys=model.sorts_schema_keys).unenforced
    return (
        f"this server does not hold the answer to {', '.join(names)}: only the check at its end does" if names else ""
    )


def check_capabilities(question: Question, model: Model) -> None:
    """Refuse what the model cannot take before anything is sent.

    Raises:
        RefusedError: images for a model that is known to have no vision.
    """
    if has_images(question) and is_text_only(model):
        raise RefusedError(f"{model.name} cannot see images", VISION_HINT)


def has_images(question: Question) -> bool:
    """Whether a question, or what was said before it, has pictures."""
    return bool(question.images) or any(message.images for message in question.history)
