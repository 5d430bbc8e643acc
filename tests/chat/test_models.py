"""The screen of models over a scripted server: its contents, and the effect of its keys on a model."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from reflectty.core.evidence import Evidence
from reflectty.models.fit import Gpu, Machine, ServerHardware
from reflectty.reasoning.modes import AskOptions
from reflectty.tui.app import ChatProfile
from reflectty.tui.models import manager, screen
from support.chat_app import chatting, in_a_chat
from support.command import PATIENCE
from support.model_server import GB, ModelServer, model
from support.models_screen import QWEN, WIDE, chosen, opened, pulling, shown_keys

if TYPE_CHECKING:
    from reflectty.models.manager import ModelLibrary
    from support.chat_app import Reader


@pytest.fixture
def short_poll_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the interval in which the screen of models polls the server."""
    monkeypatch.setattr(screen, "POLL_SECONDS", 0.05)


# The list


@in_a_chat(size=WIDE, manner=AskOptions(model="mini"))
async def test_models_are_listed_with_details_of_the_selected_one(reader: Reader) -> None:
    reader.server.loaded["reflection:70b"] = (44 * GB, 28 * GB)
    await opened(reader)
    await reader.shows("268.10M Q8_0  reflection, thinking")
    assert " ".join(reader.row("reflection:70b").split()) == (
        "reflection:70b 40 GB 70.6B Q4_K_M reflection, thinking 64 % GPU mini"
    )
    assert reader.row("268.10M Q8_0  reflection").startswith("  ▌› mini   ")
    assert reader.row("auto picks").endswith("mode native, family")
    assert reader.row("models").endswith("127.0.0.1:11434 · 4 models")
    await reader.press("up", "up")
    await reader.shows("64 % GPU · 28 GB of 44 GB ·")
    assert reader.row("context 4K").endswith("indefinitely")


EVIDENCE = (("mini", Evidence("direct", n=150, baseline="think", tokens=0.5, digest="?")),)


@in_a_chat(size=WIDE, manner=AskOptions(model="mini", evidence=EVIDENCE))
async def test_evidence_on_the_selected_model_is_shown_or_stale(reader: Reader) -> None:
    await opened(reader)
    await reader.shows("the evidence for mini is not")
    options = reader.chat.conversation.ask_options
    fresh = options._replace(evidence=(("mini", EVIDENCE[0][1]._replace(digest="")),))
    reader.chat.conversation.ask_options = fresh
    await reader.press("escape")
    await opened(reader)
    await reader.shows("without thinking: 0 points")


@pytest.mark.parametrize(
    ("vram", "size", "shown"), [(0.0, (80, 24), "CPU"), (1.0, (80, 24), "GPU"), (0.635, (40, 10), "64 % GPU")]
)
def test_row_shows_the_gpu_share_of_a_loaded_model(vram: float, size: tuple[int, int], shown: str) -> None:
    async def use(reader: Reader) -> None:
        reader.server.loaded["mini:latest"] = (GB, int(GB * vram))
        await reader.press("f6")
        await reader.shows(shown)
        assert re.search(rf" {shown}( |$)", reader.row("mini"))

    chatting(use, size=size)


@pytest.mark.slow
@in_a_chat()
async def test_selected_model_its_size_and_keys_are_visible_at_any_size(reader: Reader) -> None:
    for size in ((40, 10), (40, 24), (60, 16), (80, 24), (111, 40), (300, 80)):
        await reader.resize(*size)
        await reader.press("f6")
        await reader.shows("mini")
        await reader.press("end", "down", "down")
        await reader.shows("› mini", "292 MB", "ctrl+l load", "ctrl+p pull", "ctrl+y copy", "ctrl+x remove", "esc back")
        assert all(len(row) <= size[0] for row in reader.rows()), size
        await reader.press("f6")


@in_a_chat(unicode=False, size=WIDE, manner=AskOptions(model="mini"))
async def test_screen_is_ascii_without_utf_8(reader: Reader) -> None:
    reader.server.loaded["mini:latest"] = (GB, GB // 2)
    await reader.press("f6")
    await reader.shows("50 % GPU", ">- mini")
    await pulling(reader, done=GB)
    assert "##.........." in reader.text
    assert all(row.replace("·", "-").isascii() for row in reader.rows())


@in_a_chat()
async def test_empty_server_offers_to_pull_a_model(reader: Reader) -> None:
    reader.server.models.clear()
    await reader.press("f6")
    await reader.shows("No models installed.")
    assert shown_keys(reader) == "ctrl+p pull · esc back"


@in_a_chat()
async def test_typing_filters_the_list(reader: Reader) -> None:
    await opened(reader)
    await reader.press(*"ds14")
    assert reader.sees("deepseek-r1:14b", "mini", "reflection:70b") == ["deepseek-r1:14b"]
    await reader.press(*"xyz")
    assert reader.sees("No matches.", "ctrl+l") == ["No matches."]
    await reader.press("escape")
    await reader.shows("mini")
    await reader.press("escape")
    assert "mini" not in reader.text


@in_a_chat()
async def test_unknown_filter_text_can_be_pulled_as_a_model(reader: Reader) -> None:
    await opened(reader)
    await reader.press(*"qwen3:8b", "ctrl+p")
    await reader.shows("Pull a model")
    await reader.press("enter")
    await reader.until(lambda: reader.server.calls("pull"))
    assert reader.server.calls("pull")[0]["model"] == "qwen3:8b"


@pytest.mark.usefixtures("short_poll_interval")
@in_a_chat()
async def test_changes_by_another_program_are_shown(reader: Reader) -> None:
    await opened(reader)
    reader.server.models.insert(0, dict(QWEN))
    await reader.shows("qwen3:8b", "8.2B Q4_K_M", "thinking, tools")
    reader.server.loaded["qwen3:8b"] = (6 * GB, 0)
    await reader.shows("CPU")
    reader.server.models.pop(0)
    await reader.until(lambda: "qwen3:8b" not in reader.text)


@pytest.mark.usefixtures("short_poll_interval")
@in_a_chat()
async def test_server_is_polled_only_while_the_screen_is_open(reader: Reader) -> None:
    assert reader.server.asked == []
    await opened(reader)
    await reader.until(lambda: len(reader.server.calls("ps")) > 3)
    await reader.press("f6")
    asked = len(reader.server.asked)
    await reader.pilot.pause(0.3)
    assert len(reader.server.asked) == asked
    assert reader.engine.requests == []


@pytest.mark.usefixtures("short_poll_interval")
@in_a_chat(size=WIDE)
async def test_unreachable_server_is_reported_until_it_is_back(reader: Reader) -> None:
    await opened(reader)
    reader.server.gone = True
    await reader.shows(
        "! 127.0.0.1:11434 is not reachable", "! cannot reach http://127.0.0.1:11434: connection refused"
    )
    assert reader.sees("mini", "deepseek-r1:14b") == ["mini", "deepseek-r1:14b"]
    assert shown_keys(reader).endswith("esc back")
    assert "ctrl+l" not in shown_keys(reader)
    reader.server.gone = False
    await reader.until(lambda: "is not reachable" not in reader.text)
    await reader.shows("127.0.0.1:11434 · 4 models", "ctrl+l load")


# Answering, loading, copying, removing


@in_a_chat(size=WIDE, manner=AskOptions(model="reflection"))
async def test_enter_selects_the_model_for_the_chat(reader: Reader) -> None:
    reader.server.models.insert(0, model("deepseek-r1:latest", GB, "1B", "Q8_0"))
    await opened(reader)
    await chosen(reader, "deepseek-r1")
    await reader.press("enter")
    await reader.shows("now using deepseek-r1")
    assert reader.chat.conversation.ask_options.model == "deepseek-r1"
    assert "ctrl+l" not in reader.text
    await reader.press("f6")
    await reader.shows("▌› deepseek-r1 ")
    assert "enter use" not in shown_keys(reader)


@in_a_chat(size=WIDE)
async def test_model_is_loaded_with_its_gpu_share_reported_and_unloaded(reader: Reader) -> None:
    reader.server.vram = 0.5
    reader.server.loading.clear()
    await opened(reader)
    await chosen(reader, "mini")
    await reader.press("ctrl+l")
    await reader.shows("loading")
    assert "ctrl+l" not in shown_keys(reader)
    reader.server.loading.set()
    await reader.shows("mini is loaded: 50 % GPU · 161 MB of 321 MB · context 4K", "ctrl+l unload")
    await reader.press("ctrl+l")
    await reader.shows("mini is unloaded", "ctrl+l load")
    assert reader.server.loaded == {}


@pytest.mark.parametrize(("key", "removed"), [("y", True), ("n", False), ("escape", False), ("enter", False)])
@in_a_chat(size=WIDE, manner=AskOptions(model="mini"))
async def test_model_is_removed_only_after_y(reader: Reader, key: str, removed: bool) -> None:
    await opened(reader)
    await chosen(reader, "mini")
    await reader.press("ctrl+x")
    await reader.shows("Permanently remove mini (292 MB, used by this chat) from the server?")
    await reader.press(key)
    await reader.until(lambda: "Permanently remove" not in reader.text)
    assert [body["model"] for body in reader.server.calls("delete")] == ["mini:latest"] * removed
    if removed:
        await reader.shows("removed mini")
        await reader.press("escape")
        await reader.until(lambda: "268.10M" not in reader.text)


@in_a_chat(size=WIDE)
async def test_copy_does_not_replace_another_model(reader: Reader) -> None:
    await opened(reader)
    await chosen(reader, "mini")
    for name, said in (
        ("my-mini", "mini copied to my-mini"),
        ("my-mini", "! my-mini already exists (choose another name)"),
        ("../x", "! '../x' is not a valid model name"),
    ):
        await reader.press("ctrl+y")
        await reader.shows("Copy mini as")
        await reader.press(*name, "enter")
        await reader.shows(said)
    assert reader.server.calls("copy") == [{"source": "mini:latest", "destination": "my-mini"}]
    await reader.shows("my-mini  292 MB")


@in_a_chat(size=WIDE)
async def test_load_error_is_shown_on_the_screen(reader: Reader) -> None:
    await opened(reader)
    await chosen(reader, "mini")
    reader.server.models[:] = [one for one in reader.server.models if one["name"] != "mini:latest"]
    await reader.press("ctrl+l")
    await reader.shows("! the model mini:latest is not installed")
    await reader.press("ctrl+x", "y")


# Changes by other programs


@in_a_chat()
async def test_model_dialog_opens_the_models_screen(reader: Reader) -> None:
    await reader.press("f2")
    await reader.shows("pull, load, copy or remove a model")
    await reader.press("up", "pagedown", "enter")
    await reader.shows("deepseek-r1:14b", "ctrl+p pull")


@in_a_chat(keys=(("models", ("f9",)),))
async def test_custom_key_opens_and_closes_the_screen(reader: Reader) -> None:
    await reader.press("f9")
    await reader.shows("deepseek-r1:14b")
    await reader.press("f9")
    assert "deepseek-r1:14b" not in reader.text


GIB = 1 << 30
CARD = Gpu("NVIDIA GeForce RTX 4090", 24 * GIB, 23 * GIB)


async def machine_with_one_gpu(_: ModelLibrary) -> ServerHardware:
    return ServerHardware(Machine((CARD,), 64 * GIB, 60 * GIB))


@in_a_chat(size=WIDE, hardware=machine_with_one_gpu)
async def test_memory_fit_of_the_selected_model_is_shown(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    await opened(reader)
    await chosen(reader, "reflection:70b")
    await reader.shows("needs      weights 40 GB", "fit        ")
    await reader.press("escape")
    await chosen(reader, "mini")
    await reader.shows("needs      weights 292 MB")
    # The delay before the next look is longer than the test.
    monkeypatch.setattr(manager, "SETTLE_SECONDS", PATIENCE)
    asked = len(reader.server.asked)
    await reader.press("down", "up")
    await reader.shows("needs      weights 292 MB")
    await reader.pilot.pause(0.1)
    assert {call for call, _ in reader.server.asked[asked:]} <= {"tags", "ps"}


@in_a_chat(manner=AskOptions(model="mini"))
async def test_profile_of_another_server_shows_its_models(reader: Reader) -> None:
    far = ModelServer(QWEN)
    there = ChatProfile(AskOptions(model="mini"), lambda: reader.engine, "far:1", far.library)
    here = ChatProfile(AskOptions(model="mini"))
    reader.chat.config = reader.chat.config._replace(load_profile={"far": there, "here": here}.__getitem__)
    for profile, seen in (("far", "qwen3:8b"), ("here", "deepseek-r1:14b"), ("far", "qwen3:8b")):
        await reader.send(f"/profile {profile}")
        await reader.press("f6")
        await reader.shows(seen)
        assert len(reader.sees("qwen3:8b", "deepseek-r1:14b")) == 1
        await reader.press("f6")
