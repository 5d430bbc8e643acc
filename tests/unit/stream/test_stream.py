from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.families import FAMILIES
from reflectty.stream import Event, Kind, Segment, StreamParser
from reflectty.stream.markers import LONGEST
from support.cases import cases
from support.parsing import Piece, Text, characters, cut_once, fold, merged, parse, pieces, run_case
from support.properties import examples

CASES = cases("reasoning.jsonl")


def expected(case: dict[str, Any]) -> list[Text]:
    return [("answer" if kind == "output" else kind, text.strip()) for kind, text in case["expected"]]


def read(text: str, family: str = "reflection", *, prefilled: bool = False) -> list[Text]:
    return fold(parse(family, [("content", text)], prefilled=prefilled))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
class TestEveryCase:
    def test_comes_out_as_expected_as_it_arrived(self, case: dict[str, Any]) -> None:
        assert expected(case) == run_case(case, pieces(case))

    def test_comes_out_as_expected_fed_whole(self, case: dict[str, Any]) -> None:
        assert expected(case) == run_case(case, merged(pieces(case)))

    def test_comes_out_as_expected_character_by_character(self, case: dict[str, Any]) -> None:
        assert expected(case) == run_case(case, characters(pieces(case)))

    def test_comes_out_as_expected_cut_once_anywhere(self, case: dict[str, Any]) -> None:
        for cut in cut_once(pieces(case)):
            assert expected(case) == run_case(case, cut)


@examples(600)
@given(st.data())
def test_a_case_comes_out_the_same_cut_at_random(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(CASES))
    cut: list[Piece] = []
    for source, text in merged(pieces(case)):
        ends = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=12)) | {len(text)})
        cut += [(source, text[start:end]) for start, end in zip([0, *ends], ends, strict=False)]

    assert expected(case) == run_case(case, cut)


POLICY = [
    # name, family, text, expected
    ("any: the tags of Reflection decide", "any", "<thinking>\na\n</thinking>\n<output>b</output>", "T:a A:b"),
    ("any: a leading <think> decides", "any", "<think>a</think>b <output> c", "T:a A:b <output> c"),
    ("any: brackets decide", "any", "[THINK]a[/THINK]b", "T:a A:b"),
    ("any: harmony decides", "any", "<|channel|>analysis<|message|>a<|end|><|channel|>final<|message|>b", "T:a A:b"),
    ("any: a closer alone decides", "any", "so 4\n</think>\n4", "T:so 4 A:4"),
    ("any: <Thought> is Marco-o1's", "any", "<Thought>\na\n</Thought>\n<Output>\nb\n</Output>", "T:a A:b"),
    ("any: plain text is an answer", "any", "Just text with <b>tags</b>.", "A:Just text with <b>tags</b>."),
    ("any: somebody's XML is an answer", "any", "<answer>\n<response>1</response>\n</answer>", None),
    ("none: nothing is read", "none", "<thinking>a</thinking><output>b</output>", None),
    ("whatever the case of a tag", "reflection", "<THINKING>a</Thinking><Output>b</OUTPUT>", "T:a A:b"),
    ("attributes on openers", "reflection", '<thinking lang="en">a</thinking ><output id=1>b</output>', "T:a A:b"),
    ("<think> from a Reflection model", "reflection", "<think>\na\n</think>\n<output>b</output>", "T:a A:b"),
    ("reflection mid-line inside thinking", "reflection", "<thinking>a <reflection>b</reflection> c</thinking>d", "T:a R:b T:c A:d"),
    ("reflection outside thinking at a line's start", "reflection", "<reflection>a</reflection>\nb", "R:a A:b"),
    ("reflection named in an answer's prose", "reflection", "<output>the <reflection> tag</output>", "A:the <reflection> tag"),
    ("an opener quoted in an answer takes its closer along", "reflection", "<output>use <thinking> and </thinking>.</output>", "A:use <thinking> and </thinking>."),
    ("thinking closed and reopened", "reflection", "<thinking>a</thinking><thinking>b</thinking><output>c</output>", "T:a T:b A:c"),
    ("two answers, the first unclosed", "reflection", "<output>1\n<output>2</output>", "A:1 A:2"),
    ("tags in a fence", "reflection", "<output>\n```xml\n<thinking>x</thinking>\n</output>\n```\nb</output>", "A:```xml\n<thinking>x</thinking>\n</output>\n```\nb"),
    ("tags in a tilde fence", "reflection", "<output>\n~~~\n<output>\n~~~\nb\n</output>", "A:~~~\n<output>\n~~~\nb"),
    ("a closer right behind the closing fence", "reflection", "<output>\n```\na\n```</output>\n<reflection>b</reflection>", "A:```\na\n``` R:b"),
    ("double backticks", "reflection", "<thinking>a ``x ` </thinking>`` b</thinking><output>c</output>", "T:a ``x ` </thinking>`` b A:c"),
    ("a span that closes on the next line is none", "reflection", "<thinking>a ` b</thinking>\n<output>c ` d</output>", "T:a ` b A:c ` d"),
    ("closer of thinking closes the reflection", "reflection", "<thinking>a<reflection>b</thinking>c", "T:a R:b A:c"),
    ("output at a line's end in thinking", "reflection", "<thinking>So: <output>\n5\n</output>", "T:So: A:5"),
    ("an orphan closer keeps tagged answers", "reflection", "<output>a</output>\nb</thinking>\nc", "A:a T:b A:c"),
    ("text between the parts", "reflection", "<thinking>a</thinking>\nso\n<output>b</output>\nbye", "T:a A:so A:b A:bye"),
    ("unclosed reflection at the end", "reflection", "<thinking>a\n<reflection>b", "T:a R:b"),
    ("only tags", "reflection", "<thinking></thinking><output></output>", ""),
    ("strict: an opener mid-line is text", "think", "A <think> tag.", "A:A <think> tag."),
    ("strict: a doubled opener", "think", "<think><think>a</think>b", "T:a A:b"),
    ("granite without a thought", "granite32", "Plain. Here is my response: 4", "A:Plain. Here is my response: 4"),
    ("granite's response alone", "granite32", "Here is my response: 4", "A:4"),
    ("granite 3.3", "granite33", "<think>a</think><response>b</response>", "T:a A:b"),
    ("solar", "solar_open", "<|think|>a<|end|><|begin|>assistant<|content|>b<|end|>", "T:a A:b"),
    ("kimi k3", "kimi_k3", "<|open|>think<|sep|>a<|close|>think<|sep|>b", "T:a A:b"),
    ("gemma's empty channel", "gemma4", "<|channel>thought\n<channel|>b", "A:b"),
    ("cohere's other answer tag", "cohere", "<|START_THINKING|>a<|END_THINKING|><|START_RESPONSE|>b<|END_RESPONSE|>", "T:a A:b"),
    ("harmony's preamble is no part of the final answer", "harmony", "<|channel|>commentary<|message|>p<|end|><|start|>assistant<|channel|>final<|message|>b<|return|>", "A:p A:b"),
    ("harmony without headers", "harmony", "plain", "A:plain"),
    ("a non-breaking space is no reason to lose text", "reflection", "<output>a\u00a0b</output>", "A:a\u00a0b"),
]  # fmt: skip


def spelled(segments: list[Text]) -> str:
    return " ".join(f"{kind[0].upper()}:{text}" for kind, text in segments)


@pytest.mark.parametrize(("family", "text", "wanted"), [row[1:] for row in POLICY], ids=[row[0] for row in POLICY])
def test_the_policy_holds_however_the_text_is_cut(family: str, text: str, wanted: str | None) -> None:
    wanted = f"A:{text}" if wanted is None else wanted

    assert wanted == spelled(read(text, family))
    assert wanted == spelled(fold(parse(family, characters([("content", text)]))))


def test_a_prefilled_thinking_is_left_by_its_closer() -> None:
    assert read("a</thinking>b", prefilled=True) == [("thinking", "a"), ("answer", "b")]


def test_a_prefilled_thinking_mid_sentence_goes_on() -> None:
    assert read("and so 4 <reflection>no, 5", prefilled=True) == [("thinking", "and so 4"), ("reflection", "no, 5")]


SOUP = st.lists(
    st.sampled_from([
        "<thinking>", "</thinking>", "<reflection>", "</reflection>", "<output>", "</output>", "<think>", "</think>",
        "\n", " ", "`", "``", "```", "~~~", "<", ">", "<thi", "a", "b c", "\r\n", "<output x>", "1 < 2", "[THINK]",
        "Here is my ", "thought process:", "response:", "<|channel|>", "final", "<|message|>", "<|end|>", "\t",
        "<|channel>", "thought\n", "<channel|>", "é", "x" * 90, " " * 90,
    ]),
    max_size=25,
).map("".join)  # fmt: skip
FAMILY = st.sampled_from(sorted(FAMILIES))


@examples(1500)
@given(SOUP, FAMILY, st.booleans(), st.data())
def test_any_text_comes_out_the_same_however_it_is_cut(
    text: str, family: str, prefilled: bool, data: st.DataObject
) -> None:
    ends = sorted(data.draw(st.sets(st.integers(0, len(text)))) | {len(text)})
    cut = [("content", text[start:end]) for start, end in zip([0, *ends], ends, strict=False)]

    assert read(text, family, prefilled=prefilled) == fold(parse(family, cut, prefilled=prefilled))


@examples(800)
@given(st.text(alphabet="ab <>/`\n#é", max_size=200), FAMILY)
def test_text_without_a_marker_is_never_lost(text: str, family: str) -> None:
    assert "".join(text.split()) == "".join("".join(part.split()) for _, part in read(text, family))


@examples(300)
@given(SOUP, FAMILY)
def test_no_more_than_a_marker_is_held_back(text: str, family: str) -> None:
    parser = StreamParser(FAMILIES[family])
    for char in text:
        parser.feed(char)

        assert len(parser._content._held) <= 2 * LONGEST + 1  # noqa: SLF001 - what is held shows nowhere else


@pytest.mark.parametrize("family", sorted(FAMILIES))
@pytest.mark.parametrize("unit", ["<", "<thinking", "</", "`", "```\n", " ", "\n", "[THINK", "<output>x ", "`<think>"])
@pytest.mark.parametrize("length", [10_000, pytest.param(200_000, marks=pytest.mark.slow)])
def test_long_hostile_text_takes_linear_time(family: str, unit: str, length: int) -> None:
    text = unit * (length // len(unit))
    parser = StreamParser(FAMILIES[family])
    events: list[Event] = []
    for at in range(0, len(text), 1000):
        events += parser.feed(text[at : at + 1000])
    events += parser.close()

    assert read(text, family) == fold(events)


def test_what_is_certain_is_said_so() -> None:
    def certainty(text: str, family: str) -> list[bool]:
        return [event.certain for event in parse(family, [("content", text)]) if isinstance(event, Segment)]

    assert certainty("a", "reflection") == [False]
    assert certainty("a", "none") == [True]
    assert certainty("<output>a", "reflection") == [True]
    assert certainty("<think>a</think>b", "think") == [True, True]


def test_native_thinking_makes_the_content_certain() -> None:
    events = parse("native", [("thinking", "a"), ("content", "b")])

    assert [(event.kind, event.certain) for event in events if isinstance(event, Segment)] == [
        (Kind.THINKING, True),
        (Kind.ANSWER, True),
    ]
