"""Questions on a machine without a server: the built-in model answers where it may, and a note names it."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from support.chat_process import Chat
from support.fresh_machine import QUESTION, default_server, fresh, is_unreachable, port_of
from support.pty_screen import Screen
from support.scripted_servers import ANSWER
from support.stored_replies import StoredHome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.built_in import BuiltIn
    from support.command import Reflect, Result

WHAT_IT_IS, A_REAL_ONE = "a built-in model with 270 million parameters", "ollama.com"
TERMS = "ai.google.dev/gemma/terms"
CONFIG = ".config/reflectty/config.toml"


@pytest.fixture
def machine(request: pytest.FixtureRequest, tmp_path: Path, mini: BuiltIn) -> Reflect:
    """A machine without any state but that the terms of the built-in model are accepted."""
    state = tmp_path / ".local/state/reflectty"
    state.mkdir(parents=True)
    (state / "told").write_text("the terms of mini\n")
    return fresh(tmp_path, mini, apart=request.node.get_closest_marker("process") is not None)


def write(reflect: Reflect, text: str) -> None:
    path = reflect.home / CONFIG
    path.parent.mkdir(parents=True)
    path.write_text(text)


def answered_by_mini(result: Result) -> bool:
    """Whether an answer came, and one line names the built-in model."""
    lines = result.err.splitlines()
    told = len(lines) == 1 and WHAT_IT_IS in lines[0] and A_REAL_ONE in lines[0]
    return result.code == 0 and bool(result.out.strip()) and told


class Asking(NamedTuple):
    """A way to ask for the built-in model."""

    name: str
    words: tuple[str, ...] = ()
    config: str = ""
    variables: dict[str, Any] = {}  # noqa: RUF012 - never changed


ASKINGS = (
    Asking("by a flag", ("-m", "mini")),
    Asking("by the engine in the file", config='engine = "embedded"'),
    Asking("with its tag", ("-m", "mini:latest")),
    Asking("by the engine", ("--engine", "embedded")),
    Asking("by the file", config='model = "mini"'),
    Asking("by a variable", variables={"REFLECTTY_MODEL": "mini"}),
    Asking("by a profile", ("--profile", "small"), '[profiles.small]\nmodel = "mini"'),
    Asking("of a host that is down", ("-m", "mini", "--host", "127.0.0.1:9")),
)


@pytest.mark.parametrize(
    "way",
    [pytest.param(way, id=way.name, marks=pytest.mark.slow if at > 1 else ()) for at, way in enumerate(ASKINGS)],
)
def test_requested_built_in_model_answers_with_one_notice(machine: Reflect, way: Asking) -> None:
    if way.config:
        write(machine, way.config)
    assert answered_by_mini(machine(*way.words, QUESTION, **way.variables))


@pytest.mark.process
@pytest.mark.parametrize(
    "form",
    [(), ("--json",), *(pytest.param((form,), marks=pytest.mark.slow) for form in ("--final", "--jsonl", "--raw"))],
    ids=" ".join,
)
def test_built_in_model_answers_by_default_when_no_server_ever_answered(
    machine: Reflect, form: tuple[str, ...]
) -> None:
    result = machine(*form, QUESTION)

    assert answered_by_mini(result)
    assert "no server responds" in result.err
    assert StoredHome(machine.home).said.model == "mini"


NOTICES = ".local/state/reflectty/notices"


def age_notices(machine: Reflect, seconds: float) -> None:
    """Move the notices into the past."""
    path = machine.home / NOTICES
    rows = [line.rpartition(" ") for line in path.read_text().splitlines()]
    path.write_text("".join(f"{name} {float(then) - seconds}\n" for name, _, then in rows))


def test_terms_are_named_on_first_use_only(machine: Reflect) -> None:
    (machine.home / ".local/state/reflectty/told").unlink()
    first = machine("-m", "mini", QUESTION)
    (machine.home / NOTICES).unlink()
    second = machine("-m", "mini", QUESTION)

    assert [TERMS in line for line in first.err.splitlines()] == [False, True]
    assert answered_by_mini(second)


@pytest.mark.parametrize(
    ("words", "pause"), [(("-m", "mini"), 86_000), ((), 3_500)], ids=["requested", "as the fallback"]
)
def test_notice_is_not_repeated_within_a_day_or_an_hour(machine: Reflect, words: tuple[str, ...], pause: float) -> None:
    first = machine(*words, QUESTION)
    age_notices(machine, pause)
    second = machine(*words, QUESTION)
    age_notices(machine, 500)
    third = machine(*words, QUESTION)

    assert answered_by_mini(first)
    assert (second.code, second.out, second.err) == (0, first.out, "")
    assert answered_by_mini(third)


@pytest.mark.process
def test_fallback_is_announced_each_time_on_a_terminal(machine: Reflect) -> None:
    for _ in range(2):
        with Screen(machine, QUESTION, columns=200, program=machine.command) as screen:
            assert screen.finish() == 0
            assert "no server responds: using mini" in screen.text


@pytest.mark.slow
def test_session_of_the_built_in_model_is_continued(machine: Reflect) -> None:
    assert answered_by_mini(machine(QUESTION))
    assert machine("-c", "And 4 + 4?").code == 0
    assert len(StoredHome(machine.home).sessions) == 1


@pytest.mark.process
def test_server_with_a_model_named_mini_answers_instead(machine: Reflect) -> None:
    with default_server(machine, has_mini=True) as server:
        result = machine("-m", "mini", QUESTION)

    assert (result.code, result.out, result.err) == (0, f"{ANSWER}\n", "")
    assert len(server.asked("/api/chat")) == 1


def test_server_without_mini_is_not_asked_the_question(machine: Reflect) -> None:
    with default_server(machine) as server:
        assert answered_by_mini(machine("-m", "mini", QUESTION))

    assert not server.asked("/api/chat")


def listed(machine: Reflect) -> Result:
    return machine("models", "list")


def checked(machine: Reflect) -> Result:
    return machine("doctor", "--no-question")


def batched(machine: Reflect) -> Result:
    return machine("batch", "-", stdin=b"What?\n")


def asked(machine: Reflect) -> Result:
    return machine("What?")


@pytest.mark.parametrize("reach", [asked, listed, checked, batched], ids=lambda reach: reach.__name__)
def test_built_in_model_is_not_the_default_once_a_server_has_answered(
    machine: Reflect, reach: Callable[[Reflect], Result]
) -> None:
    with default_server(machine):
        assert reach(machine).code == 0

    assert is_unreachable(machine(QUESTION))


def test_sessions_with_other_models_count_as_an_answering_server(machine: Reflect) -> None:
    with default_server(machine):
        assert machine("What?").code == 0
    (machine.home / ".local/state/reflectty/served").unlink()

    assert is_unreachable(machine(QUESTION))


@pytest.mark.parametrize(
    "way",
    [
        Asking("another model", ("-m", "reflection")),
        Asking("a host", ("--host", "127.0.0.1:9")),
        Asking("an engine", ("--engine", "ollama")),
        Asking("in silence", ("-q",)),
        Asking("a model in the file", config='model = "reflection"'),
        Asking("a host in the file", config='host = "127.0.0.1:9"'),
        Asking("an engine in the file", config='engine = "ollama"'),
        Asking("a profile", ("--profile", "far"), '[profiles.far]\nhost = "127.0.0.1:9"'),
        Asking("a model by a variable", variables={"REFLECTTY_MODEL": "reflection"}),
        Asking("a host by Ollama's variable", variables={"OLLAMA_HOST": "127.0.0.1:9"}),
        Asking("a host by our variable", variables={"REFLECTTY_HOST": "127.0.0.1:9"}),
        Asking("a key", variables={"OLLAMA_API_KEY": "secret"}),
    ],
    ids=lambda way: way.name,
)
def test_built_in_model_is_not_the_default_when_a_setting_names_a_source(machine: Reflect, way: Asking) -> None:
    if way.config:
        write(machine, way.config)
    result = machine(*way.words, QUESTION, **way.variables)

    assert is_unreachable(result)
    assert "-m mini" in result.err


@pytest.mark.parametrize("words", [(), ("-m", "mini")], ids=["unasked", "requested"])
def test_built_in_model_answers_a_batch_as_it_answers_a_question(machine: Reflect, words: tuple[str, ...]) -> None:
    result = machine("batch", "-", *words, stdin=b"What is 2 + 3?\nWhat is 3 + 4?\n")
    lines = [json.loads(line) for line in result.out.splitlines()]

    assert answered_by_mini(result)
    assert ("no server responds" in result.err) is not bool(words)
    assert [(line["model"], bool(line["answer"])) for line in lines] == [("mini", True)] * 2


@pytest.mark.parametrize("words", [("-q",), ("--host", "127.0.0.1:9"), ("-m", "reflection")], ids=" ".join)
def test_built_in_model_does_not_answer_a_batch_that_names_a_source(machine: Reflect, words: tuple[str, ...]) -> None:
    assert is_unreachable(machine("batch", "-", *words, stdin=b"What?\n"))


class TestModels:
    def test_list_without_a_server_has_the_built_in_model(self, machine: Reflect) -> None:
        result, as_json = machine("models"), machine("models", "--json")
        (one,) = json.loads(as_json.out)

        assert result.code == as_json.code == 0
        assert re.split(r"  +", result.out)[0] == "mini (built in)"
        assert result.err == as_json.err == "reflect: no server responds: only the built-in model is listed\n"
        assert (one["name"], one["built_in"]) == ("mini:latest", True)

    def test_built_in_model_is_listed_below_those_of_the_server(self, machine: Reflect) -> None:
        with default_server(machine):
            result = machine("models")
            there = machine("models", "--host", f"127.0.0.1:{port_of(machine)}", "--json")

        assert [(line.split()[0], "built in" in line) for line in result.out.splitlines()] == [
            ("reflection", False),
            ("mini", True),
        ]
        assert [one["name"] for one in json.loads(there.out)] == ["reflection:latest"]

    def test_server_with_a_model_named_mini_hides_the_built_in_one(self, machine: Reflect) -> None:
        with default_server(machine, has_mini=True):
            listed = json.loads(machine("models", "--json").out)

        assert [(one["name"], one["built_in"]) for one in listed] == [
            ("reflection:latest", False),
            ("mini:latest", False),
        ]

    @pytest.mark.parametrize(
        ("words", "variables"),
        [(("--host", "127.0.0.1:9"), {}), (("--engine", "ollama"), {}), ((), {"OLLAMA_HOST": "127.0.0.1:9"})],
        ids=["a host", "an engine", "a variable"],
    )
    def test_list_of_a_named_server_that_is_down_is_an_error(
        self, machine: Reflect, words: tuple[str, ...], variables: dict[str, Any]
    ) -> None:
        assert is_unreachable(machine("models", "list", *words, **variables))

    def test_list_is_an_error_once_a_server_has_answered(self, machine: Reflect) -> None:
        with default_server(machine):
            machine("models")

        assert is_unreachable(machine("models"))

    @pytest.mark.parametrize("serves", [False, True], ids=["no server", "a server without it"])
    def test_built_in_model_is_loaded_and_unloaded(self, machine: Reflect, serves: bool) -> None:
        with default_server(machine) if serves else nullcontext():
            loaded = machine("models", "load", "mini", "--json")
            listed = machine("models", "--json")
            unloaded = [machine("models", "unload", "mini", "--json") for _ in range(2)]

        assert json.loads(loaded.out)["loaded"]["size"] > 10**8
        assert json.loads(listed.out)[-1]["loaded"]["name"] == "mini:latest"
        assert [json.loads(one.out)["unloaded"] for one in unloaded] == [True, False]

    def test_load_of_mini_on_a_named_server_does_not_load_the_built_in_one(self, machine: Reflect) -> None:
        assert is_unreachable(machine("models", "load", "mini", "--host", "127.0.0.1:9"))

    @pytest.mark.process
    def test_load_of_the_built_in_model_gives_no_advice_on_gpus(self, machine: Reflect) -> None:
        with Screen(machine, "models", "load", "mini", columns=200, program=machine.command) as screen:
            assert screen.finish() == 0

        assert screen.text.startswith("reflect: mini is loaded: CPU")
        assert len(screen.text.splitlines()) == 1


class TestChat:
    def test_chat_announces_the_default_built_in_model_once(self, machine: Reflect) -> None:
        with Chat(machine, columns=160, program=machine.command) as chat:
            assert chat.opened()
            assert chat.shows(f"no server responds: using mini, {WHAT_IT_IS}")
            assert chat.shows("built in")
            assert chat.text.count(WHAT_IT_IS) == 1
            chat.ask(QUESTION)
            assert chat.shows("2 + 3 = 5")
            assert chat.rests()
            assert WHAT_IT_IS not in chat.text
            assert chat.leave() == 0
        assert StoredHome(machine.home).said.model == "mini"

    @pytest.mark.slow
    def test_chat_announces_a_requested_built_in_model(self, machine: Reflect) -> None:
        with Chat(machine, "-m", "mini", columns=160, program=machine.command) as chat:
            assert chat.shows(f"using mini, {WHAT_IT_IS}")
            assert chat.leave() == 0

    def test_chat_does_not_use_the_built_in_model_once_a_server_has_answered(self, machine: Reflect) -> None:
        with default_server(machine), Chat(machine, columns=160, program=machine.command) as chat:
            assert chat.shows("reflection")
            assert chat.leave() == 0
        with Chat(machine, columns=160, program=machine.command) as chat:
            assert chat.shows("cannot reach")
            assert WHAT_IT_IS not in chat.text
            assert chat.leave() == 0


@pytest.mark.slow
def test_doctor_questions_the_built_in_model_when_it_would_answer(machine: Reflect) -> None:
    result = machine("doctor", "--json")
    read = json.loads(result.out)
    found = {one["check"]: one for one in read["findings"]}

    assert (result.code, result.err, read["answers"]) == (0, "", True)
    assert found["built in"]["facts"] == {"installed": True, "answers": True}
    assert A_REAL_ONE in found["server"]["advice"]
    assert found["model"]["facts"]["model"] == "mini"


def test_doctor_lists_the_built_in_model_beside_a_working_server(machine: Reflect) -> None:
    with default_server(machine):
        result = machine("doctor", "--json", "--no-question")
    found = {one["check"]: one for one in json.loads(result.out)["findings"]}

    assert found["built in"]["facts"] == {"installed": True, "answers": False}
    assert found["model"]["facts"]["model"] == "reflection"


def test_completion_offers_the_built_in_model_only_for_asking(machine: Reflect) -> None:
    assert machine("__complete", "models", "mi").out == "mini\tbuilt in\n"
    assert machine("__complete", "models", "mi", "models", "remove").out == ""


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("other",), "other needs a source model"),
        (("mini", "--template", "x"), "--template does not apply to mini"),
        (("mini", "--system", "x"), "--system does not apply to mini"),
        (("mini", "-p", "seed=7"), "--parameter does not apply to mini"),
        (("mini",), "mini already exists"),
    ],
    ids=["another name", "a template", "a system prompt", "a parameter", "there is one"],
)
def test_create_refuses_changes_to_mini_and_an_existing_mini(
    machine: Reflect, words: tuple[str, ...], says: str
) -> None:
    with default_server(machine, has_mini=True) as server:
        result = machine("models", "create", *words)

    assert (result.code, result.out, len(result.err.splitlines())) == (2, "", 1)
    assert says in result.err
    assert not server.asked("/api/create")


def test_terms_of_the_built_in_model_are_shown_in_full(machine: Reflect) -> None:
    shown, licence = machine("models", "show", "mini"), machine("models", "show", "mini", "--licence")

    assert (shown.code, shown.err) == (0, "")
    assert "license (" in shown.out
    assert TERMS in licence.out
    assert "USE RESTRICTIONS" in licence.out.upper()
    assert not (machine.home / ".local/state/reflectty/served").exists()
