"""Loading as a question would, and models that share their files with a loaded one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.fake_server import FakeServer, error, reply, show, whole
from support.scripted_servers import ANSWERED

if TYPE_CHECKING:
    from support.command import Reflect
    from support.fake_server import Answer, ReceivedRequest

FILES = {"reflection": "a" * 64, "wise": "a" * 64, "other": "b" * 64, "reflection-tuned": "a" * 64}
LOADED = {"name": "reflection:latest", "size": 10, "size_vram": 10, "context_length": 4096}
BLOBS = "/root/.ollama/models/blobs/sha256-"


def shown(asked: ReceivedRequest) -> Answer:
    """The file of a model, as Ollama reports it; one of them has an adapter beside it."""
    name = asked.json["model"].removesuffix(":latest")
    if name not in FILES:
        return error(404, f"model '{name}' not found")
    adapter = f"\nADAPTER {BLOBS}{'c' * 64}" if name == "reflection-tuned" else ""
    return show(modelfile=f"# FROM {name}:latest\n\nFROM {BLOBS}{FILES[name]}{adapter}\nTEMPLATE {{{{ .Prompt }}}}\n")


def sharing(*loaded: dict[str, object]) -> FakeServer:
    listed = [{"name": f"{name}:latest", "size": 10, "digest": name, "capabilities": ["completion"]} for name in FILES]
    return FakeServer(
        {
            "/api/version": whole({"version": "0.34.2"}),
            "/api/tags": whole({"models": listed}),
            "/api/ps": whole({"models": list(loaded or (LOADED,))}),
            "/api/show": shown,
            "/api/generate": whole({"done": True}),
            "/api/chat": reply([ANSWERED]),
        }
    )


def test_list_names_the_model_a_shared_file_is_loaded_as(reflect: Reflect) -> None:
    with sharing() as server:
        out = reflect.at(server.host)("models").out
        listed = json.loads(reflect.at(server.host)("models", "--host", server.host, "--json").out)
    lines = {line.split()[0]: line for line in out.splitlines()}

    assert "GPU, 10 B (as reflection)" in lines["wise"]
    assert "GPU, 10 B" in lines["reflection"]
    assert "(as" not in lines["reflection"]
    assert {one["name"]: one["loaded"] and one["loaded"]["name"] for one in listed} == {
        "reflection:latest": "reflection:latest",
        "wise:latest": "reflection:latest",
        "other:latest": None,
        "reflection-tuned:latest": None,
    }


@pytest.mark.parametrize(
    ("name", "loaded"),
    [
        ("wise", "GPU · 10 B · context 4K (as reflection)"),
        ("reflection", "GPU · 10 B · context 4K"),
        ("other", "no"),
        ("reflection-tuned", "no"),
    ],
)
def test_show_names_the_model_a_shared_file_is_loaded_as(reflect: Reflect, name: str, loaded: str) -> None:
    with sharing() as server:
        out = reflect.at(server.host)("models", "show", name).out

    assert f"\n  loaded      {loaded}\n" in out


@pytest.mark.parametrize(("name", "asked"), [("wise", ["wise"]), ("other", [])])
def test_unload_works_for_a_model_that_shares_its_file(reflect: Reflect, name: str, asked: list[str]) -> None:
    with sharing() as server:
        result = reflect.at(server.host)("models", "unload", name, "--json")
        sent = [one.json for one in server.asked("/api/generate")]

    assert json.loads(result.out) == {"name": name, "unloaded": bool(asked)}
    assert [(body["model"], body["keep_alive"]) for body in sent] == [(name, 0) for name in asked]


def test_doctor_finds_a_model_loaded_under_another_name(reflect: Reflect) -> None:
    other = LOADED | {"name": "other:latest"}
    with sharing(other, LOADED) as server:
        out = reflect.at(server.host)("doctor", "-m", "wise", "--no-question", "--json").out
    found = {one["check"]: one["found"] for one in json.loads(out)["findings"]}

    assert found["GPU"] == "all of wise (0.0 GB) is in GPU memory"
    assert found["context"].startswith("4,096 tokens")


GONE = LOADED | {"name": "gone:latest", "details": {"parameter_size": "8.0B", "quantization_level": "Q4_K_M"}}
KINDS = {name: {"parameter_size": "8.0B", "quantization_level": "Q4_K_M"} for name in FILES} | {
    "other": {"parameter_size": "70B", "quantization_level": "Q4_K_M"}
}


def server_with_removed_name(*after: dict[str, object]) -> FakeServer:
    """A server that lists a loaded model under a removed name, and `after` once something was unloaded."""
    server = sharing()
    listed = [{"name": f"{name}:latest", "size": 10, "details": details} for name, details in KINDS.items()]

    def shown_with_details(asked: ReceivedRequest) -> Answer:
        answer = shown(asked)
        if answer.status != 200:
            return answer
        (body,) = (step for step in answer.raw() if isinstance(step, bytes) and step.startswith(b"{"))
        return whole(json.loads(body) | {"details": KINDS[asked.json["model"].removesuffix(":latest")]})

    def loaded(_: ReceivedRequest) -> Answer:
        return whole({"models": list(after) if server.asked("/api/generate") else [GONE]})

    server.routes |= {"/api/tags": whole({"models": listed}), "/api/show": shown_with_details, "/api/ps": loaded}
    return server


def test_list_and_show_mention_a_removed_name_as_possibly_loaded(reflect: Reflect) -> None:
    with server_with_removed_name() as server:
        out = reflect.at(server.host)("models").out
        shown = {name: reflect.at(server.host)("models", "show", name).out for name in ("wise", "other")}
        listed = json.loads(reflect.at(server.host)("models", "--host", server.host, "--json").out)
    lines = {line.split()[0]: line for line in out.splitlines()}

    assert "GPU, 10 B (perhaps as gone)" in lines["wise"]
    assert "gone" not in lines["other"]
    assert "\n  loaded      GPU · 10 B · context 4K (perhaps as gone)\n" in shown["wise"]
    assert "\n  loaded      no\n" in shown["other"]
    assert {one["name"]: one["loaded"] and one["loaded"]["removed"] for one in listed} == {
        "reflection:latest": True,
        "wise:latest": True,
        "other:latest": None,
        "reflection-tuned:latest": True,
    }


@pytest.mark.parametrize(
    ("name", "after", "unloaded", "sent"),
    [
        ("wise", [], True, 1),
        # A model that is ending is still listed.
        ("wise", [GONE | {"expires_at": "2026-01-02T03:04:05Z"}], True, 1),
        ("wise", [GONE], False, 1),
        ("other", [GONE], False, 0),
    ],
)
def test_unload_checks_that_a_model_under_a_removed_name_has_ended(
    reflect: Reflect, name: str, after: list[dict[str, object]], unloaded: bool, sent: int
) -> None:
    with server_with_removed_name(*after) as server:
        result = reflect.at(server.host)("models", "unload", name, "--json")
        asked = [one.json for one in server.asked("/api/generate")]

    assert json.loads(result.out) == {"name": name, "unloaded": unloaded}
    assert [(body["model"], body["keep_alive"]) for body in asked] == [(name, 0)] * sent


def test_doctor_finds_a_model_loaded_under_a_removed_name(reflect: Reflect) -> None:
    with server_with_removed_name() as server:
        server.routes["/api/ps"] = whole({"models": [GONE, LOADED | {"name": "other:latest"}]})
        out = reflect.at(server.host)("doctor", "-m", "wise", "--no-question", "--json").out
    found = {one["check"]: one["found"] for one in json.loads(out)["findings"]}

    assert found["GPU"] == "all of wise (0.0 GB) is in GPU memory"


@pytest.mark.parametrize(
    ("settings", "sent"),
    [
        ("", {}),
        ("options = { num_ctx = 8192, seed = 1 }", {"options": {"num_ctx": 8192, "seed": 1}}),
        ('keep_alive = "1h"', {"keep_alive": "1h"}),
        ("options = { num_ctx = 8192, num_predict = 500 }", {"options": {"num_ctx": 8192, "num_predict": 500}}),
    ],
)
def test_load_uses_the_same_options_as_a_question(reflect: Reflect, settings: str, sent: dict[str, object]) -> None:
    path = reflect.home / ".config/reflectty/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(settings, "utf-8")
    with sharing() as server:
        assert reflect.at(server.host)("models", "load", "reflection").code == 0
        assert reflect.at(server.host)("--final", "-m", "reflection", "which?").code == 0
        loading, *_ = server.asked("/api/generate")
        asking = server.asked("/api/chat")[-1]
    wished = asking.json.get("options", {})

    assert loading.json == {"model": "reflection", "stream": False, "truncate": False, **sent}
    assert "shift" not in asking.json
    assert {**wished, **loading.json.get("options", {})} == wished


def test_a_cloud_model_is_not_loaded(reflect: Reflect) -> None:
    with sharing() as server:
        server.routes["/api/show"] = show(remote_host="https://ollama.com:443")
        result = reflect.at(server.host)("models", "load", "glm-5:cloud")

    assert (result.code, server.asked("/api/generate")) == (4, [])
    assert "it runs on ollama.com, and nothing is loaded here" in result.err
