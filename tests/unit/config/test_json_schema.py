from __future__ import annotations

import tomllib
from pathlib import Path

import jsonschema_rs
import pytest

from reflectty.commands.config.mistakes import find_every_mistake
from reflectty.config.json_schema import config_schema
from reflectty.config.schema import FILE_SETTINGS, TABLE_ABOUTS
from reflectty.tui.actions import ACTIONS

SCHEMA = config_schema(action.name for action in ACTIONS)
NOWHERE = Path("config.toml")
GOOD = """
model = "reflection:70b"
host = "gpu1:11434"
hosts = ["gpu1:11434", "unix:///run/ollama.sock"]
engine = "openai"
api_key_over_http = true
mode = "native"
effort = "high"
family = "reflection"
system = "Be terse."
options = { num_ctx = "auto", temperature = 1, stop = ["a", "b"], use_mmap = true }
keep_alive = "1h30m"
keep_thinking = "auto"
budget = "2k"
budget_sentence = "Enough."
loops = "note"
until_settled = false
samples = 5
verify = false
timeout = "connect=5,first=300,idle=120"
profile = "übung"
template = "review"
theme = "ink"
thinking = "peek"
store = true
second_thoughts = true
animation = false
notify = "bell"
notify_after = 2.5

[keys]
steer = "ctrl+b"
regenerate = ["alt+r", "f9"]
save = ""

[budgets]
"qwen3:8b" = 4000
low = "30s"

[evidence."qwen3:8b"]
mode = "native"
effort = "low"
budget = "2k"
gain = 12
low = 5.5
high = 19
n = 200
baseline = "cot"
fixed = 3
broken = 0
tokens = 7.1
date = "2026-11-30"
digest = "0123"
set = "sums"
run = "sums-1"

[profiles.base]
hosts = "gpu1"
options.num_ctx = 8192
keep_alive = -1
timeout = 60

[profiles."übung"]
extends = "base"
model = ""
effort = ""

[templates]
review = "Review {input}"
"""


def test_schema_is_valid_by_its_meta_schema() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


def test_good_files_fit() -> None:
    document = tomllib.loads(GOOD)

    assert find_every_mistake(document, NOWHERE, {}) == ()
    jsonschema_rs.validate(SCHEMA, document)
    jsonschema_rs.validate(SCHEMA, {})
    assert set(FILE_SETTINGS) - {"api_key_file"} | set(TABLE_ABOUTS) == set(document)


@pytest.mark.parametrize(
    "text",
    [
        "modle = 'm'",
        "model = 1",
        "mode = 'never'",
        "store = 'yes'",
        "hosts = ['a', 1]",
        "timeout = 0",
        "timeout = 'soon'",
        "keep_alive = true",
        "template = 'a b'",
        "options = 'num_ctx=1'",
        "options.num_ctx = 'x'",
        "options.numctx = 1",
        "keys.stear = 'f9'",
        "keys.steer = 1",
        "evidence = 1",
        "evidence.m = 'native'",
        "evidence.m.effort = 'low'",
        "evidence.m.mode = 'auto'",
        "evidence.m = { mode = 'native', effort = 'much' }",
        "evidence.m = { mode = 'native', budget = 'lots' }",
        "evidence.m = { mode = 'native', n = 'many' }",
        "evidence.m = { mode = 'native', n = 1.5 }",
        "evidence.m = { mode = 'native', n = -1 }",
        "evidence.m = { mode = 'native', gain = true }",
        "evidence.m = { mode = 'native', digest = 1 }",
        "evidence.m = { mode = 'native', points = 1 }",
        "profiles.a.evidence.m.mode = 'auto'",
        "profiles = 1",
        "profiles.a = 'm'",
        "profiles.a.theme = 'ink'",
        "profiles.a.options.temperature = 'hot'",
        "profiles.a.extends = 1",
        "profiles.'a b'.model = 'm'",
        "templates.t = 1",
        "templates.'a/b' = 'x'",
    ],
)
def test_bad_files_fit_neither_the_schema_nor_the_loader(text: str) -> None:
    document = tomllib.loads(text)

    assert not jsonschema_rs.is_valid(SCHEMA, document)
    assert find_every_mistake(document, NOWHERE, {})


def test_every_key_is_described() -> None:
    assert all(one["description"] for one in SCHEMA["properties"].values())
    assert all(one["description"] for one in SCHEMA["definitions"]["profile"]["properties"].values())
