"""A question that continues a session is asked as was set for that session in the chat."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.session import SessionSettings
from reflectty.store import open_store
from support.scripted_servers import MODEL, answering_server
from support.stored_replies import StoredHome

if TYPE_CHECKING:
    from support.command import Reflect, Result

SETTINGS = SessionSettings(effort="high", system="Be brief.", options=(("temperature", 0.5), ("seed", 1)))
ABLE: dict[str, Any] = {"capabilities": ["completion", "thinking"]}


CONFIG = """
system = "Be formal."
effort = "low"
[profiles.poet]
system = "Rhyme."
options = { seed = 7 }
[profiles.short]
effort = "medium"
[templates]
plain = "Say: {input}"
"""
TEMPLATE = '+++\nsystem = "Be a critic."\noptions = { seed = 3 }\n+++\nReview {input}'


def set_for_session(reflect: Reflect, settings: SessionSettings) -> None:
    store = open_store(StoredHome(reflect.home).path, pytest.fail)
    store.set_settings(store.sessions()[0].id, settings)
    store.close()


def write_config(reflect: Reflect) -> None:
    folder = reflect.home / ".config/reflectty"
    (folder / "templates").mkdir(parents=True)
    (folder / "config.toml").write_text(CONFIG)
    (folder / "templates/critic.md").write_text(TEMPLATE)


def ask_twice(reflect: Reflect, settings: SessionSettings, *words: str) -> tuple[Result, dict[str, Any]]:
    """The result of a second question, and what it sends to the server: system prompt, thinking and options."""
    with answering_server("yes", thinking=("Hm.",), **ABLE) as server:
        ask = reflect.at(server.host)
        assert ask(*MODEL, "--session", "work", "one").code == 0
        set_for_session(reflect, settings)
        write_config(reflect)
        result = ask(*MODEL, "--final", *words, "two")
        body = server.asked("/api/chat")[-1].json
    system = next((message["content"] for message in body["messages"] if message["role"] == "system"), "")
    options = {name: body.get("options", {}).get(name) for name in ("temperature", "seed")}
    return result, {"system": system, "think": body.get("think"), **options}


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        (("-c",), {}),
        (("--session", "work"), {}),
        (("-c", "-t", "plain"), {}),
        (("-c", "-t", "critic"), {"system": "Be a critic.", "seed": 3}),
        (("-c", "-t", "critic", "-s", "Be kind."), {"system": "Be kind.", "seed": 3}),
        (("-c", "--effort", "low"), {"think": "low"}),
        (("-c", "-s", "Be kind."), {"system": "Be kind."}),
        (("-c", "-o", "seed=2"), {"seed": 2}),
        (("-c", "--mode", "direct"), {"think": False}),
        (("-c", "--profile", "poet"), {}),
        ((), {"system": "Be formal.", "think": "low", "temperature": None, "seed": None}),
    ],
)
def test_question_is_asked_as_set_for_its_session(
    words: tuple[str, ...], changed: dict[str, Any], reflect: Reflect
) -> None:
    expected = {"system": "Be brief.", "think": "high", "temperature": 0.5, "seed": 1}

    assert ask_twice(reflect, SETTINGS, *words)[1] == expected | changed


@pytest.mark.parametrize(
    ("settings", "words", "sent"),
    [
        (SessionSettings("poet"), (), {"system": "Rhyme.", "think": "low", "seed": 7}),
        (SessionSettings("poet", system=""), (), {"system": "", "think": "low", "seed": 7}),
        (SessionSettings("poet", effort=""), (), {"system": "Rhyme.", "think": True, "seed": 7}),
        (SessionSettings("poet"), ("--profile", "short"), {"system": "Be formal.", "think": "medium", "seed": None}),
        (SessionSettings("gone"), (), {"system": "Be formal.", "think": "low", "seed": None}),
        (SessionSettings(mode="nosuch", effort="nosuch", budget="x"), (), {"think": "low"}),
    ],
)
def test_profile_of_a_session_is_below_its_settings(
    settings: SessionSettings, words: tuple[str, ...], sent: dict[str, Any], reflect: Reflect
) -> None:
    found = ask_twice(reflect, settings, "-c", *words)[1]

    assert {name: found[name] for name in sent} == sent


def test_profile_that_is_gone_is_a_warning(reflect: Reflect) -> None:
    result = ask_twice(reflect, SessionSettings("gone"), "-c")[0]

    assert (result.code, result.out) == (0, "yes\n")
    assert result.err.startswith("reflect: ")
    assert "gone" in result.err
    assert result.err.count("\n") == 1


def test_budget_of_a_session_ends_the_thinking(reflect: Reflect) -> None:
    with answering_server("yes", thinking=("one ", "two ", "three ", "four "), **ABLE) as server:
        ask = reflect.at(server.host)
        ask(*MODEL, "--session", "work", "one")
        set_for_session(reflect, SessionSettings(budget="2"))
        result = ask(*MODEL, "-c", "--json", "two")

    assert json.loads(result.out)["governed"]["by"] == "budget"
