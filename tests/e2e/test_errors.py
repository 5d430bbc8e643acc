from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from support.fake_server import CLOSE, HANG, RESET, Answer, FakeServer, Pause, Raw, error, line, show, tags, whole
from support.one_line import ESCAPES, one_line, one_object
from support.scripted_servers import ANSWERED, MODEL, answering_server, chat_server

if TYPE_CHECKING:
    from support.command import Reflect, Result
    from support.fake_server import Route

PAGE = Answer([b"<!DOCTYPE html><html><body>Log in</body></html>"], content_type="text/html")
MISSING = error(404, "model 'reflektion' not found")
TOO_LONG = error(
    400,
    json.dumps({"error": {"type": "exceed_context_size_error", "message": "x", "n_prompt_tokens": 3017, "n_ctx": 512}}),
)


class Misuse(NamedTuple):
    """An impossible command line, and a part of its error."""

    name: str
    words: tuple[str, ...]
    says: tuple[str, ...]


MISUSES = (
    Misuse("no question", (), ("question",)),
    Misuse("empty question", ("",), ("question",)),
    Misuse("unknown flag", ("--modle", "x", "q"), ("--modle", "--model")),
    Misuse("unknown option", ("-o", "num_ctxt=1", "q"), ("num_ctxt", "num_ctx?")),
    Misuse("option with a dash", ("-o", "num-ctx=1", "q"), ("num-ctx", "num_ctx")),
    Misuse("option without a value", ("-o", "num_ctx", "q"), ("KEY=VALUE",)),
    Misuse("option of another type", ("-o", "num_ctx=many", "q"), ("num_ctx", "many")),
    Misuse("option that is no number", ("-o", "temperature=nan", "q"), ("temperature",)),
    Misuse("unknown mode", ("--mode", "revers", "q"), ("revers", "reflect")),
    Misuse("unknown effort", ("--effort", "huge", "q"), ("huge", "high")),
    Misuse("unknown family", ("--family", "reflexion", "q"), ("reflexion", "reflection")),
    Misuse("unknown part", ("--show", "thoughts", "q"), ("thoughts", "thinking")),
    Misuse("no time", ("--timeout", "soon", "q"), ("soon", "seconds")),
    Misuse("no host", ("--host", "not a url", "q"), ("not a url",)),
    Misuse("another protocol", ("--host", "ftp://x", "q"), ("ftp",)),
    Misuse("two forms", ("--final", "--json", "q"), ("--final", "--json")),
    Misuse("two streams", ("--json", "--jsonl", "q"), ("--json", "--jsonl")),
    Misuse("shown and hidden", ("--show", "answer", "--no-thinking", "q"), ("--show", "--no-thinking")),
    Misuse("figures and quiet", ("--stats", "--quiet", "q"), ("--stats", "--quiet")),
    Misuse("final and shown", ("--final", "--show", "thinking", "q"), ("--final", "--show")),
    Misuse("raw and checked", ("--raw", "--schema", "{}", "q"), ("--schema", "--raw")),
    Misuse("no stdin and stdin", ("--no-stdin", "-f", "-", "q"), ("--no-stdin",)),
    Misuse("file that is not there", ("-f", "gone.txt", "q"), ("gone.txt", "no such file")),
    Misuse("file that is a folder", ("-f", ".", "q"), ("directory",)),
    Misuse("image that is not there", ("--image", "gone.png", "q"), ("gone.png",)),
    Misuse("image that is none", ("--image", "notes.txt", "q"), ("notes.txt", "not a supported image")),
    Misuse("schema that is not there", ("--schema", "gone.json", "q"), ("gone.json",)),
    Misuse("schema that is no JSON", ("--schema", "{", "q"), ("JSON",)),
    Misuse("schema that is a list", ("--schema", "[]", "q"), ("schema",)),
    Misuse("schema that is none", ("--schema", '{"type": "integre"}', "q"), ("schema", "integre")),
    Misuse("schema on a network", ("--schema", '{"$ref": "http://127.0.0.1:9/s"}', "q"), ("http://127.0.0.1:9/s",)),
    Misuse("schema file that is no schema", ("--schema", "notes.txt", "q"), ("notes.txt",)),
)


@pytest.mark.parametrize("case", MISUSES, ids=lambda case: case.name)
def test_misuse_is_one_line_and_sends_nothing(reflect: Reflect, case: Misuse) -> None:
    (reflect.home / "notes.txt").write_text("some notes")
    with answering_server(ANSWERED) as server:
        result = reflect.at(server.host)(*MODEL, *case.words)

    check = one_object if {"--json", "--jsonl"} & set(case.words) else one_line
    check(result, 2, *case.says)
    assert not server.requests


@pytest.mark.parametrize("name", ["REFLECTTY_TIMEOUT", "REFLECTTY_MODE"])
def test_error_names_the_invalid_environment_variable(reflect: Reflect, name: str) -> None:
    variables: dict[str, Any] = {name: "soon"}
    one_line(reflect("q", **variables), 2, name, "soon")


class Refusal(NamedTuple):
    """A server's refusal, and the resulting error."""

    name: str
    routes: dict[str, Route]
    code: int
    says: tuple[str, ...]
    words: tuple[str, ...] = ()


HERE: dict[str, Route] = {"/api/show": show(), "/api/tags": tags("reflection:70b", "plain:latest")}
REFUSALS = (
    Refusal("silent", {"/api/show": Raw([HANG])}, 5, ("sent nothing", "0.3 s"), ("--timeout", "0.3")),
    Refusal("silent later", HERE | {"/api/chat": Raw([HANG])}, 5, ("sent nothing",), ("--timeout", "first=3")),
    Refusal("another web server", {"/api/show": PAGE}, 3, ("not an Ollama server", "--host")),
    Refusal("another web server, no model", {"/api/tags": PAGE}, 3, ("not an Ollama server",)),
    Refusal("nothing but pages that are missing", {}, 3, ("not an Ollama server",)),
    Refusal("another protocol", {"/api/show": Raw([b"SSH-2.0-OpenSSH_9.9\r\n\r\n"])}, 3, ("Ollama",)),
    Refusal("closed at once", {"/api/show": Raw([])}, 3, ("Ollama",)),
    Refusal("reset at once", {"/api/show": Raw([RESET])}, 3, ()),
    Refusal("model missing", HERE | {"/api/show": MISSING}, 4, ("reflection", "reflection:70b", "reflect models pull")),
    Refusal("prompt too long", HERE | {"/api/chat": TOO_LONG}, 4, ("3017", "512", "num_ctx")),
    Refusal("busy", HERE | {"/api/chat": error(503, "server busy", **{"Retry-After": "0"})}, 4, ("busy",)),
    Refusal("forbidden", HERE | {"/api/chat": Answer([], 403, {"Content-Length": "0"})}, 4, ("403",)),
    Refusal("key wanted", HERE | {"/api/chat": error(401, "unauthorized")}, 4, ("OLLAMA_API_KEY",)),
    Refusal("nested", HERE | {"/api/chat": error(400, '{"error":{"code":400,"message":"bad grammar"}}')}, 4, ("bad",)),
    Refusal("no message", HERE | {"/api/chat": Answer([], 500, {"Content-Length": "0"})}, 4, ("500",)),
    Refusal("redirect", HERE | {"/api/chat": whole({}, 307, Location="http://127.0.0.1:9/")}, 4, ("127.0.0.1:9",)),
    Refusal("empty", HERE | {"/api/chat": Answer([])}, 5, ()),
)


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case.name)
@pytest.mark.parametrize("form", ["--final", "--json"])
def test_a_refusal_is_one_line_with_the_next_step(reflect: Reflect, case: Refusal, form: str) -> None:
    with FakeServer(case.routes) as server:
        result = reflect.at(server.host)(*MODEL, *case.words, form, "q")

    (one_object if form == "--json" else one_line)(result, case.code, *case.says)
    assert "{" not in result.err


class UnreachableHost(NamedTuple):
    """A host that cannot be reached."""

    name: str
    host: str
    says: tuple[str, ...]


NOWHERE = (
    UnreachableHost("nobody listens", "127.0.0.1:9", ("http://127.0.0.1:9", "ollama serve", "--host")),
    UnreachableHost("no such name", "nowhere.invalid:1234", ("nowhere.invalid:1234",)),
    UnreachableHost("no such socket", "unix:///nowhere/o.sock", ("unix:///nowhere/o.sock",)),
)


@pytest.mark.parametrize("case", NOWHERE, ids=lambda case: case.name)
def test_error_names_the_unreachable_host(reflect: Reflect, case: UnreachableHost) -> None:
    one_line(reflect.at(case.host)(*MODEL, "q"), 3, *case.says)


class Break(NamedTuple):
    """A way in which a reply breaks off after its beginning."""

    name: str
    steps: tuple[Any, ...]
    says: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


BREAKS = (
    Break("error", (b'{"error":"unexpected EOF"}\n',), ("unexpected EOF",)),
    Break("nested error", (b'{"error":"{\\"error\\":{\\"message\\":\\"out of memory\\"}}"}\n',), ("out of memory",)),
    Break("reset", (Pause(0.2), RESET)),
    Break("close", (CLOSE,)),
    Break("no end", (), ("before it was complete",)),
    Break("half a line", (line("three")[:30],)),
    Break("a page", (b"<html><body>Bad gateway</body></html>\n",)),
    Break("silence", (HANG,), ("sent nothing",), ("--timeout", "idle=3")),
)


@pytest.mark.parametrize("case", BREAKS, ids=lambda case: case.name)
@pytest.mark.parametrize("form", [(), ("--final",)], ids=["plain", "final"])
def test_interrupted_reply_keeps_its_partial_answer(reflect: Reflect, case: Break, form: tuple[str, ...]) -> None:
    with chat_server(Answer([line("<thinking>a</thinking>\n<output>\nOne, two"), *case.steps])) as server:
        result = reflect.at(server.host)(*MODEL, *case.words, *form, "q")

    assert result.out == "One, two\n"
    one_line(type(result)(result.code, b"", result.stderr), 5, *case.says)


class TestHostileText:
    @staticmethod
    def harmless(result: Result) -> bool:
        return not any(mark in result.err for mark in ("\x1b", "\x07", "\x9b", "\u202e", "\r"))

    @pytest.mark.parametrize("status", [400, 500])
    def test_hostile_server_refusal_is_escaped(self, reflect: Reflect, status: int) -> None:
        with chat_server(error(status, f"no{ESCAPES}\r\nreally")) as server:
            result = reflect.at(server.host)(*MODEL, "q")

        one_line(result, 4, "^[")
        assert self.harmless(result)

    def test_hostile_error_mid_stream_is_escaped(self, reflect: Reflect) -> None:
        with chat_server(Answer([json.dumps({"error": f"no{ESCAPES}"}).encode() + b"\n"])) as server:
            result = reflect.at(server.host)(*MODEL, "q")

        one_line(result, 5, "^[")
        assert self.harmless(result)

    def test_hostile_model_name_is_escaped(self, reflect: Reflect) -> None:
        with FakeServer({"/api/show": error(404, f"model 'm{ESCAPES}' not found"), "/api/tags": tags("n")}) as server:
            result = reflect.at(server.host)("-m", f"m{ESCAPES}", "q")

        one_line(result, 4)
        assert self.harmless(result)

    def test_hostile_name_of_an_installed_model_is_escaped(self, reflect: Reflect) -> None:
        with answering_server("<output>ok</output>", installed=(f"reflection{ESCAPES}",)) as server:
            result = reflect.at(server.host)("q")

        assert (result.code, result.out) == (0, "ok\n")
        assert self.harmless(result)

    @pytest.mark.parametrize("flag", ["-f", "--image", "--schema"])
    def test_hostile_file_name_is_escaped(self, reflect: Reflect, flag: str) -> None:
        result = reflect(flag, f"gone{ESCAPES}", "q")

        one_line(result, 2)
        assert self.harmless(result)

    @pytest.mark.parametrize("words", [(f"--modle{ESCAPES}",), ("-o", f"num{ESCAPES}=1"), ("--host", f"x{ESCAPES}")])
    def test_hostile_argument_is_escaped(self, reflect: Reflect, words: tuple[str, ...]) -> None:
        result = reflect(*words, "q")

        one_line(result, 2)
        assert self.harmless(result)

    def test_argument_that_is_not_utf_8_is_reported_in_one_line(self, reflect: Reflect) -> None:
        result = reflect.shell("reflect -f \"$(printf 'gone\\377')\" q")

        one_line(result, 2)


class TestDebugging:
    def test_debug_mode_prints_a_traceback(self, reflect: Reflect) -> None:
        result = reflect.at("127.0.0.1:9")(*MODEL, "q", REFLECTTY_DEBUG="1")

        assert result.code == 3
        assert "Traceback" in result.err
        assert result.err.startswith("reflect: cannot reach")


@pytest.mark.process
def test_host_that_never_accepts_times_out(reflect: Reflect) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        host = f"127.0.0.1:{listener.getsockname()[1]}"
        result = reflect.at(host)(*MODEL, "--timeout", "connect=0.5,first=0.5", "q")

    assert result.code in (3, 5)
    assert len(result.err.splitlines()) == 1


def test_invalid_port_is_reported_and_the_default_is_used(reflect: Reflect) -> None:
    result = reflect("--host", "unix:///nowhere/at/all", *MODEL, "q")
    named = reflect("--host", "127.0.0.1:port", "--timeout", "connect=1", *MODEL, "q")

    assert "is not a port" not in result.err
    assert "'port' is not a port; using 11434" in named.err
