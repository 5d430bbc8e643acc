"""The screen of models in a terminal, and a real Ollama: listing, loading, copying, removing and pulling."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from support.chat_process import Chat
from support.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Reflect
    from support.real_ollama import Server

pytestmark = pytest.mark.server

MODELS, LOAD, PULL, COPY, REMOVE = b"\x1b[17~", b"\x0c", b"\x10", b"\x19", b"\x18"


@pytest.fixture
def command(reflect: Reflect, ollama: Server) -> Reflect:
    return reflect.at(ollama.host)


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry that has a model of three megabytes."""
    with Registry() as registry:
        registry.add("small", ("model", b"GGUF%d" % registry.port + bytes(3_000_000)), ("template", b"{{ .Prompt }}"))
        yield registry


def installed(command: Reflect) -> set[str]:
    return {one["name"] for one in json.loads(command("models", "list", "--json").out) if not one["built_in"]}


def chosen(chat: Chat, name: str) -> bool:
    """Type a name until it is the selected one."""
    chat.press(name.encode())
    return chat.matches(rf"› (\S )?{re.escape(name)}")


def opened(chat: Chat) -> bool:
    chat.press(MODELS)
    return chat.matches(r"mini-native +\d+ MB +268\S* \S+ +(reflection, )?thinking")


def test_model_is_loaded_copied_selected_and_removed(command: Reflect) -> None:
    # Other models of the same file may be loaded, and the model with them.
    assert command("models", "unload", "mini-native").code == 0
    with Chat(command, "-m", "plain", rows=40, columns=130) as chat:
        assert chat.opened()
        assert opened(chat)
        assert chat.matches(r"▌› plain ")
        assert chosen(chat, "mini-native")
        chat.press(LOAD)
        assert chat.matches(r"mini-native is loaded: CPU · \d+ MB · context")
        assert chat.matches(r"mini-native .* CPU")
        assert chat.shows("ctrl+l unload")
        chat.press(LOAD)
        assert chat.shows("mini-native is unloaded")

        chat.press(COPY)
        assert chat.shows("Copy mini-native as")
        chat.press(b"second\r")
        assert chat.shows("mini-native copied to second")
        chat.hit("escape")
        assert chosen(chat, "second")
        assert "second:latest" in installed(command)
        chat.press(b"\r")
        assert chat.shows("now using second")
        assert chat.matches(r"^ second  ")

        chat.press(MODELS)
        assert chat.matches(r"▌› second ")
        chat.press(REMOVE)
        assert chat.shows("Permanently remove second (")
        chat.press(b"n")
        assert chat.lacks("Permanently remove")
        assert "second:latest" in installed(command)
        chat.press(REMOVE)
        assert chat.shows("Permanently remove second (")
        chat.press(b"y")
        assert chat.shows("removed second")
        assert "second:latest" not in installed(command)
        chat.hit("escape")
        assert chat.leave() == 0


def test_pull_is_cancelled_resumed_and_listed(command: Reflect, ollama: Server, registry: Registry) -> None:
    name = registry.name("small")
    registry.gate = 1_000_000
    with Chat(command, "-m", "mini", rows=40, columns=130) as chat:
        assert chat.opened()
        assert opened(chat)
        chat.press(PULL)
        assert chat.shows("Pull a model")
        chat.press(f"{name}\r".encode())
        assert chat.matches(r"▰+▱+ · \d+ % · .* of 3\.0 MB")
        assert chosen(chat, "127.0.0.1")
        chat.press(REMOVE)
        assert chat.shows("stopped: progress is kept")
        assert chat.until(lambda _: registry.fetching == 0)
        registry.gate = None
        chat.press(b"\r")
        assert chat.matches(r"pulled \S*127\S+ .*in ")
        chat.hit("escape")
        assert chat.matches(r"small +3\.0 MB")
        chat.hit("escape")
        assert chat.leave() == 0
    ollama.remove(f"127.0.0.1:{registry.port}/library/small")


def test_quitting_the_chat_stops_a_pull_and_reports_it(command: Reflect, registry: Registry) -> None:
    name = registry.name("small")
    registry.gate = 1_000_000
    with Chat(command, "-m", "mini") as chat:
        assert chat.opened()
        chat.press(f"/pull {name}\r".encode())
        assert chat.matches(r"↓ small \d+ %")
        assert chat.leave() == 0
        assert f"pull of {name} stopped: progress is kept" in chat.raw.decode().replace("\r\n", "")
    assert chat.left_behind == []


def test_model_missing_from_the_registry_is_reported(command: Reflect, registry: Registry) -> None:
    with Chat(command, "-m", "mini", columns=120) as chat:
        assert chat.opened()
        chat.press(f"/pull {registry.name('nothing')}\r".encode())
        assert chat.matches(r"! pull of \S+ failed: the registry has no model")
        assert chat.leave() == 0
