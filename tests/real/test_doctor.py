"""`reflect doctor` and a real Ollama: its answers, the tags that it drops, and its number of parallel replies."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.chat.request import Question
from reflectty.chat.trial import MAX_REQUESTS, ParallelSlots, probe_parallel_slots
from reflectty.core.messages import Message, Request
from reflectty.engines import open_engine
from support import real_ollama
from support.pty_screen import Screen
from support.real_ollama import tuned_model
from support.real_ollama_build import version
from support.token_types import TokenType, copy_retyped
from support.waiting import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Reflect, Result
    from support.real_ollama import Server
    from support.reference_replies import ReferenceReply

pytestmark = pytest.mark.server

LOST = "reflection-lost"
PIECES = ("thinking", "reflection", "output", "<", "</", ">")


@pytest.fixture
def command(reflect: Reflect, ollama: Server) -> Reflect:
    return reflect.at(ollama.host)


def findings(result: Result) -> dict[str, dict[str, Any]]:
    return {one["check"]: one for one in json.loads(result.out)["findings"]}


@pytest.mark.parametrize("model", ["mini", "mini-native"])
def test_reflection_model_passes_all_checks(command: Reflect, mini_reply: ReferenceReply, model: str) -> None:
    result = command("doctor", "-m", model, "--json")
    read = findings(result)
    assert (result.code, result.err) == (0, "")
    assert {name: read[name]["state"] for name in ("server", "models", "model", "question", "tags")} == dict.fromkeys(
        ("server", "models", "model", "question", "tags"), "ok"
    )
    assert read["server"]["facts"]["version"] == version()
    assert read["question"]["facts"]["answer"] == mini_reply.answer
    assert read["GPU"]["facts"]["size"] > 10**8
    assert read["context"]["facts"] == {"tokens": 4096, "made_for": 32768}
    assert read["parallel"]["facts"] == {"at_once": 1, "sent": MAX_REQUESTS, "sure": True}


def test_findings_are_shown_on_a_terminal(command: Reflect) -> None:
    with Screen(command, "doctor", "-m", "mini", rows=60) as screen:
        assert screen.finish() == 0
        assert "mini answered in" in screen.text
        assert "requests are answered one at a time" in screen.text
        assert any(text.startswith("✓ everything works") for text in screen.lines)


def test_missing_model_exits_with_4_and_a_suggestion(command: Reflect) -> None:
    result = command("doctor", "-m", "mimi")
    assert result.code == 4
    assert "mini" in result.err


@pytest.fixture
def lossy(ollama: Server) -> Iterator[Server]:
    """The server with a model whose tags are control tokens."""
    folder = Path(tempfile.mkdtemp(dir=ollama.home))
    gguf = folder / "lost.gguf"
    copy_retyped(tuned_model(), gguf, dict.fromkeys(PIECES, TokenType.CONTROL))
    try:
        ollama.create_tuned(LOST, gguf)
        yield ollama
    finally:
        # The installed models decide which one is the default.
        ollama.remove(*(name for name in ollama.made if name.startswith(LOST)))
        shutil.rmtree(folder)


@pytest.mark.parametrize("words", [(), ("--no-question",)], ids=["asked", "by the vocabulary alone"])
def test_dropped_tags_are_reported_with_the_repair_command(
    reflect: Reflect, lossy: Server, words: tuple[str, ...]
) -> None:
    result = reflect.at(lossy.host)("doctor", "-m", LOST, "--json", *words)
    tags = findings(result)["tags"]
    assert (result.code, tags["state"]) == (0, "warning")
    assert set(tags["facts"]["lost"]) == set(PIECES)
    assert tags["facts"]["seen"] is (None if words else False)
    assert f"reflect models repair {LOST}" in tags["advice"]


async def _probed(host: str) -> ParallelSlots:
    async with open_engine(host) as engine:
        like = Request("mini", (Message("user", "hi"),), options=(("num_predict", 1),))
        async for _ in engine.chat(like):
            pass
        return await probe_parallel_slots(engine, Question("hi"), await engine.show("mini"), seconds=PATIENCE)


@pytest.mark.parametrize("at_once", [2, 4])
def test_probe_finds_the_parallel_slots_of_the_server(at_once: int) -> None:
    with real_ollama.serve(OLLAMA_NUM_PARALLEL=str(at_once)) as server:
        server.create_all()
        assert asyncio.run(_probed(server.host)) == ParallelSlots(at_once, MAX_REQUESTS, is_certain=True)
