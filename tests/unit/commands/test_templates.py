from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from reflectty import config
from reflectty.config.templates import load_template, template_names
from reflectty.core.errors import UsageError
from support.config_home import CONTROLS, Outcome, home, run, write, writing_editor

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The path of the settings file, which does not exist yet."""
    return home(tmp_path, monkeypatch)


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the text that the editor writes."""
    return writing_editor(tmp_path, monkeypatch)


@pytest.fixture
def folder() -> Path:
    found = config.templates_folder()
    found.mkdir(parents=True)
    return found


def test_templates_are_read_from_files_and_settings(path: Path, folder: Path) -> None:
    write(path, '[templates]\ntr = "To {language}"\nreview = "hidden by the file"\n')
    (folder / "review.md").write_bytes("Review:\r\n{input}\r\n\r\n".encode("utf-8-sig"))
    (folder / "review.txt").write_text("hidden by the other", "utf-8")
    (folder / "brief.txt").write_text("Briefly: {input}", "utf-8")
    for name in ("notes.rst", ".hidden.md", "a b.md", "plain"):
        (folder / name).touch()

    assert template_names() == ("brief", "review", "tr")
    assert load_template("review")[:3] == ("review", "Review:\n{input}", str(folder / "review.md"))
    assert load_template("brief").text == "Briefly: {input}"
    assert load_template("tr")[:3] == ("tr", "To {language}", str(path))


@pytest.mark.parametrize(
    ("name", "said", "hint"),
    [
        ("reveiw", "--template: unknown template 'reveiw'", "did you mean review?"),
        ("zzz", "--template: unknown template 'zzz'", "choose from review"),
        ("../x", "--template: '../x' is not a valid name", "letters"),
        ("/etc/passwd", "is not a valid name", ""),
        ("x\x1b[31m", "is not a valid name", ""),
        ("", "is not a valid name", ""),
        (".md", "is not a valid name", ""),
        ("a" * 5000, "is not a valid name", ""),
    ],
)
def test_missing_template_error_suggests_similar_names(folder: Path, name: str, said: str, hint: str) -> None:
    (folder / "review.md").touch()
    with pytest.raises(UsageError) as refused:
        load_template(name)

    assert said in str(refused.value)
    assert hint in refused.value.hint


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"\xe9t\xe9", "not UTF-8"),
        ("hé".encode("utf-16"), "not UTF-8"),
        (b"a\0b", "NUL bytes"),
        (b"a" * ((1 << 20) + 1), "larger than 1 MB"),
    ],
)
def test_template_that_is_not_text_is_refused(folder: Path, raw: bytes, said: str) -> None:
    (folder / "review.md").write_bytes(raw)
    with pytest.raises(UsageError, match=said):
        load_template("review")


def test_unreadable_template_is_refused_and_a_pipe_does_not_block(folder: Path) -> None:
    (folder / "review.md").mkdir()
    os.mkfifo(folder / "pipe.md")

    assert load_template("pipe").text == ""
    with pytest.raises(UsageError, match="cannot be read: is a directory"):
        load_template("review")


@pytest.mark.parametrize("text", ["templates = 1", "[templates]\na = 1", "[templates]\n'../a' = 'x'"])
def test_invalid_template_table_is_named(path: Path, text: str) -> None:
    write(path, text)
    with pytest.raises(UsageError, match=f"{path}: templates"):
        template_names()


class TestCommand:
    @pytest.mark.parametrize("words", [(), ("list",)])
    def test_lists_the_templates(self, folder: Path, words: tuple[str, ...]) -> None:
        (folder / "review.md").write_text("Review\nthis: {input} in {language}.", "utf-8")
        (folder / "plain.md").write_text("Plain.", "utf-8")

        assert run("templates", *words).out.splitlines() == [
            "plain     -               Plain.",
            "review    input language  Review this: {input} in {language}.",
        ]

    def test_explains_how_to_create_one_if_there_is_none(self) -> None:
        done = run("templates")
        assert (done.code, done.out) == (0, "")
        assert "run reflect templates edit NAME to create one" in done.err
        assert run("templates", "--json").out == "[]\n"

    def test_lists_the_others_if_one_is_invalid(self, folder: Path) -> None:
        (folder / "broken.md").write_bytes(b"\xff")
        assert run("templates") == Outcome(0, "", f"reflect: {folder / 'broken.md'}: not UTF-8\n")
        (folder / "plain.md").write_text("Plain.", "utf-8")
        assert run("templates").out.split() == ["plain", "-", "Plain."]

    def test_shows_one_escaped_or_as_json(self, folder: Path) -> None:
        (folder / "review.md").write_text("Review\n\x1b[31m{input}\n", "utf-8")

        assert run("templates", "show", "review") == Outcome(0, "Review\n^[[31m{input}\n", "")
        assert json.loads(run("templates", "show", "review", "--json").out) == {
            "name": "review",
            "fields": ["input"],
            "path": str(folder / "review.md"),
            "text": "Review\n\x1b[31m{input}",
            **dict.fromkeys(("model", "system", "schema", "mode", "effort"), ""),
            "options": {},
            "defaults": {},
        }
        assert not CONTROLS.search(run("templates", tty=True).out)

    def test_shows_the_settings(self, folder: Path) -> None:
        text = '+++\nmodel = "m"\noptions = { seed = 1 }\nfields = { x = "y" }\n+++\nDo {x}.\n'
        (folder / "do.md").write_text(text, "utf-8")
        shown = json.loads(run("templates", "show", "do", "--json").out)

        assert run("templates", "show", "do") == Outcome(0, text, "")
        assert [shown[key] for key in ("text", "model", "options", "defaults")] == [
            "Do {x}.",
            "m",
            {"seed": 1},
            {"x": "y"},
        ]

    def test_list_names_a_mistake_in_a_head_and_shows_the_others(self, folder: Path) -> None:
        (folder / "do.md").write_text("+++\nmodle = 1\n+++\nDo.", "utf-8")
        (folder / "plain.md").write_text("Plain.", "utf-8")
        done = run("templates")

        assert done.out.split() == ["plain", "-", "Plain."]
        assert done.err == f"reflect: {folder / 'do.md'}: a template has no setting 'modle'\n"

    @pytest.mark.parametrize(
        ("head", "problem"),
        [('mode = "x"', "mode 'x' is not a mode"), ('schema = "{"', "the schema is not valid JSON")],
    )
    def test_edit_names_the_mistake(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, head: str, problem: str
    ) -> None:
        monkeypatch.setenv("EDITOR", "true")
        (folder / "do.md").write_text(f"+++\n{head}\n+++\nDo.", "utf-8")
        done = run("templates", "edit", "do", tty=True)

        assert (done.code, done.err.count("\n")) == (2, 1)
        assert f"{folder / 'do.md'}: {problem}" in done.err

    def test_prints_the_paths(self, folder: Path) -> None:
        (folder / "a.txt").touch()
        assert run("templates", "path") == Outcome(0, f"{folder}\n", "")
        assert run("templates", "path", "a").out == f"{folder / 'a.txt'}\n"
        assert json.loads(run("templates", "path", "--json").out) == {"path": str(folder)}

    @pytest.mark.parametrize("words", [("show", "x"), ("path", "x"), ("show", "../x"), ("edit", "../x"), ("show",)])
    def test_missing_template_exits_with_2(self, words: tuple[str, ...]) -> None:
        done = run("templates", *words)
        assert (done.code, done.out) == (2, "")
        assert done.err.count("\n") == 1

    def test_creates_one_in_the_editor_and_prints_its_use(self, editor: Path) -> None:
        editor.write_text("To {language}: {input}\n", "utf-8")
        done = run("templates", "edit", "tr", tty=True)

        assert (done.code, done.out) == (0, "")
        assert done.err == "reflect: the template tr has {language}, {input}: use it with reflect -t tr\n"
        assert load_template("tr").text == "To {language}: {input}"

    def test_creates_none_if_nothing_was_written(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("EDITOR", "true")
        assert run("templates", "edit", "tr", tty=True).err == "reflect: nothing was written\n"
        assert template_names() == ()

    def test_templates_in_the_settings_are_left_to_config_edit(self, path: Path, editor: Path) -> None:
        write(path, '[templates]\ntr = "To {language}"\n')
        editor.write_text("fail\n", "utf-8")
        assert "run `reflect config edit` to change it" in run("templates", "edit", "tr").err
        assert "the editor failed" in run("templates", "edit", "other").err


class TestRemove:
    def test_removes_the_files_that_are_named(self, path: Path, folder: Path) -> None:
        write(path, '[templates]\ntr = "To {language}"\n')
        for name in ("review.md", "broken.md", "brief.txt"):
            (folder / name).write_text("+++\n+++\nx" if name == "broken.md" else "x", "utf-8")

        assert run("templates", "rm", "review", "broken", "review", "--yes") == Outcome(0, "", "")
        assert template_names() == ("brief", "tr")

    @pytest.mark.parametrize(
        ("name", "said"),
        [
            ("tr", "the template tr is defined in the config file (run `reflect config unset templates.tr`)"),
            ("revuew", "unknown template 'revuew' (did you mean review?)"),
            ("../x", "is not a valid name"),
        ],
    )
    def test_refuses_what_has_no_file_and_removes_nothing(self, path: Path, folder: Path, name: str, said: str) -> None:
        write(path, '[templates]\ntr = "To {language}"\n')
        (folder / "review.md").touch()
        done = run("templates", "remove", "review", name, "--yes")

        assert (done.code, done.out) == (2, "")
        assert said in done.err
        assert (folder / "review.md").exists()

    def test_asks_only_on_a_terminal(self, folder: Path) -> None:
        (folder / "review.md").touch()
        done = run("templates", "remove", "review")

        assert done.code == 2
        assert "refusing to remove templates without --yes" in done.err
        assert template_names() == ("review",)
