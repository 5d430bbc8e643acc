"""Questions to servers that are not Ollama: options without a counterpart, capabilities half known."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from reflectty.chat.model_choice import is_text_only
from reflectty.chat.outcome import limit_hint, warnings_of
from reflectty.chat.request import Question, ignored_options_note
from reflectty.chat.run import ask, ask_raw
from reflectty.core.errors import ReflecttyError
from reflectty.core.messages import Chunk, Model, VocabularyTags
from reflectty.engines import open_engine
from reflectty.reasoning.modes import AskOptions, plan
from reflectty.reasoning.reply import Reply
from support.fake_server import FakeServer
from support.fakes import FakeRenderer
from support.openai_replies import chat_reply, model_list, props

FIXED = Model("m", unsupported_options=("num_ctx", "keep_alive"))
RESIZABLE = Model("m")
TAUGHT = "{{ .Prompt }}<thinking> <reflection> <output>"


@pytest.mark.parametrize(
    ("question", "model", "says"),
    [
        (Question("q", AskOptions(options=(("num_ctx", 8), ("seed", 1)), keep_alive="5m")), FIXED, "ignores num_ctx, keep_alive"),
        (Question("q", AskOptions(options=(("num_ctx", 8),))), RESIZABLE, ""),
        (Question("q", AskOptions(options=(("seed", 1),))), FIXED, ""),
        (Question("q", AskOptions(keep_alive="5m")), FIXED, "ignores keep_alive"),
    ],
)  # fmt: skip
def test_unsupported_options_are_listed_in_one_note(question: Question, model: Model, says: str) -> None:
    said = ignored_options_note(question, model)
    assert says in said
    assert bool(says) is bool(said)


@pytest.mark.parametrize(
    ("model", "hint"), [(RESIZABLE, "-o num_ctx"), (FIXED, "restart the server")], ids=["ollama", "other"]
)
def test_limit_hint_explains_how_to_enlarge_the_context(model: Model, hint: str) -> None:
    assert hint in limit_hint(Question("q"), model)
    assert limit_hint(Question("q", AskOptions(options=(("num_predict", 1),))), model) == "raise -o num_predict"


def test_limit_hint_names_num_predict_when_the_model_limits_it() -> None:
    assert limit_hint(Question("q"), Model("mini", parameters="num_predict   1024")) == "raise -o num_predict"


@pytest.mark.parametrize(
    ("model", "says"),
    [
        (Model("m", ("completion",), TAUGHT), "reflect models repair m"),
        (Model("m", ("completion",), TAUGHT, unsupported_options=("num_ctx",)), "llama-server with --special"),
        (Model("m", ("completion",), TAUGHT, tags=VocabularyTags()), "try rephrasing"),
    ],
    ids=["ollama", "other", "known vocabulary"],
)
def test_missing_tags_warning_suits_the_model_and_server(model: Model, says: str) -> None:
    chosen = plan(model, AskOptions())
    reply = Reply(model.name, chosen.family)
    for chunk in (Chunk("Just an answer."), Chunk(done=True, done_reason="stop")):
        reply.feed(chunk)
    reply.close()

    (warned,) = warnings_of(reply, chosen, model)
    assert f"{model.name} sent none of its tags" in warned
    assert says in warned


@pytest.mark.parametrize(
    ("capabilities", "is_blind"),
    [(("completion",), True), (("completion", "vision"), False), (("thinking",), False), ((), False)],
)
def test_images_are_refused_only_when_vision_is_known_to_be_missing(
    capabilities: tuple[str, ...], is_blind: bool
) -> None:
    assert is_text_only(Model("m", capabilities)) is is_blind


@pytest.mark.parametrize("raw", [False, True])
def test_unsupported_options_are_noted_once(raw: bool) -> None:
    async def run(host: str) -> None:
        async with open_engine(host, engine="openai") as engine:
            if raw:
                await ask_raw(engine, question, written.append, shown.note)
            else:
                await ask(engine, question, shown, first_time=lambda _: False)

    question = Question("q", AskOptions(model="reflection", options=(("num_ctx", 8),)))
    shown, written = FakeRenderer(), list[str]()
    with FakeServer({"/v1/models": model_list("reflection"), "/v1/chat/completions": chat_reply(["hi"])}) as server:
        asyncio.run(run(server.host))

    assert sum("this server ignores num_ctx" in text for text in shown.told) == 1


@pytest.mark.parametrize("maker", ["llamacpp", "vllm"])
def test_missing_tags_hint_does_not_mention_ollama(maker: str) -> None:
    async def run(host: str) -> None:
        async with open_engine(host, engine="openai") as engine:
            with suppress(ReflecttyError):
                await ask(engine, Question("q", AskOptions(model="reflection")), shown, first_time=lambda _: False)

    shown = FakeRenderer()
    routes = {"/v1/models": model_list("reflection", maker=maker), "/v1/chat/completions": chat_reply(["9.9"])}
    with FakeServer(routes | {"/props?model=reflection": props()}) as server:
        asyncio.run(run(server.host))

    assert any("--special" in text and "Ollama" not in text for text in shown.told)
