"""Special cases on a real llama-server: tags that are control tokens, and a template that opens the thinking."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reflectty.core.messages import Message, Request
from reflectty.engines import open_engine
from support.engine_outcome import Outcome, collect
from support.json_replies import kinds, read
from support.lost_tags import PIECES
from support.openai_command import OpenAICommand
from support.real_llama import KEY, serve
from support.real_ollama import base_model
from support.reference_replies import EDITED, QUESTION, by_llama
from support.token_types import TokenType, copy_retyped

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Reflect
    from support.real_llama import LlamaServer
    from support.reference_replies import ReferenceReply

pytestmark = pytest.mark.server

NAME = "reflection-controlled"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gemma, with the pieces of the tags as control tokens."""
    path = tmp_path_factory.mktemp("gguf") / "controlled.gguf"
    copy_retyped(base_model(), path, dict.fromkeys(PIECES, TokenType.CONTROL))
    return path


def test_control_token_tags_are_read_when_special_tokens_are_sent(reflect: Reflect, base: Path) -> None:
    with serve(NAME, base, special=True) as server:
        said = by_llama(server.host, NAME, KEY)
        result = OpenAICommand(reflect, server.host, REFLECTTY_API_KEY=KEY)("-m", NAME, "--json", QUESTION)
    value = read(result)

    assert (result.code, result.err) == (0, "")
    assert "reflection" in said.kinds
    assert [(segment["kind"], segment["text"]) for segment in value["segments"]] == said.segments


def test_missing_tags_are_reported_with_the_server_flag(
    reflect: Reflect, base: Path, llama_reply: ReferenceReply
) -> None:
    with serve(NAME, base, special=False) as server:
        result = OpenAICommand(reflect, server.host, REFLECTTY_API_KEY=KEY)("-m", NAME, QUESTION)

    assert result.code == 0
    assert llama_reply.answer in result.out
    assert f"{NAME} sent none of its tags" in result.err
    assert "llama-server with --special" in result.err
    assert "Ollama" not in result.err


def test_thinking_opened_by_the_template_is_read_and_continued(reflect: Reflect) -> None:
    so_far = f"<thinking>\n{EDITED}"

    async def go_on(host: str) -> Outcome:
        async with open_engine(host, engine="openai", api_key=KEY) as engine:
            return await collect(engine.resume(Request(NAME, (Message("user", QUESTION),)), so_far))

    with serve(NAME, template="opened") as server:
        result = OpenAICommand(reflect, server.host, REFLECTTY_API_KEY=KEY)("-m", NAME, "--json", QUESTION)
        went_on = asyncio.run(go_on(server.host))
    value = read(result)

    assert (result.code, value["mode"]) == (0, "native")
    assert kinds(value)[0] == "thinking"
    assert kinds(value)[-1] == "answer"
    assert went_on.complete
    assert went_on.text
    assert "<thinking>" not in went_on.text
    assert went_on.text.endswith("\n</output>")


def test_doctor_recognises_llama_server(reflect: Reflect, llama: LlamaServer) -> None:
    result = OpenAICommand(reflect, llama.host, REFLECTTY_API_KEY=KEY)("doctor", "-m", "mini")

    assert (result.code, result.err) == (0, "")
    assert "✓ server     llama-server" in result.out
    assert "✓ question   mini answered" in result.out
    assert "○ GPU        this kind of server does not report" in result.out
    assert "start llama-server with --parallel 4" in result.out
    assert "num_ctx" not in result.out


def test_doctor_reports_a_missing_key(reflect: Reflect, llama: LlamaServer) -> None:
    result = OpenAICommand(reflect, llama.host)("doctor", "-m", "mini")

    assert result.code == 4
    assert "REFLECTTY_API_KEY" in result.out
