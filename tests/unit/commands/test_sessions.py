from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from reflectty import config
from reflectty.main import main
from reflectty.store import open_store
from reflectty.system.terminal import Sink, Terminal
from support.conversations import QUESTION, REFLECTION, SESSION, THINKING, TURNS, plain_reply, stored_reply
from support.hostile_texts import ONE_OF_EACH, OTHERS, is_let_through, text_of
from support.safety_checks import LINK

if TYPE_CHECKING:
    from pathlib import Path

OURS = re.compile(rf"\x1b\[[\d;]*m|{LINK}")
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


def run(*words: str, tty: bool = False, typed: bytes | None = b"", colours: int = 0, unicode: bool = True) -> Outcome:
    """Run `reflect sessions …` with streams of its own."""
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(
        io.BytesIO(typed) if typed is not None else None,
        stdin_tty=tty,
        out=Sink(out, tty, colours, unicode),
        err=Sink(err, tty, colours, unicode),
        width=60,
        can_redraw=tty,
    )
    return Outcome(main(["sessions", *words], terminal), out.getvalue(), err.getvalue())


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home for one test."""
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("REFLECTTY_THEME", "REFLECTTY_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def keep(*texts: str) -> tuple[str, ...]:
    """Store a session for each text, which is its title, its question and all of its reply."""
    path = config.store_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    store = open_store(path, pytest.fail)
    ids = []
    for text in texts:
        session = store.create_session(text)
        asked = store.add_question(session.id, None, text)
        reply = stored_reply(text, ((THINKING, text), (REFLECTION, text)), warnings=(text,))
        store.finish(store.add_reply(session.id, asked.id, reply).id, reply)
        ids.append(session.id)
    store.close()
    return tuple(ids)


@pytest.mark.parametrize(
    "words",
    [
        ("list", "-n500"),
        ("show", "{id}"),
        ("show", "{id}", "--tree"),
        ("search", "needle", "-n500"),
        ("export", "{id}"),
    ],
)
@pytest.mark.parametrize("hostile", [ONE_OF_EACH, pytest.param(OTHERS, marks=pytest.mark.slow)], ids=["some", "others"])
def test_stored_text_is_escaped_on_a_terminal(words: tuple[str, ...], hostile: tuple[dict[str, Any], ...]) -> None:
    names = keep(*(f"needle {text_of(case)}" for case in hostile))
    # One list and one search show them all.
    for case, name in zip(hostile, names if "{id}" in words else names[:1], strict="{id}" in words):
        done = run(*(word.format(id=name) for word in words), tty=True, colours=256)
        out = OURS.sub("", done.out)
        assert (done.code, done.err) == (0, ""), case["id"]
        assert not CONTROLS.search(out), case["id"]
        assert not [one["id"] for one in hostile if is_let_through(one, out)]


@pytest.mark.parametrize("words", [("remove", "{id}"), ("rename", "{id}", "x"), ("fork", "{id}")])
def test_title_is_escaped_on_a_terminal(words: tuple[str, ...]) -> None:
    (name,) = keep("\x1b]0;title\x07\u202etxt")
    done = run(*(word.format(id=name) for word in words), tty=True, typed=b"no\n")
    assert done.code == (1 if "remove" in words else 0)
    assert not CONTROLS.search(done.err)
    assert "\u202e" not in done.err
    assert done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("rename", "{id}", "New", "title"), "reflect: {id} is now called New title\n"),
        (("remove", "{id}", "--yes"), f"reflect: removed {{id}} ({QUESTION})\n"),
        (("fork", "{id}"), f"reflect: the new session is called {QUESTION} (fork)\n"),
        (("export", "{id}", "--output", "{home}/a.md"), f"reflect: exported {{id}} ({QUESTION}) to {{home}}/a.md\n"),
    ],
)
def test_actions_are_confirmed_on_a_terminal_but_not_in_a_script(data: Path, words: tuple[str, ...], said: str) -> None:
    (first,) = keep(QUESTION)
    done = run(*(word.format(id=first, home=data) for word in words), tty=True)
    assert (done.code, done.err) == (0, said.format(id=first, home=data))
    (second,) = keep(QUESTION)
    done = run(
        *(word.format(id=second, home=f"{data}/.") for word in words), *(["--force"] if "--output" in words else [])
    )
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(("typed", "left"), [(b"y\n", 0), (b"n\n", 1), (b"", 1), (b"y", 0), (None, 1)])
def test_nothing_is_removed_without_a_yes(typed: bytes | None, left: int) -> None:
    (name,) = keep(QUESTION)
    done = run("remove", name, tty=True, typed=typed)
    assert (done.code, done.out) == (left, "")
    assert done.err.endswith(f"removed {name} ({QUESTION})\n" if not left else "nothing was removed\n")
    assert run("--json").out.count('"id"') == left


@pytest.mark.parametrize(("form", "out"), [((), ""), (("--json",), "[]\n")])
def test_search_without_a_hit_ends_with_1_as_grep_does(form: tuple[str, ...], out: str) -> None:
    keep(QUESTION)
    done = run("search", "nothinglikeit", *form)
    assert (done.code, done.out) == (1, out)
    assert run("search", QUESTION.split()[0], *form).code == 0


def test_json_reports_what_was_removed() -> None:
    (name,) = keep(QUESTION)
    assert f'"id": "{name}"' in run("remove", name, "--yes", "--json").out
    assert run("--json").out == "[]\n"


@pytest.mark.parametrize("theme", ["nosuch", "../etc"])
def test_missing_theme_gives_one_warning(monkeypatch: pytest.MonkeyPatch, theme: str) -> None:
    (name,) = keep(QUESTION)
    monkeypatch.setenv("REFLECTTY_THEME", theme)
    done = run("show", name)
    assert (done.code, done.err.count("\n")) == (0, 1)
    assert QUESTION in done.out


def test_theme_colors_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    (name,) = keep(QUESTION)
    monkeypatch.setenv("REFLECTTY_THEME", "ink")
    assert "\x1b[38;2;143;182;255m▌ \x1b[0m" in run("show", name, tty=True, colours=1 << 24).out


def test_ascii_replaces_glyphs_without_unicode() -> None:
    (name,) = keep("plain")
    lines = run("show", name, unicode=False).out.split("\n")
    assert [line[:3] for line in lines if line] == ["> p", "v t", "| p", "~ p", "  p", "  p"]


def test_broken_store_is_reported_without_failing(data: Path) -> None:
    path = config.store_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"no database at all" * 100)
    done = run("list")
    assert (done.code, done.out) == (0, "")
    assert done.err.count("\n") == 2
    assert data.exists()


def test_two_replies_to_a_question_are_numbered() -> None:
    (name,) = keep(QUESTION)
    store = open_store(config.store_path(), pytest.fail)
    question, *_ = store.turns(name)
    again = plain_reply("Another.")
    store.finish(store.add_reply(name, question.id, again).id, again)
    store.close()
    assert "reply 2 of 2" in run("show", name).out
    assert run("show", name, "--all").out.count("branch 2 of 2") == 1


def numbered(document: str) -> dict[str, Any]:
    """A document without the id of its session, and with the places of its turns for their ids."""
    found: dict[str, Any] = json.loads(document)
    places = {turn["id"]: at for at, turn in enumerate(found["turns"])}
    for turn in found["turns"]:
        turn |= {"id": places[turn["id"]], "parent": places.get(turn["parent"])}
    found["session"] |= {"id": "", "leaf": places.get(found["session"]["leaf"])}
    return found


class TestImport:
    def test_exported_sessions_come_back(self, data: Path) -> None:
        (plain,) = keep("one")
        store = open_store(config.store_path(), pytest.fail)
        branched = store.add_session(SESSION, TURNS).id
        store.close()
        exported = [run("export", session, "--json").out for session in (plain, branched)]
        for number, document in enumerate(exported):
            (data / f"{number}.json").write_text(document, "utf-8")
        config.store_path().unlink()
        done = run("import", str(data / "0.json"), str(data / "1.json"))
        new = done.out.split()

        assert (done.code, len({*new, plain, branched})) == (0, 4)
        again = [run("export", session, "--json").out for session in new]
        assert [numbered(document) for document in again] == [numbered(document) for document in exported]

    def test_document_comes_from_stdin_and_is_reported_as_json(self) -> None:
        (session,) = keep("one")
        document = run("export", session, "--json").out
        done = run("import", "-", "--json", typed=document.encode())

        (made,) = json.loads(done.out)
        assert (done.code, made["title"], made["questions"]) == (0, "one", 1)
        assert len(json.loads(run("list", "--json").out)) == 2

    def test_nothing_is_imported_if_one_file_is_refused(self, data: Path) -> None:
        (session,) = keep("one")
        good, bad = data / "good.json", data / "bad.json"
        assert run("export", session, "--output", str(good)).code == 0
        bad.write_text("{}", "utf-8")
        done = run("import", str(good), str(bad))

        assert (done.code, done.out, done.err.count("\n")) == (2, "", 1)
        assert f"{bad} is not an exported session" in done.err
        assert run("import", str(data / "none.json")).code == 2
        assert len(json.loads(run("list", "--json").out)) == 1


def test_tree_has_a_line_for_each_turn() -> None:
    (name,) = keep(QUESTION)
    store = open_store(config.store_path(), pytest.fail)
    question, first = store.turns(name)
    again = plain_reply("Another.")
    store.finish(store.add_reply(name, question.id, again).id, again)
    store.set_label(name, first.id, "better")
    store.close()
    shown = run("show", name, "--tree").out
    assert [" ".join(line.split()) for line in shown.splitlines()] == [
        f"● {QUESTION} just now",
        f"├ [better] 1 of 2 · {QUESTION} thought 2 s · 64 tokens · 1 correction just now",
        "● regenerated, 2 of 2 · Another. answered in 0.9 s · 3 tokens just now",
    ]
    assert run("show", name, "--tree", "--json").code == 2


def test_tree_of_a_session_without_turns_is_empty() -> None:
    path = config.store_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    store = open_store(path, pytest.fail)
    name = store.create_session("empty").id
    store.close()
    assert run("show", name, "--tree") == (0, "", "")
