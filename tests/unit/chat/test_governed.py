"""A thinking that is ended from outside: at its budget, in a loop, on request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.chat.request import Question
from reflectty.chat.run import ask
from reflectty.core.budget import Budget, parse_budget
from reflectty.core.errors import NoAnswerError
from reflectty.core.messages import Chunk, Model
from reflectty.core.schema import read_schema
from reflectty.core.segments import Kind, Segment
from reflectty.core.session import ReplyStatus
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.governor import CLOSING_SENTENCE, AnswerRequest, EndReason, LoopAction, ThinkingEnd
from reflectty.reasoning.modes import AskOptions
from reflectty.reasoning.reply import Reply
from support.fakes import FakeRecorder, FakeRenderer
from support.scripted_engine import MODELS, ScriptedEngine, cut, thoughts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.core.errors import ReflecttyError
    from support.scripted_engine import Step

TEN = Budget(10)
SENTENCE = CLOSING_SENTENCE
WORDS = ("one ", "two ", "three ")
GPT_OSS = Model("gpt-oss:20b", ("completion", "thinking"), digest="sha256:4")


class Governed:
    """One question whose thinking may be ended, as seen by the engine, the renderer and the recorder."""

    def __init__(self, *scripts: Iterable[Step], model: str = "deepseek-r1", **options: Any) -> None:
        self.engine = ScriptedEngine(*scripts, models=(*MODELS, GPT_OSS))
        self.shown = FakeRenderer()
        self.recorder = FakeRecorder(self.shown.told)
        self.error: ReflecttyError | None = None
        extra = {name: options.pop(name) for name in ("schema", "answer_request", "reply_prefix") if name in options}
        question = Question("Which?", AskOptions(model=model, **options), **extra)
        try:
            self.reply = asyncio.run(
                ask(self.engine, question, self.shown, first_time=lambda _: False, recorder=self.recorder)
            )
        except NoAnswerError as error:
            self.error = error

    @property
    def outcome(self) -> tuple[str, str]:
        return self.reply.thinking, self.reply.answer


class TestBudget:
    def test_native_thinking_is_closed_and_the_answer_follows(self) -> None:
        seen = Governed(thoughts(*WORDS * 9), cut("It is 4."), budget=TEN)

        thinking = f"{('one two three ' * 3)}one\n\n{SENTENCE}"
        assert seen.outcome == (thinking, "It is 4.")
        assert seen.engine.so_far == ["", f"<think>\n{thinking}\n</think>\n\n"]
        assert seen.engine.stopped == 1
        assert seen.reply.thinking_end == ThinkingEnd(EndReason.BUDGET, 10, "10 tokens")
        assert "".join(seen.reply.raw_thinking).endswith(f"one \n\n{SENTENCE}")
        assert "".join(seen.reply.raw) == "It is 4."

    def test_tags_are_closed_in_their_family(self) -> None:
        answer = cut("It is 4.\n</output>")
        seen = Governed(("<thinking>\n", *WORDS * 9), answer, model="reflection", budget=TEN)

        beginning = f"<thinking>\n{'one two three ' * 3}"
        assert seen.engine.so_far[1] == f"{beginning.rstrip()}\n\n{SENTENCE}\n</thinking>\n<output>\n"
        assert seen.outcome == (f"{'one two three ' * 3}".rstrip() + f"\n\n{SENTENCE}", "It is 4.")

    @pytest.mark.parametrize(
        "last", ["<", "</thin", "<reflec", "<reflection>", "<reflection>\n", "  <"], ids=lambda text: text.strip()
    )
    def test_budget_inside_a_tag_leaves_no_part_of_it(self, last: str) -> None:
        """A later step would read a part of a tag as text of the thinking."""
        script = ("<thinking>\n", "One is", " small", last, *WORDS * 9)
        seen = Governed(script, cut("It is 4.\n</output>"), model="reflection", budget=Budget(3 + (">" in last)))
        raw = "".join(seen.reply.raw)

        assert seen.outcome == (f"One is small\n\n{SENTENCE}", "It is 4.")
        assert raw == f"<thinking>\nOne is small\n\n{SENTENCE}\n</thinking>\n<output>\nIt is 4.\n</output>"
        assert _read_again(raw) == seen.reply.segments

    def test_open_correction_is_closed_before_the_sentence(self) -> None:
        script = ("<thinking>\n", "One ", "<reflection>", "No, ", "two", *WORDS * 9)
        seen = Governed(script, cut("Two.\n</output>"), model="reflection", budget=Budget(5))

        assert seen.engine.so_far[1] == (
            f"<thinking>\nOne\n<reflection>\nNo, two\n</reflection>\n\n{SENTENCE}\n</thinking>\n<output>\n"
        )
        assert seen.reply.segments == (
            (Kind.THINKING, "One"),
            (Kind.REFLECTION, "No, two"),
            (Kind.THINKING, SENTENCE),
            (Kind.ANSWER, "Two."),
        )
        assert _read_again("".join(seen.reply.raw)) == seen.reply.segments

    def test_events_fold_to_the_segments_of_the_reply(self) -> None:
        script = ("<thinking>\n", "One ", "<reflection>", "No, ", "two", *WORDS * 9)
        seen = Governed(script, cut("Two.\n</output>"), model="reflection", budget=Budget(5))
        blocks: dict[int, tuple[Kind, str]] = {}
        for event in seen.shown.events:
            assert isinstance(event, Segment)
            blocks[event.block] = (event.kind, blocks.get(event.block, (event.kind, ""))[1] + event.text)

        assert tuple(blocks[number] for number in sorted(blocks)) == seen.reply.segments

    def test_shorter_thinking_is_left_alone(self) -> None:
        seen = Governed((*thoughts(*WORDS), "It is 4."), budget=TEN)

        assert (len(seen.engine.requests), seen.reply.thinking_end, seen.reply.answer) == (1, None, "It is 4.")

    def test_answer_has_no_budget(self) -> None:
        seen = Governed((*thoughts("Hm"), *WORDS * 30), budget=Budget(5))

        assert (len(seen.engine.requests), seen.reply.thinking_end) == (1, None)

    def test_seconds_are_counted_from_the_first_token(self) -> None:
        slow = (0.2, *thoughts("one "), 0.03, *thoughts("two "), 0.15, *thoughts(*WORDS * 9))
        seen = Governed(slow, cut("It is 4."), budget=parse_budget("0.1s"))

        assert seen.reply.thinking == f"one two one\n\n{SENTENCE}"
        assert seen.reply.metrics.budget == "0.1 s"

    def test_zero_is_direct(self) -> None:
        seen = Governed(("It is 4.",), budget=Budget())

        assert (seen.reply.mode, seen.engine.requests[0].think) == ("direct", False)

    def test_off_overrules_the_settings(self) -> None:
        seen = Governed((*thoughts(*WORDS * 9), "4"), budget=parse_budget("off"), budgets=(("", TEN),))

        assert (len(seen.engine.requests), seen.reply.answer) == (1, "4")

    def test_settings_name_the_sentence(self) -> None:
        seen = Governed(thoughts(*WORDS * 9), cut("4"), budgets=(("", TEN),), budget_sentence="Genug.")

        assert seen.engine.so_far[1].endswith("one\n\nGenug.\n</think>\n\n")

    def test_steered_thinking_counts_what_is_new(self) -> None:
        seen = Governed(WORDS * 9, cut("4"), budget=TEN, reply_prefix="<think>\n" + "old " * 50)

        assert seen.engine.so_far[1].count("old") == 50
        assert seen.engine.so_far[1].count("three") == 3
        assert seen.reply.answer == "4"

    def test_schema_holds_for_the_answer_behind_the_budget(self) -> None:
        schema = read_schema('{"type": "integer"}')
        seen = Governed(thoughts(*WORDS * 9), cut("4"), budget=TEN, schema=schema)

        assert [bool(request.schema) for request in seen.engine.requests] == [True, True]
        assert (seen.reply.answer, seen.engine.so_far[1][:11]) == ("4", "<think>\none")

    def test_schema_holds_behind_the_budget_of_tags(self) -> None:
        schema = read_schema('{"type": "integer"}')
        seen = Governed(("<thinking>\n", *WORDS * 9), cut("4"), model="reflection", budget=TEN, schema=schema)

        assert [bool(request.schema) for request in seen.engine.requests] == [False, True]
        assert seen.engine.so_far[1].endswith(f"{SENTENCE}\n</thinking>\n<output>\n")
        assert (seen.reply.answer, seen.reply.metrics.ended_by) == ("4", "budget")

    def test_reply_that_cannot_be_continued_ends_without_an_answer(self) -> None:
        seen = Governed(thoughts(*WORDS * 9), model="gpt-oss:20b", budget=TEN)

        assert str(seen.error).startswith("thinking ended at the budget of 10 tokens, and no answer could be asked for")
        assert seen.error.exit_code == 5 if seen.error else False
        assert seen.recorder.ended is not None
        assert seen.recorder.ended[0] is ReplyStatus.INCOMPLETE
        assert any("ends without an answer" in note for note in seen.shown.told)

    def test_model_that_thinks_again_ends_without_an_answer(self) -> None:
        """Otherwise it would think and be stopped for ever."""
        seen = Governed(thoughts(*WORDS * 9), ("Hm <think>\n", *WORDS * 30), budget=TEN)

        assert "went on thinking" in str(seen.error)
        assert len(seen.engine.requests) == 2


LOOP = ("But the sum is wrong, so I add the numbers again. ", "It is 41 and not 42, as I said before. ")


class TestLoops:
    @pytest.mark.parametrize("action", [None, LoopAction.END])
    def test_loop_ends_the_thinking(self, action: LoopAction | None) -> None:
        seen = Governed(thoughts(*_prose(20), *LOOP * 40), cut("41"), loops=action)

        assert seen.reply.answer == "41"
        assert seen.reply.thinking_end is not None
        assert seen.reply.thinking_end.by is EndReason.LOOP
        assert seen.reply.thinking.count(LOOP[0].strip()) <= 4

    @pytest.mark.parametrize("action", [LoopAction.NOTE, LoopAction.OFF])
    def test_loop_goes_on_if_the_user_says_so(self, action: LoopAction) -> None:
        seen = Governed((*thoughts(*_prose(20), *LOOP * 40), "41"), loops=action)

        assert (len(seen.engine.requests), seen.reply.answer) == (1, "41")
        assert seen.reply.repeats_itself is (action is LoopAction.NOTE)

    def test_short_thinking_is_not_looked_at(self) -> None:
        seen = Governed((*thoughts(*["Yes. "] * 9), "41"))

        assert (len(seen.engine.requests), seen.reply.answer) == (1, "41")

    def test_rows_of_a_list_are_no_loop(self) -> None:
        rows = [f"- Case {number}: the sum is {number * 7}, so it fits.\n" for number in range(60)]
        seen = Governed((*thoughts(*rows), "41"))

        assert (len(seen.engine.requests), seen.reply.answer) == (1, "41")


STOOD = ("Twice 9 is 18, so the answer is 18. ", "Let me check. ", "The answer is 18. ", "Yes, the answer is 18. ")


class TestUntilSettled:
    def test_thinking_ends_once_its_answer_has_stood(self) -> None:
        seen = Governed(thoughts(*STOOD, *_prose(20)), cut("18"), until_settled=True)

        assert seen.reply.answer == "18"
        assert seen.reply.thinking_end == ThinkingEnd(EndReason.SETTLED, 5)
        assert str(seen.reply.thinking_end) == "thinking ended: the answer stood"
        assert seen.reply.thinking.startswith("".join(STOOD))
        assert seen.reply.thinking.endswith(SENTENCE)

    @pytest.mark.parametrize("script", [STOOD[:3], (*STOOD[:3], "Or is the answer 17? ", STOOD[3])])
    def test_thinking_goes_on_while_it_has_not(self, script: tuple[str, ...]) -> None:
        seen = Governed((*thoughts(*script), "18"), until_settled=True)

        assert (len(seen.engine.requests), seen.reply.thinking_end) == (1, None)

    def test_thinking_goes_on_unless_it_was_asked_for(self) -> None:
        seen = Governed((*thoughts(*STOOD, *_prose(20)), "18"))

        assert (len(seen.engine.requests), seen.reply.thinking_end) == (1, None)

    def test_reply_that_cannot_be_continued_says_what_would_do(self) -> None:
        seen = Governed(thoughts(*STOOD, *_prose(20)), model="gpt-oss:20b", until_settled=True)

        assert seen.error
        assert "no answer could be asked for" in str(seen.error)
        assert "--until-settled" in seen.error.hint


class TestAnswerNow:
    def test_request_ends_the_thinking(self) -> None:
        request = AnswerRequest()
        request.set()
        seen = Governed(thoughts(*WORDS * 9), cut("4"), answer_request=request)

        assert seen.outcome == (f"one\n\n{SENTENCE}", "4")
        assert seen.reply.metrics.ended_by == "answer_now"

    def test_request_during_the_answer_changes_nothing(self) -> None:
        request = AnswerRequest()
        request.set()
        seen = Governed(("It ", "is ", "4."), answer_request=request)

        assert (len(seen.engine.requests), seen.reply.answer) == (1, "It is 4.")


def _prose(sentences: int) -> list[str]:
    return [f"Step {number} adds the {number} apples to those of the basket before it. " for number in range(sentences)]


def _read_again(raw: str) -> tuple[tuple[Kind, str], ...]:
    reply = Reply("reflection", FAMILIES["reflection"])
    reply.feed(Chunk(raw))
    reply.feed(Chunk(done=True, done_reason="stop"))
    reply.close()
    return reply.segments
