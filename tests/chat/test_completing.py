from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from reflectty.core.safety import clean, clean_line
from reflectty.tui.composer import completion
from reflectty.tui.composer.completion import (
    NO_SUGGESTIONS,
    SlashCommand,
    SuggestionList,
    find_mentions,
    find_suggestions,
)

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = (
    SlashCommand("model", "NAME", "choose a model"),
    SlashCommand("mode", "auto|direct", "how it reflects"),
    SlashCommand("new", "", "begin a session"),
    SlashCommand("copy", "", "copy the answer"),
    SlashCommand("copy code", "N", "copy a block of code"),
    SlashCommand("attach", "PATH", "attach a file", takes_path=True),
    SlashCommand("title", "TEXT", "name the session"),
)
CHOICES = {"model": ("reflection:70b", "mini", "qwen3:8b"), "mode": ("auto", "direct")}


def found(text: str, folder: Path, cursor: int | None = None) -> SuggestionList:
    return find_suggestions(text, len(text) if cursor is None else cursor, COMMANDS, folder, CHOICES)


def texts(text: str, folder: Path, cursor: int | None = None) -> list[str]:
    return [item.text for item in found(text, folder, cursor).items]


def accepted(text: str, folder: Path) -> str:
    """Accept the first suggestion; return the text."""
    suggested = found(text, folder)
    return text[: suggested.start] + suggested.items[0].text + text[suggested.end :]


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ("/", ["/model ", "/mode ", "/new", "/copy", "/copy code ", "/attach ", "/title "]),
        ("/mo", ["/model ", "/mode "]),
        ("/mode", ["/mode ", "/model "]),
        ("/MOD", ["/model ", "/mode "]),
        ("/ode", ["/model ", "/mode ", "/copy code "]),
        ("/ttl", ["/title "]),
        ("/copy ", ["/copy code "]),
        ("/copy c", ["/copy code "]),
        ("/nothing", []),
        ("/usr/bin/env what is this", []),
        (" /mo", []),
        ("a /mo", []),
        ("first\n/mo", []),
    ],
)
def test_commands_are_suggested_only_for_a_slash_at_the_start(written: str, offered: list[str], tmp_path: Path) -> None:
    assert texts(written, tmp_path) == offered


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ("/model ", ["reflection:70b", "mini", "qwen3:8b"]),
        ("/model m", ["mini"]),
        ("/model rf", ["reflection:70b"]),
        ("/model 8b", ["qwen3:8b"]),
        ("/model  mi", ["mini"]),
        ("/mode mini", []),
        ("/mode auto", []),
        ("/title mini", []),
        ("/copy code 1", []),
    ],
)
def test_command_arguments_are_suggested_until_complete(written: str, offered: list[str], tmp_path: Path) -> None:
    assert texts(written, tmp_path) == offered


def test_command_label_names_its_argument_unless_it_is_a_choice(tmp_path: Path) -> None:
    assert [(item.label, item.help) for item in found("/mod", tmp_path).items] == [
        ("/model NAME", "choose a model"),
        ("/mode", "how it reflects"),
    ]


def test_accepting_in_the_middle_of_a_command_replaces_the_whole_word(tmp_path: Path) -> None:
    suggested = found("/moXX", tmp_path, cursor=3)

    assert (suggested.start, suggested.end) == (0, 5)


def test_value_with_control_characters_is_not_suggested(tmp_path: Path) -> None:
    suggested = find_suggestions("/model ", 7, COMMANDS, tmp_path, {"model": ("\x1b[2Jx", "two\nlines", "fine")})

    assert [item.text for item in suggested.items] == ["fine"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("README.md", "report.txt", "my file.txt", ".hidden", 'a"b\\c'):
        (tmp_path / name).write_text("text")
    for name in ("src", "my dir"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "inner.py").write_text("text")
    return tmp_path


@pytest.mark.parametrize(
    ("written", "offered"),
    [
        ("@", ['@"my dir/', "@src/", "@README.md", '@"a\\"b\\\\c"', '@"my file.txt"', "@report.txt"]),
        ("see @re", ["@README.md", "@report.txt"]),
        ("(@rep", ["@report.txt"]),
        ("@.", ["@.hidden"]),
        ("@src/", ["@src/inner.py"]),
        ("@./s", ["@./src/"]),
        ('@"my', ['@"my dir/', '@"my file.txt"']),
        ('@"my dir/', ['@"my dir/inner.py"']),
        ("@my\\ f", ['@"my file.txt"']),
        ("@README.md", []),
        ("@nothing", []),
        ("@src/../../../nothing/", []),
        ("mail@re", []),
        ("@re and", []),
        ("one\n@rep", ["@report.txt"]),
        ("/attach re", ["README.md", "report.txt"]),
        ("/attach my f", ["my file.txt"]),
        ("/title of @rep", ["@report.txt"]),
    ],
)
def test_paths_are_suggested_for_mentions_and_path_arguments(written: str, offered: list[str], folder: Path) -> None:
    assert texts(written, folder) == offered


def test_path_may_start_at_the_root_or_the_home_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(folder))

    assert texts(f"@{folder}/rep", folder / "src") == [f"@{folder}/report.txt"]
    assert texts("@~/rep", folder / "src") == ["@~/report.txt"]
    assert "@~/src/" in texts("@~", folder / "src")
    assert find_mentions("@~/report.txt", folder / "src") == (folder / "report.txt",)


def test_closing_quote_of_a_path_is_not_duplicated(folder: Path) -> None:
    written = '@"my f" and more'
    suggested = found(written, folder, cursor=6)

    assert written[suggested.end :] == " and more"


NASTY = ("new\nline", "\x1b]0;title\x07", "tab\there", "caf\xe9 \u202e cod", "\u200bzero", "$(reboot)", "it's")


@pytest.mark.parametrize("name", [*NASTY, os.fsdecode(b"raw \xff\xfe bytes")])
def test_any_file_name_can_be_mentioned_with_safe_one_line_text(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("text")

    written = accepted("@", tmp_path)

    assert clean(written) == written
    assert "\n" not in written
    assert find_mentions(written, tmp_path) == (tmp_path / name,)


@pytest.mark.parametrize("name", NASTY)
def test_file_names_are_cleaned_in_suggestion_labels(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("text")

    assert [item.label for item in found("@", tmp_path).items] == [clean_line(name)]


def test_large_folder_is_read_only_up_to_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(300):
        (tmp_path / f"file{number}").touch()

    assert len(texts("@", tmp_path)) == completion.MAX_SUGGESTIONS
    monkeypatch.setattr(completion, "MAX_ENTRIES_READ", 30)
    assert len(texts("@f", tmp_path)) == 30


def test_unreadable_folder_gives_no_suggestions(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert found("@file/", tmp_path) == NO_SUGGESTIONS
    assert found("@\0/", tmp_path) == NO_SUGGESTIONS


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("what is in @README.md?", ["README.md"]),
        ("@README.md, @src/inner.py and (@report.txt).", ["README.md", "src/inner.py", "report.txt"]),
        ("@report.txt @report.txt", ["report.txt"]),
        ('"@report.txt"', ["report.txt"]),
        ('compare @"my file.txt" with @my\\ dir/inner.py!', ["my file.txt", "my dir/inner.py"]),
        ("a@b.c and me@README.md", []),
        ("@src and @missing.txt", []),
        ("@ README.md @", []),
        ('@"my file.txt', []),
        ("", []),
    ],
)
def test_files_mentioned_in_a_question_are_found(text: str, names: list[str], folder: Path) -> None:
    assert find_mentions(text, folder) == tuple(folder / name for name in names)


@pytest.mark.parametrize("text", ["@\0", f"@{'x' * 5000}", "@~nobody/x", "@\udc80", "@\ud800\\ ", "@\\x00", "@\\"])
def test_invalid_path_is_not_a_mention(text: str, tmp_path: Path) -> None:
    assert find_mentions(text, tmp_path) == ()
    assert found(text, tmp_path) == NO_SUGGESTIONS


@pytest.mark.parametrize("piece", ["(@", '"@', '@"', '@"\\', "@\\ ", "@a.", "@."])
def test_adversarial_text_is_parsed_in_linear_time(piece: str, tmp_path: Path) -> None:
    def seconds(times: int) -> float:
        text = piece * times + '"'
        start = time.process_time()
        find_mentions(text, tmp_path)
        found(text, tmp_path)
        return time.process_time() - start

    def least(times: int) -> float:
        # A busy machine makes any run slower, and none faster.
        return min(seconds(times) for _ in range(3))

    assert least(160_000) < 16 * max(least(20_000), 0.02)
