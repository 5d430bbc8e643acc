"""Pulls in the chat over a scripted server: on the screen of models, and in the background."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from reflectty.reasoning.modes import AskOptions
from support.chat_app import chatting, in_a_chat
from support.model_server import GB
from support.models_screen import QWEN, WIDE, chosen, opened, pulling, shown_keys

if TYPE_CHECKING:
    from support.chat_app import Reader


@in_a_chat(size=WIDE)
async def test_pull_shows_progress_and_the_model_is_listed_at_the_end(reader: Reader) -> None:
    await opened(reader)
    await pulling(reader)
    await reader.shows("contacting the server")
    served = reader.server.pulling("qwen3:8b")
    served.say("pulling manifest")
    await reader.shows("pulling manifest")
    served.fetch(GB)
    await reader.shows("19 %", "1.0 GB of 5.2 GB", "▰▰▱▱▱▱▱▱▱▱▱▱")
    await reader.pilot.pause(0.6)
    served.fetch(2 * GB)
    await reader.shows("38 %", "2.0 GB of 5.2 GB")
    await reader.until(lambda: re.search(r"[GM]B/s · \d+ s left", reader.text))
    served.fetch(11_000, 11_000, "sha256:" + "5" * 64)
    await chosen(reader, "qwen3:8b")
    await reader.shows("layer 1    2.0 GB of 5.2 GB · 38 %", "layer 2    11 kB of 11 kB · 100 %")
    assert shown_keys(reader) == "ctrl+x cancel · ctrl+p pull · esc back"
    reader.server.models.insert(0, dict(QWEN))
    served.finish()
    await reader.shows("pulled qwen3:8b, 5.2 GB, in", "8.2B Q4_K_M")
    assert "pulls" not in reader.text


@in_a_chat(size=WIDE)
async def test_pull_is_cancelled_with_ctrl_x_and_resumed_with_enter(reader: Reader) -> None:
    await opened(reader)
    await pulling(reader, done=GB)
    await chosen(reader, "qwen3:8b")
    await reader.press("ctrl+x")
    await reader.shows("stopped: progress is kept")
    assert reader.server.pulling("qwen3:8b").left
    assert shown_keys(reader) == "enter retry · ctrl+x dismiss · ctrl+p pull · esc back"
    reader.server.pulls.clear()
    await reader.press("enter")
    await reader.until(lambda: len(reader.server.calls("pull")) == 2)
    reader.server.pulling("qwen3:8b").finish()
    await reader.shows("pulled qwen3:8b")
    assert "pulls" not in reader.text


@in_a_chat()
async def test_pull_reports_a_model_that_is_up_to_date(reader: Reader) -> None:
    reader.server.pulling("mini").finish()
    await reader.send("/pull mini")
    await reader.shows("mini is already up to date")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("pull model manifest: file does not exist", "the registry has no model qwen3:8b (did you mean qwen3?"),
        ("write /x: no space left on device", "the server's disk is full (free some space there, then pull it again"),
        ("dial tcp: lookup r: no such host", "the server cannot reach the registry: dial tcp: lookup r: no such host"),
        ("", "pull it again to continue: progress is kept"),
    ],
)
@in_a_chat(size=WIDE)
async def test_failed_pull_explains_the_cause_and_the_next_step(reader: Reader, said: str, shown: str) -> None:
    await opened(reader)
    await pulling(reader, done=GB)
    served = reader.server.pulling("qwen3:8b")
    if said:
        served.fail(said)
    else:
        served.break_off()
    await reader.shows("! qwen3:8b")
    # The facts about the selected one stand beside the list.
    assert shown in " ".join(" ".join(row[:85].split()) for row in reader.rows())
    await chosen(reader, "qwen3:8b")
    assert shown_keys(reader) == "enter retry · ctrl+x dismiss · ctrl+p pull · esc back"
    await reader.press("ctrl+x")
    await reader.until(lambda: "! qwen3:8b" not in reader.text)


@pytest.mark.slow
@in_a_chat(size=WIDE)
async def test_two_pulls_run_at_once_and_cancelling_one_keeps_the_other(reader: Reader) -> None:
    await opened(reader)
    await pulling(reader, "qwen3:8b", GB)
    await pulling(reader, "gpt-oss:20b", 3 * GB)
    assert reader.sees("19 %", "58 %") == ["19 %", "58 %"]
    await chosen(reader, "gpt-oss:20b")
    await reader.press("ctrl+x")
    await reader.shows("stopped: progress is kept")
    assert not reader.server.pulling("qwen3:8b").left
    await reader.press("escape", "ctrl+p")
    await reader.press(*"qwen3:8b", "enter")
    await reader.shows("! qwen3:8b is already being pulled")
    reader.server.pulling("qwen3:8b").finish()
    await reader.shows("pulled qwen3:8b, ")


@in_a_chat()
async def test_background_pull_reports_in_the_chat_when_it_is_done(reader: Reader) -> None:
    await reader.send("/pull qwen3:8b")
    await reader.shows("pulling qwen3:8b: f6 shows progress")
    served = reader.server.pulling("qwen3:8b")
    await reader.pilot.pause(0.6)
    served.fetch(GB)
    await reader.shows("↓ qwen3:8b 19 %")
    served.finish()
    await reader.shows("pulled qwen3:8b, 5.2 GB, in")
    assert "↓" not in reader.text


@in_a_chat()
async def test_background_pull_failure_is_shown_in_the_chat(reader: Reader) -> None:
    await reader.send("/pull qwen3:8b")
    await reader.until(lambda: reader.server.calls("pull"))
    reader.server.pulling("qwen3:8b").fail("write /x: no space left on device")
    await reader.shows("! pull of qwen3:8b failed: the server's disk is full")
    await reader.press("f6")
    await reader.shows("! qwen3:8b", "pulls")


@in_a_chat(manner=AskOptions())
async def test_first_pulled_model_is_selected_for_the_chat(reader: Reader) -> None:
    reader.engine.installed = ()
    reader.chat.change_ask_options(model="")
    await reader.send("/pull qwen3:8b")
    await reader.until(lambda: reader.server.calls("pull"))
    reader.server.pulling("qwen3:8b").finish()
    await reader.shows("pulled qwen3:8b", "now using it")
    assert reader.chat.conversation.ask_options.model == "qwen3:8b"


@pytest.mark.parametrize("name", ["../x", "a b", "/etc/passwd", "a\x1b[31mb"])
@in_a_chat()
async def test_invalid_model_name_is_not_pulled(reader: Reader, name: str) -> None:
    await reader.send(f"/pull {name}")
    await reader.shows("is not a valid model name")
    assert reader.server.calls("pull") == []


@in_a_chat()
async def test_pull_without_a_name_asks_for_one(reader: Reader) -> None:
    await reader.send("/pull")
    await reader.shows("Pull a model")
    await reader.press("escape")
    assert "Pull a model" not in reader.text
    assert reader.server.asked == []


@in_a_chat()
async def test_plain_http_is_used_only_for_a_registry_named_with_it(reader: Reader) -> None:
    for name in ("http://localhost:5000/library/m", "localhost:5000/library/n"):
        await reader.send(f"/pull {name}")
    await reader.until(lambda: len(reader.server.calls("pull")) == 2)
    assert [bool(body.get("insecure")) for body in reader.server.calls("pull")] == [True, False]


def test_quitting_the_chat_stops_pulls_and_says_how_to_resume_them() -> None:
    async def use(reader: Reader) -> tuple[Reader, list[str]]:
        for name in ("qwen3:8b", "gpt-oss:20b", "stopped"):
            await reader.send(f"/pull {name}")
        await reader.until(lambda: len(reader.server.calls("pull")) == 3)
        await reader.press("f6")
        await reader.shows("stopped")
        await chosen(reader, "stopped")
        await reader.press("ctrl+x")
        await reader.shows("stopped: progress is kept")
        return reader, reader.parted

    reader, parted = chatting(use)
    assert parted == [
        f"pull of {name} stopped: progress is kept, run `reflect models pull {name}` to continue"
        for name in ("qwen3:8b", "gpt-oss:20b")
    ]
    assert all(reader.server.pulling(name).left for name in ("qwen3:8b", "gpt-oss:20b", "stopped"))
