"""The real command and the built-in model: no server, no port, and a process that stays for the next call."""

from __future__ import annotations

import json
import signal
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.built_in import ENDLESS, QUESTION, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.built_in import BuiltIn
    from support.command import Reflect, Result, Running

pytestmark = pytest.mark.process

ENGINE = ("--engine", "embedded")
COMPUTED = 8.0
"""CPU seconds after which the schema has been read and the first words of the answer have been generated."""


def run(reflect: Reflect, mini: BuiltIn, *words: str, stdin: bytes = b"", engine: str = "") -> Result:
    runtime, cache = str(mini.runtime), str(mini.cache)
    return reflect(
        *words,
        stdin=stdin,
        XDG_RUNTIME_DIR=runtime,
        XDG_CACHE_HOME=cache,
        REFLECTTY_ENGINE=engine,
    )


def final(reflect: Reflect, mini: BuiltIn, *words: str, stdin: bytes = b"") -> Result:
    return run(reflect, mini, "--final", *ENGINE, *words, stdin=stdin)


@contextmanager
def endless(reflect: Reflect, mini: BuiltIn) -> Iterator[Running]:
    """Ask for an answer that is nearly endless, and yield once the model computes it."""
    schema = reflect.home / "schema.json"
    schema.write_text(ENDLESS)
    before = mini.child().seconds
    words = ("ask", *ENGINE, "--schema", str(schema), "-o", "num_predict=-1", "Count")
    with reflect.start(*words, XDG_RUNTIME_DIR=str(mini.runtime), XDG_CACHE_HOME=str(mini.cache)) as asking:
        assert until(lambda: mini.child().seconds - before > COMPUTED)
        yield asking


def test_calls_from_a_pipe_share_one_process(
    reflect: Reflect, own_mini: BuiltIn, capsys: pytest.CaptureFixture[str]
) -> None:
    seconds, children, answers = [], [], []
    for _ in range(3):
        began = time.monotonic()
        result = final(reflect, own_mini, QUESTION, stdin=b"9.11 and 9.9\n")
        seconds.append(time.monotonic() - began)
        assert result.code == 0
        children.append(own_mini.child())
        answers.append(result.out)
    assert answers[0].strip()
    assert "<" not in answers[0]
    assert len(set(answers)) == len(set(children)) == 1
    with capsys.disabled():
        print(f"\n[built-in model: {seconds[0]:.1f} s with its start, then {seconds[1]:.1f} and {seconds[2]:.1f} s]")


@pytest.mark.slow
def test_reply_is_split_into_thinking_and_answer(reflect: Reflect, mini: BuiltIn) -> None:
    result = run(reflect, mini, "--json", *ENGINE, QUESTION)
    assert result.code == 0
    told = json.loads(result.out.splitlines()[-1])
    assert told["mode"] == "native"
    assert told["thinking"]
    assert told["answer"]


def test_unknown_model_is_refused(reflect: Reflect, mini: BuiltIn) -> None:
    result = final(reflect, mini, "-m", "llama3", QUESTION)
    assert result.code == 4
    assert "mini" in result.err


@pytest.mark.slow
def test_process_killed_mid_reply_leaves_an_incomplete_answer(reflect: Reflect, own_mini: BuiltIn) -> None:
    assert final(reflect, own_mini, "Hi").code == 0
    with endless(reflect, own_mini) as asking:
        own_mini.child().kill()
        result = asking.finish()
    assert result.code == 5
    assert "the built-in model exited" in result.err
    assert final(reflect, own_mini, "Hi").code == 0


@pytest.mark.slow
def test_interrupt_keeps_the_process_for_the_next_call(reflect: Reflect, mini: BuiltIn) -> None:
    assert final(reflect, mini, "Hi").code == 0
    child = mini.child()
    with endless(reflect, mini) as asking:
        assert asking.signalled(signal.SIGINT).code == 130
    assert final(reflect, mini, "Hi").code == 0
    assert mini.child() == child


@pytest.mark.slow
def test_models_commands_work_with_the_built_in_model(reflect: Reflect, own_mini: BuiltIn) -> None:
    def models(*words: str) -> Result:
        return run(reflect, own_mini, "models", *words, engine="embedded")

    assert "mini" in models("list").out
    assert models("load", "mini").code == 0
    child = own_mini.child()
    assert models("unload", "mini").code == 0
    assert until(lambda: not child.lives)
    refused = models("pull", "llama3")
    assert refused.code == 4
    assert "cannot be changed" in refused.err
