from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from completions.manual import FILES, README, exit_codes, file_of, pages, variables
from completions.tree import commands
from reflectty.commands.command_line import COMMANDS, HELP
from reflectty.commands.help_page import EXAMPLES
from reflectty.config.schema import SETTINGS
from reflectty.core import errors
from reflectty.system import paths

FOLDER = README.parent / "cli" / "man"
PAGES = pages()
TREE = {command.path: command for command in commands() if command.path and command.path.split()[0] != HELP}


def text_of(page: str) -> str:
    """A page without its escapes."""
    return PAGES[page].replace(r"\-", "-").replace(r"\e", "\\").replace(r"\&", "")


@pytest.mark.parametrize("name", PAGES)
def test_page_is_up_to_date(name: str) -> None:
    kept = (FOLDER / name).read_text("utf-8")
    assert kept == PAGES[name], "PYTHONPATH=tests python tests/completions/update.py writes them anew"


def test_help_pages_readme_and_completions_have_the_same_commands() -> None:
    groups = {path for path in TREE if " " not in path}
    below = {path for path in TREE if " " in path}
    table = README.read_text("utf-8").split("| command | does |\n|---|---|\n")[1].split("\n\n")[0]
    rows = dict(re.findall(r"\| `reflect (\w+)` \| (.+) \|", table))

    assert groups == set(COMMANDS) == {*rows, "ask"}
    assert below == {f"{name} {word}" for name, spec in COMMANDS.items() for word in spec.subcommands}
    assert groups | below | {""} == set(EXAMPLES)
    assert {path.name for path in FOLDER.iterdir()} == {file_of(name) for name in COMMANDS} == set(PAGES)
    assert {name: rows[name].replace("`", "") for name in rows} == {
        name: spec.summary for name, spec in COMMANDS.items() if name != "ask"
    }


@pytest.mark.parametrize("path", TREE)
def test_page_has_every_option_and_example_of_a_command(path: str) -> None:
    text = text_of(file_of(path.split(maxsplit=1)[0]))
    assert f"reflect {path}" in text or path == "ask"
    part = text.split(f".SS reflect {path}")[-1].split(".SS ")[0] if " " in path else text
    assert [flag for option in TREE[path].options for flag in option.flags if flag not in part] == []
    assert [line for line, _ in EXAMPLES["" if path == "ask" else path] if line not in part] == []


def test_exit_codes_are_those_of_the_errors() -> None:
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    by_error = {str(kind.exit_code) for kind in classes if issubclass(kind, errors.ReflecttyError)}
    by_signal = {"129", "130", "141", "143"}
    assert {code for codes, _ in exit_codes() for code in codes.split(", ")} == {"0", *by_error, *by_signal}


def test_every_variable_of_a_setting_is_documented() -> None:
    named = {name for names, _ in variables() for name in re.findall(r"[A-Z_]{6,}", names)}
    assert {setting.variable for setting in SETTINGS if setting.variable} <= named


def test_files_are_where_the_command_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.delenv(f"XDG_{name}_HOME", raising=False)
    monkeypatch.setenv("HOME", "/home/you")
    folders = (paths.config_path(), paths.templates_folder(), paths.themes_folder(), paths.store_path())
    found = (*folders, paths.state_folder(), paths.cache_folder({"HOME": "/home/you"}))
    assert {Path(name.replace("~", "/home/you")) for name in FILES} == set(found)


@pytest.mark.parametrize(
    "command", [("man", "--warnings", "-l"), ("mandoc", "-Tlint", "-Wwarning")], ids=lambda c: c[0]
)
def test_formatter_has_no_complaint(command: tuple[str, ...]) -> None:
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not installed")
    for name in PAGES:
        done = subprocess.run(
            (*command, FOLDER / name), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        # The pages have no date, which would change them at every release.
        found = [line for line in f"{done.stderr}{done.stdout}".splitlines() if "WARNING" in line or "warning" in line]
        assert [line for line in found if "missing date" not in line] == []
        assert command[0] != "man" or (done.returncode, "SEE ALSO" in done.stdout) == (0, True)
