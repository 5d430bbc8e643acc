"""The library and a scripted server: its requests, and its handling of every answer."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from reflectty.core.errors import IncompleteError, ModelMissingError, ReflecttyError, RefusedError, UnreachableError
from reflectty.core.messages import RunningModel, Timeouts
from reflectty.models.installed import ModelVariant, ProgressUpdate
from reflectty.models.manager import ModelLibrary, extend_timeouts
from support.fake_server import HANG, RESET, Answer, FakeServer, error, show, tags, whole
from support.model_server_harness import EMPTY, LAYER, LOADED, NOTHING_LOADED, SUCCESS, every, pulled, routes, using
from support.waiting import PATIENCE


def test_installed_model_combines_three_api_calls() -> None:
    listed = {
        "name": "m:latest",
        "size": 4_900_000_000,
        "digest": "d" * 64,
        "modified_at": "2026-01-02T03:04:05Z",
        "details": {"parameter_size": "8.0B", "quantization_level": "Q4_K_M"},
    }
    shown = show(capabilities=["thinking"], license="free", details=listed["details"])
    with FakeServer(routes(tags=whole({"models": [listed]}), show=shown, ps=LOADED)) as server:
        (one,) = using(server.host, ModelLibrary.list_installed)
    assert (one.name, one.short_name, one.model.size, one.model.digest) == ("m:latest", "m", 4_900_000_000, "d" * 64)
    assert (one.model.parameter_size, one.model.quantization, one.model.license) == ("8.0B", "Q4_K_M", "free")
    assert one.abilities == ("thinking",)
    assert one.running == RunningModel("m:latest", 10, 5, 4096)


def test_most_recently_changed_model_is_first() -> None:
    listed = [{"name": name, "modified_at": f"2026-0{name}-01T00:00:00Z"} for name in "132"]
    with FakeServer(routes(tags=whole({"models": listed}))) as server:
        assert [one.name for one in using(server.host, ModelLibrary.list_installed)] == ["3", "2", "1"]


@pytest.mark.parametrize("answer", [error(500, "unreadable"), error(404, "model 'm' not found"), Answer([b"{"])])
def test_model_without_details_is_still_listed(answer: Answer) -> None:
    with FakeServer(routes(tags=tags("m:latest", "n:latest"), show=[answer, show()])) as server:
        assert len(using(server.host, ModelLibrary.list_installed)) == 2


def test_one_model_is_found_by_any_of_its_names() -> None:
    with FakeServer(routes(ps=LOADED)) as server:
        for name in ("m", "m:latest", "library/m", "registry.ollama.ai/library/m:latest"):
            one = using(server.host, lambda library, name=name: library.show(name))  # type: ignore[misc]
            assert (one.name, one.model.digest, bool(one.running)) == ("m:latest", "d" * 64, True)


def test_pull_progress_accepts_unusual_lines() -> None:
    said = [
        b"\n",
        b'{"status":"pulling manifest"}\r\n\n',
        b'{"status":"a\xc2\x85b\\u2028c","digest":"%s","total":5,"completed":2}\n' % LAYER.encode(),
        b'{"status":"not UTF-8: \xff","unknown":[1]}\n  \n',
        SUCCESS.strip(),
    ]
    assert pulled(Answer(said)) == [
        ProgressUpdate("pulling manifest"),
        ProgressUpdate("a\x85b\u2028c", LAYER, 5, 2),
        ProgressUpdate("not UTF-8: \ufffd"),
        ProgressUpdate("success"),
    ]


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_pull_progress_is_the_same_for_any_split(size: int) -> None:
    said = b"".join(b'{"status":"p\xc2\x85","total":%d}\n' % number for number in range(20)) + SUCCESS
    parts = pulled(Answer([said[at : at + size] for at in range(0, len(said), size)]))
    assert [part.total for part in parts] == [*range(20), 0]


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        (b'{"status":"pulling manifest"}\n', IncompleteError, "stopped before"),
        (b"", IncompleteError, "stopped before"),
        (b'{"status":"pulling man', IncompleteError, "cut"),
        (b'{"error":"pull model manifest: file does not exist"}\n', ModelMissingError, "no model m"),
        (b'{"error":"pull model manifest: 412: requires a newer version of Ollama"}\n', RefusedError, "too old"),
        (b'{"error":"insecure protocol http"}\n', RefusedError, "plain http"),
        (b'{"error":"write /x: no space left on device"}\n', IncompleteError, "disk is full"),
        (b'{"error":"dial tcp: lookup r: no such host"}\n', IncompleteError, "cannot reach the registry"),
        (b'{"error":"{\\"error\\":{\\"message\\":\\"deep\\"}}"}\n', IncompleteError, "deep"),
        (b'{"error":["odd"]}\n', IncompleteError, "odd"),
        (b'{"status":1,"total":"many"}\n', IncompleteError, "unreadable response"),
        (b"<html>", UnreachableError, "not an Ollama server"),
        (b"[]\n", UnreachableError, "not an Ollama server"),
    ],
)
def test_failed_pull_reports_its_cause(said: bytes, kind: type[ReflecttyError], told: str) -> None:
    with pytest.raises(kind, match=told) as caught:
        pulled(Answer([said]))
    assert type(caught.value) is kind
    assert not isinstance(caught.value, IncompleteError) or caught.value.hint


@pytest.mark.parametrize(
    ("name", "near"), [("reflecton:70b", "did you mean reflection?"), ("qwen33", "qwen3"), ("m", "")]
)
def test_misspelled_model_gets_suggestions(name: str, near: str) -> None:
    with pytest.raises(ModelMissingError) as caught:
        pulled(Answer([b'{"error":"pull model manifest: file does not exist"}\n']), name)
    assert near in caught.value.hint
    assert "did you mean" in caught.value.hint or not near


def test_broken_pull_hint_promises_to_resume() -> None:
    with pytest.raises(IncompleteError) as caught:
        pulled(Answer([b'{"status":"pulling manifest"}\n', RESET]))
    assert "run the same command to continue" in caught.value.hint


def test_pull_timeout_allows_silence_during_verification() -> None:
    assert 600 <= extend_timeouts(Timeouts(idle=1.0)).idle <= 3600
    assert extend_timeouts(Timeouts(idle=5000.0)).idle == 5000.0
    assert extend_timeouts(Timeouts(first=7.0)).first == 7.0


def test_closing_a_pull_disconnects() -> None:
    async def work(library: ModelLibrary) -> None:
        async with aclosing(library.pull("m")) as progress:
            async for _ in progress:
                return

    with FakeServer(routes(pull=Answer([b'{"status":"pulling manifest"}\n', HANG]))) as server:
        using(server.host, work)
        assert server.asked("/api/pull")[0].left.wait(PATIENCE)


def test_variant_sends_only_its_own_settings() -> None:
    wished = ModelVariant("v", "m", "Be \x85 brief.", "{{ .Prompt }}", (("temperature", 0.5), ("stop", ("a", "b"))))
    with FakeServer(routes(create=Answer([SUCCESS]))) as server:
        using(server.host, lambda library: every(library.create(wished)))
        using(server.host, lambda library: every(library.create(ModelVariant("v", "m"))))
        whole_body, bare = (asked.json for asked in server.asked("/api/create"))
    assert whole_body == {
        "model": "v",
        "from": "m",
        "system": "Be \x85 brief.",
        "template": "{{ .Prompt }}",
        "parameters": {"temperature": 0.5, "stop": ["a", "b"]},
        "stream": True,
    }
    assert bare == {"model": "v", "from": "m", "stream": True}


def test_variant_of_a_missing_model_is_refused() -> None:
    with FakeServer(routes(show=error(404, "model 'x' not found"), create=Answer([SUCCESS]))) as server:
        with pytest.raises(ModelMissingError):
            using(server.host, lambda library: every(library.create(ModelVariant("v", "x"))))
        assert server.asked("/api/create") == []


def test_models_are_copied_and_removed() -> None:
    with FakeServer(routes(copy=EMPTY, delete=EMPTY)) as server:
        using(server.host, lambda library: library.copy("m", "n"))
        using(server.host, lambda library: library.remove("n"))
        sent = [(asked.method, asked.path, asked.json) for asked in server.requests if asked.path != "/api/ps"]
    assert sent == [
        ("POST", "/api/copy", {"source": "m", "destination": "n"}),
        ("DELETE", "/api/delete", {"model": "n"}),
    ]


@pytest.mark.parametrize(("name", "unloaded"), [("m", True), ("n", False)])
def test_running_model_is_unloaded_before_removal(name: str, unloaded: bool) -> None:
    gone = whole({"done": True, "done_reason": "unload"})
    with FakeServer(routes(ps=LOADED, generate=gone, delete=EMPTY)) as server:
        using(server.host, lambda library: library.remove(name))
        sent = [(asked.path, asked.json) for asked in server.requests if asked.path in ("/api/generate", "/api/delete")]
    assert [path for path, _ in sent] == [*(["/api/generate"] if unloaded else []), "/api/delete"]
    assert all(body["keep_alive"] == 0 for path, body in sent if path == "/api/generate")


@pytest.mark.parametrize(
    ("keep_alive", "sent"), [("", None), ("5m", "5m"), ("0", 0), ("-1", -1), ("90", 90), ("1.5", 1.5)]
)
def test_keep_alive_is_sent_when_loading(keep_alive: str, sent: object) -> None:
    with FakeServer(routes(ps=LOADED, generate=whole({"done": True, "done_reason": "load"}))) as server:
        running = using(server.host, lambda library: library.load("m", keep_alive))
        body = server.asked("/api/generate")[0].json
    assert running == RunningModel("m:latest", 10, 5, 4096)
    assert body.get("keep_alive") == sent
    assert not body.get("prompt")


def test_embedding_model_is_loaded_through_embed() -> None:
    with FakeServer(routes(show=show(capabilities=["embedding"]), embed=whole({"embeddings": []}))) as server:
        using(server.host, lambda library: library.load("m"))
        assert [asked.path for asked in server.requests][1] == "/api/embed"


@pytest.mark.parametrize(("loaded", "was"), [(LOADED, True), (NOTHING_LOADED, False)])
def test_only_a_running_model_is_unloaded(loaded: Answer, was: bool) -> None:
    with FakeServer(routes(ps=loaded, generate=whole({"done": True}))) as server:
        assert using(server.host, lambda library: library.unload("m")) is was
        assert [asked.json["keep_alive"] for asked in server.asked("/api/generate")] == [0] * was
