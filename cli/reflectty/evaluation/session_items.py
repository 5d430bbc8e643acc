"""Makes items of stored questions: the user says on the terminal which answers were right, once for each question."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import UsageError, reason_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean, clean_line
from reflectty.core.session import ReplyStatus
from reflectty.core.text import format_count
from reflectty.evaluation.item_file import read_rows
from reflectty.evaluation.item_row import guessed_kind, read_item
from reflectty.evaluation.items import Item, ItemSet
from reflectty.reasoning.numbers import number_alone, single_number
from reflectty.reasoning.stated_answers import AnswerKind, StatementRule, final_answer
from reflectty.system.paths import store_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from reflectty.core.session import Turn
    from reflectty.store import Store
    from reflectty.system.terminal import Terminal

SET_NAME: Final = "sessions"
_PAGE: Final = 100
_LONGEST_QUESTION: Final = 4000
_LONGEST_SENTENCE: Final = 200
_SHORT: Final = 60
_SHOWN_LINES: Final = 15
_KEYS: Final = "[y]es, [n]o, [s]kip, [q]uit, or type the right answer: "


class StoredQuestion(NamedTuple):
    """A question of a session whose answer can be checked."""

    id: str
    """A digest of its text."""
    question: str
    given: str
    """The answer that was given, without its sentence."""
    model: str
    asked: float
    """Seconds since 1970."""


class _Kept(NamedTuple):
    """What earlier reviews left."""

    items: tuple[Item, ...] = ()
    known: frozenset[str] = frozenset()
    """The ids that are not asked again: those of the items, and of what was skipped."""


def kept_path() -> Path:
    """The file that keeps the items, beside the sessions; it may not exist."""
    return store_path().parent / "session-questions.jsonl"


def find_questions(store: Store) -> Iterator[StoredQuestion]:
    """Find first questions of sessions, without attachments, with a complete reply that states a short answer.

    The latest session comes first; of several replies the latest counts, and each question comes once.
    """
    found: set[str] = set()
    offset = 0
    while sessions := store.sessions(_PAGE, offset):
        offset += _PAGE
        for session in sessions:
            for question in _questions_of(store.turns(session.id)):
                if question.id not in found:
                    found.add(question.id)
                    yield question


def _questions_of(turns: Iterable[Turn]) -> Iterator[StoredQuestion]:
    asked = {
        turn.id: turn
        for turn in turns
        if turn.parent is None
        and turn.said is None
        and not turn.attachments
        and 0 < len(turn.text) <= _LONGEST_QUESTION
    }
    for turn in sorted(turns, key=lambda turn: turn.created, reverse=True):
        if turn.said is None or turn.parent is None or turn.said.ended is not ReplyStatus.COMPLETE:
            continue
        given = checkable_answer(turn.said.answer)
        if given and (question := asked.pop(turn.parent, None)):
            identity = f"session-{blake2b(question.text.strip().encode('utf-8', 'replace'), digest_size=6).hexdigest()}"
            yield StoredQuestion(identity, question.text.strip(), given, turn.said.model, question.created)


def checkable_answer(text: str) -> str:
    """The short answer of a reply: a stated one, the only number of a sentence, or a few words; empty without one."""
    for kind in (AnswerKind.NUMBER, AnswerKind.CASEFOLD):
        stated = final_answer(text, kind)
        if stated and not stated.is_weak and stated.rule is not StatementRule.WHOLE and len(stated.text) <= _SHORT:
            return stated.text
    bare = text.strip(" \n\t*_`")
    if "\n" not in bare and len(bare) <= _LONGEST_SENTENCE and (number := single_number(bare)):
        return bare[number.start : number.end]
    return bare.rstrip(".") if "\n" not in bare and len(bare) <= _SHORT else ""


def collect_items(
    store: Store, terminal: Terminal, path: Path, *, yes: bool = False, wanted: int | None = None
) -> ItemSet:
    """Ask about the answers of stored questions, and return all items that were ever kept.

    Args:
        store: the sessions.
        terminal: asks on stderr, and reads lines from stdin.
        path: the file that keeps the items, and which questions were skipped.
        yes: whether to ask nothing and take what is kept.
        wanted: how many items are enough; None asks until the user quits, or nothing is left.

    Raises:
        UsageError: there is no terminal to ask on, no item is kept in the end, or the file cannot be used.
    """
    kept = _read_kept(path)
    if not yes:
        _require_terminal(terminal, len(kept.items))
        kept = _review(store, terminal, path, kept, wanted)
    if not kept.items:
        raise UsageError("no answer of a stored question is graded", "run it in a terminal, and say which are right")
    return ItemSet(SET_NAME, kept.items, str(path))


def write_items(path: Path, items: Iterable[Item]) -> None:
    """Write items as a file of questions that is read again as it is.

    Raises:
        UsageError: the file exists, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            file.writelines(_line_of(item) for item in items)
    except FileExistsError as error:
        raise UsageError(f"{path} already exists", "choose another name") from error
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {reason_of(error)}") from error


def _line_of(item: Item) -> str:
    members = item._asdict() | {"kind": str(item.kind), "choices": list(item.choices)}
    return f"{json.dumps({name: member for name, member in members.items() if member})}\n"


def _read_kept(path: Path) -> _Kept:
    if not path.exists() or not path.stat().st_size:
        return _Kept()
    items: dict[str, Item] = {}
    known: set[str] = set()
    for row in read_rows(path):
        known.add(str(row.members.get("id", "")))
        if not row.members.get("skipped"):
            item = read_item(row, SET_NAME).item
            items[item.id] = item
    return _Kept(tuple(items.values()), frozenset(known))


def _require_terminal(terminal: Terminal, kept: int) -> None:
    if terminal.stdin_tty and terminal.err.tty:
        return
    hint = f"--yes takes the {format_count(kept, 'question')} graded earlier" if kept else "run it in a terminal"
    raise UsageError("no terminal to grade the answers of sessions on", hint)


def _review(store: Store, terminal: Terminal, path: Path, kept: _Kept, wanted: int | None) -> _Kept:
    """Ask about each question that is not known, keeping each decision at once."""
    items = list(kept.items)
    for question in find_questions(store):
        if question.id in kept.known:
            continue
        if wanted is not None and len(items) >= wanted:
            break
        key = _ask(terminal, question, len(items))
        if key is None:
            break
        item = _item_of(question, key)
        _append(path, _line_of(item) if key else f"{json.dumps({'id': question.id, 'skipped': True})}\n")
        items += [item] if key else []
    terminal.write_stderr(f"{format_count(len(items), 'question')} with a key, in {clean_line(str(path))}\n")
    return kept._replace(items=tuple(items))


def _item_of(question: StoredQuestion, key: str) -> Item:
    return Item(question.id, question.question, key, guessed_kind(key), (), SET_NAME)


def _ask(terminal: Terminal, question: StoredQuestion, kept: int) -> str | None:
    """The key of a question: the given answer, or another one; empty to skip it, None to quit."""
    day = datetime.fromtimestamp(question.asked, UTC).date().isoformat()
    model = clean_line(question.model, 60)
    lines = clean(question.question).splitlines()
    shown = [*lines[:_SHOWN_LINES], *(["…"] if len(lines) > _SHOWN_LINES else [])]
    body = "\n".join(f"  {line}" for line in shown)
    terminal.write_stderr(f"\n{day} · {model} · {kept} kept\n{body}\ngiven: {clean_line(question.given)}\n")
    while (typed := _read(terminal, f"right? {_KEYS}")) is not None:
        choice = typed.lower()
        if choice in ("y", "yes"):
            return question.given
        if choice in ("s", "skip"):
            return ""
        if choice in ("q", "quit"):
            return None
        if choice in ("n", "no", "e", "edit"):
            return _read(terminal, "the right answer (empty to skip): ")
        if len(typed) > 1 or number_alone(typed):
            return typed
    return None


def _read(terminal: Terminal, prompt: str) -> str | None:
    """A line from the terminal; None at its end."""
    terminal.write_stderr(prompt)
    line = terminal.stdin.readline() if terminal.stdin else b""
    if not line.endswith(b"\n"):
        terminal.write_stderr("\n")
    return line.decode("utf-8", "replace").strip() if line else None


def _append(path: Path, line: str) -> None:
    """Append a line to a file that only the user can read.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(number, "a", encoding="utf-8") as file:
            file.write(line)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {reason_of(error)}") from error
