from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.segments import Event, Kind, Segment
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.markers import MAX_MARKER_LENGTH
from reflectty.reasoning.parser import StreamParser
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
    def test_gives_expected_parts_as_received(self, case: dict[str, Any]) -> None:
        assert expected(case) == run_case(case, pieces(case))

    def test_gives_expected_parts_fed_whole(self, case: dict[str, Any]) -> None:
        assert expected(case) == run_case(case, merged(pieces(case)))

    def test_gives_expected_parts_character_by_character(self, case: dict[str, Any]) -> None:
        assert expected(case) == run_case(case, characters(pieces(case)))

    def test_gives_expected_parts_for_any_single_split(self, case: dict[str, Any]) -> None:
        for cut in cut_once(pieces(case)):
            assert expected(case) == run_case(case, cut)


@examples(600)
@given(st.data())
def test_case_gives_expected_parts_for_random_splits(data: st.DataObject) -> None:
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
    ("code at the end of a line", "reflection", "<thinking>see `</thinking>`\nb", "T:see `</thinking>`\nb"),
    ("a span that closes on the next line is none", "reflection", "<thinking>a ` b</thinking>\n<output>c ` d</output>", "T:a ` b A:c ` d"),
    ("closer of thinking closes the reflection", "reflection", "<thinking>a<reflection>b</thinking>c", "T:a R:b A:c"),
    ("output at a line's end in thinking", "reflection", "<thinking>So: <output>\n5\n</output>", "T:So: A:5"),
    ("an orphan closer keeps tagged answers", "reflection", "<output>a</output>\nb</thinking>\nc", "A:a T:b A:c"),
    ("text between the parts", "reflection", "<thinking>a</thinking>\nso\n<output>b</output>\nbye", "T:a A:so A:b A:bye"),
    ("unclosed reflection at the end", "reflection", "<thinking>a\n<reflection>b", "T:a R:b"),
    ("only tags", "reflection", "<thinking></thinking><output></output>", ""),
    ("a correction right behind an answer that names its tag", "reflection", "<output>name <output> here</output> <reflection>b</reflection>", "A:name <output> here R:b"),
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
    ("any: a header first", "any", "<|start|>assistant<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>b", "T:a A:b"),
    ("any: half a header of Muse's", "any", " to=self<|message|>a<|eom|><|start|>assistant to=user<|message|>b<|eot|>", "T:a A:b"),
    ("any: harmony's token in a sentence", "any", "The token <|channel|> names it, and `<|start|>` comes first.", None),
    ("any: harmony's token in a fence", "any", "So:\n```\n<|start|>assistant<|channel|>final\n```\nb", None),
    ("any: the words of granite, which anybody may say", "any", "Here is my thought process: a. So b.", None),
    ("any: the words of apriel's prompt", "any", "Here are my reasoning steps:\n1. a\n\nSo b.", None),
    ("harmony: the first half of a header as text", "harmony", "It is <|start|> of all.", "A:It is A:<|start|> of all."),
    ("granite never gives its response", "granite32", "Here is my thought process: a", "T:a"),
    ("any: a sentence that begins like one", "any", "to=user is a recipient.", None),
    ("any: the suffix of a checkpoint", "any", "<think:abc123>a</think:abc123>b", "T:a A:b"),
    ("harmony: a channel named anew", "harmony", "<|channel|>commentary to=assistant<|channel|>analysis<|message|>a<|end|><|channel|>final<|message|>b", "T:a A:b"),
    ("harmony: the user as recipient", "harmony", "<|channel|>final to=user<|message|>b<|return|>", "A:b"),
    ("harmony: a tool as recipient of the role", "harmony", "<|start|>assistant to=functions.f<|channel|>commentary<|message|>{}<|call|><|channel|>final<|message|>b", "A:b"),
    ("harmony: no message marker", "harmony", '<|channel|>final {"a": 1}<|return|>', 'A:{"a": 1}'),
    ("harmony: no message marker at the end", "harmony", "<|channel|>final so it is", "A:so it is"),
    ("harmony: thinking without a message marker", "harmony", "<|channel|>analysis a b<|end|><|channel|>final<|message|>c", "T:a b A:c"),
    ("harmony: a header without a message", "harmony", "<|start|>assistant<|channel|>final <|constrain|>json", ""),
    ("harmony: a tool call without a message marker", "harmony", '<|channel|>commentary to=functions.f {"a": 1}<|call|>', ""),
    ("harmony: its token in a sentence", "harmony", "It is <|channel|> that names it.", "A:It is A:<|channel|> that names it."),
    ("harmony: a text too long for a header", "harmony", "<|channel|>final " + "word " * 60, "A:" + "word " * 59 + "word"),
    ("harmony without tokens, three messages", "harmony", "analysisa.assistantcommentaryb.assistantfinalc", "T:a. A:b. A:c"),
    ("harmony without tokens, never closed", "harmony", "Analysis of it shows: b.", None),
    ("a name of a channel in an answer", "harmony", "See assistantfinal.", None),
    ("muse: no header", "glimmer", "b", "A:b"),
    ("muse: no message marker", "glimmer", " to=user b", "A:b"),
    ("muse: a call of a tool", "glimmer", " to=f<|message|>{}<|eot|><|start|>assistant to=user<|message|>b<|eot|>", "A:b"),
    ("kimi k3: the answer's wrapper", "kimi_k3", "<|open|>think<|sep|>a<|close|>think<|sep|><|open|>response<|sep|>b<|close|>response<|sep|><|close|>message<|sep|>", "T:a A:b"),
    ("kimi k3: a closer without its end", "kimi_k3", "<|open|>think<|sep|>a<|close|>think<|open|>response<|sep|>b", "T:a A:b"),
    ("a token of its own in a line", "magistral", "a [THINK]b[/THINK] c", "A:a T:b A:c"),
    ("a token of its own that never closes", "magistral", "a [THINK]b", "A:a T:b"),
    ("a token of its own in code", "magistral", "a `[THINK]` b", None),
    ("minimax m3 in a line", "minimax_m3", "a <mm:think>b</mm:think> c", "A:a T:b A:c"),
    ("kimi vl in a line", "kimi_vl", "a ◁think▷b◁/think▷ c", "A:a T:b A:c"),
    ("gemma: the label alone", "gemma4", "<|channel>thought<channel|>b", "A:b"),
    ("gemma: the label at the end", "gemma4", "<|channel>thought", ""),
    ("gemma: a word that begins like the label", "gemma4", "<|channel>thoughts a<channel|>b", "T:thoughts a A:b"),
    ("gemma: the opener lost", "gemma4", "thought\na<channel|>b", "T:a A:b"),
    ("gemma: an answer that begins like the label", "gemma4", "thought\nis a word.", None),
    ("apriel: everything before its marker", "apriel", "a\n[BEGIN FINAL RESPONSE]\nb\n[END FINAL RESPONSE]\n<|end|>", "T:a A:b"),
    ("inkling: an untagged message", "inkling", "b<|end_message|>", "A:b"),
    ("hunyuan: whatever suffix", "hy", "<think:x1>a</think:x1>b", "T:a A:b"),
    ("hunyuan: no suffix", "hy", "<think>a</think>b", "T:a A:b"),
    ("k2: by effort", "k2_horizon", "<ifm|think_faster>a</ifm|think_faster>b", "T:a A:b"),
    ("longcat", "longcat", "<longcat_think>a</longcat_think>b", "T:a A:b"),
    ("solar 2", "solar_open2", "<|think:start|>a<|think:end|>b", "T:a A:b"),
    ("ernie", "ernie45", "<think>a</think>\n<response>b</response>", "T:a A:b"),
    ("an opener on a line of its own that never closes", "native", "Models write:\n\n<think>\n\nbefore b.", None),
    ("an opener in a tagged answer that never closes", "reflection", "<output>1\n<thinking>\n2", "A:1\n<thinking>\n2"),
    ("corrections in what never closes", "reflection", "a\n<thinking>\nb <reflection>c</reflection> d", None),
    ("a thinking behind a preface", "reflection", "Sure.\n<thinking>\na\n</thinking>\nb", "A:Sure. T:a A:b"),
    ("a closer of all that came takes the correction along", "reflection", "a\n<reflection>b\n</thinking>\nc", "T:a R:b A:c"),
    ("a closer named in a sentence", "native", "The closing tag is </think> and that is all.", None),
    ("a closer in quotation marks", "reflection", 'The "</thinking>" ends it.', None),
    ("a closer before a comma", "think", "Write </think>, then the answer.", None),
    ("a closer behind the end of a sentence", "think", "It is 4. </think> The answer is 4.", "T:It is 4. A:The answer is 4."),
    ("a closer without blanks", "think", "so 4</think>4", "T:so 4 A:4"),
    ("a closer named behind its thinking", "reflection", "<thinking>a</thinking>The </thinking> tag ends it.", "T:a A:The </thinking> tag ends it."),
    ("a non-breaking space is no reason to lose text", "reflection", "<output>a\u00a0b</output>", "A:a\u00a0b"),
]  # fmt: skip


def spelled(segments: list[Text]) -> str:
    return " ".join(f"{kind[0].upper()}:{text}" for kind, text in segments)


@pytest.mark.parametrize(("family", "text", "wanted"), [row[1:] for row in POLICY], ids=[row[0] for row in POLICY])
def test_policy_applies_to_any_split(family: str, text: str, wanted: str | None) -> None:
    wanted = f"A:{text}" if wanted is None else wanted

    assert wanted == spelled(read(text, family))
    assert wanted == spelled(fold(parse(family, characters([("content", text)]))))


def test_prefilled_thinking_ends_at_its_closer() -> None:
    assert read("a</thinking>b", prefilled=True) == [("thinking", "a"), ("answer", "b")]


@pytest.mark.parametrize(
    ("family", "content", "wanted"),
    [
        ("native", "Models write:\n\n<think>\n\nbefore b.", None),
        ("native", "The closing tag is </think> and that is all.", None),
        ("reflection", "a\n</thinking>\nb", None),
        ("any", "a\n<reflection>\nb\n</reflection>", None),
        ("native", "<think> is a tag.\nb", None),
        ("native", "</think>\n\nb", "A:b"),
        ("native", "<think>b</think>c", "T:b A:c"),
        ("harmony", "Analysis of it shows b.", None),
        ("glimmer", " to=user<|message|>b<|eot|>", "A:b"),
    ],
)
def test_thinking_tags_are_text_after_a_thinking_field(family: str, content: str, wanted: str | None) -> None:
    given = [("thinking", "t"), ("content", content)]
    wanted = f"A:{content}" if wanted is None else wanted

    assert f"T:t {wanted}" == spelled(fold(parse(family, given)))
    assert f"T:t {wanted}" == spelled(fold(parse(family, characters(given))))


@pytest.mark.parametrize("family", ["cohere", "exaone_deep", "reflection", "think", "any"])
def test_text_after_a_thinking_field_is_answer_even_if_prefilled(family: str) -> None:
    given = [("thinking", "The user asks"), ("content", "Paris is the capital.")]

    assert fold(parse(family, given, prefilled=True)) == [given[0], ("answer", "Paris is the capital.")]


def test_open_thinking_of_a_cut_reply_stays_thinking() -> None:
    parser = StreamParser(FAMILIES["reflection"])
    events = [*parser.feed("Sure.\n<thinking>\na"), *parser.close(complete=False)]

    assert fold(events) == [("answer", "Sure."), ("thinking", "a")]


def test_family_from_a_quoted_unclosed_tag_is_forgotten() -> None:
    parser = StreamParser(FAMILIES["any"])
    parser.feed("Models write:\n<think>\nb")
    parser.close()

    assert (parser.family.name, parser.has_markers) == ("any", False)


def test_prefilled_thinking_may_start_mid_sentence() -> None:
    assert read("and so 4 <reflection>no, 5", prefilled=True) == [("thinking", "and so 4"), ("reflection", "no, 5")]


SOUP = st.lists(
    st.sampled_from([
        "<thinking>", "</thinking>", "<reflection>", "</reflection>", "<output>", "</output>", "<think>", "</think>",
        "\n", " ", "`", "``", "```", "~~~", "<", ">", "<thi", "a", "b c", "\r\n", "<output x>", "1 < 2", "[THINK]",
        "Here is my ", "thought process:", "response:", "<|channel|>", "final", "<|message|>", "<|end|>", "\t",
        "<|channel>", "thought\n", "<channel|>", "é", "x" * 90, " " * 90,
        "<|start|>", "assistant", "analysis", "assistantfinal", " to=self", "to=user", "<|constrain|>", "<think:", "ab>", "</think:ab>",
        "<|close|>think", "<|sep|>", "<|open|>response<|sep|>", "<|channel>thought", "[BEGIN FINAL RESPONSE]", "<|end_message|>",
        "<|content_text|>", "</ifm|think>", ".", '"', ",", "Models write:\n",
    ]),
    max_size=25,
).map("".join)  # fmt: skip
FAMILY = st.sampled_from(sorted(FAMILIES))


@examples(1500)
@given(SOUP, FAMILY, st.booleans(), st.data())
def test_any_text_is_parsed_the_same_for_any_split(
    text: str, family: str, prefilled: bool, data: st.DataObject
) -> None:
    ends = sorted(data.draw(st.sets(st.integers(0, len(text)))) | {len(text)})
    cut = [("content", text[start:end]) for start, end in zip([0, *ends], ends, strict=False)]

    assert read(text, family, prefilled=prefilled) == fold(parse(family, cut, prefilled=prefilled))


@examples(2000)
@given(
    st.lists(
        st.sampled_from(["a", "b ", " `b", "`", "\n", "\na", "```", " ", "<thinking>", "</thinking>"]), max_size=30
    ),
    st.sampled_from(["reflection", "any", "native"]),
    st.booleans(),
)
def test_repeated_words_are_parsed_the_same_as_the_whole_text(words: list[str], family: str, prefilled: bool) -> None:
    one_by_one = [("content", word) for word in words]

    assert fold(parse(family, one_by_one, prefilled=prefilled)) == read("".join(words), family, prefilled=prefilled)


def test_word_at_a_line_start_ends_the_inline_code_of_the_line_before() -> None:
    words = ["<thinking>", "a", "\n", "a", " `b", "\na", "</thinking>", "`c"]

    assert fold(parse("reflection", [("content", word) for word in words])) == [
        ("thinking", "a\na `b\na"),
        ("answer", "`c"),
    ]


@pytest.mark.parametrize(
    "words",
    [["Well ", "so", "</reflection>", " more"], ["Well ", "so", " ", "</reflection>", " more"], ["a ", "", "b"]],
)
def test_words_that_end_in_a_blank_are_parsed_the_same_as_the_whole_text(words: list[str]) -> None:
    one_by_one = [("content", word) for word in words]

    assert fold(parse("reflection", one_by_one)) == read("".join(words), "reflection")


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

        assert len(parser._content._held) <= 2 * MAX_MARKER_LENGTH + 1  # noqa: SLF001 - there is no public view of the held text


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


def test_text_after_a_marker_is_emitted_at_once() -> None:
    assert fold([*StreamParser(FAMILIES["reflection"]).feed("<thinking>a")]) == [("thinking", "a")]


def test_closer_before_many_spaces_is_resolved_before_the_end() -> None:
    text = "<output>name <output> here</output>" + " " * 90 + "b"

    assert fold([*StreamParser(FAMILIES["reflection"]).feed(text)]) == [
        ("answer", "name <output> here"),
        ("answer", "b"),
    ]


def test_certain_segments_are_marked_certain() -> None:
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
