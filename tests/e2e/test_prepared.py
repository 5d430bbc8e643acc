"""Profiles and templates: their requests to the server, and their errors where they cannot be used."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from support.pty_screen import Screen
from support.scripted_servers import ANSWER, ANSWERED, answering_server

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Reflect, Result

FILE = """
model = "reflection"
options = { num_ctx = 8192 }

[profiles.code]
model = "reflection:70b"
system = "Be terse."
options = { temperature = 0.5 }
keep_alive = "10m"

[profiles.plain]
extends = "code"
mode = "direct"
template = "review"

[templates]
translate = "Translate into {language}: {input}"
joke = "Tell a joke."
brief = "Summarise it in {words} words."
"""
REVIEW = "Review this diff. Keep {{names}} and ${HOME}.\n\n{input}\n"


@pytest.fixture
def configured(reflect: Reflect) -> Reflect:
    """The command, in a home with settings and templates."""
    folder = reflect.home / ".config/reflectty"
    (folder / "templates").mkdir(parents=True)
    (folder / "config.toml").write_text(FILE, "utf-8")
    (folder / "templates/review.md").write_text(REVIEW, "utf-8")
    return reflect


def sent(configured: Reflect, *words: str, stdin: bytes = b"", **variables: Any) -> tuple[Result, dict[str, Any]]:
    """Ask a server that answers everything; return the result and the body of the request."""
    with answering_server(ANSWERED) as server:
        result = configured.at(server.host)(*words, stdin=stdin, **variables)
    assert (result.code, result.out, result.err) == (0, f"{ANSWER}\n", "")
    asked = server.chatted()[0].json
    # Another test checks the limit on the length of a reply.
    asked.get("options", {}).pop("num_predict", None)
    return result, asked


ENV = {"REFLECTTY_MODEL": "reflection:8b"}


@pytest.mark.parametrize(
    ("words", "variables", "terse", "body"),
    [
        ((), {}, False, {"model": "reflection", "options": {"num_ctx": 8192}}),
        ((), ENV, False, {"model": "reflection:8b"}),
        (("--profile", "code"), ENV, True, {"model": "reflection:70b", "keep_alive": "10m"}),
        (("--profile", "code"), {}, True, {"options": {"num_ctx": 8192, "temperature": 0.5}}),
        ((), {"REFLECTTY_PROFILE": "code", **ENV}, True, {"model": "reflection:8b", "keep_alive": "10m"}),
        (("--profile", "code", "-m", "reflection:1b"), ENV, True, {"model": "reflection:1b"}),
        (
            ("--profile", "code", "-o", "seed=1"),
            {},
            True,
            {"options": {"num_ctx": 8192, "temperature": 0.5, "seed": 1}},
        ),
        (("--profile", "code", "--keep-alive", "0"), {}, True, {"keep_alive": 0}),
        (("--profile", "none"), {"REFLECTTY_PROFILE": "code"}, False, {"model": "reflection"}),
    ],
)
def test_profile_sets_how_a_question_is_asked(
    configured: Reflect, words: tuple[str, ...], variables: dict[str, Any], terse: bool, body: dict[str, Any]
) -> None:
    _, asked = sent(configured, *words, "which?", **variables)

    assert {key: asked.get(key) for key in body} == body
    assert [message["role"] for message in asked["messages"]] == (["system"] if terse else []) + ["user"]
    assert asked["messages"][0]["content"] == ("Be terse." if terse else "which?")


@pytest.mark.parametrize(
    ("words", "stdin", "prompt"),
    [
        (("-t", "review"), "a\nb\n", "Review this diff. Keep {names} and ${HOME}.\n\na\nb"),
        (
            ("-t", "review", "mind", "{the} locking"),
            "a {language} b\n",
            "Review this diff. Keep {names} and ${HOME}.\n\n<stdin>\na {language} b\n</stdin>\n\nmind {the} locking",
        ),
        (("-t", "translate", "--field", "language=French", "good morning"), "", "Translate into French: good morning"),
        (("-t", "joke"), "", "Tell a joke."),
        (("-t", "joke", "Short."), "", "Short.\n\nTell a joke."),
        (("-t", "translate", "--field", "language=@a.txt", "hi"), "", "Translate into cats\n: hi"),
        (("-t", "brief", "--field", "words=9"), "x\n", "<stdin>\nx\n</stdin>\n\nSummarise it in 9 words."),
        (
            ("-t", "brief", "--field", "words=9", "-f", "a.txt", "About cats."),
            "x\n",
            '<file name="a.txt">\ncats\n</file>\n\n<stdin>\nx\n</stdin>\n\nAbout cats.\n\nSummarise it in 9 words.',
        ),
        (("--profile", "plain"), "x", "Review this diff. Keep {names} and ${HOME}.\n\nx"),
        (("--profile", "plain", "-t", "joke"), "", "Tell a joke."),
        (("--profile", "plain", "-t", "none", "q"), "", "q"),
    ],
)
def test_template_is_filled_with_the_question_and_input(
    configured: Reflect, words: tuple[str, ...], stdin: str, prompt: str
) -> None:
    (configured.home / "a.txt").write_text("cats\n", "utf-8")
    _, asked = sent(configured, *words, stdin=stdin.encode())

    assert asked["messages"][-1]["content"] == prompt


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--profile", "cod", "q"), "--profile: unknown profile 'cod' (did you mean code?)"),
        (("-t", "reviw", "q"), "--template: unknown template 'reviw' (did you mean review?)"),
        (("-t", "../review", "q"), "'../review' is not a valid name"),
        (("-t", "translate", "q"), "the template translate needs a value for {language} (use --field language=TEXT"),
        (("-t", "translate", "--field", "langage=x", "q"), "has no field 'langage' (did you mean language?)"),
        (("-t", "translate", "--field", "language", "q"), "--field 'language' has no value"),
        (("-t", "review"), "the template review needs a value for {input} (pipe it in"),
        (("--field", "a=b", "q"), "--field needs a template (name one with -t)"),
        (("-t", "x\x1b]0;t\x07", "q"), "is not a valid name"),
    ],
)
def test_invalid_profile_or_template_is_one_line_without_a_request(
    configured: Reflect, words: tuple[str, ...], said: str
) -> None:
    with answering_server(ANSWERED) as server:
        result = configured.at(server.host)(*words)

    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert said in result.err
    assert "\x1b" not in result.err
    assert server.requests == []


SET = """+++
model = "reflection:8b"
system = "Be brief."
mode = "direct"
options = { temperature = 0.9, seed = 7 }
fields = { language = "French" }
+++
Translate into {language}: {input}
"""


@pytest.fixture
def setting(configured: Reflect) -> Reflect:
    """The command, with a template that has a head."""
    (configured.home / ".config/reflectty/templates/tr.md").write_text(SET, "utf-8")
    return configured


@pytest.mark.parametrize(
    ("words", "body", "system", "prompt"),
    [
        (
            (),
            {"model": "reflection:8b", "options": {"num_ctx": 8192, "temperature": 0.9, "seed": 7}},
            "Be brief.",
            "Translate into French: q",
        ),
        (
            ("--profile", "code"),
            {
                "model": "reflection:8b",
                "options": {"num_ctx": 8192, "temperature": 0.9, "seed": 7},
                "keep_alive": "10m",
            },
            "Be brief.",
            "Translate into French: q",
        ),
        (
            ("-m", "reflection:1b", "-s", "Hm.", "-o", "seed=1", "--field", "language=Dutch"),
            {"model": "reflection:1b", "options": {"num_ctx": 8192, "temperature": 0.9, "seed": 1}},
            "Hm.",
            "Translate into Dutch: q",
        ),
    ],
    ids=["template over settings", "template over profile", "flags over template"],
)
def test_template_sets_how_its_question_is_asked(
    setting: Reflect, words: tuple[str, ...], body: dict[str, Any], system: str, prompt: str
) -> None:
    _, asked = sent(setting, "-t", "tr", *words, "q", REFLECTTY_MODE="native")

    assert {key: asked.get(key) for key in body} == body
    assert [message["content"] for message in asked["messages"]] == [system, prompt]


def test_mode_of_a_template_precedes_the_settings_and_follows_the_flag(setting: Reflect) -> None:
    with answering_server("Yes.", capabilities=["completion", "thinking"]) as server:
        command = setting.at(server.host)
        for words in ((), ("--mode", "native")):
            assert command("-t", "tr", *words, "q", REFLECTTY_MODE="native").code == 0

    assert [asked.json.get("think") for asked in server.chatted()] == [False, True]


def test_model_of_a_template_precedes_that_of_the_session(setting: Reflect) -> None:
    with answering_server(ANSWERED) as server:
        command = setting.at(server.host)
        for words in (("-m", "reflection:1b", "a"), ("-c", "-t", "tr", "b"), ("-m", "reflection:1b", "-c", "c")):
            assert command(*words).code == 0
        path = setting.home / ".config/reflectty/config.toml"
        path.write_text(f'template = "tr"\n{FILE}', "utf-8")
        assert command("-c", "d").code == 0

    # A template that only the settings name gives way to the session, as their model does.
    models = [asked.json["model"] for asked in server.chatted()]
    assert models == ["reflection:1b", "reflection:8b", "reflection:1b", "reflection:1b"]


def test_schema_of_a_template_holds_the_answer(setting: Reflect) -> None:
    head = '+++\nschema = "age int"\n+++\n'
    (setting.home / ".config/reflectty/templates/age.md").write_text(f"{head}Age of {{input}}?", "utf-8")
    with answering_server('{"age": "old"}') as server:
        command = setting.at(server.host)
        wrong = command("-t", "age", "--mode", "direct", "--final", "me")
        refused = [command("-t", "age", form, "me") for form in ("--raw", "-x")]
        other = command("-t", "age", "--mode", "direct", "--schema", "age", "--final", "me")

    assert (wrong.code, wrong.out) == (7, "")
    assert server.chatted()[0].json["format"]["required"] == ["age"]
    assert (other.code, other.out) == (0, '{"age": "old"}\n')
    assert [result.code for result in refused] == [2, 2]
    assert "--raw and the schema of the template age cannot be combined (leave out --raw)" in refused[0].err
    assert "--code and the schema of the template age" in refused[1].err


def test_batch_has_the_settings_of_its_template(setting: Reflect) -> None:
    (setting.home / "q.txt").write_text("cat\n", "utf-8")
    with answering_server("Chat.") as server:
        result = setting.at(server.host)("batch", "-t", "tr", "q.txt")
    (asked,) = server.chatted()

    assert result.code == 0
    assert (asked.json["model"], asked.json["options"]["seed"]) == ("reflection:8b", 7)
    assert [message["content"] for message in asked.json["messages"]] == ["Be brief.", "Translate into French: cat"]


def test_template_on_a_terminal_asks_and_opens_no_chat(configured: Reflect) -> None:
    with answering_server(ANSWERED) as server, Screen(configured.at(server.host), "-t", "joke", "--final") as screen:
        assert screen.finish() == 0
        assert screen.text == ANSWER
    with Screen(configured, "-t", "review") as screen:
        assert screen.finish() == 2
        assert "needs a value for {input}" in " ".join(screen.lines)


def test_continued_session_keeps_its_model_unless_a_profile_is_named(configured: Reflect) -> None:
    with answering_server(ANSWERED) as server:
        command = configured.at(server.host)
        for words in (("-m", "reflection:1b", "a"), ("-c", "b"), ("-c", "--profile", "code", "c")):
            assert command(*words).code == 0

    models = [asked.json["model"] for asked in server.chatted()]
    assert models == ["reflection:1b", "reflection:1b", "reflection:70b"]


def test_filled_template_is_saved_as_it_was_sent(configured: Reflect) -> None:
    with answering_server(ANSWERED) as server:
        command = configured.at(server.host)
        assert command("-t", "review", "mind it", stdin=b"diff").code == 0
        assert command("-c", "again").code == 0
    first, second = (asked.json["messages"] for asked in server.chatted())

    assert second[0] == first[-1]


@pytest.mark.parametrize(
    ("installed", "able", "why"),
    [
        (("llama3:latest", "reflection:70b"), (), "using reflection:70b, a reflection model,"),
        (("llama3:latest", "qwq:latest"), ("thinking",), "using qwq, a thinking model,"),
        (("gemma:latest",), (), "using gemma, the newest installed model,"),
    ],
)
def test_choice_of_the_default_model_is_explained_once(
    reflect: Reflect, installed: tuple[str, ...], able: tuple[str, ...], why: str
) -> None:
    with answering_server(ANSWERED, installed=installed, capabilities=["completion", *able]) as server:
        first, second = (reflect.at(server.host)("q").err.splitlines() for _ in range(2))
    with answering_server(
        ANSWERED, installed=("deepseek-r1:latest",), capabilities=["completion", "thinking"]
    ) as server:
        other = reflect.at(server.host)("q").err

    assert first[0] == (
        f"reflect: {why} because no model is set: -m NAME to use another once, reflect config set model NAME to set a default"
    )
    assert not any("using" in line for line in second)
    assert "using deepseek-r1, a thinking model" in other


def test_configured_model_gets_no_notice(reflect: Reflect) -> None:
    with answering_server(ANSWERED) as server:
        command = reflect.at(server.host)
        assert command("config", "set", "model", "reflection").code == 0
        result = command("q")

    assert (result.out, result.err) == (f"{ANSWER}\n", "")
    assert server.chatted()[0].json["model"] == "reflection"


def test_invalid_settings_can_be_edited_again(reflect: Reflect, tmp_path: Path) -> None:
    path = reflect.home / ".config/reflectty/config.toml"
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import sys, pathlib\npath = pathlib.Path(sys.argv[1])\n"
        "path.write_text('mode = \"direct\"' if 'never' in path.read_text() else 'mode = \"never\"')\n",
        "utf-8",
    )
    with Screen(reflect, "config", "edit", EDITOR=f"{sys.executable} {editor}") as screen:
        assert screen.shows("mode 'never' is not a mode")
        assert screen.shows("Edit again? [Y/n]")
        screen.press(b"\r")
        assert screen.finish() == 0

    assert path.read_text("utf-8") == 'mode = "direct"'
    shown = reflect("config")
    assert [line.split() for line in shown.out.splitlines() if line.startswith("mode ")] == [["mode", "file", "direct"]]


@pytest.mark.parametrize("columns", [80, 50, 30])
def test_the_settings_fit_the_terminal(configured: Reflect, columns: int) -> None:
    for words in (("config",), ("templates",)):
        with Screen(configured, *words, columns=columns) as screen:
            assert screen.finish() == 0
            lines = [line for line in screen.lines if line]
        assert lines[0].split()[0] in ("setting", "template")
        assert all(len(line) < columns for line in lines)
