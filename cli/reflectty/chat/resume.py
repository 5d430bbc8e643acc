"""Plans how to resume a reply: in which tags, and behind which marker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.errors import RefusedError
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import Kind
from reflectty.reasoning.families import find_opener
from reflectty.reasoning.steering import require_resumable, writing_family

if TYPE_CHECKING:
    from reflectty.chat.request import Question
    from reflectty.core.messages import Engine, Model
    from reflectty.core.session import StoredReply
    from reflectty.reasoning.families import Family
    from reflectty.reasoning.modes import Plan


class ResumePlan(NamedTuple):
    """How to resume a reply."""

    model: Model
    plan: Plan
    opener: str = ""
    """The marker with which the model opens its thinking, as observed; empty if its tags are known otherwise."""
    prompt_opened_thinking: bool = False
    """True if the prompt had opened the thinking, so that text parsed as an answer is thinking."""

    def family_of(self, reply: StoredReply) -> Family:
        """The family in whose tags the reply is written.

        Raises:
            RefusedError: its tags are unknown.
        """
        field = bool(reply.raw_thinking)
        return writing_family(
            self.model, self.plan, reply.family, reply.raw, has_thinking_field=field, opener=self.opener
        )

    def reinterpret(self, reply: StoredReply) -> StoredReply:
        """The reply, with all its text as thinking if the prompt had opened the thinking."""
        if not self.prompt_opened_thinking:
            return reply
        return reply._replace(segments=((Kind.THINKING, reply.raw.strip("\n")),))


async def make_resume_plan(
    engine: Engine, question: Question, reply: StoredReply, model: Model, plan: Plan
) -> ResumePlan:
    """Work out how to resume a reply.

    Args:
        engine: the engine that would resume it.
        question: the question that it replies to.
        reply: the reply so far.
        model: the model that wrote it.
        plan: the plan of its request.

    Raises:
        RefusedError: the server cannot resume a reply, or the tags of the model's thinking are unknown.
    """
    from reflectty.chat.request import request_for

    require_resumable(model)
    request = request_for(question, model, plan)
    opener = find_opener(await engine.prompt(request))
    if (
        opener
        and reply.raw.strip()
        and all(kind is Kind.ANSWER for kind, _ in reply.segments)
        and not reply.raw_thinking
    ):
        return ResumePlan(model, plan, opener, prompt_opened_thinking=_is_untagged(reply))
    if reply.raw_thinking and not _has_known_tags(model, plan, reply):
        return ResumePlan(model, plan, await engine.opener(request))
    return ResumePlan(model, plan)


def _is_untagged(reply: StoredReply) -> bool:
    return not reply.answer or reply.raw.strip() == reply.answer.strip()


def _has_known_tags(model: Model, plan: Plan, reply: StoredReply) -> bool:
    try:
        writing_family(model, plan, reply.family, reply.raw, has_thinking_field=True)
    except RefusedError:
        return False
    return True
