"""Harmony text whose tokens a server drops: parsed for models that are known to use harmony, and for no others."""

from __future__ import annotations

import pytest

from reflectty.core.messages import Model
from reflectty.reasoning.families import FAMILIES, Family
from reflectty.reasoning.modes import AskOptions, Mode, plan
from support.parsing import Text, characters, cut_once, fold, parse

DROPPED = "analysisThe user greets.assistantfinalHello, world!"
GPT_OSS = Model("openai/gpt-oss-20b", ("thinking",), unsupported_options=("num_ctx",))
UNNAMED = Model("mine", ("completion", "thinking"), template="{{ '<|channel|>analysis<|message|>' }}")
UNKNOWN = Model("mine", unsupported_options=("num_ctx",))


def read(family: Family, text: str) -> list[Text]:
    """The parsed text, which is the same however it is cut."""
    given = [("content", text)]
    found = fold(parse(family, given))
    assert fold(parse(family, characters(given))) == found
    assert all(fold(parse(family, cut)) == found for cut in cut_once(given))
    return found


def families(model: Model) -> list[Family]:
    return [plan(model, AskOptions(mode)).family for mode in Mode]


@pytest.mark.parametrize("model", [GPT_OSS, UNNAMED], ids=["by its name", "by its template"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DROPPED, [("thinking", "The user greets."), ("answer", "Hello, world!")]),
        ("analysis9.11 or 9.9?assistantfinal9.9", [("thinking", "9.11 or 9.9?"), ("answer", "9.9")]),
        ('analysis"Hi" is a greeting.assistantfinal**Hi**', [("thinking", '"Hi" is a greeting.'), ("answer", "**Hi**")]),
        ("analysis用户问好。assistantfinal你好", [("thinking", "用户问好。"), ("answer", "你好")]),
        ("assistantfinalThe direct answer.", [("answer", "The direct answer.")]),
        ("assistantanalysisHm.assistantcommentaryWait.assistantfinalYes.",
            [("thinking", "Hm."), ("answer", "Wait."), ("answer", "Yes.")]),
        ("\nanalysisHm.assistantfinalYes.", [("thinking", "Hm."), ("answer", "Yes.")]),
    ],
)  # fmt: skip
def test_harmony_without_tokens_is_parsed_in_every_mode(model: Model, text: str, expected: list[Text]) -> None:
    assert all(read(family, text) == expected for family in families(model))


ANSWERS = [
    "analysis of the data shows 9.9.",
    "Analysis: 9.9 is larger.",
    "analysis\n\n9.9 is larger.",
    "analysis, in short: 9.9.",
    "analysis",
    "analysises is no word.",
    "ANALYSIS OF 9.9",
    "assistantfinal is what is left of a header.",
    "assistantfinal",
    "The reply began with analysis and then came assistantfinal.",
    "The user greets.assistantfinalHello",
]


@pytest.mark.parametrize("text", ANSWERS)
@pytest.mark.parametrize("model", [GPT_OSS, UNNAMED, UNKNOWN], ids=["by its name", "by its template", "unknown"])
def test_an_answer_about_analysis_is_an_answer(model: Model, text: str) -> None:
    assert all(read(family, text) == [("answer", text)] for family in families(model))


@pytest.mark.parametrize("text", [DROPPED, "analysisThe user greets.", "analysisResult = 9.9", *ANSWERS])
def test_unknown_model_is_not_parsed_as_harmony_without_its_tokens(text: str) -> None:
    assert read(FAMILIES["any"], text) == [("answer", text)]


def test_text_without_a_following_answer_is_the_answer() -> None:
    assert read(plan(GPT_OSS, AskOptions()).family, "analysisResult = 9.9") == [("answer", "analysisResult = 9.9")]


def test_separate_thinking_field_means_no_tokens_were_dropped() -> None:
    given = [("thinking", "Hm."), ("content", DROPPED)]

    assert fold(parse(plan(GPT_OSS, AskOptions()).family, given)) == [("thinking", "Hm."), ("answer", DROPPED)]


@pytest.mark.parametrize("text", ["The token <|end|> ends it.", "<|channel|>analysis<|message|> opens it."])
def test_harmony_tokens_quoted_in_an_answer_are_text(text: str) -> None:
    assert read(plan(GPT_OSS, AskOptions()).family, text) == [("answer", text)]
