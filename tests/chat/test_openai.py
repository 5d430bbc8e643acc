"""The chat over an engine for servers that are not Ollama: its messages, and the actions it hides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reflectty.core.errors import PromptTooLongError
from reflectty.core.messages import Model
from reflectty.core.session import ReplyStatus
from reflectty.reasoning.modes import AskOptions
from support.chat_app import IN_THOUGHT, QUESTION, REPLY, app_over, in_a_chat, three_exchanges

if TYPE_CHECKING:
    from reflectty.store import Store
    from reflectty.tui.app import ReflectApp
    from support.chat_app import Reader
    from support.scripted_engine import ScriptedEngine

FIXED = PromptTooLongError("the prompt has 9,000 tokens, the context holds 4,096", "send less", resizable=False)
UNSENT = "the key is not sent to http://gpu.test:8000"


def warned(engine: ScriptedEngine, store: Store, **values: Any) -> ReflectApp:
    engine.warning = f"{UNSENT}\x1b[31m"
    return app_over(engine, store, **values)


def ignoring(engine: ScriptedEngine, store: Store, **values: Any) -> ReflectApp:
    engine.installed = tuple(model._replace(unsupported_options=("num_ctx",)) for model in engine.installed)
    return app_over(engine, store, **values)


def unable(engine: ScriptedEngine, store: Store, **values: Any) -> ReflectApp:
    engine.installed = tuple(model._replace(can_resume=False) for model in engine.installed)
    return app_over(engine, store, **values)


@in_a_chat(IN_THOUGHT, make=unable, size=(120, 30))
async def test_steering_is_neither_offered_nor_run_when_unsupported(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    assert "alt+s" not in reader.text
    assert "alt+c" not in reader.text
    await reader.press("alt+s", "alt+c")
    await reader.shows("cannot be steered or continued")
    assert reader.chat.turns.current is not None
    assert reader.engine.stopped == 0
    reader.engine.release()
    await reader.at_rest()
    assert reader.stored_reply.ended is ReplyStatus.COMPLETE
    assert len(reader.engine.requests) == 1


@in_a_chat(IN_THOUGHT, size=(120, 30))
async def test_steer_and_conclude_are_offered_when_supported(reader: Reader) -> None:
    await reader.ask_held(QUESTION, "90 is more")
    await reader.shows("alt+s steer", "alt+c conclude")
    reader.engine.release()
    await reader.at_rest()


@in_a_chat((FIXED,), before=three_exchanges, size=(90, 40))
async def test_larger_context_is_not_offered_when_the_context_is_fixed(reader: Reader) -> None:
    await reader.send("Fourth?")
    await reader.shows("Prompt too long")

    assert "Leave out all" in reader.text
    assert "Ask with a context" not in reader.text
    await reader.press("escape")
    await reader.at_rest()


@in_a_chat(make=warned)
async def test_engine_warning_is_shown_when_the_chat_opens(reader: Reader) -> None:
    assert UNSENT in reader.row("the key")
    assert "\x1b" not in reader.text


@in_a_chat(REPLY, make=ignoring)
async def test_unsupported_option_is_reported(reader: Reader) -> None:
    await reader.send("/option num_ctx=8192")
    await reader.send(QUESTION)
    await reader.shows("this server ignores num_ctx")
    await reader.at_rest()


def serving(engine: ScriptedEngine, store: Store, **values: Any) -> ReflectApp:
    engine.manages_models = False
    engine.installed = (Model("mini:latest"), Model("org/Qwen3-8B", ("thinking",)))
    return app_over(engine, store, **values)


def empty(engine: ScriptedEngine, store: Store, **values: Any) -> ReflectApp:
    engine.manages_models = False
    engine.installed = ()
    return app_over(engine, store, **values)


@in_a_chat(make=serving)
async def test_models_screen_is_not_offered_when_the_server_cannot_pull(reader: Reader) -> None:
    await reader.press("f2")
    await reader.shows("org/Qwen3-8B")

    assert "mini:latest" in reader.text
    assert "pull, load" not in reader.text


@in_a_chat(make=empty)
async def test_empty_model_list_of_a_server_is_reported(reader: Reader) -> None:
    await reader.press("f2")
    await reader.shows("the server lists no models (use /model NAME to ask for one anyway)")


def by_id(engine: ScriptedEngine, store: Store, **values: Any) -> ReflectApp:
    engine.manages_models = False
    return by_name(engine, store, **values)


def by_name(engine: ScriptedEngine, store: Store, **values: Any) -> ReflectApp:
    engine.installed = (Model("mini:latest"), Model("mini"))
    return app_over(engine, store, **values)


@in_a_chat(REPLY, make=by_id, manner=AskOptions(model="mini:latest"))
async def test_status_line_shows_a_model_id_verbatim(reader: Reader) -> None:
    assert reader.chat.status.facts.ids
    await reader.shows("mini:latest")


@in_a_chat(REPLY, make=by_name, manner=AskOptions(model="mini:latest"))
async def test_status_line_shows_an_ollama_name_without_the_default_tag(reader: Reader) -> None:
    await reader.shows("mini")
    assert "mini:latest" not in reader.text
