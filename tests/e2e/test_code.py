"""`-x`: the last block of code of the answer, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.fake_server import Answer, done, line
from support.scripted_servers import ANSWERED, MODEL, answering_server, chat_server
from support.stored_replies import StoredHome

if TYPE_CHECKING:
    from support.command import Reflect

BLOCKS = "Use this:\n\n```python\nprint(1)\n```\n\nor this:\n\n```python\nprint(2)\n\x1b[31m\n```\nDone."
THINKS = f"<thinking>\n```\nno\n```\n</thinking>\n<output>\n{BLOCKS}\n</output>"


@pytest.mark.parametrize("flags", [("-x",), ("--code",), ("-x", "--final"), ("-xq",)])
def test_only_the_last_block_of_code_is_printed(reflect: Reflect, flags: tuple[str, ...]) -> None:
    with answering_server(*THINKS) as server:
        result = reflect.at(server.host)(*MODEL, *flags, "q")

    assert (result.code, result.out, result.err) == (0, "print(2)\n^[[31m\n", "")
    assert StoredHome(reflect.home).said.answer == BLOCKS


def test_answer_without_code_exits_with_5(reflect: Reflect) -> None:
    with answering_server(ANSWERED) as server:
        result = reflect.at(server.host)(*MODEL, "-x", "q")

    assert (result.code, result.out) == (5, "")
    assert result.err == (
        "reflect: the answer has no block of code (ask for code, or leave out -x to see the answer)\n"
    )


def test_half_a_block_is_not_printed(reflect: Reflect) -> None:
    cut = Answer([line("<output>\n```sh\nrm -rf /tmp/a"), line(**done("length"))])
    with chat_server(cut) as server:
        result = reflect.at(server.host)(*MODEL, "-x", "q")

    assert (result.code, result.out) == (5, "")
    assert "cut off at the token limit" in result.err


@pytest.mark.parametrize("flags", [("--json",), ("--jsonl",), ("--raw",), ("--show", "answer"), ("--no-thinking",)])
def test_other_forms_are_refused(reflect: Reflect, flags: tuple[str, ...]) -> None:
    with answering_server(ANSWERED) as server:
        result = reflect.at(server.host)(*MODEL, "-x", *flags, "q")

    assert result.code == 2
    assert "--code" in result.err
    assert f"{flags[0]}" in result.err
    assert result.err.count("\n") == 1
    assert server.requests == []


def test_schema_is_refused(reflect: Reflect) -> None:
    result = reflect("-x", "--schema", "name", "q")

    assert (result.code, result.err.count("\n")) == (2, 1)
    assert "--schema and --code cannot be combined" in result.err
