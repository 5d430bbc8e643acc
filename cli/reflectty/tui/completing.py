"""What can be completed where in a question, commands and their values and paths; draws nothing, reads only folders."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from reflectty.safety import clean, clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MOST_SHOWN = 200
"""How many suggestions are given at most."""
MOST_READ = 30_000
"""How many entries of a folder are read at most for one suggestion: about a hundredth of a second."""
_MOST_MENTIONS = 1_000

# What may stand before an `@` that is meant; the local part of an address may not.
_BEFORE = r"(?<![^\s(\[{\"'`<])"
_QUOTED, _BARE = r'(?:[^"\\\n]|\\.)', r'(?:[^\s"\\]|\\.)'
_MENTION = re.compile(rf'{_BEFORE}@(?:"({_QUOTED}+)"|({_BARE}+))')
_TYPED = re.compile(rf'{_BEFORE}@(?:"({_QUOTED}*)|({_BARE}*))\Z')
_ESCAPE = re.compile(r"((?:\\x[0-9a-f]{2})+)|\\(.)")
_TRAILING = ".,;:!?)]}>'`"
_MOST_TRAILING = 3
_LONGEST = 1_000
"""How far before the cursor a path may begin."""


class Command(NamedTuple):
    """A command of the composer: its name without the slash, what it takes in words, and what it does."""

    name: str
    takes: str = ""
    help: str = ""
    paths: bool = False
    """Whether what it takes is a path."""


class Suggestion(NamedTuple):
    """What is put in when it is accepted, and how it is shown; both are safe for a terminal."""

    text: str
    shown: str
    help: str = ""


class Suggested(NamedTuple):
    """What could stand for `text[start:end]`, the likeliest first."""

    start: int = 0
    end: int = 0
    items: tuple[Suggestion, ...] = ()


NOTHING = Suggested()


def suggestions(
    text: str, cursor: int, commands: Sequence[Command], folder: Path, choices: Mapping[str, Sequence[str]]
) -> Suggested:
    """Return what could be meant at the cursor.

    Args:
        text: what is written so far.
        cursor: where the cursor stands in it, in characters.
        commands: what a slash at the very start may name.
        folder: where relative paths begin.
        choices: by a command's name, what it can be given.
    """
    before = text[:cursor]
    if before.startswith("/") and "\n" not in before:
        found = _command(text, cursor, commands, folder, choices)
        if found.items:
            return found
    mention = _TYPED.search(before, max(before.rfind("\n") + 1, cursor - _LONGEST))
    return _path(mention, text, cursor, folder) if mention else NOTHING


def mentions(text: str, folder: Path) -> tuple[Path, ...]:
    """Return the files that a text names as `@path` or `@"a path"` and that exist, each once, in their order."""
    named: dict[Path, None] = {}
    for number, mention in enumerate(_MENTION.finditer(text)):
        if number == _MOST_MENTIONS:
            break
        path = _existing(mention, folder)
        if path is not None:
            named[path] = None
    return tuple(named)


def _existing(mention: re.Match[str], folder: Path) -> Path | None:
    """Return the file that is meant; what closes a sentence belongs to a bare name only where the file has it."""
    quoted, bare = mention.groups()
    if quoted is not None:
        return _file(quoted, folder)
    closing = min(len(bare) - len(bare.rstrip(_TRAILING)), _MOST_TRAILING)
    names = (bare[: len(bare) - cut] for cut in range(closing + 1))
    return next((path for name in names if (path := _file(name, folder)) is not None), None)


def _file(written: str, folder: Path) -> Path | None:
    path = _resolved(_plain(written), folder)
    with suppress(OSError, ValueError):
        return path if path.is_file() else None
    return None


def _command(
    text: str, cursor: int, commands: Sequence[Command], folder: Path, choices: Mapping[str, Sequence[str]]
) -> Suggested:
    """Return what a line that begins with a slash could be: a command, also one of two words, or what it takes."""
    written = text[1:cursor]
    if " " not in written:
        return Suggested(0, _word_end(text, cursor), _commands(written, commands))
    longer = tuple(_offered(command) for command in commands if command.name.startswith(written))
    if longer:
        return Suggested(0, _line_end(text, cursor), longer)
    command = max((one for one in commands if written.startswith(f"{one.name} ")), key=_length, default=None)
    if command is None:
        return NOTHING
    value = written[len(command.name) :].lstrip()
    items = _paths(value, folder, quote="") if command.paths else _values(value, choices.get(command.name, ()))
    return _useful(Suggested(cursor - len(value), _line_end(text, cursor), tuple(items)), value)


def _length(command: Command) -> int:
    return len(command.name)


def _useful(found: Suggested, written: str) -> Suggested:
    """Return nothing where there is nothing to suggest but what is written already."""
    return NOTHING if all(item.text == written for item in found.items) else found


def _word_end(text: str, cursor: int) -> int:
    return cursor + len(text[cursor:]) - len(re.sub(r"\A[\w-]+", "", text[cursor:]))


def _line_end(text: str, cursor: int) -> int:
    end = text.find("\n", cursor)
    return len(text) if end < 0 else end


def _commands(written: str, commands: Sequence[Command]) -> tuple[Suggestion, ...]:
    by_name = {command.name: command for command in commands}
    return tuple(_offered(by_name[name]) for name in _likely(written, by_name))


def _offered(command: Command) -> Suggestion:
    # Where there is a choice it is listed in its turn.
    takes = f" {command.takes}" if command.takes and "|" not in command.takes else ""
    name = f"/{command.name}"
    return Suggestion(f"{name} " if command.takes else name, name + takes, command.help)


def _values(written: str, values: Sequence[str]) -> tuple[Suggestion, ...]:
    # Names come from servers and from the store; one that a terminal could not show as it is cannot be typed either.
    safe = [value for value in values if clean_line(value, len(value)) == value]
    return tuple(Suggestion(value, value) for value in _likely(written, safe)[:MOST_SHOWN])


def _likely(written: str, names: Iterable[str]) -> list[str]:
    """Return the names that are the one written, begin with it, or have its letters in their order, in this order."""
    sought = written.casefold()
    ranked = [(_rank(sought, name.casefold()), name) for name in names]
    return [name for rank, name in sorted(ranked, key=lambda pair: pair[0]) if rank < _UNLIKE]


_UNLIKE = 4


def _rank(sought: str, name: str) -> int:
    if name == sought:
        return 0
    if name.startswith(sought):
        return 1
    if sought in name:
        return 2
    letters = iter(name)
    return 3 if all(letter in letters for letter in sought) else _UNLIKE


def _path(mention: re.Match[str], text: str, cursor: int, folder: Path) -> Suggested:
    quoted, bare = mention.groups()
    written = bare if quoted is None else quoted
    closed = quoted is not None and text[cursor : cursor + 1] == '"'
    start, end = cursor - len(mention[0]), cursor + closed
    items = _paths(written, folder, quote="" if quoted is None else '"', at="@")
    return _useful(Suggested(start, end, tuple(items)), text[start:end])


def _paths(written: str, folder: Path, quote: str, at: str = "") -> Iterator[Suggestion]:
    plain = _plain(written) if at else written
    parent, slash, begun = plain.rpartition("/")
    if not slash and plain == "~":
        parent, slash, begun = "~", "/", ""
    for name in _entries(_resolved(parent + slash, folder), begun):
        path = f"{parent}{slash}{name}"
        if at or clean(path) == path:
            yield Suggestion(_written(path, quote) if at else path, clean_line(name))


def _entries(folder: Path, begun: str) -> list[str]:
    """Return the names in a folder that begin like that, folders first with a slash behind them."""
    sought, hidden = begun.casefold(), begun.startswith(".")
    found: list[tuple[bool, str]] = []
    with suppress(OSError, ValueError), os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            if number == MOST_READ or len(found) == MOST_SHOWN:
                break
            if entry.name.casefold().startswith(sought) and (hidden or not entry.name.startswith(".")):
                found.append((not _is_folder(entry), entry.name))
    return [name if is_file else f"{name}/" for is_file, name in sorted(found)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError):
        return entry.is_dir()
    return False


def _resolved(written: str, folder: Path) -> Path:
    if written == "~" or written.startswith("~/"):
        with suppress(RuntimeError):
            return Path.home() / written[2:]
    return folder / written


def _written(path: str, quote: str) -> str:
    """Return a path as it is mentioned; a folder's quotation stays open, as more is to come."""
    if not (quote or re.search(r"[\s\"'\\]", path) or clean(path) != path):
        return f"@{path}"
    return f'@"{_escaped(path)}' + ('"' if not path.endswith("/") else "")


def _escaped(path: str) -> str:
    """Return a path between quotes; where a terminal could not show it, the bytes are written as numbers."""
    plain = re.sub(r'(["\\])', r"\\\1", path)
    if clean_line(plain, len(plain)) == plain:
        return plain
    return re.sub(r"[^ -~]", lambda odd: "".join(f"\\x{byte:02x}" for byte in os.fsencode(odd[0])), plain)


def _plain(written: str) -> str:
    """Return the path that was written with escapes."""
    return _ESCAPE.sub(_unescaped, written)


def _unescaped(escape: re.Match[str]) -> str:
    return os.fsdecode(bytes.fromhex(escape[1].replace("\\x", ""))) if escape[1] else escape[2]
