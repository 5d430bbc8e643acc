from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from support.conversations import QUESTION
from support.session_home import QUIET, SessionHome, clean_lines, filled

if TYPE_CHECKING:
    from pathlib import Path

    from support.command import Reflect


@pytest.fixture
def kept(reflect: Reflect, tmp_path: Path) -> SessionHome:
    return filled(reflect, tmp_path)


class TestList:
    @pytest.mark.parametrize("words", [(), ("list",)])
    def test_list_has_the_latest_session_first(self, kept: SessionHome, words: tuple[str, ...]) -> None:
        first, second = kept.ids
        assert clean_lines(kept(*words)) == [
            f"{second}  just now  -                   1  Plan a weekend in Lisbon",
            f"{first}  just now  reflection:70b      2  {QUESTION}",
        ]

    def test_limit_sets_the_length_of_the_list(self, kept: SessionHome) -> None:
        assert len(clean_lines(kept("--limit", "1"))) == 1
        assert [session["id"] for session in json.loads(kept("-n", "1", "--json").out)] == [kept.ids[1]]

    def test_list_fits_the_terminal_below_a_header(self, kept: SessionHome) -> None:
        with kept.screen(columns=40) as screen:
            assert screen.finish() == 0
            lines = [line for line in screen.lines if line]
        assert lines[0].split() == ["id", "when", "title"]
        assert [line.split()[0] for line in lines[1:]] == [*reversed(kept.ids)]

    @pytest.mark.parametrize(("words", "out"), [(("list",), ""), (("search", "x"), ""), (("--json",), "[]\n")])
    def test_empty_list_is_reported_on_stderr_and_creates_no_file(
        self, reflect: Reflect, tmp_path: Path, words: tuple[str, ...], out: str
    ) -> None:
        result = reflect("sessions", *words, XDG_DATA_HOME=str(tmp_path / "none"))
        assert (result.code, result.out) == (int("search" in words), out)
        assert len(result.err.splitlines()) == (0 if out else 1)
        assert not (tmp_path / "none").exists()


class TestShow:
    def test_show_in_a_pipe_prints_the_last_viewed_branch_as_plain_text(self, kept: SessionHome) -> None:
        lines = clean_lines(kept("show", kept.ids[0], COLUMNS="60"))
        assert lines[:5] == [
            f"▌ {QUESTION}",
            "▌ + notes.txt",
            "",
            "▾ thought 2 s · 64 tokens · 1 correction",
            "│ Both start with 9, so I compare the decimals.",
        ]
        assert "↺ I must compare the same number of digits: 9.9 is 9.90." in lines
        assert "▾ ✎ steered · thought 2 s · 64 tokens · 1 correction" in lines
        assert lines[-1] == "! stopped: the reply is incomplete"
        assert "  There are none." not in lines

    def test_all_flag_shows_every_branch(self, kept: SessionHome) -> None:
        lines = clean_lines(kept("show", kept.ids[0], "--all"))
        assert "  There are none." in lines
        assert "  IX, more or less." in lines
        assert [line for line in lines if "──" in line] == ["  ── branch 2 of 2, from And in Roman numerals?"]

    def test_no_thinking_flag_hides_thinking(self, kept: SessionHome) -> None:
        lines = clean_lines(kept("show", kept.ids[0], "--no-thinking"))
        assert "▸ thought 2 s · 64 tokens · 1 correction" in lines
        assert not any(line.startswith(("│", "↺")) for line in lines)

    def test_show_on_a_terminal_has_colours_and_fits_its_width(self, kept: SessionHome) -> None:
        with kept.screen("show", kept.ids[0], columns=40) as screen:
            assert screen.finish() == 0
            assert "▾ thought 2 s · 1 correction" in screen.lines
            assert b"\x1b[1m1 correction\x1b[0m" in screen.raw
            assert all(len(line) < 40 for line in screen.lines)

    def test_closed_pipe_is_silent(self, kept: SessionHome) -> None:
        script = f"reflect sessions show {kept.ids[0]} | head -1"
        result = kept.reflect.shell(script, XDG_DATA_HOME=str(kept.data))
        assert (result.out, result.err) == (f"▌ {QUESTION}\n", "")

    def test_json_is_the_branch_or_all_turns(self, kept: SessionHome) -> None:
        branch, every = (json.loads(kept("show", kept.ids[0], "--json", *more).out) for more in ((), ("--all",)))
        assert [len(found["turns"]) for found in (branch, every)] == [4, 5]
        assert branch["turns"][1]["said"]["segments"][1]["kind"] == "reflection"


class TestSearch:
    def test_search_prints_session_part_and_match(self, kept: SessionHome) -> None:
        lines = clean_lines(kept("search", "decimals", COLUMNS="100"))
        assert lines[0] == f"{kept.ids[0]}  {QUESTION} · just now"
        assert re.fullmatch(r"  thinking: .*I compare the «decimals».*", lines[1])

    @pytest.mark.parametrize(
        ("words", "parts"),
        [
            (("Lisbon",), {"title", "question"}),
            (("digits",), {"reflection"}),
            (("none",), {"answer"}),
            (("qqq",), set()),
        ],
    )
    def test_search_as_json_names_the_part(self, kept: SessionHome, words: tuple[str, ...], parts: set[str]) -> None:
        found = json.loads(kept("search", "--json", *words).out)
        assert {item["part"] for item in found} == parts
        assert all(any(piece["matched"] for piece in item["passage"]) for item in found)

    def test_a_match_is_bold_on_a_terminal(self, kept: SessionHome) -> None:
        with kept.screen("search", "decimals") as screen:
            assert screen.finish() == 0
            assert b"\x1b[1mdecimals\x1b[0m" in screen.raw
            assert "«" not in screen.text

    @pytest.mark.parametrize("words", ['" OR *', ":", "^", "NEAR(", "-", "((", "'", "%"])
    def test_search_accepts_special_characters(self, kept: SessionHome, words: str) -> None:
        found = kept("search", "--", words)
        assert (found.code, found.err) in ((0, ""), (1, f"reflect: nothing found for {words}\n"))


class TestExport:
    def test_suffix_without_a_format_is_refused(self, kept: SessionHome) -> None:
        refused = kept("export", kept.ids[0], "--output", "talk.pdf")
        named = kept("export", kept.ids[0], "--output", "talk.pdf", "--format", "html")
        page = kept("export", kept.ids[0], "--output", "talk.htm")

        assert (refused.code, refused.out) == (2, "")
        assert "no format has the suffix .pdf (use one of .md, .markdown, .json, .html, .htm" in refused.err
        assert (named, page) == (QUIET, QUIET)

    def test_export_prints_markdown_by_default(self, kept: SessionHome) -> None:
        lines = clean_lines(kept("export", kept.ids[0]))
        assert lines[0] == f"# {QUESTION}"
        assert "> > **↺** I must compare the same number of digits: 9.9 is 9.90." in lines

    @pytest.mark.parametrize(
        ("name", "words", "begin"),
        [
            ("a.md", (), "# Which"),
            ("a.HTML", (), "<!doctype html>"),
            ("a.json", (), "{\n"),
            ("a.txt", (), "# Which"),
            ("a.md", ("--format", "html"), "<!doctype html>"),
            ("a", ("--json",), "{\n"),
        ],
    )
    def test_export_picks_the_format_by_flag_or_file_extension(
        self, kept: SessionHome, name: str, words: tuple[str, ...], begin: str
    ) -> None:
        assert kept("export", kept.ids[0], "--output", name, *words) == QUIET
        assert (kept.reflect.home / name).read_text().startswith(begin)

    def test_export_replaces_a_file_only_with_force(self, kept: SessionHome) -> None:
        path = kept.reflect.home / "a.md"
        path.write_text("mine")
        refused = kept("export", kept.ids[0], "--output", "a.md")
        assert (refused.code, path.read_text()) == (2, "mine")
        assert refused.err == "reflect: a.md already exists (--force to overwrite)\n"
        assert kept("export", kept.ids[0], "--output", "a.md", "--force").code == 0
        assert path.read_text().startswith("# Which")

    @pytest.mark.parametrize("words", [("export", "{id}"), ("show", "{id}"), ("list",), ("search", "Lisbon", "--json")])
    def test_full_stdout_exits_with_6(self, kept: SessionHome, words: tuple[str, ...]) -> None:
        line = " ".join(words).format(id=kept.ids[0])
        result = kept.reflect.shell(f"reflect sessions {line} >/dev/full", XDG_DATA_HOME=str(kept.data))
        assert result.code == 6
        assert len(result.err.splitlines()) == 1


class TestChanges:
    def test_rename_is_silent(self, kept: SessionHome) -> None:
        assert kept("rename", kept.ids[1], "Three", "days") == QUIET
        assert kept.titles == ["Three days", QUESTION]

    def test_rename_as_json_has_the_new_title(self, kept: SessionHome) -> None:
        assert json.loads(kept("rename", kept.ids[1], "x", "--json").out)["title"] == "x"

    def test_blank_title_is_refused(self, kept: SessionHome) -> None:
        result = kept("rename", kept.ids[1], " \t")
        assert (result.code, result.out) == (2, "")
        assert QUESTION in kept.titles

    def test_remove_with_yes_erases_sessions(self, kept: SessionHome) -> None:
        assert kept("remove", *kept.ids, kept.ids[0], "--yes") == QUIET
        assert kept.titles == []
        assert b"decimals" not in b"".join(path.read_bytes() for path in (kept.data / "reflectty").iterdir())

    def test_remove_without_a_terminal_requires_yes(self, kept: SessionHome) -> None:
        result = kept("remove", kept.ids[0])
        assert (result.code, result.out) == (2, "")
        assert "--yes" in result.err
        assert len(kept.titles) == 2

    def test_unknown_session_prevents_the_removal_of_all(self, kept: SessionHome) -> None:
        assert kept("remove", kept.ids[0], "nosuch", "--yes").code == 2
        assert len(kept.titles) == 2

    @pytest.mark.parametrize(
        ("keys", "left"), [(b"y\r", 1), (b"Yes\r", 1), (b"\r", 2), (b"n\r", 2), (b"yikes\r", 2), (b"\x04", 2)]
    )
    def test_remove_asks_for_confirmation_on_a_terminal(self, kept: SessionHome, keys: bytes, left: int) -> None:
        with kept.screen("remove", kept.ids[0]) as screen:
            assert screen.shows("[y/N]")
            assert QUESTION in screen.text
            screen.press(keys)
            assert screen.finish() == (0 if left == 1 else 1)
        assert len(kept.titles) == left

    def test_interrupted_confirmation_removes_nothing(self, kept: SessionHome) -> None:
        with kept.screen("remove", kept.ids[0]) as screen:
            assert screen.shows("[y/N]")
            screen.press(b"\x03")
            assert screen.finish() == 130
        assert len(kept.titles) == 2

    def test_fork_prints_its_id_and_copies_the_branch(self, kept: SessionHome) -> None:
        (forked,) = clean_lines(kept("fork", kept.ids[0]))
        assert kept.titles[0] == f"{QUESTION} (fork)"
        old, new = (clean_lines(kept("show", name)) for name in (kept.ids[0], forked))
        assert [line.removesuffix("   reply 2 of 2") for line in old] == new

    def test_a_fork_can_end_earlier(self, kept: SessionHome) -> None:
        forked = json.loads(kept("fork", kept.ids[0], "--at", "1", "--json").out)
        turns = json.loads(kept("show", forked["id"], "--json").out)["turns"]
        assert [turn["text"] for turn in turns] == [QUESTION, ""]

    def test_a_fork_cannot_end_later_than_the_branch(self, kept: SessionHome) -> None:
        result = kept("fork", kept.ids[0], "--at", "3")
        assert (result.code, result.err) == (2, "reflect: --at 3: only 2 questions on this branch\n")

    def test_unusable_store_is_an_error(self, kept: SessionHome) -> None:
        database = kept.data / "reflectty" / "sessions.db"
        database.unlink()
        database.mkdir()
        for words in (("rename", "x", "y"), ("remove", "x", "--yes"), ("fork", "x")):
            result = kept(*words)
            assert result.code == 6
            assert len(result.err.splitlines()) == 1


@pytest.mark.parametrize("command", ["show", "export", "rename", "remove", "fork"])
def test_unknown_session_gets_a_suggestion(kept: SessionHome, command: str) -> None:
    result = kept(command, "nosuch", *{"rename": ["x"], "remove": ["--yes"]}.get(command, []))
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
    assert kept.ids[0] in result.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("frobnicate", "reflect sessions has no command 'frobnicate' (choose from list, show"),
        ("--frob", "reflect sessions list has no option --frob (see reflect sessions list --help)"),
        ("list --limit 0", "--limit: 0 is less than 1 (see reflect sessions list --help)"),
        ("list x", "reflect sessions list does not take 'x' (see reflect sessions list --help)"),
        ("search", "nothing to search for (name a word, or `--kind correction` for second thoughts)"),
    ],
)
def test_invalid_arguments_are_one_line(kept: SessionHome, line: str, said: str) -> None:
    result = kept(*line.split())
    assert (result.code, result.out) == (2, "")
    assert len(result.err.splitlines()) == 1
    assert said in result.err


def test_conflicting_options_are_refused(kept: SessionHome) -> None:
    for words in (
        ("export", kept.ids[0], "--json", "--format", "html"),
        ("show", kept.ids[0], "--json", "--no-thinking"),
    ):
        assert kept(*words).code == 2


def test_the_help_lists_the_subcommands(kept: SessionHome) -> None:
    lines = clean_lines(kept("--help"))
    named = {line.split()[0] for line in lines if line.startswith("  ") and line.strip()}
    assert {"list", "show", "search", "export", "rename", "remove", "fork"} <= named
