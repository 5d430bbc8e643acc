"""Profiles and templates in the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import OptionError
from reflectty.reasoning.modes import AskOptions, Mode
from reflectty.tui import slash
from reflectty.tui.app import ChatProfile
from reflectty.tui.composer.completion import find_suggestions
from support.chat_app import REPLY, in_a_chat
from support.scripted_engine import ScriptedEngine, cut

if TYPE_CHECKING:
    from pathlib import Path

    from support.chat_app import Reader

FILE = """
[profiles.code]
model = "mini"
mode = "direct"
system = "Be terse."
options = { seed = 1 }

[profiles.far]
host = "far:1"

[templates]
translate = "Into {language}, {{quoted}}: {input}"
"""


def settle(home: Path, text: str = FILE) -> None:
    """Write the settings of this home."""
    path = home / ".config/reflectty/config.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


@in_a_chat(REPLY)
async def test_profile_applies_to_the_next_question(reader: Reader) -> None:
    settle(reader.home)
    await reader.send("/profile code")
    await reader.shows("profile code: mini, direct")
    await reader.ask("Which?")
    request = reader.engine.requests[0]

    assert (request.model, request.options) == ("mini", (("seed", 1),))
    assert request.messages[0].content == "Be terse."


@in_a_chat(REPLY, manner=AskOptions(Mode.DIRECT, model="reflection", system="Mine."))
async def test_profile_none_resets_to_defaults_and_to_the_model_before(reader: Reader) -> None:
    settle(reader.home)
    await reader.send("/profile code")
    await reader.send("/profile none")
    await reader.ask("Which?")
    request = reader.engine.requests[0]

    assert (request.model, request.options) == ("reflection", ())
    assert not any(text in message.content for message in request.messages for text in ("Mine.", "Be terse."))


@pytest.mark.parametrize(
    ("lines", "source"),
    [
        (("/profile code",), "set by profile code: remove it"),
        (("/profile code", "/option seed=7"), "set by /option seed: remove it"),
        # A profile's values override options typed earlier.
        (("/option seed=7", "/profile code"), "set by profile code: remove it"),
        (("/profile code", "/profile none", "/option seed=7"), "set by /option seed: remove it"),
    ],
)
@in_a_chat((OptionError("seed is no longer supported", option="seed"),))
async def test_refused_option_is_named_with_its_source(reader: Reader, lines: tuple[str, ...], source: str) -> None:
    settle(reader.home)
    for line in lines:
        await reader.send(line)
    await reader.ask("Which?")

    await reader.shows("seed is no longer supported", source)


@in_a_chat(REPLY)
async def test_a_profile_is_chosen_from_a_list(reader: Reader) -> None:
    settle(reader.home)
    await reader.press("f8")
    await reader.shows("Profile", "code", "far", "none")
    await reader.press("enter")
    await reader.shows("profile code: mini, direct")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/profile cod", "unknown profile 'cod' (did you mean code?)"),
        ("/profile ../x", "'../x' is not a valid name"),
        ("/template translat", "unknown template 'translat' (did you mean translate?)"),
        ("/template ../x", "'../x' is not a valid name"),
    ],
)
@in_a_chat()
async def test_unknown_profile_or_template_gets_a_suggestion(reader: Reader, typed: str, said: str) -> None:
    settle(reader.home)
    await reader.send(typed)
    assert said in " ".join(reader.text.split())


@in_a_chat()
async def test_invalid_settings_are_reported_and_change_nothing(reader: Reader) -> None:
    settle(reader.home, "[profiles.code]\nmodle = 1\n")
    before = reader.chat.conversation.ask_options
    await reader.send("/profile code")
    assert "unknown profile setting 'modle'" in " ".join(reader.text.split())
    assert reader.chat.conversation.ask_options == before


@in_a_chat(cut("From here.\n"))
async def test_profile_switches_to_another_server_and_back(reader: Reader) -> None:
    far = ScriptedEngine(cut("From afar.\n"))
    there = ChatProfile(AskOptions(model="reflection"), lambda: far, "far:1")
    here = ChatProfile(AskOptions(model="reflection"))
    reader.chat.config = reader.chat.config._replace(load_profile={"far": there, "code": here}.__getitem__)
    await reader.send("/profile far")
    await reader.until(lambda: "far:1" in reader.text)
    await reader.send("One?")
    await reader.shows("From afar.")
    await reader.at_rest()
    await reader.send("/profile code")
    await reader.until(lambda: "far:1" not in reader.text)
    await reader.ask("Two?")

    assert [len(engine.requests) for engine in (far, reader.engine)] == [1, 1]
    assert reader.sees("From here.")


@in_a_chat(REPLY)
async def test_template_is_inserted_into_the_composer(reader: Reader) -> None:
    settle(reader.home)
    await reader.send("/template translate good morning")
    assert reader.chat.composer.text == "Into {language}, {quoted}: good morning"
    assert reader.engine.requests == []
    await reader.press("enter")
    await reader.at_rest()
    assert reader.engine.requests[0].messages[-1].content == "Into {language}, {quoted}: good morning"


@in_a_chat()
async def test_a_template_is_chosen_from_a_list(reader: Reader) -> None:
    await reader.send("/template")
    assert "no templates yet" in " ".join(reader.text.split())
    settle(reader.home)
    await reader.send("/template")
    await reader.shows("Template", "translate")
    await reader.press("enter")
    await reader.until(lambda: reader.chat.composer.text == "Into {language}, {quoted}: ")


@in_a_chat()
async def test_profiles_and_templates_are_completed_by_name(reader: Reader) -> None:
    settle(reader.home)
    choices, commands = slash.argument_choices((), ()), slash.commands_of(reader.chat.actions)
    found = {
        typed: [item.text for item in find_suggestions(typed, len(typed), commands, reader.home, choices).items]
        for typed in ("/profile ", "/profile f", "/template t")
    }

    assert found == {"/profile ": ["code", "far", "none"], "/profile f": ["far"], "/template t": ["translate"]}
    settle(reader.home, "profiles = 1\ntemplates = 1\n")
    assert slash.argument_choices((), ())["profile"] == ("none",)
