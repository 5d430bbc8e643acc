from __future__ import annotations

from typing import Any

import pytest

from reflectty.core.messages import Chunk, Usage
from reflectty.core.segments import Event, Kind, Segment
from reflectty.core.session import ReplyMetrics
from reflectty.output.plain import FinalGate
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.reply import Reply
from support.cases import cases

CASES = [case for case in cases("reasoning.jsonl") if "final" in case]


def chunks(case: dict[str, Any]) -> list[Chunk]:
    native = [("thinking", text) for text in case.get("native_thinking") or []]
    given = case.get("events") or [*native, *(("content", text) for text in case["chunks"])]
    pieces = [Chunk(thinking=text) if source == "thinking" else Chunk(content=text) for source, text in given]
    return [*pieces, Chunk(done=True, done_reason=case.get("done_reason", "stop"))]


def fed(reply: Reply, given: list[Chunk]) -> list[Event]:
    events: list[Event] = []
    for chunk in given:
        events += reply.feed(chunk)
    return [*events, *reply.close()]


def reply_to(text: str, family: str = "reflection", done_reason: str = "stop") -> Reply:
    reply = Reply("m", FAMILIES[family])
    fed(reply, [Chunk(content=text), Chunk(done=True, done_reason=done_reason)])
    return reply


def went_out(text: str, family: str, *, final: bool) -> list[str]:
    """The text that may be written after each character, and at the end."""
    reply = Reply("m", FAMILIES[family])
    answer = FinalGate(reply.family, final=final)
    out = ["".join(map(answer.feed, reply.feed(Chunk(content=char)))) for char in text]
    last = reply.feed(Chunk(done=True, done_reason="stop")) + reply.close()
    return [*out, "".join(map(answer.feed, last)) + answer.close(reply)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
class TestFinalAnswer:
    def test_matches_the_expected_answer(self, case: dict[str, Any]) -> None:
        reply = Reply("m", FAMILIES[case["family"]], prefilled=case.get("start_in") == "thinking")
        fed(reply, chunks(case))

        assert case["final"].strip() == reply.answer

    @pytest.mark.parametrize("final", [True, False])
    def test_matches_what_is_emitted_piece_by_piece(self, case: dict[str, Any], final: bool) -> None:
        reply = Reply("m", FAMILIES[case["family"]], prefilled=case.get("start_in") == "thinking")
        answer = FinalGate(reply.family, final=final)
        out = "".join(map(answer.feed, fed(reply, chunks(case)))) + answer.close(reply)

        assert case["final"].strip() == out


@pytest.mark.parametrize(
    ("text", "done_reason", "answer", "complete", "doubtful"),
    [
        ("<thinking>a</thinking><output>b</output>", "stop", "b", True, False),
        ("<thinking>a", "stop", "a", True, True),
        ("<thinking>a", "length", "", False, False),
        ("<thinking>a</thinking><output>b", "length", "b", False, False),
        ("<thinking>so <output>1</output> no <output>2</output>", "stop", "2", True, False),
        ("", "stop", "", False, False),
        ("plain", "", "plain", True, False),
        ("Sure.\n<thinking>a</thinking>\n<output>b</output>", "stop", "b", True, False),
    ],
)
def test_an_answer_is_complete_only_when_the_model_ended_it(
    text: str, done_reason: str, answer: str, complete: bool, doubtful: bool
) -> None:
    reply = reply_to(text, done_reason=done_reason)

    assert (answer, complete, doubtful) == (reply.answer, reply.is_complete, reply.has_fallback_answer)


@pytest.mark.parametrize(
    ("text", "thought"),
    [
        ("", False),
        ("only an answer", False),
        ("<thinking>a", False),
        ("<thinking>a</thinking>", True),
        ("<thinking>a</thinking>b", True),
        ("<output>b", True),
    ],
)
def test_thinking_is_finished_once_closed_or_followed_by_an_answer(text: str, thought: bool) -> None:
    reply = Reply("m", FAMILIES["reflection"])
    reply.feed(Chunk(content=text))

    assert reply.has_finished_thinking is thought


@pytest.mark.parametrize(
    ("content", "answer"),
    [("", ""), ("  \n", ""), ("<think>b", "<think>b"), ("42", "42"), ("<output>42</output>", "42")],
)
def test_thinking_in_its_own_field_is_never_the_answer(content: str, answer: str) -> None:
    reply = Reply("m", FAMILIES["native"])
    fed(reply, [Chunk(thinking="It must be 41"), Chunk(content=content), Chunk(done=True, done_reason="stop")])

    assert (answer, bool(answer), False) == (reply.answer, reply.is_complete, reply.has_fallback_answer)


def test_cut_reply_has_no_answer_in_its_thinking() -> None:
    reply = Reply("m", FAMILIES["reflection"])
    fed(reply, [Chunk(content="<thinking>It is 42.")])

    assert (reply.answer, reply.is_complete) == ("", False)


@pytest.mark.parametrize(
    ("text", "family", "final", "first", "before_the_end"),
    [
        # The index of the character that releases the first text (None: only the end), and whether any precedes the end.
        ("abc", "none", True, 0, True),
        ("abc", "reflection", True, None, False),
        ("abc", "think", False, None, False),
        ("<output>abc", "reflection", True, 8, True),
        ("<think>a</think>bc", "think", True, 16, True),
        ("<thinking>a</thinking>bc", "reflection", False, 22, True),
        ("<thinking>a</thinking>bc", "reflection", True, None, False),
    ],
)
def test_text_is_emitted_as_soon_as_it_is_certain(
    text: str, family: str, final: bool, first: int | None, before_the_end: bool
) -> None:
    out = went_out(text, family, final=final)

    assert first == next((at for at, piece in enumerate(out[:-1]) if piece), None)
    assert before_the_end == any(out[:-1])


def test_orphan_closer_retracts_nothing_already_emitted() -> None:
    assert went_out("so 4\n</think>\n4", "think", final=False)[-2:] == ["4", ""]


def test_uncertain_text_of_a_cut_reply_is_not_a_final_answer() -> None:
    for final, expected in ((True, ""), (False, "perhaps a thought")):
        reply = Reply("m", FAMILIES["reflection"])
        answer = FinalGate(reply.family, final=final)
        out = "".join(map(answer.feed, fed(reply, [Chunk(content="perhaps a thought")])))

        assert expected == out + answer.close(reply)


def test_metrics_are_split_by_part_and_scaled_to_the_server_total() -> None:
    seconds = iter(range(100))
    reply = Reply("m", FAMILIES["reflection"], clock=lambda: float(next(seconds)))
    given = ["<thinking>", "a", " b", "<reflection>", "c", "</reflection>", "</thinking>", "<output>", "d"]
    usage = Usage(prompt_tokens=5, reply_tokens=18, reply_ms=2000)
    fed(reply, [*(Chunk(content=text) for text in given), Chunk(done=True, done_reason="stop", usage=usage)])

    assert sum(reply.tokens.values()) == 18
    assert reply.tokens[Kind.THINKING] > reply.tokens[Kind.ANSWER]
    assert (reply.corrections, reply.first_token_ms, reply.tokens_per_second) == (1, 1000.0, 9.0)
    assert reply.thinking_ms < reply.total_ms


def test_thinking_tokens_counted_by_the_server_are_not_estimated() -> None:
    reply = Reply("m", FAMILIES["native"])
    usage = Usage(reply_tokens=66, thinking_tokens=60)
    fed(
        reply,
        [Chunk(thinking="hm"), Chunk("4"), Chunk(" is"), Chunk(" it", done=True, done_reason="stop", usage=usage)],
    )

    assert reply.tokens == {Kind.THINKING: 60, Kind.REFLECTION: 0, Kind.ANSWER: 6}


def test_reclassified_text_counts_as_thinking() -> None:
    reply = reply_to("six times seven\n</think>\n42", "think")

    assert (reply.thinking, reply.answer) == ("six times seven", "42")
    assert reply.tokens[Kind.ANSWER] <= 1


QUOTED = "Models write:\n\n<think>\n\nbefore they reason."


def test_unclosed_thinking_in_an_answer_counts_as_answer() -> None:
    reply = reply_to(QUOTED)

    assert (reply.answer, reply.thinking, reply.is_complete, reply.has_markers) == (QUOTED, "", True, False)
    assert reply.tokens[Kind.THINKING] == 0


@pytest.mark.parametrize("family", ["any", "reflection", "native"])
@pytest.mark.parametrize("final", [True, False])
def test_retracted_text_is_emitted_once(family: str, final: bool) -> None:
    assert "".join(went_out(QUOTED, family, final=final)) == QUOTED


def test_unclosed_thinking_in_a_cut_reply_stays_thinking() -> None:
    reply = reply_to("Sure.\n<thinking>\n2 + 2", done_reason="length")

    assert (reply.answer, reply.thinking) == ("Sure.", "2 + 2")


def test_after_keeping_only_thinking_the_answer_is_not_parsed_for_tags() -> None:
    reply = Reply("m", FAMILIES["reflection"])
    fed(reply, [Chunk(content="Sure.\n<thinking>a\n<reflection>b</reflection>\nc</thinking>\nso")])
    start = reply.keep_thinking_only()
    fed(reply, [Chunk(content='{"tag": "<output>"}'), Chunk(done=True, done_reason="stop")])

    assert start == "<thinking>\na\n<reflection>\nb\n</reflection>\nc\n</thinking>\n<output>\n"
    assert reply.answer == '{"tag": "<output>"}'
    assert [kind for kind, _ in reply.segments] == [Kind.THINKING, Kind.REFLECTION, Kind.THINKING, Kind.ANSWER]


class TestContinuedReply:
    SO_FAR = "<thinking>\n11 is more than 9.\n<reflection>\nNo: 9.9 i"
    REST = ("s 9.90.", "</reflection>", "</thinking>", "<output>", "9.9", "</output>")

    def test_resumes_in_the_middle_of_a_sentence(self) -> None:
        reply = Reply("m", FAMILIES["reflection"])
        events = reply.begin_from(self.SO_FAR)
        fed(reply, [*(Chunk(content=text) for text in self.REST), Chunk(done=True, done_reason="stop")])

        assert "".join(event.text for event in events if isinstance(event, Segment)) == "11 is more than 9.No: 9.9 i"
        assert reply.segments == (
            (Kind.THINKING, "11 is more than 9."),
            (Kind.REFLECTION, "No: 9.9 is 9.90."),
            (Kind.ANSWER, "9.9"),
        )
        assert "".join(reply.raw) == self.SO_FAR + "".join(self.REST)

    @pytest.mark.parametrize("at", range(0, len(SO_FAR), 7))
    def test_is_the_same_for_any_cut(self, at: int) -> None:
        whole = self.SO_FAR + "".join(self.REST)
        reply = Reply("m", FAMILIES["reflection"])
        reply.begin_from(whole[:at])
        fed(reply, [Chunk(content=whole[at:]), Chunk(done=True)])

        assert reply.segments == reply_to(whole).segments

    def test_detects_its_family_in_the_prefix(self) -> None:
        reply = Reply("m", FAMILIES["any"])
        reply.begin_from("<reasoning>so")

        assert reply.family.name == "reasoning_answer"

    def test_adds_the_metrics_of_the_prefix(self) -> None:
        seconds = iter([0.0, 2.0, 3.0, 4.0])
        reply = Reply("m", FAMILIES["reflection"], clock=lambda: next(seconds))
        earlier = ReplyMetrics(
            thinking_tokens=40,
            answer_tokens=2,
            thinking_ms=5000,
            first_token_ms=700,
            total_ms=6000,
            tokens_per_second=9,
        )
        reply.begin_from("<thinking>\nlong\n</thinking>\n<output>\n9", earlier)
        usage = Usage(reply_tokens=10, reply_ms=1000)
        fed(reply, [Chunk(content="."), Chunk(content="9"), Chunk(done=True, done_reason="stop", usage=usage)])
        measured = reply.metrics

        assert (measured.thinking_tokens, measured.answer_tokens) == (40, 12)
        assert (measured.thinking_ms, measured.first_token_ms, measured.total_ms) == (5000, 700, 10_000)
        assert measured.tokens_per_second == 10

    def test_estimates_tokens_of_an_uncounted_prefix(self) -> None:
        reply = Reply("m", FAMILIES["reflection"])
        reply.begin_from(f"<thinking>{'word ' * 80}<reflection>{'word ' * 40}")
        before = reply.tokens
        fed(reply, [Chunk(content="w"), Chunk(content="x")])

        assert (before[Kind.THINKING], before[Kind.REFLECTION]) == (99, 49)
        assert reply.tokens[Kind.REFLECTION] == 49 + 2
        assert reply.metrics.corrections == 1

    def test_counts_reclassified_text_as_thinking(self) -> None:
        reply = Reply("m", FAMILIES["think"])
        reply.begin_from("six times seven is", ReplyMetrics(answer_tokens=5))
        fed(reply, [Chunk(content=" 42\n</think>\n42"), Chunk(done=True)])

        assert (reply.thinking, reply.answer) == ("six times seven is 42", "42")
        assert reply.tokens[Kind.THINKING] == 6
        assert reply.tokens[Kind.ANSWER] == 0
