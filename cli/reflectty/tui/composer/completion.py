"""Finds suggestions for slash commands, their arguments and file mentions at the cursor."""

from __future__ import annotations

import os
import re
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean, clean_line
from reflectty.tui.fuzzy import closest_matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MAX_SUGGESTIONS = 200
"""Maximum number of suggestions."""
MAX_ENTRIES_READ = 30_000
"""Maximum number of folder entries read for one list of suggestions: about 10 ms."""
_MAX_MENTIONS = 1_000
_MAX_DROPPED_LENGTH = 10_000
_LIKE_A_DROP = re.compile(r"\s*['\"]?(?:/|file://)")
_LIKE_A_FILE = re.compile(r"/|\.\w{1,8}\Z")

# What may precede the `@` of a mention; the local part of an email address may not.
_MENTION_START = r"(?<![^\s(\[{\"'`<])"
_QUOTED, _BARE = r'(?:[^"\\\n]|\\.)', r'(?:[^\s"\\]|\\.)'
_MENTION = re.compile(rf'{_MENTION_START}@(?:"({_QUOTED}+)"|({_BARE}+))')
_OPEN_MENTION = re.compile(rf'{_MENTION_START}@(?:"({_QUOTED}*)|({_BARE}*))\Z')
_ESCAPE = re.compile(r"((?:\\x[0-9a-f]{2})+)|\\(.)")
_CLOSING_PUNCTUATION = ".,;:!?)]}>'`"
_MAX_CLOSING = 3
_MAX_MENTION_LENGTH = 1_000
"""Maximum distance from the start of a path to the cursor."""


class SlashCommand(NamedTuple):
    """A slash command: its name without the slash, its argument in words, and its help."""

    name: str
    argument: str = ""
    help: str = ""
    takes_path: bool = False
    """True if the argument is a path."""
    aliases: tuple[str, ...] = ()
    """Other names, suggested once they are typed."""


class Suggestion(NamedTuple):
    """The text to insert and the label to show; both are safe for a terminal."""

    text: str
    label: str
    help: str = ""
    is_whole: bool = False
    """True if nothing can follow it: accepting a command runs it."""


class SuggestionList(NamedTuple):
    """Candidates to replace `text[start:end]`, most likely first."""

    start: int = 0
    end: int = 0
    items: tuple[Suggestion, ...] = ()


NO_SUGGESTIONS = SuggestionList()


def find_suggestions(
    text: str, cursor: int, commands: Sequence[SlashCommand], folder: Path, choices: Mapping[str, Sequence[str]]
) -> SuggestionList:
    """Find what the user may mean at the cursor.

    Args:
        text: the text so far.
        cursor: the position of the cursor in it, in characters.
        commands: the commands that a leading slash can name.
        folder: the base of relative paths.
        choices: the possible arguments of commands, by name.
    """
    before = text[:cursor]
    if before.startswith("/") and "\n" not in before:
        found = _complete_command(text, cursor, commands, folder, choices)
        if found.items:
            return found
    mention = _OPEN_MENTION.search(before, max(before.rfind("\n") + 1, cursor - _MAX_MENTION_LENGTH))
    return _complete_mention(mention, text, cursor, folder) if mention else NO_SUGGESTIONS


def find_mentions(text: str, folder: Path) -> tuple[Path, ...]:
    """The existing files that a text mentions as `@path` or `@"a path"`, in order and without duplicates."""
    named: dict[Path, None] = {}
    for number, mention in enumerate(_MENTION.finditer(text)):
        if number == _MAX_MENTIONS:
            break
        path = _find_mentioned_file(mention, folder)
        if path is not None:
            named[path] = None
    return tuple(named)


def missing_mentions(text: str, folder: Path) -> tuple[str, ...]:
    """What a text mentions like a file, with a suffix or a slash, without that there is such a file or folder."""
    missing: dict[str, None] = {}
    for number, mention in enumerate(_MENTION.finditer(text)):
        name = mention[1] or mention[2].rstrip(_CLOSING_PUNCTUATION)
        if number == _MAX_MENTIONS:
            break
        if _LIKE_A_FILE.search(name) and not _exists(name, folder) and _find_mentioned_file(mention, folder) is None:
            missing[name] = None
    return tuple(missing)


def _exists(written: str, folder: Path) -> bool:
    with suppress(OSError, ValueError):
        return _resolve(_unescape(written), folder).exists()
    return False


def dropped_files(text: str) -> tuple[str, ...]:
    r"""The mentions of files whose paths a terminal pastes when they are dropped on it; empty for any other text.

    Paths are absolute; terminals quote them, put `\\` before blanks, or send addresses that begin with `file://`.
    """
    if len(text) > _MAX_DROPPED_LENGTH or not _LIKE_A_DROP.match(text):
        return ()
    try:
        words = shlex.split(text)
    except ValueError:
        return ()
    paths = [unquote(urlsplit(word).path) if word.startswith("file://") else word for word in words]
    if any("\0" in path or not path.startswith("/") or not _is_file(Path(path)) for path in paths):
        return ()
    return tuple(_format_mention(path, quote="") for path in paths)


def _is_file(path: Path) -> bool:
    with suppress(OSError, ValueError):
        return path.is_file()
    return False


def _find_mentioned_file(mention: re.Match[str], folder: Path) -> Path | None:
    """Find the mentioned file; closing punctuation belongs to a bare name only if such a file exists."""
    quoted, bare = mention.groups()
    if quoted is not None:
        return _find_file(quoted, folder)
    closing = min(len(bare) - len(bare.rstrip(_CLOSING_PUNCTUATION)), _MAX_CLOSING)
    names = (bare[: len(bare) - cut] for cut in range(closing + 1))
    return next((path for name in names if (path := _find_file(name, folder)) is not None), None)


def _find_file(written: str, folder: Path) -> Path | None:
    path = _resolve(_unescape(written), folder)
    return path if _is_file(path) else None


def _complete_command(
    text: str, cursor: int, commands: Sequence[SlashCommand], folder: Path, choices: Mapping[str, Sequence[str]]
) -> SuggestionList:
    """Suggest how to complete a line with a leading slash: a command of one or two words, or its argument."""
    written = text[1:cursor]
    if " " not in written:
        return SuggestionList(0, _find_word_end(text, cursor), _match_commands(written, commands))
    longer = tuple(_suggestion_of(command) for command in commands if command.name.startswith(written))
    if longer:
        return SuggestionList(0, _find_line_end(text, cursor), longer)
    command = max((one for one in commands if written.startswith(f"{one.name} ")), key=_name_length_of, default=None)
    if command is None:
        return NO_SUGGESTIONS
    value = written[len(command.name) :].lstrip()
    items = (
        _match_paths(value, folder, quote="")
        if command.takes_path
        else _match_values(value, choices.get(command.name, ()))
    )
    return _drop_if_unchanged(SuggestionList(cursor - len(value), _find_line_end(text, cursor), tuple(items)), value)


def _name_length_of(command: SlashCommand) -> int:
    return len(command.name)


def _drop_if_unchanged(found: SuggestionList, written: str) -> SuggestionList:
    """Drop the suggestions if none differs from the typed text."""
    return NO_SUGGESTIONS if all(item.text == written for item in found.items) else found


def _find_word_end(text: str, cursor: int) -> int:
    return cursor + len(text[cursor:]) - len(re.sub(r"\A[\w-]+", "", text[cursor:]))


def _find_line_end(text: str, cursor: int) -> int:
    end = text.find("\n", cursor)
    return len(text) if end < 0 else end


def _match_commands(written: str, commands: Sequence[SlashCommand]) -> tuple[Suggestion, ...]:
    found = [command for command, _ in closest_matches(written, commands, lambda command: command.name)]
    aliased = [
        command._replace(name=alias)
        for command in commands
        for alias in command.aliases
        if written and alias.startswith(written.lower())
    ]
    return tuple(_suggestion_of(command) for command in (*aliased, *found))


def _suggestion_of(command: SlashCommand) -> Suggestion:
    # Alternatives are suggested once the name is typed.
    takes = f" {command.argument}" if command.argument and "|" not in command.argument else ""
    name = f"/{command.name}"
    return Suggestion(f"{name} " if command.argument else name, name + takes, command.help, not command.argument)


def _match_values(written: str, values: Sequence[str]) -> tuple[Suggestion, ...]:
    # Names are from servers and the store; one that the terminal cannot show cannot be typed either.
    safe = [value for value in values if clean_line(value, len(value)) == value]
    found = closest_matches(written, safe, str)
    return tuple(Suggestion(value, value, is_whole=True) for value, _ in found[:MAX_SUGGESTIONS])


def _complete_mention(mention: re.Match[str], text: str, cursor: int, folder: Path) -> SuggestionList:
    quoted, bare = mention.groups()
    written = bare if quoted is None else quoted
    closed = quoted is not None and text[cursor : cursor + 1] == '"'
    start, end = cursor - len(mention[0]), cursor + closed
    items = _match_paths(written, folder, quote="" if quoted is None else '"', at="@")
    return _drop_if_unchanged(SuggestionList(start, end, tuple(items)), text[start:end])


def _match_paths(written: str, folder: Path, quote: str, at: str = "") -> Iterator[Suggestion]:
    plain = _unescape(written) if at else written
    parent, slash, begun = plain.rpartition("/")
    if not slash and plain == "~":
        parent, slash, begun = "~", "/", ""
    for name in _list_folder(_resolve(parent + slash, folder), begun):
        path = f"{parent}{slash}{name}"
        if at or clean(path) == path:
            whole = not at and not name.endswith("/")
            yield Suggestion(_format_mention(path, quote) if at else path, clean_line(name), is_whole=whole)


def _list_folder(folder: Path, begun: str) -> list[str]:
    """The entries of a folder with this prefix, folders first and with a trailing slash."""
    sought, hidden = begun.casefold(), begun.startswith(".")
    found: list[tuple[bool, str]] = []
    with suppress(OSError, ValueError), os.scandir(folder) as entries:
        for number, entry in enumerate(entries):
            if number == MAX_ENTRIES_READ or len(found) == MAX_SUGGESTIONS:
                break
            if entry.name.casefold().startswith(sought) and (hidden or not entry.name.startswith(".")):
                found.append((not _is_folder(entry), entry.name))
    return [name if is_file else f"{name}/" for is_file, name in sorted(found)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    with suppress(OSError):
        return entry.is_dir()
    return False


def _resolve(written: str, folder: Path) -> Path:
    if written == "~" or written.startswith("~/"):
        with suppress(RuntimeError):
            return Path.home() / written[2:]
    return folder / written


def _format_mention(path: str, quote: str) -> str:
    """The path as a mention; the quote of a folder stays open for more."""
    if not (quote or re.search(r"[\s\"'\\]", path) or clean(path) != path):
        return f"@{path}"
    return f'@"{_escape(path)}' + ('"' if not path.endswith("/") else "")


def _escape(path: str) -> str:
    """The path escaped for quotes; bytes that the terminal cannot show are written as numbers."""
    plain = re.sub(r'(["\\])', r"\\\1", path)
    if clean_line(plain, len(plain)) == plain:
        return plain
    return re.sub(r"[^ -~]", lambda odd: "".join(f"\\x{byte:02x}" for byte in os.fsencode(odd[0])), plain)


def _unescape(written: str) -> str:
    """The path without its escapes."""
    return _ESCAPE.sub(_unescape_match, written)


def _unescape_match(escape: re.Match[str]) -> str:
    return os.fsdecode(bytes.fromhex(escape[1].replace("\\x", ""))) if escape[1] else escape[2]
