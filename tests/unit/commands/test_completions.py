from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from completions.shells import FILES, written
from completions.tree import commands
from reflectty.completion import find_candidates, is_safe_word
from reflectty.config import THINKING_VIEWS
from reflectty.system import assets

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Reflect

TREE = commands()


@pytest.mark.parametrize("shell", FILES)
def test_scripts_are_up_to_date(shell: str) -> None:
    kept = (assets.find_asset_folder("completions") / FILES[shell]).read_text("utf-8")
    assert kept == written(shell, TREE), "PYTHONPATH=tests python tests/completions/update.py writes them anew"


@pytest.mark.parametrize("shell", FILES)
def test_every_option_of_every_command_is_in_every_script(shell: str) -> None:
    script = written(shell, TREE)
    flags = {flag for command in TREE for option in command.options for flag in option.flags}
    assert {"--model", "-m", "--help", "--force"} <= flags
    assert all(flag in re.split(r"[\s,'()]+", script) for flag in flags)


@pytest.mark.slow
@pytest.mark.parametrize("shell", FILES)
def test_each_shell_can_read_its_script(shell: str) -> None:
    assert shutil.which(shell), f"{shell} is needed: apt-get install {shell}"
    done = subprocess.run(
        (shell, "-n", assets.find_asset_folder("completions") / FILES[shell]), capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize(
    ("key", "beginning", "expected"),
    [
        ("mode", "", ("auto", "native", "reflect", "direct")),
        ("effort", "l", ("low",)),
        ("profiles.code.keep_thinking", "a", ("auto",)),
        ("engine", "e", ("embedded",)),
        ("family", "granite3", ("granite32", "granite33")),
        ("thinking", "", THINKING_VIEWS),
        ("store", "", ("true", "false")),
        ("api_key_over_http", "t", ("true",)),
        ("profiles.code.extends", "", ("none",)),
        ("template", "", ()),
        ("options", "", ()),
        ("options.seed", "", ()),
        ("modle", "", ()),
    ],
)
def test_values_of_a_setting_are_candidates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, beginning: str, expected: tuple[str, ...]
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    found = find_candidates("values", beginning, ("config", "set", key))
    assert tuple(one.value for one in found) == expected


@pytest.mark.parametrize(
    ("value", "sound"),
    [
        ("qwen3:8b", True),
        ("What is $(id)?", True),
        ("", False),
        ("-rf", False),
        ("a\nb", False),
        ("a\tb", False),
        ("a\x1b[2Jb", False),
        ("a\u202eb", False),
        (" a", False),
        ("a" * 201, False),
    ],
)
def test_unsafe_names_are_left_out(value: str, sound: bool) -> None:
    assert is_safe_word(value) is sound


def test_runs_are_candidates_latest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert find_candidates("runs", "") == ()
    folder = tmp_path / "reflectty" / "evals"
    folder.mkdir(parents=True)
    for number, name in enumerate(("2026-11-29-mini", "2026-11-30-mini", "other run")):
        (folder / f"{name}.jsonl").write_bytes(b"")
        os.utime(folder / f"{name}.jsonl", (number, number))
    assert [one.value for one in find_candidates("runs", "2026")] == ["2026-11-30-mini", "2026-11-29-mini"]


def test_unknown_kind_has_no_candidates() -> None:
    assert find_candidates("planets", "") == ()


@pytest.mark.parametrize(
    ("config", "kind", "wanted"),
    [
        ("[profiles.code]\nmodel = 'm'\n", "profiles", ["code", "none"]),
        ("colour = 1\n[profiles.code]\n", "profiles", ["code", "none"]),
        ("this is no TOML\n[profiles.code]\n", "profiles", ["code", "none"]),
        ("[templates]\nreview = 'Review {input}'\n", "templates", ["review"]),
        ("templates = 3\n", "templates", []),
        ("host = 'there:1'\n", "hosts", ["there:1", "127.0.0.1:11434"]),
        ("host = 'me:secret@there:1'\n", "hosts", ["127.0.0.1:11434"]),
    ],
)
def test_candidates_are_found_despite_errors_elsewhere_in_the_settings(
    reflect: Reflect, config: str, kind: str, wanted: list[str]
) -> None:
    folder = reflect.home / ".config/reflectty"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(config, "utf-8")

    done = reflect("__complete", kind, "")

    assert (done.code, done.err) == (0, "")
    assert [row.partition("\t")[0] for row in done.out.splitlines()] == wanted
