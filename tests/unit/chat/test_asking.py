from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.chat.request import Question
from reflectty.chat.run import ask, ask_raw
from reflectty.core.errors import IncompleteError, OutputError, ReflecttyError, RefusedError
from reflectty.core.messages import Message
from reflectty.core.schema import read_schema
from reflectty.core.segments import Kind
from reflectty.core.session import ReplyMetrics, ReplyStatus
from reflectty.engines import open_engine
from reflectty.reasoning.modes import AskOptions, Mode
from support.fake_replies import CLOSE, HANG, Answer
from support.fake_server import FakeServer, error, line, raw_reply, rendered, reply, show, tags, unless_loading, whole
from support.fakes import FakeRecorder, FakeRenderer
from support.scripted_servers import ANSWER, ANSWERED, THOUGHT, chat_server, unfinished
from support.waiting import until

if TYPE_CHECKING:
    from reflectty.reasoning.reply import Reply

MODEL = "reflection"
QUESTION = Question("Which?", AskOptions(model=MODEL))
HISTORY = (Message("user", "Before?"), Message("assistant", "Yes."))
SO_FAR = "<thinking>\n11 is m"
REST = ("ore.\n</thinking>\n", "<output>\n", "9.9", "\n</output>")


class Outcome:
    """The outcome of a question, as seen by the renderer and the recorder."""

    def __init__(self, server: FakeServer, question: Question, fails: Exception | None = None) -> None:
        self.shown = FakeRenderer(fails)
        self.kept = FakeRecorder(self.shown.told)
        self.reply: Reply | None = None
        self.error: ReflecttyError | None = None
        try:
            self.reply = asyncio.run(self._ask(server.host, question))
        except ReflecttyError as error:
            self.error = error

    async def _ask(self, host: str, question: Question) -> Reply:
        async with open_engine(host) as engine:
            return await ask(engine, question, self.shown, first_time=lambda _: False, recorder=self.kept)

    @property
    def ended(self) -> tuple[ReplyStatus, str, str]:
        assert self.kept.ended is not None
        return self.kept.ended


def resuming(*rest: str, prompt: str = "Q: Which?\nA: ", **shown: Any) -> FakeServer:
    """A server that continues a reply and answers nothing else."""
    routes = {"/api/show": show(**shown), "/api/tags": tags(MODEL), "/api/chat": rendered(prompt)}
    return FakeServer(routes | {"/api/generate": unless_loading(raw_reply(rest))})


class TestHistory:
    def test_is_placed_between_system_and_question(self) -> None:
        with chat_server(reply([ANSWERED])) as server:
            Outcome(server, QUESTION._replace(history=HISTORY, ask_options=AskOptions(system="Be brief.", model=MODEL)))
        roles = [(said["role"], said["content"]) for said in server.asked("/api/chat")[0].json["messages"]]

        assert roles == [("system", "Be brief."), ("user", "Before?"), ("assistant", "Yes."), ("user", "Which?")]

    def test_images_are_refused_when_the_model_has_no_vision(self) -> None:
        history = (Message("user", "Look", ("aGk=",)), Message("assistant", "Nice."))
        with chat_server(reply([ANSWERED])) as server:
            outcome = Outcome(server, QUESTION._replace(history=history))

        assert type(outcome.error) is RefusedError
        assert server.asked("/api/chat") == []


class TestContinuing:
    def test_prefix_and_rest_form_one_reply(self) -> None:
        with resuming(*REST) as server:
            outcome = Outcome(server, QUESTION._replace(reply_prefix=SO_FAR))
        render, raw = (asked.json for asked in (*server.asked("/api/chat"), *server.generated()))

        assert outcome.reply is not None
        assert outcome.reply.segments == ((Kind.THINKING, "11 is more."), (Kind.ANSWER, "9.9"))
        assert outcome.reply.is_complete
        assert "".join(outcome.reply.raw) == SO_FAR + "".join(REST)
        assert outcome.shown.text == "11 is m|ore.|9.9"
        assert render["_debug_render_only"] is True
        assert raw["prompt"] == "Q: Which?\nA: " + SO_FAR

    def test_recorded_reply_starts_with_the_prefix(self) -> None:
        with resuming(*REST) as server:
            outcome = Outcome(server, QUESTION._replace(reply_prefix=SO_FAR))

        assert outcome.kept.said is not None
        assert outcome.kept.said.raw == SO_FAR

    def test_earlier_metrics_are_added(self) -> None:
        earlier = ReplyMetrics(thinking_tokens=900, total_ms=60_000)
        with resuming(*REST) as server:
            outcome = Outcome(server, QUESTION._replace(reply_prefix=SO_FAR, prefix_metrics=earlier))

        assert outcome.reply is not None
        assert outcome.reply.metrics.thinking_tokens >= 900
        assert outcome.reply.metrics.total_ms > 60_000

    def test_tags_of_a_natively_thinking_model_are_parsed(self) -> None:
        with resuming(
            *REST, capabilities=["completion", "thinking"], template="<thinking>{{ .Thinking }}</thinking>"
        ) as server:
            outcome = Outcome(server, QUESTION._replace(reply_prefix=SO_FAR))

        assert outcome.reply is not None
        assert outcome.reply.segments == ((Kind.THINKING, "11 is more."), (Kind.ANSWER, "9.9"))

    def test_opener_is_not_doubled_when_the_template_writes_it(self) -> None:
        with resuming(*REST, prompt="Q: Which?\nA: <thinking>\n", template="{{ .Prompt }}<thinking>\n") as server:
            outcome = Outcome(server, QUESTION._replace(reply_prefix=SO_FAR))

        assert outcome.reply is not None
        assert outcome.reply.segments == ((Kind.THINKING, "11 is more."), (Kind.ANSWER, "9.9"))
        assert server.generated()[0].json["prompt"] == "Q: Which?\nA: " + SO_FAR

    def test_is_refused_if_the_tags_are_unknown(self) -> None:
        with resuming(*REST, capabilities=["completion", "thinking"]) as server:
            outcome = Outcome(server, Question("Which?", AskOptions(model="gpt-oss"), reply_prefix="x"))

        assert type(outcome.error) is RefusedError
        assert "cannot be steered or continued" in str(outcome.error)
        assert server.asked("/api/chat") == []

    def test_is_refused_if_the_server_cannot_render(self) -> None:
        with chat_server(whole({"message": {"content": "x"}, "done": True})) as server:
            outcome = Outcome(server, QUESTION._replace(reply_prefix=SO_FAR))

        assert type(outcome.error) is RefusedError
        assert "cannot render" in str(outcome.error)

    def test_schema_applies_to_the_answer_after_the_remaining_thinking(self) -> None:
        generate = [raw_reply(["ore.\n</thinking>\n", "<output>\nwell"]), raw_reply(['{"a": 1}', "  "])]
        routes = {"/api/show": show(), "/api/tags": tags(MODEL), "/api/chat": rendered("Q: ")}
        with FakeServer(routes | {"/api/generate": unless_loading(*generate)}) as server:
            outcome = Outcome(server, QUESTION._replace(reply_prefix=SO_FAR, schema=read_schema('{"type": "object"}')))
        first, second = (asked.json for asked in server.generated())

        assert outcome.reply is not None
        assert outcome.reply.answer == '{"a": 1}'
        assert outcome.reply.thinking == "11 is more."
        assert "format" not in first
        assert second["format"] == {"type": "object"}
        assert second["prompt"] == "Q: <thinking>\n11 is more.\n</thinking>\n<output>\n"

    def test_finished_thinking_requests_only_the_answer(self) -> None:
        so_far = "<thinking>\n11 is more.\n</thinking>\n<output>\n"
        with resuming('{"a": 1}') as server:
            outcome = Outcome(server, QUESTION._replace(reply_prefix=so_far, schema=read_schema('{"type": "object"}')))
        (asked,) = server.generated()

        assert outcome.reply is not None
        assert (outcome.reply.thinking, outcome.reply.answer) == ("11 is more.", '{"a": 1}')
        assert asked.json["prompt"].endswith(so_far)
        assert asked.json["format"] == {"type": "object"}


def test_template_that_opens_thinking_leaves_a_native_answer_alone() -> None:
    shown: dict[str, Any] = {"capabilities": ["completion", "thinking"], "template": "{{ .Prompt }}<think>\n"}
    with chat_server(reply(["9.9"], ["11 is more"]), **shown) as server:
        outcome = Outcome(server, QUESTION)

    assert outcome.reply is not None
    assert outcome.reply.segments == ((Kind.THINKING, "11 is more"), (Kind.ANSWER, "9.9"))


class TestRecording:
    def test_starts_before_the_request_and_ends_after_the_reply_is_shown(self) -> None:
        with chat_server(reply([ANSWERED])) as server:
            outcome = Outcome(server, QUESTION)

        assert outcome.shown.told == ["start", "kept from here", "note keeping", "end", "kept", "stop"]
        assert outcome.ended == (ReplyStatus.COMPLETE, "", "d" * 64)

    def test_begins_with_what_is_known_of_the_reply(self) -> None:
        with chat_server(reply([ANSWERED])) as server:
            outcome = Outcome(
                server, QUESTION._replace(ask_options=AskOptions(model=MODEL, options=(("seed", 4),)), digest="abc")
            )
        said = outcome.kept.said

        assert said is not None
        assert (said.model, said.digest, said.mode, said.family) == (MODEL, "abc", "native", "reflection")
        assert (said.options, said.raw, said.ended) == ((("seed", 4),), "", ReplyStatus.STREAMING)
        assert outcome.ended[2] == "abc"
        assert server.asked("/api/tags") == []

    @pytest.mark.parametrize(
        ("chat", "ended"),
        [
            (Answer([line(THOUGHT), CLOSE]), ReplyStatus.INCOMPLETE),
            (reply([THOUGHT, "<output>9"], reason="length"), ReplyStatus.INCOMPLETE),
            (error(500, "no"), ReplyStatus.FAILED),
            (reply([]), ReplyStatus.FAILED),
        ],
        ids=["cut", "limit", "refused", "silent"],
    )
    def test_errors_are_recorded(self, chat: Answer, ended: ReplyStatus) -> None:
        with chat_server(chat) as server:
            outcome = Outcome(server, QUESTION)

        assert outcome.error is not None
        assert outcome.ended[:2] == (ended, str(outcome.error))

    def test_schema_mismatch_is_complete_with_an_error(self) -> None:
        schema = read_schema('{"type": "object"}')
        with chat_server(reply(["[1]"])) as server:
            outcome = Outcome(server, Question("q", AskOptions(Mode.DIRECT, model="m"), schema=schema))

        assert outcome.error is not None
        assert outcome.ended[:2] == (ReplyStatus.COMPLETE, str(outcome.error))

    def test_ticks_during_the_reply(self) -> None:
        with chat_server(reply(["a", "b"], pause=0.15)) as server:
            outcome = Outcome(server, QUESTION)

        assert outcome.kept.ticks == len(outcome.shown.ticks) > 1

    def test_unwritable_answer_is_interrupted(self) -> None:
        with chat_server(reply([ANSWERED])) as server:
            outcome = Outcome(server, QUESTION, OutputError("the disk is full"))

        assert outcome.ended[0] is ReplyStatus.INTERRUPTED
        assert outcome.shown.told[-3:] == ["stop", "kept", "stop"]

    def test_canceled_reply_is_interrupted_and_sends_no_further_requests(self) -> None:
        shown = FakeRenderer()
        kept = FakeRecorder(shown.told)

        async def cancelled(host: str) -> None:
            async with open_engine(host) as engine:
                task = asyncio.create_task(ask(engine, QUESTION, shown, first_time=lambda _: False, recorder=kept))
                await shown.begun.wait()
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

        with chat_server(unfinished("<thinking>\n11 is ", "more")) as server:
            asyncio.run(cancelled(server.host))

        assert kept.ended == (ReplyStatus.INTERRUPTED, "", "")
        assert shown.told[-3:] == ["stop", "kept", "stop"]
        assert server.asked("/api/tags") == []

    def test_complete_reply_is_kept_if_it_is_canceled_while_the_digest_is_looked_up(self) -> None:
        shown = FakeRenderer()
        kept = FakeRecorder(shown.told)

        async def cancelled(server: FakeServer) -> None:
            async with open_engine(server.host) as engine:
                task = asyncio.create_task(ask(engine, QUESTION, shown, first_time=lambda _: False, recorder=kept))
                await asyncio.to_thread(until, lambda: server.asked("/api/tags"))
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

        routes = {"/api/show": show(), "/api/chat": reply([ANSWERED]), "/api/tags": Answer([HANG])}
        with FakeServer(routes) as server:
            asyncio.run(cancelled(server))

        assert kept.ended == (ReplyStatus.COMPLETE, "", "")

    def test_raw_reply_is_recorded_the_same_way(self) -> None:
        written: list[str] = []
        notes: list[str] = []
        kept = FakeRecorder([])

        async def raw(host: str) -> None:
            async with open_engine(host) as engine:
                await ask_raw(engine, QUESTION, written.append, notes.append, recorder=kept)

        with chat_server(reply([ANSWERED])) as server:
            asyncio.run(raw(server.host))

        assert "".join(written) == ANSWERED
        assert kept.ended == (ReplyStatus.COMPLETE, "", "d" * 64)

    def test_survives_a_server_that_lists_no_models(self) -> None:
        with FakeServer({"/api/show": show(), "/api/chat": reply([ANSWERED])}) as server:
            outcome = Outcome(server, QUESTION)

        assert outcome.reply is not None
        assert outcome.reply.answer == ANSWER
        assert outcome.ended == (ReplyStatus.COMPLETE, "", "")


def test_a_cut_reply_still_raises() -> None:
    with chat_server(Answer([line(THOUGHT), CLOSE])) as server:
        outcome = Outcome(server, QUESTION)

    assert isinstance(outcome.error, IncompleteError)
    assert "end" in outcome.shown.told
