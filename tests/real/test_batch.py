"""`reflect batch` and a real Ollama: parallel replies, and the same answers in the same order."""

from __future__ import annotations

import signal
from functools import partial
from typing import TYPE_CHECKING

import pytest

from support import real_ollama
from support.batch_files import answers, file_records, input_file, records
from support.pty_screen import Screen
from support.reference_replies import by_ollama
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Reflect
    from support.real_ollama import Server

pytestmark = pytest.mark.server

MINI = ("-m", "mini", "--mode", "native")
ASKED = ("Which is larger, 9.11 or 9.9?", "What is 17 + 25?", "What is the capital of France?")
QUESTIONS = ASKED * 4


@pytest.fixture(scope="module")
def parallel_server() -> Iterator[Server]:
    """A server that answers two at once."""
    with real_ollama.serve(OLLAMA_NUM_PARALLEL="2") as server:
        server.create_all()
        yield server


@pytest.fixture(scope="module")
def expected(ollama: Server) -> list[tuple[int, str]]:
    """The model's own answers, line by line."""
    each = [by_ollama(ollama.host, "mini", question).answer for question in ASKED]
    return list(enumerate(each * 4, 1))


def has_more(path: Path, before: bytes) -> bool:
    return path.exists() and path.stat().st_size > len(before)


def test_lines_are_answered_with_one_job(reflect: Reflect, ollama: Server, expected: list[tuple[int, str]]) -> None:
    name = input_file(reflect.home, *QUESTIONS)
    result = reflect.at(ollama.host)("batch", *MINI, "--jobs", "1", "--full", name)
    values = records(result)

    assert (result.code, result.err) == (0, "")
    assert answers(values) == expected
    assert all(value["thinking"] and value["usage"]["prompt_tokens"] > 10 for value in values)


def test_lines_are_answered_by_a_server_with_two_slots(
    reflect: Reflect, parallel_server: Server, expected: list[tuple[int, str]]
) -> None:
    name = input_file(reflect.home, *QUESTIONS)
    with Screen(reflect.at(parallel_server.host), "batch", *MINI, name, "--output", "out.jsonl", columns=120) as screen:
        code = screen.finish()
        text = screen.text

    assert code == 0
    assert "answers 2 lines at once" in text
    assert answers(file_records(reflect.home / "out.jsonl")) == expected


def test_resume_after_a_kill_and_an_interrupt_loses_no_answer(
    reflect: Reflect, ollama: Server, expected: list[tuple[int, str]]
) -> None:
    name, out = input_file(reflect.home, *QUESTIONS), reflect.home / "out.jsonl"
    words = ("batch", *MINI, "--jobs", "1", name, "--output", "out.jsonl", "--resume")
    for number, code in ((signal.SIGKILL, -9), (signal.SIGINT, 130)):
        before = out.read_bytes() if out.exists() else b""
        with reflect.at(ollama.host).start(*words) as run:
            assert until(partial(has_more, out, before))
            assert run.signalled(number).code == code
        assert out.read_bytes().startswith(before)
    result = reflect.at(ollama.host)(*words)

    assert (result.code, result.err) == (0, "")
    assert answers(file_records(out)) == expected


def test_two_servers_share_the_lines_unless_one_lacks_the_model(
    reflect: Reflect, ollama: Server, parallel_server: Server, expected: list[tuple[int, str]]
) -> None:
    name = input_file(reflect.home, *QUESTIONS)
    ollama.create_mini("own")
    hosts = ("--host", ollama.host, "--host", parallel_server.host)
    try:
        both = reflect("batch", *MINI, "--jobs", "1", "--fields", "answer,host", *hosts, name)
        one = reflect("batch", "-m", "own", "--mode", "native", "--fields", "answer,host", *hosts, name)
    finally:
        ollama.remove("own")

    assert (both.code, one.code) == (0, 0)
    assert answers(records(both)) == answers(records(one)) == expected
    assert {value["host"] for value in records(both)} == {f"http://{ollama.host}", f"http://{parallel_server.host}"}
    assert {value["host"] for value in records(one)} == {f"http://{ollama.host}"}
    assert "does not have own: skipping it" in one.err
