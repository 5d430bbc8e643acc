"""The default model: never one that runs elsewhere, cannot answer or cannot be read."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from reflectty.chat.model_choice import find_model, no_model_reason
from reflectty.chat.request import Question
from reflectty.chat.run import ask
from reflectty.core.errors import ModelMissingError, ReflecttyError, RefusedError
from reflectty.core.messages import Model
from reflectty.engines import open_engine
from reflectty.reasoning.modes import AskOptions
from support.fake_server import Answer, FakeServer, ReceivedRequest, error, reply, show, whole
from support.fakes import FakeRenderer
from support.scripted_servers import ANSWERED

if TYPE_CHECKING:
    from reflectty.reasoning.reply import Reply

CLOUD = {"remote_host": "https://ollama.com:443", "remote_model": "gpt-oss:120b"}
THINKS = ["completion", "thinking"]
PULL = "reflect models pull "


class Stocked(NamedTuple):
    """A model of a server: its entry in the list, and its answer of /api/show."""

    name: str
    day: int
    listed: dict[str, Any]
    shown: Answer = show()


def stub(name: str = "gpt-oss:120b-cloud", day: int = 9, **more: Any) -> Stocked:
    return Stocked(name, day, {"capabilities": THINKS, **CLOUD, **more}, show(capabilities=THINKS, **CLOUD))


def local(name: str = "qwen3:8b", day: int = 1, *can: str) -> Stocked:
    able = list(can or THINKS)
    return Stocked(name, day, {"capabilities": able}, show(capabilities=able))


def untold(name: str, day: int, *can: str) -> Stocked:
    """A model whose capabilities only /api/show has."""
    return Stocked(name, day, {}, show(capabilities=list(can)))


BROKEN = Stocked("broken:latest", 9, {"details": {"family": "llama"}}, error(500, "unsupported tensor"))
EMBEDS = local("nomic-embed-text:latest", 8, "embedding")


def stocked(*models: Stocked) -> FakeServer:
    by_name = {one.name.removesuffix(":latest"): one.shown for one in models}

    def shown(asked: ReceivedRequest) -> Answer:
        name = asked.json["model"].removesuffix(":latest")
        return by_name.get(name) or error(404, f"model '{name}' not found")

    entries = [{"name": one.name, "modified_at": f"2026-09-0{one.day}T00:00:00Z", **one.listed} for one in models]
    listed = whole({"models": entries})
    return FakeServer({"/api/tags": listed, "/api/show": shown, "/api/chat": reply([ANSWERED])})


class Found(NamedTuple):
    """The result of looking for a model."""

    model: Model | None
    problem: ReflecttyError | None
    notes: list[str]


def look(server: FakeServer, name: str = "", *, sees: bool = False) -> Found:
    notes: list[str] = []

    async def main() -> Model:
        async with open_engine(server.host) as engine:
            return await find_model(engine, AskOptions(model=name), notes.append, needs_vision=sees)

    try:
        return Found(asyncio.run(main()), None, notes)
    except ReflecttyError as problem:
        return Found(None, problem, notes)


@pytest.mark.parametrize(
    ("models", "name"),
    [
        ((stub(), local()), "qwen3:8b"),
        ((stub("mine", remote_model="x"), local()), "qwen3:8b"),
        ((Stocked("gpt-oss:20b-cloud", 9, {"capabilities": THINKS}), local()), "qwen3:8b"),
        ((Stocked("glm-5:cloud", 9, {"capabilities": THINKS}), local()), "qwen3:8b"),
        # Without a tag, this ending of a name has no meaning.
        ((local("my-cloud:latest", 9), local()), "my-cloud"),
        ((EMBEDS, local("llama3:8b", 1, "completion")), "llama3:8b"),
        ((untold("nomic-embed-text:latest", 9, "embedding"), untold("qwen2.5:7b", 1, "completion")), "qwen2.5:7b"),
        ((untold("a:1", 9), untold("b:1", 1)), "a:1"),
        ((BROKEN, local("llama3:8b", 1, "completion")), "llama3:8b"),
        ((Stocked("old:1", 9, {}, error(500, "unsupported tensor")), untold("b:1", 1)), "b:1"),
        ((local("flux:1", 9, "image"), local("llama3:8b", 1, "completion")), "llama3:8b"),
    ],
)
def test_default_model_runs_on_the_server_and_can_answer(models: tuple[Stocked, ...], name: str) -> None:
    with stocked(*models) as server:
        found = look(server)

    assert found.model is not None
    assert found.model.name == name
    assert found.notes[0].startswith(f"using {name}, ")


@pytest.mark.parametrize(
    ("pooling", "name"), [({"nomic-bert.pooling_type": 1}, "qwen2.5:7b"), ({}, "nomic-embed-text")]
)
def test_missing_capabilities_are_derived_from_the_file(pooling: dict[str, int], name: str) -> None:
    info = {"general.architecture": "nomic-bert", **pooling}
    first = Stocked("nomic-embed-text:latest", 9, {}, show(capabilities=None, model_info=info))
    with stocked(first, Stocked("qwen2.5:7b", 1, {}, show(capabilities=None))) as server:
        found = look(server)

    assert found.model is not None
    assert found.model.name == name


@pytest.mark.parametrize(
    ("models", "says"),
    [
        ((), ("no model is installed on the server", PULL)),
        ((EMBEDS,), ("no installed model can be used: nomic-embed-text cannot chat (embedding only)", PULL)),
        ((stub(),), ("gpt-oss:120b-cloud would send prompts to ollama.com and must be named explicitly", PULL)),
        ((BROKEN,), ("unsupported tensor",)),
    ],
)
def test_error_explains_why_no_model_is_suitable(models: tuple[Stocked, ...], says: tuple[str, ...]) -> None:
    with stocked(*models) as server:
        found = look(server)

    assert isinstance(found.problem, RefusedError)
    assert all(part in f"{found.problem} ({found.problem.hint})" for part in says)


def test_long_list_of_models_is_shortened() -> None:
    models = [Model(f"embed{at}:latest", ("embedding",)) for at in range(5)]

    assert (
        no_model_reason(models)
        == "no installed model can be used: embed0, embed1, embed2 and 2 more cannot chat (embedding only)"
    )


def test_named_model_that_cannot_answer_is_refused() -> None:
    with stocked(EMBEDS, local()) as server:
        found = look(server, "nomic-embed-text")

    assert type(found.problem) is RefusedError
    assert str(found.problem) == "nomic-embed-text is an embedding model and cannot chat"
    assert not server.asked("/api/chat")


def test_images_need_a_vision_model() -> None:
    seeing = local("llava:7b", 1, "completion", "vision")
    with stocked(local("reflection:70b", 9, "completion"), seeing) as server:
        found = look(server, sees=True)
    with stocked(local("reflection:70b", 9, "completion")) as server:
        nobody = look(server, sees=True)

    assert found.model is not None
    assert found.model.name == "llava:7b"
    assert found.notes[0].startswith("using llava:7b, the newest installed model that sees images, because")
    assert str(nobody.problem) == "no installed model can see images"
    assert nobody.problem is not None
    assert nobody.problem.hint.startswith("pull one that sees images and thinks: reflect models pull qwen3-vl:")
    assert not isinstance(nobody.problem, ModelMissingError)


def test_vision_model_is_found_behind_many_others() -> None:
    blind = (untold(f"m{number}:1", 9, "completion") for number in range(12))
    with stocked(*blind, untold("llava:7b", 1, "completion", "vision")) as server:
        found = look(server, sees=True)

    assert found.model is not None
    assert found.model.name == "llava:7b"


def asked(server: FakeServer, name: str) -> tuple[Reply, list[str]]:
    shown = FakeRenderer()

    async def main() -> Reply:
        async with open_engine(server.host) as engine:
            return await ask(engine, Question("q", AskOptions(model=name)), shown, first_time=lambda _: True)

    return asyncio.run(main()), shown.told


@pytest.mark.parametrize("name", ["gpt-oss:120b-cloud", "glm-5:cloud", "mine"])
def test_named_cloud_model_is_announced_each_time(name: str) -> None:
    known = {"gpt-oss:120b-cloud": stub(), "mine": stub("mine"), "glm-5:cloud": local("glm-5:cloud")}[name]
    with stocked(known) as server:
        reply, told = asked(server, name)

    assert reply.answer == "9.9 is larger."
    assert told[0] == f"note {name} is a cloud model: your prompts leave this machine and go to ollama.com"


def test_local_model_gives_no_cloud_notice() -> None:
    with stocked(local(), stub()) as server:
        _, told = asked(server, "qwen3:8b")

    assert not any("leaves" in text for text in told)
