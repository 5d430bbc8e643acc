from __future__ import annotations

import pytest

from reflectty.core.errors import RefusedError
from reflectty.core.messages import Model
from reflectty.core.segments import Kind
from reflectty.core.session import ReplyMetrics, StoredReply
from reflectty.reasoning.families import FAMILIES, Tag
from reflectty.reasoning.modes import AskOptions, Mode, plan
from reflectty.reasoning.reply import Reply
from reflectty.reasoning.steering import (
    conclude_thinking,
    continuation_prefix,
    draft_of,
    metrics_of_draft,
    open_thinking,
    reading_family,
    writing_family,
)

THOUGHT = (Kind.THINKING, "11 is more than 9,")
DOUBT = (Kind.REFLECTION, "No: 9.9 is")
ANSWER = (Kind.ANSWER, "9.9")
NATIVE = AskOptions(Mode.NATIVE)


def thinking_model(name: str = "m", template: str = "") -> Model:
    return Model(name, ("completion", "thinking"), template)


def tags(model: Model, wish: AskOptions = NATIVE, seen: str = "") -> tuple[str, Tag]:
    family = writing_family(model, plan(model, wish), seen)
    return family.name, family.thinking[0]


def read(text: str, family: str = "reflection", *, prefilled: bool = False) -> tuple[tuple[Kind, str], ...]:
    """A raw beginning, as the parser reads it."""
    reply = Reply("m", FAMILIES[family], prefilled=prefilled)
    reply.begin_from(text)
    reply.close()
    return reply.segments


@pytest.mark.parametrize(
    ("segments", "family", "expected"),
    [
        ((), "reflection", ""),
        ((ANSWER,), "reflection", ""),
        ((THOUGHT,), "reflection", "11 is more than 9,"),
        ((THOUGHT, DOUBT), "reflection", "11 is more than 9,\n<reflection>\nNo: 9.9 is"),
        (
            (THOUGHT, DOUBT, THOUGHT),
            "reflection",
            "11 is more than 9,\n<reflection>\nNo: 9.9 is\n</reflection>\n11 is more than 9,",
        ),
        (
            (THOUGHT, DOUBT, ANSWER),
            "reflection",
            "11 is more than 9,\n<reflection>\nNo: 9.9 is",
        ),
        ((DOUBT, DOUBT), "reflection", "<reflection>\nNo: 9.9 is\n</reflection>\n<reflection>\nNo: 9.9 is"),
        ((THOUGHT, DOUBT), "think", "11 is more than 9,\nNo: 9.9 is"),
    ],
)
def test_a_draft_is_the_thinking_as_its_model_writes_it(
    segments: tuple[tuple[Kind, str], ...], family: str, expected: str
) -> None:
    assert draft_of(segments, FAMILIES[family]) == expected


@pytest.mark.parametrize(
    ("family", "text", "expected"),
    [
        ("reflection", "so", "<thinking>\nso"),
        ("reflection", "", "<thinking>\n"),
        ("reflection", "\nso, \t", "<thinking>\nso,"),
        ("reflection", "one\ntwo\n", "<thinking>\none\ntwo\n"),
        ("reflection", "<thinking>\nso", "<thinking>\nso"),
        ("think_answer", "so", "<think>\nso"),
        ("gemma4", "so", "<|channel>thought\nso"),
    ],
)
def test_edited_draft_continues_as_open_thinking(family: str, text: str, expected: str) -> None:
    assert open_thinking(FAMILIES[family], text) == expected


@pytest.mark.parametrize(
    ("family", "text", "expected"),
    [
        ("reflection", "so", "<thinking>\nso\n</thinking>\n<output>\n"),
        (
            "reflection",
            "so\n<reflection>\nno",
            "<thinking>\nso\n<reflection>\nno\n</reflection>\n</thinking>\n<output>\n",
        ),
        (
            "reflection",
            "<reflection>\na\n</reflection>\nb",
            "<thinking>\n<reflection>\na\n</reflection>\nb\n</thinking>\n<output>\n",
        ),
        ("reflection", "", "<thinking>\n</thinking>\n<output>\n"),
        ("think", "so\n", "<think>\nso\n</think>\n\n"),
        ("native", "so", "<thinking>\nso\n</thinking>\n"),
        ("magistral", "so", "[THINK]\nso\n[/THINK]\n"),
        ("think_answer", "so", "<think>\nso\n</think>\n<answer>\n"),
    ],
)
def test_a_concluded_draft_is_closed_and_its_answer_opened(family: str, text: str, expected: str) -> None:
    assert conclude_thinking(FAMILIES[family], text) == expected


@pytest.mark.parametrize(
    "segments", [(THOUGHT,), (THOUGHT, DOUBT), (THOUGHT, DOUBT, THOUGHT), (DOUBT, THOUGHT), (DOUBT,)]
)
@pytest.mark.parametrize("prefilled", [True, False])
def test_continued_draft_is_parsed_as_the_same_segments(
    segments: tuple[tuple[Kind, str], ...], prefilled: bool
) -> None:
    family = FAMILIES["reflection"]
    text = draft_of(segments, family)

    assert read(open_thinking(family, text), prefilled=prefilled) == segments
    assert read(conclude_thinking(family, text) + "9.9", prefilled=prefilled) == (*segments, ANSWER)


@pytest.mark.parametrize(
    ("name", "template", "expected"),
    [
        ("m", "<thinking>{{ .Thinking }}</thinking>", ("native", Tag("<thinking>", "</thinking>"))),
        ("m", "{% if '<think>' in content %}", ("native", Tag("<think>", "</think>"))),
        ("m", "<seed:think>{{ .Thinking }}", ("seed_oss", Tag("<seed:think>", "</seed:think>"))),
        ("m", "[THINK]{{ .Thinking }}[/THINK]", ("magistral", Tag("[THINK]", "[/THINK]"))),
        ("qwen3:8b", "{{ .Prompt }}", ("native", Tag("<think>", "</think>"))),
        ("exaone-deep", "{{ .Prompt }}", ("exaone_deep", Tag("<thought>", "</thought>"))),
    ],
)
def test_native_thinking_uses_the_tags_of_template_or_name(name: str, template: str, expected: tuple[str, Tag]) -> None:
    assert tags(thinking_model(name, template)) == expected


def test_the_other_tags_of_a_native_reply_are_still_read() -> None:
    model = thinking_model("m", "<think>")
    family = reading_family(model, plan(model, NATIVE))

    assert [tag.opener for tag in family.thinking] == ["<think>", "<thinking>"]
    assert family.reflection
    assert family.answer


@pytest.mark.parametrize(
    "model",
    [
        thinking_model("gpt-oss:20b", "<|channel|>analysis<|message|>"),
        thinking_model("gemma4", "<|channel>thought"),
        thinking_model("m", "{{ .Prompt }}"),
        thinking_model("m", "<|START_THINKING|>{{ .Thinking }}<|END_THINKING|>"),
    ],
    ids=["channels", "control tokens by name", "nothing known", "control tokens in the template"],
)
def test_thinking_with_unavailable_tags_is_refused(model: Model) -> None:
    with pytest.raises(RefusedError, match=r"cannot be steered") as refused:
        tags(model)

    assert refused.value.hint
    with pytest.raises(RefusedError):
        reading_family(model, plan(model, NATIVE))


@pytest.mark.parametrize(
    ("wish", "seen", "expected"),
    [
        (NATIVE, "think", "think"),
        (NATIVE, "reflection", "reflection"),
        (AskOptions(Mode.REFLECT), "", "reflection"),
        (AskOptions(Mode.REFLECT), "any", "reflection"),
        (AskOptions(Mode.REFLECT), "think", "think"),
        (AskOptions(family=FAMILIES["marco"]), "", "marco"),
    ],
)
def test_content_tags_are_those_of_the_plan_or_those_seen(wish: AskOptions, seen: str, expected: str) -> None:
    assert tags(Model("m"), wish, seen)[0] == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("", "<thinking>"),
        ("<think>so", "<think>"),
        ("<think>so</think> <thinking>", "<think>"),
        ("<thinking>is <think> a tag?", "<thinking>"),
        ("so</think>", "<thinking>"),
    ],
)
def test_tag_used_by_the_reply_is_preferred_within_its_family(raw: str, expected: str) -> None:
    family = writing_family(Model("m"), plan(Model("m"), NATIVE), "reflection", raw)

    assert family.thinking[0].opener == expected
    assert len(family.thinking) == 2


@pytest.mark.parametrize("seen", ["", "any", "none", "a family of the future"])
def test_content_without_tags_is_refused(seen: str) -> None:
    with pytest.raises(RefusedError):
        tags(Model("m"), NATIVE, seen)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (StoredReply("m", raw="<thinking>\n11 is m"), "<thinking>\n11 is m"),
        (StoredReply("m", raw="<thinking>a</thinking><output>9"), "<thinking>a</thinking><output>9"),
        (StoredReply("m", raw_thinking="11 is m"), "<think>\n11 is m"),
        (StoredReply("m", raw_thinking="11\n", raw="9.9 i"), "<think>\n11\n</think>\n\n9.9 i"),
        (StoredReply("m", raw_thinking="\n11\n", raw="\n\n9.9 i"), "<think>\n11\n</think>\n\n9.9 i"),
        (StoredReply("m", raw_thinking="<think>\n11", raw="9"), "<think>\n11\n</think>\n\n9"),
        (StoredReply("m"), ""),
    ],
)
def test_cut_reply_continues_from_its_raw_text(said: StoredReply, expected: str) -> None:
    model = thinking_model("m", "<think>{{ .Thinking }}</think>")

    assert continuation_prefix(said, model, plan(model, NATIVE)) == expected


def test_known_tags_are_needed_only_for_thinking_in_its_own_field() -> None:
    model = thinking_model("gpt-oss")
    chosen = plan(model, NATIVE)

    assert continuation_prefix(StoredReply("gpt-oss", raw="so far"), model, chosen) == "so far"
    with pytest.raises(RefusedError):
        continuation_prefix(StoredReply("gpt-oss", raw_thinking="so far"), model, chosen)


def test_direct_answer_continues_regardless_of_tags() -> None:
    model = thinking_model("m")

    assert reading_family(model, plan(model, AskOptions(Mode.DIRECT))).name == "native"
    assert reading_family(Model("m"), plan(Model("m"), AskOptions(Mode.DIRECT))).name == "any"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "11 is more than 9,\n",
            ReplyMetrics(thinking_tokens=9, thinking_ms=2_000, first_token_ms=300, total_ms=5_000),
        ),
        ("11 is less than 90,", ReplyMetrics(thinking_ms=2_000, first_token_ms=300)),
    ],
)
def test_draft_keeps_the_time_its_thinking_took(text: str, expected: ReplyMetrics) -> None:
    took = ReplyMetrics(thinking_tokens=9, thinking_ms=2_000, first_token_ms=300, total_ms=5_000)
    said = StoredReply("m", segments=(THOUGHT, ANSWER), measured=took)
    assert metrics_of_draft(said, FAMILIES["reflection"], text) == expected
