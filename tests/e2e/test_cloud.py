"""Models that run elsewhere than on the server: how they are recognized, announced and explained."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from reflectty.models.recommendation import RECOMMENDED_MODELS
from support.fake_server import FakeServer, error, reply, show, whole
from support.scripted_servers import ANSWER, ANSWERED

if TYPE_CHECKING:
    from support.command import Reflect
    from support.fake_server import Route

NAME = "gpt-oss:120b-cloud"
THINKS = ["completion", "thinking"]
STUB = {"remote_host": "https://ollama.com:443", "remote_model": "gpt-oss:120b"}
LISTED = {"name": NAME, "size": 384, "digest": "b" * 64, "details": {}, "capabilities": THINKS, **STUB}
LEAVES = f"reflect: {NAME} is a cloud model: your prompts leave this machine and go to ollama.com\n"
SIGN_IN = "https://ollama.com/connect?name=me&key=c3NoLWVkMjU1MTk"


def cloud(**more: Route) -> FakeServer:
    """A server with nothing but the stub of a cloud model."""
    usual: dict[str, Route] = {
        "version": whole({"version": "0.34.2"}),
        "tags": whole({"models": [LISTED]}),
        "ps": whole({"models": []}),
        "show": show(capabilities=THINKS, **STUB),
        "chat": reply([ANSWERED]),
    }
    return FakeServer({f"/api/{name}": route for name, route in (usual | more).items()})


@pytest.mark.parametrize("words", [("--final",), (), ("--json",), ("--raw",)], ids=str)
def test_cloud_model_notice_is_one_line(reflect: Reflect, words: tuple[str, ...]) -> None:
    with cloud() as server:
        result = reflect.at(server.host)(*words, "-m", NAME, "q")

    assert result.code == 0
    assert ANSWER in result.out
    assert result.err.count(LEAVES) == 1


def test_cloud_model_is_never_chosen_by_default(reflect: Reflect) -> None:
    with cloud() as server:
        result = reflect.at(server.host)("--final", "secret")
        assert not server.asked("/api/chat")

    assert (result.code, result.out, len(result.err.splitlines())) == (4, "", 1)
    assert f"no installed model can be used: {NAME} would send prompts to ollama.com" in result.err


def test_list_and_show_say_cloud_in_place_of_size_and_fit(reflect: Reflect) -> None:
    with cloud() as server:
        listed = reflect.at(server.host)("models").out
        shown = reflect.at(server.host)("models", "show", NAME).out
        one = json.loads(reflect.at(server.host)("models", "show", NAME, "--json").out)

    assert listed.split()[:2] == [NAME, "cloud"]
    assert "  size        cloud\n  runs on     ollama.com, as gpt-oss:120b: your prompts leave this machine\n" in shown
    assert not any(f"\n  {key} " in shown for key in ("loaded", "needs", "fit"))
    assert (one["cloud"], one["fit"]) == ("ollama.com", None)


def test_doctor_names_a_cloud_model_and_estimates_no_fit(reflect: Reflect) -> None:
    with cloud() as server:
        out = reflect.at(server.host)("doctor", "-m", NAME, "--no-question", "--json").out
    found = {one["check"]: one for one in json.loads(out)["findings"]}

    assert f"1 installed: {NAME} (cloud); none is used unless you name it" in found["models"]["found"]
    assert "a cloud model (questions go to ollama.com)" in found["model"]["found"]
    assert found["GPU"]["found"] == "a cloud model does not run on your machine"
    assert found["context"]["found"].startswith("a cloud model does not run on your machine")


def test_only_embedding_models_give_the_same_error_everywhere(reflect: Reflect) -> None:
    listed = {"name": "nomic-embed-text:latest", "capabilities": ["embedding"]}
    with cloud(tags=whole({"models": [listed]}), show=show(capabilities=["embedding"])) as server:
        asked = reflect.at(server.host)("--final", "q")
        checked = reflect.at(server.host)("doctor")

    sentence = "no installed model can be used: nomic-embed-text cannot chat (embedding only)"
    assert (asked.code, checked.code) == (4, 4)
    assert sentence in asked.err
    assert sentence in checked.err
    assert "1 installed: nomic-embed-text; none of them can chat" in " ".join(checked.out.split())


@pytest.mark.parametrize(
    ("refused", "says"),
    [
        (whole({"error": "unauthorized", "signin_url": SIGN_IN}, 401), ("`ollama signin`", SIGN_IN)),
        (error(401, "unauthorized"), ("OLLAMA_API_KEY",)),
        (
            error(403, "ollama cloud is disabled: remote inference is unavailable"),
            ("cloud is disabled", "OLLAMA_NO_CLOUD", "without -cloud"),
        ),
        (error(403, ""), ("Host header",)),
    ],
    ids=["not signed in", "a key", "disabled", "another host"],
)
def test_cloud_refusal_names_the_next_step(reflect: Reflect, refused: Route, says: tuple[str, ...]) -> None:
    with cloud(chat=refused) as server:
        result = reflect.at(server.host)("--final", "-m", NAME, "q")

    assert result.code == 4
    assert all(part in result.err for part in says)


def test_local_suffix_requires_an_installed_model(reflect: Reflect) -> None:
    name = "gpt-oss:120b:local"
    with cloud(show=error(404, f"model '{name}' not found")) as server:
        missing = reflect.at(server.host)("-m", name, "q")
        shown = reflect.at(server.host)("models", "show", name)
    with cloud(show=show(capabilities=THINKS)) as server:
        here = reflect.at(server.host)("--final", "-m", name, "q")

    for result in (missing, shown):
        assert result.code == 4
        assert "run `reflect models pull gpt-oss:120b`" in result.err
    assert (here.code, here.err, server.asked("/api/chat")[0].json["model"]) == (0, "", name)


def test_recommended_first_model_is_the_same_everywhere(reflect: Reflect) -> None:
    with cloud(tags=whole({"models": []})) as server:
        told = [reflect.at(server.host)(*words).err for words in (("--final", "q"), ("q",), ("doctor",), ("models",))]
    named = [re.findall(r"reflect models pull (\S+)", text)[-1] for text in told]

    assert len(set(named)) == 1
    assert named[0] in {offer.name for offer in RECOMMENDED_MODELS}
