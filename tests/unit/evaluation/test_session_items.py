from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import UsageError
from reflectty.core.session import Attachment, ReplyStatus
from reflectty.evaluation.generators.catalogue import generate
from reflectty.evaluation.session_items import checkable_answer, collect_items, find_questions, write_items
from reflectty.evaluation.sets import load_set
from reflectty.reasoning.stated_answers import AnswerKind
from reflectty.system.terminal import Sink, Terminal
from support.conversations import plain_reply
from support.pty_screen import Screen
from support.session_home import store_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reflectty.store import Store
    from support.command import Reflect

ASKED = (
    ("What is 6 times 7?", "Six times seven.\n\nAnswer: 42"),
    ("Capital of France?", "Paris."),
    ("How many eggs?", "She has 9 eggs left."),
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store of three questions with short answers, and of others that are none."""
    store = store_in(tmp_path / "data")
    for question, answer in ASKED:
        ask(store, question, answer)
    yield store
    store.close()


def ask(
    store: Store, question: str, *answers: str, file: bool = False, ended: ReplyStatus = ReplyStatus.COMPLETE
) -> str:
    session = store.create_session(question).id
    attached = (Attachment("notes.txt", "file", "x"),) if file else ()
    asked = store.add_question(session, None, question, attached)
    for answer in answers:
        reply = plain_reply(answer, ended=ended)
        store.finish(store.add_reply(session, asked.id, reply).id, reply)
    return session


def terminal(typed: str = "", *, tty: bool = True) -> tuple[Terminal, io.StringIO]:
    shown = io.StringIO()
    return Terminal(io.BytesIO(typed.encode()), tty, Sink(None), Sink(shown, tty=tty)), shown


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("So it is.\n\nAnswer: 42", "42"),
        (r"Thus \boxed{3/4}.", "3/4"),
        ("The answer is **Paris**.", "Paris"),
        ("Paris.", "Paris"),
        ("She has 9 eggs left.", "9"),
        ("$18", "$18"),
        ("First 3, then 4, so 12 in the end, as the story says in its many and rather long words.", ""),
        ("A long text.\nOver lines.", ""),
        ("", ""),
    ],
)
def test_only_short_answers_are_checkable(text: str, given: str) -> None:
    assert checkable_answer(text) == given


def test_questions_that_stand_alone_are_found_once_latest_first(store: Store) -> None:
    ask(store, "Read this", "Paris.", file=True)
    ask(store, "Cut?", "Answer: 4", ended=ReplyStatus.INCOMPLETE)
    ask(store, "Unanswered?")
    ask(store, "Why?", "Because of many things.\nAnd others.")
    session = ask(store, "Twice?", "Answer: 1", "Answer: 2")
    follow_up = store.add_question(session, store.turns(session)[-1].id, "And then?")
    store.finish(store.add_reply(session, follow_up.id, plain_reply("3")).id, plain_reply("3"))
    ask(store, " Capital of France? ", "Lyon.")
    found = [(question.question, question.given) for question in find_questions(store)]
    assert found == [
        ("Capital of France?", "Lyon"),
        ("Twice?", "2"),
        ("How many eggs?", "9"),
        ("What is 6 times 7?", "42"),
    ]


def test_answers_become_keys_and_are_asked_once(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "kept" / "sessions.jsonl"
    screen, shown = terminal("y\nn\nBerlin\ns\n")
    items = collect_items(store, screen, path).items
    assert [(item.question, item.answer, item.kind) for item in items] == [
        ("How many eggs?", "9", AnswerKind.NUMBER),
        ("Capital of France?", "Berlin", AnswerKind.CASEFOLD),
    ]
    assert "reflection:70b · 1 kept\n  Capital of France?\ngiven: Paris\n" in shown.getvalue()
    assert path.stat().st_mode & 0o777 == 0o600
    ask(store, "New?", "Yes")
    screen, shown = terminal("q\n")
    assert collect_items(store, screen, path).items == items
    assert shown.getvalue().count("given: ") == shown.getvalue().count("given: Yes") == 1
    assert {item.id for item in load_set(str(path)).items} == {item.id for item in items}


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("", []),
        ("y", ["9"]),
        ("q\n", []),
        ("10\nq\n", ["10"]),
        ("7\nq\n", ["7"]),
        ("\nx\ny\nq\n", ["9"]),
        ("n\n\ny\nq\n", ["Paris"]),
        ("Rome\ny\ny\n", ["Rome", "Paris", "42"]),
        ("e\n1/2\nquit\n", ["1/2"]),
        ("n\n", []),
    ],
)
def test_typed_lines_decide(store: Store, tmp_path: Path, typed: str, keys: list[str]) -> None:
    path = tmp_path / "sessions.jsonl"
    screen, _ = terminal(typed)
    if keys:
        assert [item.answer for item in collect_items(store, screen, path).items] == keys
    else:
        with pytest.raises(UsageError, match="no answer of a stored question is graded"):
            collect_items(store, screen, path)


def test_enough_is_enough(store: Store, tmp_path: Path) -> None:
    screen, shown = terminal("y\ny\ny\n")
    assert len(collect_items(store, screen, tmp_path / "kept.jsonl", wanted=2).items) == 2
    assert shown.getvalue().endswith(f"2 questions with a key, in {tmp_path}/kept.jsonl\n")


def test_without_a_terminal_only_kept_items_are_taken(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    pipe, _ = terminal("y\n", tty=False)
    with pytest.raises(UsageError, match="no terminal to grade") as error:
        collect_items(store, pipe, path)
    assert error.value.hint == "run it in a terminal"
    with pytest.raises(UsageError, match="no answer of a stored question is graded"):
        collect_items(store, pipe, path, yes=True)
    collect_items(store, terminal("y\nq\n")[0], path)
    with pytest.raises(UsageError, match="no terminal to grade") as error:
        collect_items(store, pipe, path)
    assert error.value.hint == "--yes takes the 1 question graded earlier"
    assert [item.answer for item in collect_items(store, pipe, path, yes=True).items] == ["9"]


def test_stored_text_reaches_the_terminal_sanitized(store: Store, tmp_path: Path) -> None:
    ask(store, "Red \x1b[31m?\nsecond line\n" + "more\n" * 40, "\x1b]0;x\x07\nAnswer: 42")
    screen, shown = terminal("q\n")
    with pytest.raises(UsageError):
        collect_items(store, screen, tmp_path / "kept.jsonl")
    assert "\x1b" not in shown.getvalue()
    assert "  Red ^[[31m?\n  second line\n" in shown.getvalue()
    assert "  more\n  …\ngiven: 42\n" in shown.getvalue()


def test_a_kept_file_that_cannot_be_used_is_named(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "kept.jsonl"
    path.write_text("[1]\n")
    with pytest.raises(UsageError, match=r"kept\.jsonl:1: not a JSON object"):
        collect_items(store, terminal()[0], path)
    with pytest.raises(UsageError, match="cannot be written: file exists"):
        collect_items(store, terminal("y\n")[0], path / "under")


def test_written_items_are_read_as_they_were(tmp_path: Path) -> None:
    items = generate([], 90, 1).items
    write_items(tmp_path / "set.jsonl", items)
    kept = [json.loads(line) for line in (tmp_path / "set.jsonl").read_text().splitlines()]
    assert [row["id"] for row in kept] == [item.id for item in items]
    read = {item.id: item for item in load_set(str(tmp_path / "set.jsonl")).items}
    for item in items:
        again = read[item.id]
        assert (again.question, again.kind, again.group, len(again.choices)) == (
            item.question,
            item.kind,
            item.group,
            len(item.choices),
        )
        if not item.choices:
            assert again.answer == item.answer
    with pytest.raises(UsageError, match="already exists"):
        write_items(tmp_path / "set.jsonl", items)


REVIEW = """
import sys
from pathlib import Path
from reflectty.evaluation.session_items import collect_items
from reflectty.store import open_store
from reflectty.system.terminal import system_terminal
store = open_store(Path(sys.argv[1]), print)
print("keys", [item.answer for item in collect_items(store, system_terminal(), Path(sys.argv[2])).items])
"""


@pytest.mark.usefixtures("store")
def test_a_review_in_a_terminal_keeps_each_decision_at_once(reflect: Reflect, tmp_path: Path) -> None:
    database, path = tmp_path / "data" / "reflectty" / "sessions.db", tmp_path / "kept.jsonl"
    program = (sys.executable, "-c", REVIEW, str(database), str(path))
    with Screen(reflect, program=program) as screen:
        assert screen.shows("How many eggs?")
        screen.press(b"y\n")
        assert screen.shows("Capital of France?")
        assert path.read_text().count("\n") == 1
        screen.press(b"Rome\n")
        assert screen.shows("What is 6 times 7?")
        screen.press(b"q\n")
        assert screen.shows("keys ['9', 'Rome']")
        assert screen.finish() == 0
