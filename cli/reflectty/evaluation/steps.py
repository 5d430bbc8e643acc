"""How an arm asks one question: its instructions, and the turns or samples that follow the first reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.core.messages import Message
from reflectty.evaluation.arms import Way
from reflectty.reasoning.stated_answers import AnswerKind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.chat.request import Question
    from reflectty.evaluation.arms import Arm
    from reflectty.reasoning.reply import Reply

STEP_BY_STEP: Final = "Think step by step before you answer."
ALONE: Final = "Answer at once, without any working."
REVIEW: Final = (
    "Review your answer: check every step, and look for mistakes. Then give the whole answer again, corrected"
    " where it was wrong."
)
_INSTRUCTIONS: Final = {
    Way.DIRECT: ALONE,
    Way.COT: STEP_BY_STEP,
    Way.REVISE: STEP_BY_STEP,
    Way.VOTE: STEP_BY_STEP,
}
_FORMS: Final = {
    AnswerKind.NUMBER: "<number>",
    AnswerKind.CHOICE: "<letter>",
    AnswerKind.MATH: "<expression>",
}
VOTE_TEMPERATURE: Final = 0.7
"""The temperature of the answers of a vote, which would be the same without."""


def answer_line(kind: AnswerKind) -> str:
    """The instruction that ends every question of an evaluation, the same in each arm."""
    return f"End with one line: Answer: {_FORMS.get(kind, '<answer>')}"


def instruction_of(arm: Arm, kind: AnswerKind | None = None) -> str:
    """What an arm puts behind a question; with the line for the answer if its kind is given."""
    parts = (_INSTRUCTIONS.get(arm.way, ""), answer_line(kind) if kind else "")
    return "\n".join(filter(None, parts))


def first_question(arm: Arm, question: Question, kind: AnswerKind | None = None, *, is_bare: bool = False) -> Question:
    """The first question that an arm asks; the instructions stand in it, since some models want no system prompt.

    Args:
        arm: the arm.
        question: the question as the user would ask it; its options are kept where the arm has none of its own.
        kind: the kind of its answer, if it is to be graded.
        is_bare: whether the question is asked alone, without instructions.
    """
    instruction = "" if is_bare else instruction_of(arm, kind)
    prompt = "\n\n".join(filter(None, (question.prompt, instruction)))
    # An arm is all that is asked: samples, verification and an early end of the settings would be arms of their own.
    once = question.ask_options._replace(samples=0, verify=False, until_settled=False)
    options = once.override(mode=arm.mode, effort=arm.effort, budget=arm.budget, model=arm.model)
    asked = question._replace(prompt=prompt, ask_options=options)
    return _with_vote_options(asked, 0) if arm.way is Way.VOTE else asked


def next_question(
    arm: Arm, first: Question, replies: Sequence[Reply], kind: AnswerKind | None = None
) -> Question | None:
    """The question that follows the replies so far; None if the arm has asked all.

    Args:
        arm: the arm.
        first: its first question.
        replies: the replies so far, at least one.
        kind: the kind of the answer, if it is to be graded.
    """
    if arm.way is Way.VOTE and len(replies) < arm.votes:
        return _with_vote_options(first, len(replies))
    if arm.way is Way.REVISE and len(replies) == 1:
        earlier = (Message("user", first.prompt), Message("assistant", replies[0].answer))
        review = "\n".join(filter(None, (REVIEW, answer_line(kind) if kind else "")))
        return first._replace(prompt=review, history=(*first.history, *earlier))
    return None


def seconds_of(reply: Reply) -> float:
    """Seconds of a reply: of reading the prompt and generating by the server's clock, else by ours."""
    usage = reply.usage
    return (usage.prompt_ms + usage.reply_ms if usage.reply_ms else reply.total_ms) / 1000


def _with_vote_options(question: Question, number: int) -> Question:
    """A question with the temperature of a vote, unless one is set, and a seed of its own."""
    options = dict(question.ask_options.options)
    if not options.get("temperature"):
        options["temperature"] = VOTE_TEMPERATURE
    seed = options.get("seed", 0)
    options["seed"] = (seed if isinstance(seed, int) else 0) + number
    return question._replace(ask_options=question.ask_options._replace(options=tuple(options.items())))
