from __future__ import annotations

import pytest

from reflectty.chat.request import Question
from reflectty.core.budget import Budget
from reflectty.core.messages import Chunk, Effort, Message
from reflectty.evaluation.arms import parse_arm
from reflectty.evaluation.steps import ALONE, REVIEW, STEP_BY_STEP, first_question, next_question
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.modes import AskOptions, Mode
from reflectty.reasoning.reply import Reply
from reflectty.reasoning.stated_answers import AnswerKind

ASKED = Question("What is 6 times 7?", AskOptions(system="Be brief.", options=(("num_predict", 99),)))
LINE = "End with one line: Answer: <number>"


def replied(text: str) -> Reply:
    reply = Reply("m", FAMILIES["none"])
    reply.feed(Chunk(text, done=True, done_reason="stop"))
    reply.close()
    return reply


@pytest.mark.parametrize(
    ("arm", "instruction", "mode"),
    [
        ("direct", ALONE, Mode.DIRECT),
        ("cot", STEP_BY_STEP, Mode.DIRECT),
        ("revise", STEP_BY_STEP, Mode.DIRECT),
        ("vote-3", STEP_BY_STEP, Mode.DIRECT),
        ("reflect", "", Mode.REFLECT),
        ("think", "", Mode.NATIVE),
    ],
)
def test_every_arm_ends_in_the_same_line_and_differs_in_its_instruction(arm: str, instruction: str, mode: Mode) -> None:
    question = first_question(parse_arm(arm), ASKED, AnswerKind.NUMBER)
    body = f"{instruction}\n{LINE}" if instruction else LINE
    assert question.prompt == f"What is 6 times 7?\n\n{body}"
    assert question.ask_options.mode is mode
    assert question.ask_options.system == "Be brief."
    assert dict(question.ask_options.options)["num_predict"] == 99


@pytest.mark.parametrize("arm", ["direct", "cot", "revise", "vote-3", "reflect", "think"])
def test_a_bare_question_has_no_instruction(arm: str) -> None:
    assert first_question(parse_arm(arm), ASKED, AnswerKind.NUMBER, is_bare=True).prompt == ASKED.prompt


def test_a_question_of_the_user_is_asked_as_it_is() -> None:
    assert first_question(parse_arm("think"), ASKED).prompt == ASKED.prompt


def test_effort_budget_and_model_of_an_arm_are_asked_for() -> None:
    options = first_question(parse_arm("think:low:500@qwen3:8b"), ASKED).ask_options
    assert (options.effort, options.budget, options.model) == (Effort.LOW, Budget(500), "qwen3:8b")


def test_samples_verification_and_early_end_of_the_settings_are_no_part_of_an_arm() -> None:
    settings = ASKED.ask_options._replace(samples=5, verify=True, until_settled=True)
    first = first_question(parse_arm("cot"), ASKED._replace(ask_options=settings))
    assert first.asks_once
    assert not first.ask_options.until_settled


@pytest.mark.parametrize("arm", ["direct", "cot", "reflect", "think"])
def test_most_arms_ask_once(arm: str) -> None:
    first = first_question(parse_arm(arm), ASKED)
    assert next_question(parse_arm(arm), first, [replied("42")]) is None


def test_a_revision_shows_the_first_answer_and_ends_in_the_same_line() -> None:
    arm = parse_arm("revise")
    first = first_question(arm, ASKED, AnswerKind.NUMBER)
    second = next_question(arm, first, [replied("So 41.\nAnswer: 41")], AnswerKind.NUMBER)
    assert second is not None
    assert second.prompt == f"{REVIEW}\n{LINE}"
    assert second.history == (Message("user", first.prompt), Message("assistant", "So 41.\nAnswer: 41"))
    assert next_question(arm, first, [replied("a"), replied("b")]) is None


def test_the_answers_of_a_vote_have_a_temperature_and_seeds_of_their_own() -> None:
    arm = parse_arm("vote-3")
    asked = ASKED._replace(ask_options=ASKED.ask_options._replace(options=(("seed", 7), ("temperature", 0))))
    questions = [first_question(arm, asked)]
    while following := next_question(arm, questions[0], [replied("1")] * len(questions)):
        questions.append(following)
    assert [dict(one.ask_options.options) for one in questions] == [
        {"seed": seed, "temperature": 0.7} for seed in (7, 8, 9)
    ]
    assert len({one.prompt for one in questions}) == 1
