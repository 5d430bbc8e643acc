"""Questions to a scripted vLLM: schemas behind a parser, replies that it misreads, limits, and uninformative names."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.chat.outcome import limit_hint
from reflectty.chat.request import Question
from reflectty.chat.resume import make_resume_plan
from reflectty.chat.run import ask
from reflectty.core.errors import NoAnswerError, ReflecttyError, RefusedError
from reflectty.core.messages import Chunk, Model, Usage
from reflectty.core.schema import read_schema
from reflectty.core.segments import Kind, Segment
from reflectty.core.session import StoredReply
from reflectty.engines import open_engine
from reflectty.reasoning.families import FAMILIES
from reflectty.reasoning.modes import AskOptions, Mode, plan
from reflectty.reasoning.reply import Reply
from support.fake_server import FakeServer
from support.fakes import FakeRenderer
from support.openai_replies import model_list
from support.vllm import CHAT, COMPLETIONS, Vllm, vllm_completion, vllm_reply

if TYPE_CHECKING:
    from reflectty.reasoning.modes import Plan

UNKNOWN = "org/team/Tiny-R1"
SCHEMA = read_schema('{"type": "object", "properties": {"larger": {"type": "string"}}, "required": ["larger"]}')
JSON = ['{"larger":', ' "9.9"}']
TAGGED = "<thinking>\n11 is more.\n</thinking>\n<output>\n9.9 is larger.\n</output>"


class Outcome:
    """The outcome of a question."""

    def __init__(self) -> None:
        self.shown = FakeRenderer()
        self.error: ReflecttyError | None = None
        self.bodies: list[Any] = []

    @property
    def reply(self) -> Reply:
        assert self.shown.reply is not None
        return self.shown.reply


def asked(vllm: Vllm, question: Question, times: int = 1) -> Outcome:
    """Ask `times` times over the same engine; return the last outcome."""

    async def run(server: FakeServer) -> None:
        async with open_engine(server.host, engine="openai") as engine:
            for _ in range(times):
                outcome.shown = FakeRenderer()
                await ask(engine, question, outcome.shown, first_time=lambda _: False)

    outcome = Outcome()
    with vllm.serve() as server:
        try:
            asyncio.run(run(server))
        except ReflecttyError as error:
            outcome.error = error
        outcome.bodies = [one.json for one in server.requests if one.path in (CHAT, COMPLETIONS)]
    return outcome


# A schema


def test_schema_behind_a_parser_takes_a_second_request_once_thinking_is_seen() -> None:
    chats = [vllm_reply(["never read"], ["Both", " start"]), vllm_reply(JSON, ["\n", "Both", " start."])]
    outcome = asked(Vllm(UNKNOWN, chat=chats), Question("q", AskOptions(model=UNKNOWN), schema=SCHEMA))
    free, held = outcome.bodies

    assert outcome.error is None
    assert json.loads(outcome.reply.answer) == {"larger": "9.9"}
    assert outcome.reply.thinking == "Both start."
    assert "response_format" not in free
    assert held["response_format"]["json_schema"]["strict"] is True
    assert held["messages"][-1]["role"] == "user"


def test_schema_behind_a_parser_takes_one_request_once_thinking_is_known() -> None:
    chats = [
        vllm_reply(["never read"], ["Both"]),
        vllm_reply(JSON, ["\n", "Both."]),
        vllm_reply(JSON, ["\n", "Again."]),
    ]
    outcome = asked(Vllm(UNKNOWN, chat=chats), Question("q", AskOptions(model=UNKNOWN), schema=SCHEMA), times=2)

    assert len(outcome.bodies) == 3
    assert outcome.bodies[2]["chat_template_kwargs"]["enable_thinking"] is True
    assert "<thinking>" not in json.dumps(outcome.bodies[2]["messages"])


def test_usage_of_a_schema_reply_is_reported() -> None:
    outcome = asked(
        Vllm("Qwen/Qwen3-8B", chat=vllm_reply(JSON, ["Both", "."], prompt=41)), Question("q", schema=SCHEMA)
    )

    assert (outcome.reply.usage.prompt_tokens, outcome.reply.usage.reply_tokens) == (41, 6)


def test_usage_of_both_requests_is_combined() -> None:
    thought = vllm_reply(["<thinking>", "\n", "Both", ".", "\n", "</thinking>", "\n", "<output>", "9"])
    vllm = Vllm("reflection-70b", chat=thought, completions=vllm_completion([*JSON, "\n"], prompt=60))
    outcome = asked(vllm, Question("q", schema=SCHEMA))
    usage = outcome.reply.usage

    assert outcome.error is None
    assert outcome.bodies[1]["prompt"].endswith("<thinking>\nBoth.\n</thinking>\n<output>\n")
    assert usage.prompt_tokens + usage.reply_tokens == 63
    assert usage.prompt_tokens < 60
    assert outcome.reply.tokens[Kind.ANSWER] == 2


def test_model_without_tags_is_sent_none() -> None:
    chats = [vllm_reply(["9.9"]), vllm_reply(JSON)]
    outcome = asked(Vllm("m", chat=chats), Question("q", ask_options=AskOptions(Mode.NATIVE), schema=SCHEMA))

    assert outcome.error is None
    assert json.loads(outcome.reply.answer) == {"larger": "9.9"}
    assert "<thinking>" not in json.dumps(outcome.bodies)


def test_schema_applies_from_the_first_token_if_replies_cannot_continue() -> None:
    async def run(host: str) -> None:
        async with open_engine(host, engine="openai") as engine:
            await ask(engine, Question("q", AskOptions(model="m"), schema=SCHEMA), shown, first_time=lambda _: False)

    shown = FakeRenderer()
    with FakeServer({"/v1/models": model_list("m", maker="openai"), CHAT: vllm_reply(JSON)}) as server:
        asyncio.run(run(server.host))
        (sent,) = server.asked(CHAT)

    assert shown.reply is not None
    assert json.loads(shown.reply.answer) == {"larger": "9.9"}
    assert "response_format" in sent.json
    assert not any("tags" in text for text in shown.told)


def test_endless_whitespace_from_a_grammar_ends_the_reply() -> None:
    blanks = [" " * 30] * 20
    question = Question("q", ask_options=AskOptions(Mode.DIRECT), schema=SCHEMA)
    outcome = asked(Vllm("Qwen/Qwen3-8B", chat=vllm_reply([*JSON, *blanks])), question)

    assert outcome.error is None
    assert json.loads(outcome.reply.answer) == {"larger": "9.9"}


# Replies that a parser misreads


def test_answer_misread_as_reasoning_is_shown_as_the_answer() -> None:
    pieces = [TAGGED[at : at + 7] for at in range(0, len(TAGGED), 7)]
    outcome = asked(Vllm(UNKNOWN, chat=vllm_reply([], pieces)), Question("q", AskOptions(model=UNKNOWN)))
    answers = [one for one in outcome.shown.events if isinstance(one, Segment) and one.kind is Kind.ANSWER]

    assert outcome.error is None
    assert outcome.reply.answer == "9.9 is larger."
    assert [one.text for one in answers] == ["9.9 is larger."]
    assert outcome.reply.segments == ((Kind.THINKING, "11 is more."), (Kind.ANSWER, "9.9 is larger."))


@pytest.mark.parametrize(
    ("thinking", "content", "reason"),
    [
        ("I should write <output> and then the answer.", "", "stop"),
        (TAGGED, "Really.", "stop"),
        (TAGGED, "", "length"),
        ("Both start with 9.", "", "stop"),
    ],
    ids=["no answer in tags", "a content of its own", "cut", "no tags"],
)
def test_thinking_is_reread_only_if_it_holds_the_whole_answer(thinking: str, content: str, reason: str) -> None:
    reply = Reply("m", FAMILIES["reflection"])
    for chunk in (Chunk(thinking=thinking), Chunk(content), Chunk(done=True, done_reason=reason)):
        reply.feed(chunk)
    reply.close()

    assert reply.reread_thinking() == ()


# Limits


def cut_reply(family: str, *contents: str, prefilled: bool = False) -> Reply:
    reply = Reply("m", FAMILIES[family], prefilled=prefilled)
    for text in contents:
        reply.feed(Chunk(text))
    reply.feed(Chunk(done=True, done_reason="length"))
    reply.close()
    return reply


@pytest.mark.parametrize(
    ("family", "contents", "answer"),
    [
        ("any", ("<", "thinking"), ""),
        ("reflection", ("<thi",), ""),
        ("think", ("\n", "<think"), ""),
        ("any", ("[THI",), ""),
        ("any", ("9.9 is",), "9.9 is"),
        ("none", ("<thinking",), "<thinking"),
        ("any", ("<b>bold",), "<b>bold"),
    ],
)
def test_reply_cut_in_its_first_tag_has_no_answer(family: str, contents: tuple[str, ...], answer: str) -> None:
    assert cut_reply(family, *contents).answer == answer


@pytest.mark.parametrize(
    ("usage", "room", "says"),
    [
        (Usage(1995, 53), 2048, "the prompt of 1995 tokens leaves only 53 of the context's 2048"),
        (Usage(30, 512), 0, "after 512 tokens by default: raise the limit with -o num_predict"),
        (Usage(30, 100), 4096, "after 100 tokens by default"),
        (Usage(30, 777), 0, "restart the server with a larger context"),
    ],
)
def test_limit_hint_names_the_source_of_the_limit(usage: Usage, room: int, says: str) -> None:
    assert says in limit_hint(Question("q"), Model("m", unsupported_options=("num_ctx",), server_context=room), usage)


def test_thinking_tokens_are_those_counted_by_the_server() -> None:
    reply = Reply("m", FAMILIES["native"])
    for chunk in (Chunk(thinking="a"), Chunk(thinking="b"), Chunk("c")):
        reply.feed(chunk)
    reply.feed(Chunk(done=True, done_reason="stop", usage=Usage(5, 71, thinking_tokens=60)))

    assert (reply.tokens[Kind.THINKING], reply.tokens[Kind.ANSWER]) == (60, 11)


# Uninformative names


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        (AskOptions(), {"enable_thinking": True, "thinking": True}),
        (AskOptions(Mode.DIRECT), {"enable_thinking": False, "thinking": False}),
    ],
)
def test_switchable_model_gets_the_thinking_switch(wish: AskOptions, expected: dict[str, bool]) -> None:
    vllm = Vllm(on="assistant\n", off="assistant\n<think>\n\n</think>\n\n", chat=vllm_reply(["9.9"], ["Both"]))
    (body,) = asked(vllm, Question("q", ask_options=wish)).bodies

    assert body["chat_template_kwargs"] == expected
    assert [message["role"] for message in body["messages"]] == ["user"]


@pytest.mark.parametrize("parser", [True, False])
def test_thinking_opened_by_the_template_is_thinking_from_the_start(parser: bool) -> None:
    chat = vllm_reply(["\n\n", "9.9"], ["Both."]) if parser else vllm_reply(["Both.", "\n", "</think>", "\n\n", "9.9"])
    outcome = asked(Vllm(on="assistant\n<think>\n", chat=chat), Question("q"))

    assert (outcome.reply.thinking.strip(), outcome.reply.answer.strip()) == ("Both.", "9.9")
    assert outcome.shown.events[0].kind is Kind.THINKING


OPENED = "assistant\n<think>\n"
NAMED = "Qwen/QwQ-32B"


@pytest.mark.parametrize("beside", [True, False], ids=["by the prompt", "by the name"])
@pytest.mark.parametrize("parser", [True, False], ids=["with a parser", "without"])
def test_named_thinker_with_opened_thinking_thinks_from_the_start(parser: bool, beside: bool) -> None:
    chat = vllm_reply(["\n\n", "9.9"], ["Both."]) if parser else vllm_reply(["Both.", "\n", "</think>", "\n\n", "9.9"])
    outcome = asked(Vllm(NAMED, on=OPENED, chat=chat, beside=beside), Question("q"))

    assert (outcome.reply.thinking.strip(), outcome.reply.answer.strip()) == ("Both.", "9.9")
    assert {type(event) for event in outcome.shown.events} == {Segment}
    assert outcome.shown.events[0].kind is Kind.THINKING
    assert outcome.reply.warnings == []


def test_prompt_overrides_the_name_of_a_known_thinker() -> None:
    outcome = asked(Vllm(NAMED, chat=vllm_reply(["9.9", " is larger."])), Question("q"))

    assert outcome.reply.segments == ((Kind.ANSWER, "9.9 is larger."),)


def test_reply_is_the_answer_when_thinking_is_off() -> None:
    vllm = Vllm(NAMED, on=OPENED, off=f"{OPENED}\n</think>\n\n", chat=vllm_reply(["9.9"]))
    outcome = asked(vllm, Question("q", ask_options=AskOptions(Mode.DIRECT)))

    assert outcome.reply.segments == ((Kind.ANSWER, "9.9"),)


@pytest.mark.parametrize("name", ["", NAMED])
def test_answer_inside_unclosed_thinking_is_not_lost(name: str) -> None:
    vllm = Vllm(name or "prod/assistant-v2", on=OPENED, chat=vllm_reply(["9.9", " is larger."]))
    outcome = asked(vllm, Question("q"))

    assert outcome.error is None
    assert outcome.reply.answer == "9.9 is larger."
    assert any("no separate answer" in text for text in outcome.reply.warnings)


@pytest.mark.parametrize("name", ["prod/assistant-v2", NAMED])
def test_cut_thinking_opened_by_the_template_is_not_an_answer(name: str) -> None:
    outcome = asked(Vllm(name, on=OPENED, chat=vllm_reply(["Both", " start"], finish="length")), Question("q"))

    assert isinstance(outcome.error, NoAnswerError)
    assert outcome.reply.answer == ""


# A schema without a parser


@pytest.mark.parametrize(
    ("on", "opener"), [(OPENED, []), ("assistant\n", ["<think>", "\n"])], ids=["opened", "left to the model"]
)
@pytest.mark.parametrize("name", ["Qwen/Qwen3-8B", "prod/assistant-v2"])
def test_without_a_parser_the_schema_applies_after_the_thinking(name: str, on: str, opener: list[str]) -> None:
    thought = vllm_reply([*opener, "Both", " start.", "\n", "</think>", "\n\n", "never read"])
    vllm = Vllm(name, on=on, off=f"{OPENED}\n</think>\n\n", chat=thought, completions=vllm_completion(JSON))
    outcome = asked(vllm, Question("q", schema=SCHEMA))
    free, held = outcome.bodies

    assert outcome.error is None
    assert json.loads(outcome.reply.answer) == {"larger": "9.9"}
    assert outcome.reply.thinking == "Both start."
    assert [one.kind for one in outcome.shown.events if isinstance(one, Segment)][:2] == [Kind.THINKING] * 2
    assert "response_format" not in free
    assert held["response_format"]["json_schema"]["strict"] is True
    assert held["prompt"].endswith("assistant\n<think>\nBoth start.\n</think>\n\n")
    assert held["prompt"].count("<think>") == 1


def test_schema_is_not_applied_inside_thinking_that_cannot_be_turned_off() -> None:
    thought = vllm_reply(["Both.", "\n", "</think>", "\n\n"])
    vllm = Vllm("deepseek-ai/DeepSeek-R1", on=OPENED, chat=thought, completions=vllm_completion(JSON))
    outcome = asked(vllm, Question("q", ask_options=AskOptions(Mode.DIRECT), schema=SCHEMA))

    assert json.loads(outcome.reply.answer) == {"larger": "9.9"}
    assert outcome.bodies[1]["prompt"].endswith("<think>\nBoth.\n</think>\n\n")


def test_named_thinker_behind_a_parser_takes_one_request_the_second_time() -> None:
    chats = [
        vllm_reply(["never read"], ["Both"]),
        vllm_reply(JSON, ["\n", "Both."]),
        vllm_reply(JSON, ["\n", "Again."]),
    ]
    outcome = asked(Vllm(NAMED, on=OPENED, chat=chats), Question("q", AskOptions(model=NAMED), schema=SCHEMA), times=2)

    assert ["response_format" in body for body in outcome.bodies] == [False, True, True]
    assert outcome.reply.thinking == "Again."


# Whether a reply can be continued


def way(vllm: Vllm, said: StoredReply) -> Any:
    async def run(server: FakeServer) -> Any:
        async with open_engine(server.host, engine="openai") as engine:
            model = await engine.show(vllm.name)
            return await make_resume_plan(
                engine, Question("q", AskOptions(model=vllm.name)), said, model, plan_of(model, said)
            )

    with vllm.serve() as server:
        return asyncio.run(run(server))


def plan_of(model: Model, said: StoredReply) -> Plan:
    return plan(model, AskOptions(Mode(said.mode)))


THOUGHT_APART = StoredReply(UNKNOWN, mode="reflect", raw_thinking="Both", segments=((Kind.THINKING, "Both"),))


def test_parsed_thinking_continues_in_the_tags_shown_by_its_tokens() -> None:
    found = way(Vllm(UNKNOWN, tokens=("<think>", "\n")), THOUGHT_APART)

    assert found.family_of(THOUGHT_APART).thinking[0].opener == "<think>"


def test_unknown_thinking_tags_are_refused() -> None:
    found = way(Vllm(UNKNOWN, tokens=("Both", " start")), THOUGHT_APART)

    with pytest.raises(RefusedError, match="its thinking tags are unknown"):
        found.family_of(THOUGHT_APART)


def test_thinking_misread_as_the_answer_is_recovered() -> None:
    said = StoredReply("Qwen/QwQ-32B", mode="native", raw="Both start", segments=((Kind.ANSWER, "Both start"),))
    found = way(Vllm("Qwen/QwQ-32B", on="assistant\n<think>\n"), said)

    assert found.reinterpret(said).segments == ((Kind.THINKING, "Both start"),)
    assert found.family_of(said).thinking[0].opener == "<think>"


@pytest.mark.parametrize("maker", ["openai", "library", ""])
def test_server_that_cannot_continue_is_refused_before_the_question_is_sent(maker: str) -> None:
    async def run(host: str) -> None:
        async with open_engine(host, engine="openai") as engine:
            model = await engine.show("m")
            await make_resume_plan(engine, Question("q", AskOptions(model="m")), said, model, plan_of(model, said))

    said = StoredReply("m", mode="reflect", raw="<thinking>\nso", segments=((Kind.THINKING, "so"),))
    with (
        FakeServer({"/v1/models": model_list("m", maker=maker)}) as server,
        pytest.raises(RefusedError, match="known to support this"),
    ):
        asyncio.run(run(server.host))
    assert not server.asked(CHAT)
