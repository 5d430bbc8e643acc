"""A reflection model whose tags are control tokens, on a real Ollama, which drops them from replies.

The model writes a tag as three tokens of gemma: `<` or `</`, a word, `>`. Where all of them are control tokens, the
tags vanish without a trace, like those of a model that has one control token for each tag. Where only the words are,
`<>` and `</>` remain, which belong to no family: the reply is shown as it is, just as undivided.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.lost_tags import PIECES, WORDS
from support.pty_screen import Screen
from support.real_ollama import tuned_model
from support.reference_replies import QUESTION
from support.token_types import TokenType, copy_retyped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Reflect
    from support.real_ollama import Server
    from support.reference_replies import ReferenceReply

pytestmark = [pytest.mark.server, pytest.mark.both]

KEPT = "reflection-kept"


WHOLE, HOLLOW = "reflection-lost", "reflection-hollow"
GONE = {WHOLE: rf"</?({'|'.join(WORDS)})>", HOLLOW: rf"(?<=[</])({'|'.join(WORDS)})(?=>)"}
"""The texts that each model loses from its replies."""


@pytest.fixture(scope="module")
def server(ollama: Server) -> Iterator[Server]:
    """The server with models that lose their tags and one that has them again, for the tests of this file."""
    folder = Path(tempfile.mkdtemp(dir=ollama.home))
    lost, hollow, kept = (folder / f"{name}.gguf" for name in ("lost", "hollow", "kept"))
    try:
        copy_retyped(tuned_model(), lost, dict.fromkeys(PIECES, TokenType.CONTROL))
        ollama.create_tuned(WHOLE, lost)
        copy_retyped(tuned_model(), hollow, dict.fromkeys(WORDS, TokenType.CONTROL))
        ollama.create_tuned(HOLLOW, hollow)
        copy_retyped(lost, kept, dict.fromkeys(PIECES, TokenType.USER_DEFINED))
        ollama.create_tuned(KEPT, kept)
        yield ollama
    finally:
        # The installed models decide which one is the default.
        ollama.remove(*(name for name in ollama.made if name.startswith("reflection")))
        shutil.rmtree(folder)


@pytest.fixture
def command(reflect: Reflect, server: Server) -> Reflect:
    return reflect.at(server.host)


def is_told(line: str, model: str) -> bool:
    """Whether a line names a model, its lost tags, the cause and the fix."""
    repair = f"run reflect models repair {model} to make a copy"
    told = (f"{model} loses its tags", "are tokens of a type that Ollama 0.30 and later drop", repair)
    return all(text in line for text in told)


@pytest.mark.parametrize("lost", [WHOLE, HOLLOW])
@pytest.mark.parametrize("wish", [(), ("--final",)], ids=["plain", "final"])
def test_reply_with_lost_tags_is_one_answer_with_a_warning(
    command: Reflect, mini_reply: ReferenceReply, lost: str, wish: tuple[str, ...]
) -> None:
    result = command("-m", lost, *wish, QUESTION)

    assert (result.code, result.out) == (0, f"{mini_reply.without(GONE[lost])}\n")
    assert not re.search(r"</?\w", result.out)
    assert len(result.err.splitlines()) == 1
    assert result.err.startswith("reflect: ")
    assert is_told(result.err, lost)


@pytest.mark.parametrize("lost", [WHOLE, HOLLOW])
def test_json_reply_with_lost_tags_is_one_answer_with_a_warning(
    command: Reflect, mini_reply: ReferenceReply, lost: str
) -> None:
    result = command("-m", lost, "--json", QUESTION)
    value = json.loads(result.out)

    assert result.code == 0
    assert (value["mode"], value["family"]) == ("native", "reflection")
    whole = mini_reply.without(GONE[lost])
    assert value["segments"] == [{"kind": "answer", "text": whole}]
    assert (value["answer"], value["thinking"], value["reflections"]) == (whole, "", [])
    assert (value["complete"], value["done_reason"]) == (True, "stop")
    assert len(value["warnings"]) == 1
    assert is_told(value["warnings"][0], lost)
    assert is_told(result.err, lost)


def test_dropped_tokens_are_counted(command: Reflect) -> None:
    lost, kept = (json.loads(command("-m", model, "--json", QUESTION).out)["usage"] for model in (WHOLE, KEPT))

    # The text on both sides of a tag may be one token or two.
    assert abs(lost["answer_tokens"] - kept["thinking_tokens"] - kept["answer_tokens"]) <= 2


def test_terminal_shows_the_lost_tags_warning_below_the_answer(command: Reflect, mini_reply: ReferenceReply) -> None:
    with Screen(command, "-m", WHOLE, QUESTION) as screen:
        code = screen.finish()
        text = " ".join(screen.text.split())

    assert code == 0
    assert "│" not in text
    assert "↺" not in text
    correction = " ".join(mini_reply.corrections[0].split())
    assert text.index(correction) < text.rindex(mini_reply.answer) < text.index("loses its tags")
    assert is_told(text, WHOLE)


@pytest.mark.parametrize("wish", [(), ("--final",)], ids=["plain", "final"])
def test_only_the_answer_is_printed_once_the_tags_are_text(
    command: Reflect, mini_reply: ReferenceReply, wish: tuple[str, ...]
) -> None:
    result = command("-m", KEPT, *wish, QUESTION)

    assert (result.code, result.out, result.err) == (0, f"{mini_reply.answer}\n", "")


def test_json_has_every_part_once_the_tags_are_text(command: Reflect, mini_reply: ReferenceReply) -> None:
    result = command("-m", KEPT, "--json", QUESTION)
    value = json.loads(result.out)

    assert (result.code, result.err, value["warnings"]) == (0, "", [])
    assert [(segment["kind"], segment["text"]) for segment in value["segments"]] == mini_reply.segments
    assert value["answer"] == mini_reply.answer
