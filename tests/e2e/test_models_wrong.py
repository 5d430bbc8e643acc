"""Errors of `reflect models`: names, servers, hosts, environments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.fake_server import Answer, FakeServer, error
from support.installed_models import EMPTY, SUCCESS, routes

if TYPE_CHECKING:
    from support.command import Reflect

SUBCOMMANDS = ("list", "show", "pull", "create", "copy", "remove", "load", "unload")
WORDS = {"create": ("v", "--from", "m"), "copy": ("m", "n"), "remove": ("m", "--yes"), "list": ()}


@pytest.mark.parametrize("command", SUBCOMMANDS)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_unreachable_server_exits_with_3(reflect: Reflect, command: str, form: tuple[str, ...]) -> None:
    result = reflect.at("127.0.0.1:9")("models", command, *WORDS.get(command, ("m",)), *form)
    assert (result.code, result.out) == (3, "")
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("command", [name for name in SUBCOMMANDS if name != "list"])
@pytest.mark.parametrize("name", ["../../etc/passwd", "a b", "\x1b]0;x\x07", "", "a//b"])
def test_invalid_model_name_exits_with_2_without_a_request(reflect: Reflect, command: str, name: str) -> None:
    given = [name if word in ("m", "v") else word for word in WORDS.get(command, ("m",))]
    with FakeServer(routes()) as server:
        result = reflect.at(server.host)("models", command, *given)
        assert server.requests == []
    assert (result.code, result.out) == (2, "")
    assert "\x1b" not in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("command", [name for name in SUBCOMMANDS if name not in ("list", "pull")])
def test_missing_model_exits_with_4_and_a_suggestion(reflect: Reflect, command: str) -> None:
    missing = error(404, "model 'reflectoin:70b' not found")
    words = [word.replace("m", "reflectoin:70b") if word == "m" else word for word in WORDS.get(command, ("m",))]
    with FakeServer(routes(show=missing, copy=missing)) as server:
        result = reflect.at(server.host)("models", command, *words)
    assert (result.code, result.out) == (4, "")
    assert "did you mean reflection:70b" in result.err


@pytest.mark.parametrize("words", [("frobnicate",), ("--frob",), ("show",), ("pull", "m", "--json", "--jsonl")])
def test_invalid_arguments_are_one_line(reflect: Reflect, words: tuple[str, ...]) -> None:
    result = reflect("models", *words)
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1


def test_the_help_lists_the_subcommands(reflect: Reflect) -> None:
    lines = reflect("models", "--help").out.splitlines()
    assert set(SUBCOMMANDS) <= {line.split()[0] for line in lines if line.startswith("  ") and line.strip()}


ODD = (
    {"ALL_PROXY": "socks5://x"},
    {"ALL_PROXY": "socks://127.0.0.1:1", "HTTP_PROXY": "nonsense://x", "HTTPS_PROXY": "http://[::1"},
    {"NO_PROXY": "::1/128", "no_proxy": "::1/128,["},
    {"SSL_CERT_FILE": "/missing/file.pem", "SSL_CERT_DIR": "/missing"},
    {"OLLAMA_API_KEY": "secret"},
)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: next(iter(odd)))
@pytest.mark.parametrize("words", [("list",), ("pull", "m"), ("copy", "m", "n", "--force")], ids=lambda words: words[0])
def test_odd_environment_does_not_block_the_local_server(reflect: Reflect, odd: Any, words: tuple[str, ...]) -> None:
    with FakeServer(routes(pull=Answer([SUCCESS]), copy=EMPTY)) as server:
        result = reflect.at(server.host)("models", *words, **odd)
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize(
    ("host", "code"),
    [
        ("x:y:z", 2),
        ("ftp://x", 2),
        ("127.0.0.1:99999", None),
        ("::1", None),
        ("http://", None),
        ("[", 2),
        ("unix:///missing/s", 3),
    ],
)
def test_odd_host_variable_never_gives_a_traceback(reflect: Reflect, host: str, code: int | None) -> None:
    with FakeServer(routes(pull=Answer([SUCCESS]))) as server:
        for words in (("list",), ("pull", "m")):
            result = reflect("models", *words, OLLAMA_HOST=host)
            assert result.code in ((code,) if code else (0, 3))
            assert "Traceback" not in result.err
            named = reflect("models", *words, "--host", server.host, OLLAMA_HOST=host)
            assert (named.code, named.err) == (0, "")
