"""What SKILL.md shows to agents runs as it stands, and what it names exists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import reflectty
from completions.manual import exit_codes
from completions.tree import commands
from support.fake_server import Answer, FakeServer, ReceivedRequest, reply, show, tags, whole
from support.json_schemas import check
from support.scripted_servers import ANSWER

if TYPE_CHECKING:
    from support.command import Reflect, Result
    from support.fake_server import Route

PACKAGE = Path(reflectty.__file__).parent
SKILL = (PACKAGE / "SKILL.md").read_text("utf-8")
EXAMPLES = SKILL.split("```sh\n")[1].split("```")[0].splitlines()
NUMBER = '{"larger": 9.9}'


def answer(asked: ReceivedRequest) -> Answer:
    return reply([NUMBER if asked.json.get("format") else ANSWER], ("hm",))


def run(reflect: Reflect, line: str) -> Result:
    (reflect.home / "notes.txt").write_text("Some notes.")
    (reflect.home / "questions.txt").write_text("one\ntwo\n")
    reflect.in_path()
    git = reflect.home / "bin" / "git"
    git.write_text("#!/bin/sh\necho +1\n")
    git.chmod(0o755)
    given: dict[str, Route] = {"version": whole({"version": "0.34.2"}), "ps": whole({"models": []}), "chat": answer}
    given |= {"tags": tags("qwen3:8b"), "show": show(capabilities=["completion", "thinking"])}
    with FakeServer({f"/api/{name}": route for name, route in given.items()}) as server:
        return reflect.at(server.host).shell(line)


@pytest.mark.process
@pytest.mark.parametrize("line", EXAMPLES)
def test_example_runs_as_it_stands(reflect: Reflect, line: str) -> None:
    result = run(reflect, line)
    assert result.code == 0, result.err
    if "--schema" in line:
        assert json.loads(result.out) == json.loads(NUMBER)
    elif "--final" in line:
        assert result.out == f"{ANSWER}\n"
    elif "batch" in line:
        assert len((reflect.home / "answers.jsonl").read_text().splitlines()) == 2
    else:
        name = next((name for name in ("doctor", "compare") if name in line), "reply")
        check(name, json.loads(result.out))


def test_head_names_the_skill_and_says_when_to_use_it() -> None:
    head = dict(line.split(": ", 1) for line in SKILL.split("---\n")[1].splitlines())
    assert head["name"] == "reflectty"
    assert 100 < len(head["description"]) < 1024


def test_named_options_and_exit_codes_exist() -> None:
    flags = {flag for command in commands() for option in command.options for flag in option.flags}
    assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", SKILL.split("---\n", 2)[2])) <= flags
    table, rest = SKILL.split("## Exit codes")[1].split("Other codes")
    named = re.findall(r"^\| (\d+) ", table, re.MULTILINE) + re.findall(r"\d+", rest.split("##")[0])
    known = [code for codes, _ in exit_codes() for code in codes.split(", ")]
    assert sorted(named) == sorted(known)
    assert (PACKAGE / "schemas").is_dir()
