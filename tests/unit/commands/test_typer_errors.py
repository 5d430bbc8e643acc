from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from support.config_home import home, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the settings file, which does not exist."""
    return home(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("--modle x hi", "reflect has no option --modle (did you mean --mode or --model"),
        ("--think hi", "no option --think (--effort low|medium|high|max sets how much the model thinks"),
        ("--temperature 0 hi", "no option --temperature (use -o temperature=VALUE)"),
        ("--num-ctx 9 hi", "no option --num-ctx (use -o num_ctx=VALUE)"),
        ("-v", "no option -v (--version prints the version"),
        ("-V", "no option -V (--version prints the version"),
        ("--verbose hi", "no option --verbose (--stats prints the statistics"),
        ("--effort none hi", "--effort has no value 'none' (--mode direct turns the thinking off)"),
        ("--effort hihg hi", "--effort has no value 'hihg' (choose from low, medium, high, max)"),
        ("--effort", "--effort needs a value (see reflect --help)"),
        ("--final=yes hi", "--final takes no value"),
        ("models pull", "reflect models pull needs MODEL (for example: reflect models pull qwen3:8b)"),
        ("models shwo x", "reflect models has no command 'shwo' (did you mean show? if it is a question: reflect ask"),
        ("config my nginx server", "if it is a question: reflect ask config my nginx server)"),
        ("doctor who is he", "reflect doctor does not take 'who is he' (if it is a question: reflect ask doctor who"),
        ("models list --temperature 1", "reflect models list has no option --temperature (see"),
        ("batch in.txt --limit 0", "--limit: 0 is less than 1"),
        ("batch in.txt --jobs 900", "--jobs: 900 is not between 1 and 512"),
        ("batch in.txt --limit many", "--limit: 'many' is not a whole number"),
        ("batch in.txt --patience long", "--patience: 'long' is not a number"),
        ("completions install --shell tcsh", "--shell has no value 'tcsh' (choose from bash, zsh, fish)"),
    ],
)
def test_mistake_in_a_command_line_names_what_was_meant(line: str, said: str) -> None:
    done = run(*line.split())
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize(
    "line", ["doctr --json", "--json --modle x hi", "--json --effort hihg hi", "--json --stats -q hi"]
)
def test_json_is_an_object_after_a_mistake_too(line: str) -> None:
    done = run(*line.split())
    error = json.loads(done.out)["error"]
    assert done.code == error["exit_code"] == 2
    assert error["message"] in done.err
    assert error["hint"] in done.err


def test_batch_on_a_terminal_needs_a_file() -> None:
    done = run("batch", tty=True)
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "reflect batch needs a file (for example: reflect batch questions.txt" in done.err
