"""New refusals and endings of Ollama 0.34: an option that is gone, a reply that repeats itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from support.batch_files import input_file, records
from support.fake_replies import Answer, line
from support.fake_server import error, whole
from support.scripted_servers import MODEL, chat_server

if TYPE_CHECKING:
    from support.command import Reflect
    from support.fake_server import FakeServer, Route

GONE = error(400, "typical_p is no longer supported")
CIRCLES = "prediction aborted, token repeat limit reached"
FILE = """
[profiles.fast]
options = { typical_p = 0.5 }
"""
STANDING = "options = { typical_p = 0.5 }"


def serving(chat: Route, **shown: Any) -> FakeServer:
    """A server with a version that answers every question with a given reply."""
    server = chat_server(chat, **shown)
    server.routes |= {"/api/version": whole({"version": "0.34.2"}), "/api/ps": whole({"models": []})}
    return server


@pytest.mark.parametrize(
    ("file", "words", "source"),
    [
        ("", ("--option", "typical_p=0.5"), "set by --option typical_p: remove it"),
        (FILE, ("--profile", "fast"), "set by profile fast: remove it"),
        (FILE, ("--profile", "fast", "--option", "typical_p=0.5"), "set by --option typical_p"),
        (f'profile = "fast"\n{FILE}', (), "set by profile fast"),
        (STANDING, (), "options.typical_p in "),
    ],
)
@pytest.mark.parametrize("form", ["question", "batch", "doctor"])
def test_refused_option_is_named_with_its_source(
    reflect: Reflect, file: str, words: tuple[str, ...], source: str, form: str
) -> None:
    path = reflect.home / ".config/reflectty/config.toml"
    path.parent.mkdir(parents=True)
    path.write_text(file, "utf-8")
    flags = "--option" in words
    with serving(GONE) as server:
        if form == "question":
            told = reflect.at(server.host)("--final", *MODEL, *words, "q").err
        elif form == "batch":
            (record,) = records(reflect.at(server.host)("batch", *MODEL, *words, input_file(reflect.home, "q")))
            told = record["error"]["message"]
        else:
            told = "" if flags else reflect.at(server.host)("doctor", *MODEL, *words).err

    assert (form == "doctor" and flags) or "the server refused: typical_p is no longer supported" in told
    assert (form == "doctor" and flags) or source in told


def test_refusal_of_something_else_is_not_taken_for_an_option(reflect: Reflect) -> None:
    with serving(error(400, "LoRA adapters are no longer supported")) as server:
        told = reflect.at(server.host)("--final", *MODEL, "--option", "typical_p=1", "q").err

    assert told == "reflect: the server refused: LoRA adapters are no longer supported\n"


@pytest.mark.parametrize(
    "circling",
    [Answer([line("<output>\n"), json.dumps({"error": CIRCLES}).encode() + b"\n"]), error(500, CIRCLES)],
    ids=["in the middle", "before a word"],
)
def test_repetition_error_has_its_own_hint(reflect: Reflect, circling: Answer) -> None:
    with serving(circling) as server:
        result = reflect.at(server.host)("--final", *MODEL, "q")

    assert result.code == 5
    assert "the model kept repeating itself" in result.err
    assert all(name in result.err for name in ("temperature", "repeat_penalty", "seed"))
    assert "log" not in result.err


@pytest.mark.parametrize(
    ("options", "parameters", "asked"),
    [
        ((), "", 3),
        (("--option", "temperature=0"), "", 1),
        (("--option", "seed=7"), "", 1),
        (("--option", "seed=-1"), "", 3),
        ((), "temperature 0", 1),
        ((), 'stop "<x>"\nseed 3', 1),
        (("--option", "temperature=0.8"), "temperature 0", 3),
    ],
)
def test_batch_retries_a_repetition_only_when_the_reply_can_differ(
    reflect: Reflect, options: tuple[str, ...], parameters: str, asked: int
) -> None:
    circling = Answer([json.dumps({"error": CIRCLES}).encode() + b"\n"])
    with serving(circling, parameters=parameters) as server:
        result = reflect.at(server.host)("batch", "--retry", "2", *MODEL, *options, input_file(reflect.home, "q"))

    assert "kept repeating itself" in records(result)[0]["error"]["message"]
    assert len(server.asked("/api/chat")) == asked
