"""What is wrong with a reply that has ended, and what to say about it; prints nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.errors import NoAnswerError, OutputError, ReflecttyError, SchemaError, StoppedError
from reflectty.mini import is_mini
from reflectty.modes import Mode
from reflectty.session import NO_USAGE, Ended

if TYPE_CHECKING:
    from reflectty.asking.question import Question
    from reflectty.chat import Model, Usage
    from reflectty.modes import Plan
    from reflectty.reply import Reply

SAID_NOTHING = "the model said nothing"
ROUND = 64
"""A limit that is no context's end is a round number: that of mlx-lm 0.32 is 512."""
ASK_AGAIN = "ask again, or another model"
LOST_TAGS = (
    "{model} sent none of its tags, so this is its whole reply as one answer: Ollama 0.30 and later drop tags that are"
    " control tokens (reflect models repair {model} makes a copy that keeps them; --mode direct asks without)"
)
NOT_SENT = (
    "{model} sent none of its tags, so this is its whole reply as one answer: tags that are special tokens come only"
    " from a server that sends those (llama-server with --special; --mode direct asks without)"
)
FORGOTTEN = "{model} sent none of its tags, so this is its whole reply as one answer: ask in other words"
UNTAGGED = "{model} did not use the tags it was asked for, so this is its whole reply as one answer: try --mode direct"


def verdict(reply: Reply, question: Question, model: Model) -> ReflecttyError | None:
    """Return what is wrong with a reply of the model that ended in order."""
    if reply.done_reason == "length":
        what = "answer" if reply.answer else "thinking"
        return NoAnswerError(f"the {what} was cut at the token limit", limit_hint(question, model, reply.usage))
    if not reply.answer:
        return NoAnswerError(SAID_NOTHING, ASK_AGAIN)
    if question.schema:
        try:
            question.schema.check(reply.answer)
        except ReflecttyError as error:
            return error
    return None


def limit_hint(question: Question, model: Model, usage: Usage = NO_USAGE) -> str:
    """Return what helps against a reply that was cut at a limit of tokens, by whose limit it was."""
    left = model.room - usage.prompt_tokens
    if model.room and usage.prompt_tokens and usage.reply_tokens >= left:
        return (
            f"the prompt of {usage.prompt_tokens} tokens leaves only {left} of the context's {model.room}: send less,"
            " or start the server with a larger context"
        )
    if any(key == "num_predict" for key, _ in question.options) or "num_predict" in model.parameters:
        return "raise -o num_predict"
    ended, room = usage.reply_tokens, model.room and usage.prompt_tokens
    if _is_fixed(model) and ended and (room or ended % ROUND == 0):
        return f"this server ends a reply after {ended} tokens unless it is told: raise it with -o num_predict=4096"
    return f"a larger context helps: {'the server is started with it' if _is_fixed(model) else '-o num_ctx=16384'}"


def _is_fixed(model: Model) -> bool:
    """Whether its server was started for it, as those are that are no Ollama: no request changes how it runs."""
    return "num_ctx" in model.ignores


def warnings(reply: Reply, chosen: Plan, model: Model) -> list[str]:
    """Return what a reader of the answer should know."""
    found: list[str] = []
    if reply.doubtful:
        found.append("the reply has no answer of its own: this is the last thing the model said")
    if chosen.expects_tags and reply.stopped and reply.segments and not reply.marked:
        lost = FORGOTTEN if is_mini(model.name) else NOT_SENT if _is_fixed(model) else LOST_TAGS
        text = UNTAGGED if chosen.mode is Mode.REFLECT else lost
        found.append(text.format(model=reply.model))
    return found


def ended(reply: Reply, error: BaseException | None) -> Ended:
    """Return how a reply ended, by what ended it."""
    if error is None or isinstance(error, SchemaError):
        return Ended.COMPLETE
    if isinstance(error, (OutputError, StoppedError)) or not isinstance(error, ReflecttyError):
        return Ended.INTERRUPTED
    return Ended.INCOMPLETE if reply.raw or reply.raw_thinking else Ended.FAILED
