"""The first screen: examples, recent sessions, the model or how to get one, all in a calm tone, gone with a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import UnreachableError
from reflectty.core.model_spec import MINI_NOTICE
from reflectty.reasoning.modes import AskOptions
from reflectty.tui.sessions.welcome import EXAMPLES
from support.chat_app import QUESTION, REPLY, app_over, in_a_chat, plain_stored_reply, store_exchanges
from support.list_app import controls
from support.scripted_engine import MODELS, ScriptedEngine

if TYPE_CHECKING:
    from typing import Any

    from reflectty.store import Store
    from reflectty.tui.app import ReflectApp
    from support.chat_app import Reader

GONE = UnreachableError("cannot reach 127.0.0.1:11434: connection refused", "start it with `ollama serve`")


def seven_talks(store: Store) -> None:
    """Seven sessions, none of which is continued."""
    for number in range(7):
        title = f"Talk {number}\x1b[31m\u202e" + "x" * 200 * (number == 3)
        store_exchanges(store, (title, plain_stored_reply("Yes.")))


def with_engine(**values: Any) -> Any:
    """Make the application over an engine that is changed before the chat opens."""

    def make(engine: ScriptedEngine, store: Store, **others: Any) -> ReflectApp:
        for name, value in values.items():
            setattr(engine, name, value)
        return app_over(engine, store, **others)

    return make


@in_a_chat(REPLY, before=seven_talks)
async def test_first_screen_offers_questions_sessions_and_keys(reader: Reader) -> None:
    assert reader.sees("reflection on 127.0.0.1:11434", *EXAMPLES, "Talk 6", "Talk 2", "ctrl+o sessions", "f2 model")
    assert not reader.sees("Talk 1")
    assert "!" not in reader.text
    assert not controls(reader.rows())
    await reader.ask(QUESTION)
    assert not reader.sees("try asking")
    await reader.press("ctrl+n")
    assert reader.sees("try asking", QUESTION) == ["try asking", QUESTION]


@in_a_chat(before=seven_talks)
async def test_question_is_taken_into_the_composer(reader: Reader) -> None:
    await reader.press("down", "down", "enter")
    assert reader.chat.composer.text == EXAMPLES[1]
    assert reader.chat.composer.has_focus
    await reader.press("ctrl+c")
    row = next(at for at, text in enumerate(reader.rows()) if EXAMPLES[2] in text)
    await reader.pilot.click(offset=(8, row))
    await reader.settle()
    assert reader.chat.composer.text == EXAMPLES[2]
    assert reader.engine.requests == []


@in_a_chat(before=seven_talks)
async def test_recent_session_is_opened(reader: Reader) -> None:
    await reader.press("tab", *["down"] * len(EXAMPLES), "down", "enter")
    await reader.shows("Yes.")
    assert "Talk 5" in reader.rows()[0]
    assert not reader.sees("try asking")
    assert reader.chat.composer.has_focus


@pytest.mark.parametrize("leaving", [("escape",), ("up",), ("down", "up", "up")])
@in_a_chat(REPLY)
async def test_keys_lead_back_to_the_composer(reader: Reader, leaving: tuple[str, ...]) -> None:
    await reader.press("down")
    assert "›" in reader.text
    await reader.press(*leaving)
    assert reader.chat.composer.has_focus
    assert "›" not in reader.text


@in_a_chat(REPLY)
async def test_typing_goes_on_in_the_composer(reader: Reader) -> None:
    await reader.press("down", *"Why?", "enter")
    await reader.at_rest()
    assert [message.content for message in reader.engine.requests[0].messages][-1] == "Why?"


@in_a_chat(REPLY)
async def test_arrows_stay_with_a_composer_that_has_text(reader: Reader) -> None:
    await reader.press("a", "down")
    assert reader.chat.composer.has_focus
    await reader.press("backspace", "/", "down")
    assert reader.chat.composer.has_focus


@in_a_chat(REPLY, manner=AskOptions(), make=with_engine(gone=GONE))
async def test_server_that_was_never_there_is_no_error(reader: Reader) -> None:
    await reader.until(lambda: f"{GONE} (start it with `ollama serve`) try asking" in " ".join(reader.text.split()))
    assert "!" not in reader.text
    reader.engine.gone = None
    reader.chat.poll()
    await reader.shows("reflection on 127.0.0.1:11434")
    assert not reader.sees("cannot reach")


@in_a_chat(manner=AskOptions(), make=with_engine(installed=()))
async def test_model_that_fits_is_named_where_none_is_installed(reader: Reader) -> None:
    await reader.shows("no model is installed on the server", "/pull qwen3:")
    assert "!" not in reader.text
    assert reader.sees("try asking")


STAND_IN = MODELS[1]._replace(notices=("No server responds: using mini.", f"{MINI_NOTICE} (see /site-packages)"))


@in_a_chat(manner=AskOptions(), make=with_engine(installed=(STAND_IN,)))
async def test_stand_in_is_explained_without_its_license(reader: Reader) -> None:
    await reader.shows("No server responds: using mini.", "mini on 127.0.0.1:11434")
    assert MINI_NOTICE not in reader.text.split("try asking")[0]
    assert "!" not in reader.text


@pytest.mark.parametrize("size", [(40, 15), (20, 8), (80, 24), (200, 50)], ids=str)
def test_first_screen_fits_any_terminal(size: tuple[int, int]) -> None:
    @in_a_chat(before=seven_talks, size=size)
    async def run(reader: Reader) -> None:
        await reader.settle()
        assert reader.chat.composer.region.bottom <= size[1]
        await reader.press(*["down"] * 6)
        assert "›" in reader.text

    run()
