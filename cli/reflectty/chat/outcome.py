"""Decides whether a finished reply is an error, and words its warnings and hints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.errors import NoAnswerError, OutputError, ReflecttyError, SchemaError, StoppedError
from reflectty.core.options import NUM_CTX
from reflectty.core.session import NO_USAGE, ReplyStatus
from reflectty.protocols.ollama import shorten
from reflectty.reasoning.modes import Mode

if TYPE_CHECKING:
    from reflectty.chat.request import Question
    from reflectty.core.messages import Model, Usage
    from reflectty.reasoning.modes import Plan
    from reflectty.reasoning.reply import Reply

LARGER_CONTEXT = 16384
"""The context suggested when the question sets none, in tokens."""
EMPTY_REPLY = "the model returned an empty reply"
LIMIT_STEP = 64
"""A server's default limit on a reply is a multiple of this, unlike the end of a context: mlx-lm 0.32 has 512."""
ASK_AGAIN = "ask again, or try another model"
MODEL_REFUSED = "the model refused: {}"
NO_TOOLS = "reflect does not support tools: say so in the question, or try another model"
ONLY_THINKING = "the model thought but gave no answer"
ASK_OTHERWISE = "ask again, or turn off thinking with --mode direct"
TAGS_LOST = (
    "{model} loses its tags, so its whole reply is taken as the answer: {lost} are tokens of a type that Ollama 0.30"
    " and later drop (run reflect models repair {model} to make a copy that keeps them)"
)
TAGS_DROPPED = (
    "{model} sent none of its tags, so its whole reply is taken as the answer: Ollama 0.30 and later drop tags that are"
    " control tokens (run reflect models repair {model} to make a copy that keeps them, or use --mode direct)"
)
TAGS_NOT_SENT = (
    "{model} sent none of its tags, so its whole reply is taken as the answer: the server may not send tags that are"
    " special tokens (start llama-server with --special, or use --mode direct)"
)
TAGS_FORGOTTEN = "{model} sent none of its tags, so its whole reply is taken as the answer: try rephrasing the question"
TAGS_IGNORED = (
    "{model} did not use the tags it was asked for, so its whole reply is taken as the answer: try --mode direct"
)


def error_of(reply: Reply, question: Question, model: Model) -> ReflecttyError | None:
    """The error of a reply that ended without an exception; None if it is complete and fits its schema."""
    if reply.done_reason == "length":
        part = "answer" if reply.answer else "thinking"
        return NoAnswerError(f"the {part} was cut off at the token limit", limit_hint(question, model, reply.usage))
    if failure := no_answer_error_of(reply, question):
        return failure
    if question.schema:
        try:
            question.schema.check(reply.answer)
        except ReflecttyError as error:
            return error
    return None


def no_answer_error_of(reply: Reply, question: Question) -> NoAnswerError | None:
    """The error of a reply without an answer; None if it has one."""
    if reply.answer:
        return None
    if reply.refusal:
        return NoAnswerError(MODEL_REFUSED.format(shorten(reply.refusal)), ASK_AGAIN)
    if reply.tool_calls:
        return NoAnswerError(f"{_describe_calls(reply)} instead of answering", NO_TOOLS)
    if not reply.segments:
        return NoAnswerError(EMPTY_REPLY, ASK_AGAIN)
    return NoAnswerError(ONLY_THINKING, ASK_AGAIN if question.ask_options.mode is Mode.DIRECT else ASK_OTHERWISE)


def _describe_calls(reply: Reply) -> str:
    """Name the tools that a model called, each once."""
    names = list(dict.fromkeys(reply.tool_calls))
    tools = f"the tool {names[0]}" if len(names) == 1 else f"the tools {', '.join(names)}"
    return f"the model called {tools} (not run)"


def limit_hint(question: Question, model: Model, usage: Usage = NO_USAGE) -> str:
    """The hint for a reply that was cut at a token limit, by the limit that applied."""
    room = model.server_context - usage.prompt_tokens
    if model.server_context and usage.prompt_tokens and usage.reply_tokens >= room:
        return (
            f"the prompt of {usage.prompt_tokens} tokens leaves only {room} of the context's {model.server_context}: "
            "send less, or start the server with a larger context"
        )
    if any(key == "num_predict" for key, _ in question.ask_options.options) or "num_predict" in model.parameters:
        return "raise -o num_predict"
    return _fixed_context_hint(model, usage) if _is_context_fixed(model) else _context_hint(question, model)


def _fixed_context_hint(model: Model, usage: Usage) -> str:
    """The hint if the server's context was set at its start."""
    ended, room = usage.reply_tokens, model.server_context and usage.prompt_tokens
    if ended and (room or ended % LIMIT_STEP == 0):
        return f"this server ends replies after {ended} tokens by default: raise the limit with -o num_predict=4096"
    return "restart the server with a larger context"


def _context_hint(question: Question, model: Model) -> str:
    """The hint if requests can set the context."""
    requested, limit = dict(question.ask_options.options).get(NUM_CTX), model.context_length
    larger = max(requested * 2 if isinstance(requested, int) else 0, LARGER_CONTEXT)
    if limit and (requested == limit or (isinstance(requested, int) and requested > limit)):
        return f"the model's maximum context is {limit} tokens: send less, or reduce thinking with --effort low"
    return f"use a larger context: -o num_ctx={min(larger, limit or larger)}"


def _is_context_fixed(model: Model) -> bool:
    """True if requests cannot change the context, as with all servers but Ollama."""
    return "num_ctx" in model.unsupported_options


def warnings_of(reply: Reply, chosen: Plan, model: Model) -> list[str]:
    """The warnings to show with the answer."""
    warnings: list[str] = []
    if reply.has_fallback_answer:
        warnings.append("the reply has no separate answer: this is the last thing the model wrote")
    if reply.tool_calls and reply.answer:
        warnings.append(f"{_describe_calls(reply)} and may have expected a result")
    if reply.refusal and reply.answer:
        warnings.append(MODEL_REFUSED.format(shorten(reply.refusal)))
    if is_untagged(reply, chosen):
        warnings.append(_untagged_warning(chosen, model).format(model=reply.model, lost=", ".join(chosen.lost_tokens)))
    return warnings


def is_untagged(reply: Reply, chosen: Plan) -> bool:
    """True if a finished reply has none of the tags that its model should have used."""
    return chosen.expects_tags and reply.is_finished and bool(reply.segments) and not reply.has_markers


def _untagged_warning(chosen: Plan, model: Model) -> str:
    """The most likely reason why a reply has no tags; facts about the vocabulary come first."""
    if chosen.lost_tokens:
        return TAGS_LOST
    if chosen.mode is Mode.REFLECT:
        return TAGS_IGNORED
    if model.tags is not None:
        return TAGS_FORGOTTEN
    return TAGS_NOT_SENT if _is_context_fixed(model) else TAGS_DROPPED


def status_of(reply: Reply, error: BaseException | None) -> ReplyStatus:
    """The status of a reply, by the error that ended it."""
    if error is None or isinstance(error, SchemaError):
        return ReplyStatus.COMPLETE
    if isinstance(error, (OutputError, StoppedError)) or not isinstance(error, ReflecttyError):
        return ReplyStatus.INTERRUPTED
    return ReplyStatus.INCOMPLETE if reply.raw or reply.raw_thinking else ReplyStatus.FAILED
