"""What changes the answers is kept with a session: its system prompt, options, mode, effort and profile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import StoreError
from reflectty.core.evidence import Evidence
from reflectty.core.messages import Effort
from reflectty.core.session import NO_SETTINGS, SessionSettings
from reflectty.reasoning.modes import AskOptions, Mode
from reflectty.tui.app import ChatProfile
from support.chat_app import REPLY, in_a_chat, plain_stored_reply, store_exchanges
from support.scripted_engine import ScriptedEngine, cut

if TYPE_CHECKING:
    from reflectty.core.session import Session
    from reflectty.store import Store
    from support.chat_app import Reader

SETTINGS = SessionSettings(
    mode="direct", effort="high", system="PIRATE please", options=(("temperature", 0.3),), budget="2000"
)
MANNER = AskOptions(model="reflection", system="Mine.", options=(("seed", 1),))


def with_settings(store: Store, settings: SessionSettings = SETTINGS) -> Session:
    session = store_exchanges(store, ("First?", plain_stored_reply("Yes.")))
    store.set_settings(session.id, settings)
    return store.find(session.id)


def two_sessions(store: Store) -> Session:
    """A session without settings, and the session to continue."""
    store_exchanges(store, ("Another?", plain_stored_reply("No.", model="mini")))
    return with_settings(store)


def system_of(reader: Reader, at: int = -1) -> str:
    """The user's part of the system message of a request."""
    text = next((one.content for one in reader.engine.requests[at].messages if one.role == "system"), "")
    return text.partition("\n\n")[0]


@in_a_chat(REPLY, REPLY, manner=MANNER)
async def test_what_the_user_sets_is_stored_with_the_session(reader: Reader) -> None:
    for line in (
        "/system PIRATE please",
        "/option temperature=0.3",
        "/option seed=",
        "/mode direct",
        "/effort high",
        "/budget 2k",
    ):
        await reader.send(line)
    await reader.ask("One?")
    session = reader.store.latest()
    assert session
    assert session.settings == SETTINGS
    await reader.send("/effort default")
    assert reader.store.find(session.id).settings == SETTINGS._replace(effort="")


@in_a_chat(REPLY, manner=MANNER, before=with_settings)
async def test_continued_session_asks_as_it_did(reader: Reader) -> None:
    await reader.ask("One?")
    assert (system_of(reader), reader.engine.requests[0].options) == ("PIRATE please", (("temperature", 0.3),))
    assert reader.stored_reply.mode == "direct"


@in_a_chat(REPLY, REPLY, REPLY, manner=MANNER, before=two_sessions)
async def test_settings_do_not_leak_into_other_sessions(reader: Reader) -> None:
    await reader.press("ctrl+n")
    await reader.ask("New?")
    assert (system_of(reader), reader.engine.requests[-1].options) == ("Mine.", (("seed", 1),))
    latest = reader.store.latest()
    assert latest
    assert latest.settings == NO_SETTINGS
    await reader.chat.sessions.open("Another", None)
    await reader.ask("More?")
    assert (system_of(reader), reader.engine.requests[-1].model) == ("Mine.", "mini")
    await reader.chat.sessions.open("First", None)
    await reader.ask("And this?")
    assert (system_of(reader), reader.engine.requests[-1].model) == ("PIRATE please", "reflection")


@pytest.mark.parametrize(
    "settings",
    [
        SessionSettings(mode="often", effort="none", options=(), budget="much"),
        SessionSettings("gone", mode="often", effort="none", options=()),
    ],
)
@in_a_chat(REPLY, manner=MANNER)
async def test_settings_that_are_none_any_more_change_nothing(reader: Reader, settings: SessionSettings) -> None:
    reader.chat.show_conversation(with_settings(reader.store, settings))
    await reader.settle()
    assert reader.chat.conversation.ask_options == MANNER._replace(options=())
    assert ("unknown profile 'gone'" in " ".join(reader.text.split())) is bool(settings.profile)


@in_a_chat(REPLY, manner=MANNER, typed_settings=SessionSettings(system="Mine."))
async def test_what_the_command_line_sets_is_kept_with_new_sessions(reader: Reader) -> None:
    await reader.ask("One?")
    latest = reader.store.latest()
    assert latest
    assert latest.settings == SessionSettings(system="Mine.")


@in_a_chat(REPLY, manner=MANNER)
async def test_system_prompt_is_edited_in_the_composer_and_cleared_by_name(reader: Reader) -> None:
    await reader.send("/system")
    assert reader.chat.composer.text == "/system Mine."
    await reader.press(*" More.", "enter")
    assert reader.chat.conversation.ask_options.system == "Mine. More."
    await reader.send('/system ""')
    assert reader.chat.conversation.ask_options.system == ""
    await reader.send("/system")
    assert reader.chat.composer.text == "/system "
    await reader.ask("One?")
    assert system_of(reader) == ""


@in_a_chat(manner=MANNER)
async def test_options_are_listed_edited_and_removed(reader: Reader) -> None:
    await reader.send("/option")
    await reader.shows("Model options", "seed", "temperature")
    await reader.press("enter")
    await reader.pilot.press("backspace", "7", "enter")
    await reader.until(lambda: reader.chat.conversation.ask_options.options == (("seed", 7),))
    await reader.send("/option")
    await reader.press(*"temperature", "enter")
    await reader.press(*"0.3", "enter")
    await reader.until(lambda: dict(reader.chat.conversation.ask_options.options) == {"seed": 7, "temperature": 0.3})
    await reader.send("/option")
    await reader.press("enter", "backspace", "enter")
    await reader.until(lambda: reader.chat.conversation.ask_options.options == (("temperature", 0.3),))


@in_a_chat(REPLY, REPLY, manner=MANNER)
async def test_profile_without_a_model_takes_the_model_before_profiles(reader: Reader) -> None:
    profiles = {"code": ChatProfile(AskOptions(model="mini")), "brief": ChatProfile(AskOptions(system="Brief."))}
    reader.chat.config = reader.chat.config._replace(load_profile=profiles.__getitem__)
    await reader.send("/profile code")
    await reader.send("/profile brief")
    await reader.ask("One?")
    assert (reader.engine.requests[0].model, system_of(reader)) == ("reflection", "Brief.")
    assert reader.chat.conversation.settings == SessionSettings("brief")
    await reader.press("ctrl+n")
    await reader.ask("Two?")
    assert system_of(reader) == "Mine."


@in_a_chat(cut("Here.\n"), manner=MANNER)
async def test_server_of_a_profile_belongs_to_its_session(reader: Reader) -> None:
    far = ScriptedEngine(cut("From afar.\n"), cut("Again.\n"))
    there = ChatProfile(AskOptions(mode=Mode.DIRECT, effort=Effort.LOW), lambda: far, "far:1")
    reader.chat.config = reader.chat.config._replace(load_profile={"far": there}.__getitem__)
    await reader.send("/profile far")
    await reader.until(lambda: reader.chat.conversation.ask_options.model)
    await reader.send("One?")
    await reader.shows("From afar.")
    await reader.at_rest()
    await reader.press("ctrl+n")
    await reader.ask("Two?")
    assert len(reader.engine.requests) == 1
    await reader.chat.sessions.open("One?", None)
    assert reader.chat.conversation.ask_options.mode is Mode.DIRECT
    await reader.send("Three?")
    await reader.shows("Again.")
    assert len(far.requests) == 2


@in_a_chat(REPLY, before=with_settings)
async def test_change_holds_although_it_cannot_be_stored(reader: Reader) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("the disk is full")

    reader.store.set_settings = refuse  # type: ignore[method-assign, assignment]
    await reader.send("/system Other.")
    assert reader.sees("the disk is full")
    await reader.ask("One?")
    assert system_of(reader) == "Other."


EVIDENCE = Evidence("native", "low", gain=12, low=5, high=19, n=200, baseline="cot", digest="3", set_name="sums")


@in_a_chat(REPLY, REPLY, REPLY, manner=AskOptions(model="deepseek-r1", evidence=(("deepseek-r1", EVIDENCE),)))
async def test_the_chat_asks_by_evidence_and_cites_it_until_an_effort_is_chosen(reader: Reader) -> None:
    await reader.ask("One?")
    assert reader.sees("thinking with effort low: +12 points over step by step")
    await reader.send("/effort high")
    await reader.ask("Two?")
    await reader.send("/effort default")
    await reader.ask("Three?")
    assert [request.think for request in reader.engine.requests] == [Effort.LOW, Effort.HIGH, Effort.LOW]


@in_a_chat(REPLY, manner=AskOptions(model="deepseek-r1", evidence=(("deepseek-r1", EVIDENCE._replace(digest="4")),)))
async def test_the_chat_tells_of_stale_evidence(reader: Reader) -> None:
    await reader.ask("One?")
    assert reader.sees("is not used, because the model has changed")
    assert reader.engine.requests[0].think is True
