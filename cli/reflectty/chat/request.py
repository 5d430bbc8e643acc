"""Questions, and the requests built from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from reflectty.core.known_models import keeps_thinking
from reflectty.core.messages import Message, Request
from reflectty.core.model_spec import bounds_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.options import AUTO, NUM_CTX
from reflectty.core.session import NO_METRICS, ReplyMetrics
from reflectty.reasoning.governor import LoopAction
from reflectty.reasoning.modes import AskOptions, Mode

if TYPE_CHECKING:
    from reflectty.core.messages import Model
    from reflectty.core.schema import Schema
    from reflectty.reasoning.governor import AnswerRequest
    from reflectty.reasoning.modes import Plan

DEFAULT_ASK_OPTIONS = AskOptions()


class Question(NamedTuple):
    """A prompt with its history and images, and the options of its request."""

    prompt: str
    ask_options: AskOptions = DEFAULT_ASK_OPTIONS
    images: tuple[str, ...] = ()
    schema: Schema | None = None
    announce: bool = True
    """Whether to note the picked model if none was named."""
    history: tuple[Message, ...] = ()
    """The earlier messages: questions and answers alternately."""
    reply_prefix: str = ""
    """The raw text, tags included, that the reply begins with and continues, even within a sentence."""
    prefix_metrics: ReplyMetrics = NO_METRICS
    """The metrics of `reply_prefix` if the model wrote it; none if a user changed it."""
    context_growth: Literal["", "here", "anywhere"] = ""
    """Where a larger context is allowed if the prompt does not fit; "here" only on this machine, with known memory."""
    deadline: float = 0.0
    """Seconds after which the run ends with what has come; 0 for no limit."""
    answer_request: AnswerRequest | None = None
    """Set when the user asks for the answer before the thinking has ended."""
    default_loop_action: LoopAction = LoopAction.END
    """What happens to a thinking that repeats itself, if the user has not chosen."""
    digest: str = ""
    """The model's digest, if known; otherwise the server is asked when the reply is recorded."""

    @property
    def asks_once(self) -> bool:
        """Whether the first reply is the one that counts: neither samples nor a verification, or a reply goes on."""
        return (self.ask_options.samples <= 1 and not self.ask_options.verify) or bool(self.reply_prefix)


def request_for(question: Question, model: Model, chosen: Plan) -> Request:
    """Build the request for a question by its plan."""
    system = (Message("system", chosen.system),) if chosen.system else ()
    messages = (*system, *_history_of(question, model, chosen), Message("user", question.prompt, question.images))
    budget = question.ask_options.budget_for(model.name)
    bounds = bounds_of(model, question.ask_options.options, messages, question.reply_prefix)
    return Request(
        model=model.name,
        messages=messages,
        options=tuple(pair for pair in question.ask_options.options if pair != (NUM_CTX, AUTO)),
        think=chosen.think,
        arguments=chosen.arguments,
        schema=question.schema.prepare_for(model.grammar, sorts_keys=model.sorts_schema_keys).text
        if question.schema
        else "",
        keep_alive=question.ask_options.keep_alive,
        bounds=bounds,
        thinking_budget=budget.tokens if budget and chosen.think else 0,
        closing_sentence=question.ask_options.closing_sentence,
        fits_context=bool(bounds and bounds.are_safe),
    )


def _history_of(question: Question, model: Model, chosen: Plan) -> tuple[Message, ...]:
    """The earlier messages, with their thinking if it is sent back: in a separate field, never as tags."""
    if not any(message.thinking for message in question.history):
        return question.history
    trained = chosen.mode is Mode.NATIVE and keeps_thinking(model.name)
    if question.ask_options.keep_thinking == "on" or (question.ask_options.keep_thinking == "auto" and trained):
        return question.history
    return tuple(message._replace(thinking="") for message in question.history)


def ignored_options_note(question: Question, model: Model) -> str:
    """The note on options that the model's server does not support; empty if there are none."""
    requested = [
        *(name for name, value in question.ask_options.options if value != AUTO),
        *(("keep_alive",) if question.ask_options.keep_alive else ()),
    ]
    names = [name for name in requested if name in model.unsupported_options]
    return f"this server ignores {', '.join(names)}" if names else ""


def unenforced_schema_note(question: Question, model: Model) -> str:
    """The note on keywords of the schema that the model's server does not enforce; empty if there are none.

    Raises:
        UsageError: no value fits the schema.
    """
    if question.schema is None:
        return ""
    names = question.schema.prepare_for(model.grammar, sorts_keys=model.sorts_schema_keys).unenforced
    return f"this server does not enforce {', '.join(names)}: only the final check does" if names else ""


def has_images(question: Question) -> bool:
    """True if the question or its history has images."""
    return bool(question.images) or any(message.images for message in question.history)
