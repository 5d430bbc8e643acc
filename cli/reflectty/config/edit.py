"""Parses values for `reflect config set` and changes the config file, keeping comments and order."""

from __future__ import annotations

import itertools
import re
import tomllib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from reflectty.config.load import EXTENDS, TABLES, unknown_setting_error
from reflectty.config.schema import (
    FILE_SETTINGS,
    PROFILE_SETTINGS,
    parse_boolean,
    parse_budget_setting,
    parse_budgets,
    parse_evidence,
    parse_keys,
    parse_name,
    parse_options,
    parse_texts,
    parse_timeout_setting,
)
from reflectty.core.errors import OutputError, UsageError, reason_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.system.files import write_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
    from pathlib import Path

    from reflectty.config.schema import Setting

    Tree = MutableMapping[str, Any]
    Writer = Callable[[str, Sequence[str], Any], str]


_BOOLEAN_WORDS = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}
_PART_DEPTH = 2
_ARRAY_START = re.compile(r"\[(?:\s*[\"']|\]$)")


class ConfigEntry(NamedTuple):
    """A value and the keys that lead to it."""

    keys: tuple[str, ...]
    value: object


def parse_key(key: str) -> tuple[str, ...]:
    """Split a dotted key; what follows `budgets` or `evidence` is the name of a model, which may have dots.

    Raises:
        UsageError: a part of it is empty.
    """
    keys = tuple(key.split("."))
    table = 2 * (keys[0] == "profiles")
    if keys[table : table + 1] in {("budgets",), ("evidence",)} and len(keys) > table + 1:
        keys = (*keys[: table + 1], ".".join(keys[table + 1 :]))
    if not all(keys):
        raise UsageError(f"{key!r} is not a key", "use one such as model, keys.steer or profiles.code.model")
    return keys


def parse_entry(key: str, words: Sequence[str]) -> ConfigEntry:
    """Parse a key and its value.

    Raises:
        UsageError: there is no such setting, or the words are not a value of it.
    """
    keys = parse_key(key)
    if keys[0] == "templates":
        parse_name(_require_part(keys, 1, "NAME"), "templates")
        return ConfigEntry(_require_no_parts(keys, 2), " ".join(words))
    if keys[0] != "profiles":
        return ConfigEntry(keys, _parse_value(keys, FILE_SETTINGS, words, ""))
    profile, beyond = parse_name(_require_part(keys, 1, "NAME.KEY"), "profiles"), keys[2:]
    if beyond == (EXTENDS,):
        return ConfigEntry(keys, parse_name(" ".join(words), key))
    _require_part(keys, 2, "KEY")
    return ConfigEntry(keys, _parse_value(beyond, PROFILE_SETTINGS, words, f"profiles.{profile}."))


def _parse_value(keys: tuple[str, ...], known: Mapping[str, Setting], words: Sequence[str], within: str) -> object:
    key = f"{within}{keys[0]}"
    if keys[0] not in known:
        raise unknown_setting_error(keys[0], (*known, *(() if within else TABLES)), f"unknown setting {key!r}")
    setting = known[keys[0]]
    if setting.is_table:
        part = _require_part(keys, 1, "NAME", key)
        _require_no_parts(keys, _PART_DEPTH)
        return _parse_part(setting, key, part, words)
    _require_no_parts(keys, 1)
    is_list = setting.parse is parse_texts
    value = _parse_list(key, words, has_commas=False) if is_list else _toml_value(setting, " ".join(words))
    if not _is_empty(value):
        setting.parse(value, key, None)
    elif not within:
        raise UsageError(f"{key} must not be empty", f"`reflect config unset {key}` restores the default")
    return value


def _is_empty(value: object) -> bool:
    """Whether a value gives nothing; in a profile it restores the default."""
    return not value.strip() if isinstance(value, str) else value in ([], [""])


def _parse_list(key: str, words: Sequence[str], *, has_commas: bool) -> list[str]:
    """Parse the words of a list: one value each, or together an array such as `["a", "b"]`.

    Args:
        key: the setting, for errors.
        words: what was typed.
        has_commas: whether a value may have a comma.

    Raises:
        UsageError: the words look like an array and are none, as after a shell has taken its quotes.
    """
    text = " ".join(words).strip()
    if not _is_array_like(text, words, has_commas=has_commas):
        return list(words)
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except ValueError:
        value = None
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise UsageError(f"{key}: {text!r} is not a list of strings", f'write {key} \'["one", "two"]\'')
    return value


def _is_array_like(text: str, words: Sequence[str], *, has_commas: bool) -> bool:
    """Whether words are meant as an array; `[INST]` is a text to stop at, and `[::1]:11434` an address."""
    if _ARRAY_START.match(text):
        return True
    is_split = "]" not in words[0] and text.endswith("]") and any(word.endswith(",") for word in words[:-1])
    return text.startswith("[") and (is_split or ("," in text and not has_commas))


def _toml_value(setting: Setting, text: str) -> object:
    """Parse a text as a TOML value."""
    if setting.parse is parse_boolean:
        return _BOOLEAN_WORDS.get(text.lower(), text)
    if setting.parse is parse_timeout_setting and text.isascii() and text.isdecimal():
        return int(text)
    return text


def _parse_part(setting: Setting, key: str, part: str, words: Sequence[str]) -> object:
    """Parse the value of an option, or the keys of an action; several words are a list."""
    if part == "stop" or setting.parse is parse_keys:
        listed = _parse_list(f"{key}.{part}", words, has_commas=True)
        given: str | list[str] = listed[0] if len(listed) == 1 else listed
    else:
        given = " ".join(words)
    if setting.parse is parse_evidence:
        raise UsageError(
            f"{key}.{part} comes from a run", "`reflect eval apply RUN` writes it, `config unset` removes it"
        )
    if setting.parse is parse_keys:
        return given
    if setting.parse is parse_budgets:
        budget = parse_budget_setting(given, f"{key}.{part}")
        return int(budget) if budget.isdecimal() else budget
    _, value = parse_options({part: given}, key)[0]
    return list(value) if isinstance(value, tuple) else value


def _require_part(keys: Sequence[str], at: int, wanted: str, named: str = "") -> str:
    if len(keys) <= at:
        whole = named or ".".join(keys)
        raise UsageError(f"{whole} is a table", f"set one of its entries: {whole}.{wanted}")
    return keys[at]


def _require_no_parts(keys: tuple[str, ...], number: int) -> tuple[str, ...]:
    if len(keys) > number:
        raise UsageError(f"{'.'.join(keys)} is not a setting", f"{'.'.join(keys[:number])} is not a table")
    return keys


_EDIT_HINT = "edit the file with `reflect config edit`"


def with_value(text: str, keys: Sequence[str], value: object) -> str:
    """Set a value in a document; each key but the last names a table.

    Raises:
        UsageError: a value is in place of a table, or the document's form does not allow the change.
    """
    wanted = tomllib.loads(text)
    _put(wanted, keys, value, lambda _: {})
    own: tuple[Writer, ...] = (_put_section,) if isinstance(value, dict) else ()
    for write in (*own, _put_in_section, _put_in_table, _put_in_line):
        with suppress(ValueError):
            if tomllib.loads(written := write(text, keys, value)) == wanted:
                return written
    raise _unchangeable_error(keys)


def without_value(text: str, keys: Sequence[str]) -> str:
    """Remove a value from a document.

    Raises:
        UsageError: it is not set, or the document's form does not allow the change.
    """
    wanted = tomllib.loads(text)
    _take(wanted, keys)
    for write in (_drop_sections, _take_with_tomlkit):
        with suppress(ValueError):
            # A table that is now empty may have had no line of its own.
            if _without_empty_tables(tomllib.loads(written := write(text, keys))) == _without_empty_tables(wanted):
                return written
    raise _unchangeable_error(keys)


def _split_sections(text: str) -> tuple[str, ...]:
    """Split a document into sections: the part before any table, and each table with the comment right above it."""
    starts, at, lines = [0], 0, text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        if line.lstrip().startswith("["):
            # In a multiline text or list, what looks like a table header is none.
            with suppress(ValueError):
                tomllib.loads(text[:at])
                starts.append(at - sum(map(len, _trailing_comment(lines[:number]))))
        at += len(line)
    return tuple(text[start:end] for start, end in zip(starts, (*starts[1:], len(text)), strict=True))


def _trailing_comment(lines: list[str]) -> list[str]:
    """The comment at the end of the lines."""
    count = next((count for count, line in enumerate(reversed(lines)) if not _is_comment(line)), len(lines))
    return lines[len(lines) - count :]


def _section_name(section: str) -> tuple[str, ...]:
    """The keys of a section's table."""
    header = next(line for line in section.splitlines() if not _is_comment(line))
    keys: list[str] = []
    table: object = tomllib.loads(header)
    while isinstance(table, dict) and table:
        key, table = next(iter(table.items()))
        keys.append(key)
    return tuple(keys)


def _put_section(text: str, keys: Sequence[str], table: Mapping[str, object]) -> str:
    """Write a table as a section, in place of the one that it has, else at the end; its comments stay.

    Raises:
        ValueError: the document cannot be split.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    written = "".join(f"{line}{end}" for line in _section_lines(keys, table))
    parts = _split_sections(text)
    at = next((at for at, part in enumerate(parts) if at and _section_name(part) == tuple(keys)), None)
    if at is None:
        return f"{text.rstrip()}{end * 2}{written}" if text.strip() else written
    lines = parts[at].splitlines(keepends=True)
    above = list(itertools.takewhile(_is_comment, lines))
    inside = [line for line in lines[len(above) :] if _is_comment(line)]
    space = parts[at][len(parts[at].rstrip()) :].removeprefix(end)
    return "".join((*parts[:at], *above, written, *inside, space, *parts[at + 1 :]))


def _section_lines(keys: Sequence[str], table: Mapping[str, object]) -> Iterator[str]:
    """Yield the lines of a section: its header, then its values."""
    import tomlkit

    yield f"[{'.'.join(tomlkit.key(key).as_string() for key in keys)}]"
    for key, value in table.items():
        yield f"{tomlkit.key(key).as_string()} = {tomlkit.item(value).as_string()}"


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _put_in_section(text: str, keys: Sequence[str], value: object) -> str:
    """Write a value at the end of its section, above the comment of the next one.

    Raises:
        ValueError: there is no such section.
    """
    parts = _split_sections(text)
    at = [_section_name(part) if at else () for at, part in enumerate(parts)].index(tuple(keys[:-1]))
    body = parts[at].rstrip("\r\n")
    end = "\r\n" if parts[at].startswith("\r\n", len(body)) else "\n"
    space = parts[at][len(body) :].removeprefix(end) or ("" if at == len(parts) - 1 else end)
    put = _put_in_table(f"{body}{end}" if body else "", keys, value)
    return "".join((*parts[:at], put, space, *parts[at + 1 :]))


def _put_in_table(text: str, keys: Sequence[str], value: object) -> str:
    """Write a value; a new table gets a header of its own, unless it only contains tables."""
    import tomlkit

    document = tomlkit.parse(text)
    _put(document, keys, value, lambda below: tomlkit.table(is_super_table=below > 0))
    return tomlkit.dumps(document)


def _put_in_line(text: str, keys: Sequence[str], value: object) -> str:
    """Write a value; a new table is inline, like the table around it."""
    import tomlkit

    document = tomlkit.parse(text)
    _put(document, keys, value, lambda _: tomlkit.inline_table())
    return tomlkit.dumps(document)


def _put(tree: Tree, keys: Sequence[str], value: object, new: Callable[[int], Tree]) -> None:
    for at, key in enumerate(keys[:-1], 1):
        if key not in tree:
            tree[key] = new(len(keys) - 1 - at)
        if not isinstance(tree[key], dict):
            raise UsageError(f"{'.'.join(keys[:at])} is not a table", _EDIT_HINT)
        tree = tree[key]
    tree[keys[-1]] = value


def _drop_sections(text: str, keys: Sequence[str]) -> str:
    """Remove the sections of a table, with their comments."""
    head, *parts = _split_sections(text)
    return "".join((head, *(part for part in parts if _section_name(part)[: len(keys)] != tuple(keys))))


def _take_with_tomlkit(text: str, keys: Sequence[str]) -> str:
    import tomlkit

    document = tomlkit.parse(text)
    _take(document, keys)
    return tomlkit.dumps(document)


def _take(tree: Tree, keys: Sequence[str]) -> None:
    table: Any = tree
    for key in keys[:-1]:
        table = table.get(key) if isinstance(table, dict) else None
    if not isinstance(table, dict) or keys[-1] not in table:
        raise UsageError(f"{'.'.join(keys)} is not set")
    del table[keys[-1]]


def _without_empty_tables(tree: Tree) -> Tree:
    """Remove empty tables from a tree."""
    inner = {key: _without_empty_tables(value) if isinstance(value, dict) else value for key, value in tree.items()}
    return {key: value for key, value in inner.items() if value != {}}


def _unchangeable_error(keys: Sequence[str]) -> UsageError:
    return UsageError(f"{'.'.join(keys)} cannot be changed without reformatting the file", _EDIT_HINT)


def write_config(path: Path, text: str) -> None:
    """Write the file atomically; keeps a symbolic link, and creates a new file with access for the user only.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        write_atomically(path, text, 0o600, with_folder=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {reason_of(error)}") from error
