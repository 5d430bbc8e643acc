"""Changes one value in the user's file, and leaves its comments, its order and everything else as they are."""

from __future__ import annotations

import os
import stat
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reflectty.config.document import section_name as _name
from reflectty.config.document import sections
from reflectty.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping, Sequence

    Tree = MutableMapping[str, Any]

_BY_HAND = "`reflect config edit` opens the file"


def with_value(text: str, keys: Sequence[str], value: object) -> str:
    """Return a document in which the value stands under the keys, of which each but the last names a table.

    Raises:
        UsageError: a value stands where a table should be, or the document is written so that it cannot be changed.
    """
    wanted = tomllib.loads(text)
    _put(wanted, keys, value, lambda _: {})
    for write in (_put_in_section, _put_in_table, _put_in_line):
        with suppress(ValueError):
            if tomllib.loads(written := write(text, keys, value)) == wanted:
                return written
    raise _stuck(keys)


def without(text: str, keys: Sequence[str]) -> str:
    """Return a document in which nothing stands under the keys any more.

    Raises:
        UsageError: nothing does, or the document is written so that it cannot be changed.
    """
    wanted = tomllib.loads(text)
    _take(wanted, keys)
    for write in (_drop_sections, _take_out):
        with suppress(ValueError):
            # A table that is empty now may have had no line of its own.
            if _full(tomllib.loads(written := write(text, keys))) == _full(wanted):
                return written
    raise _stuck(keys)


def _put_in_section(text: str, keys: Sequence[str], value: object) -> str:
    """Write a value at the end of its section, above what is said about the next one.

    Raises:
        ValueError: there is no such section.
    """
    parts = sections(text)
    at = [_name(part) if at else () for at, part in enumerate(parts)].index(tuple(keys[:-1]))
    body = parts[at].rstrip("\r\n")
    end = "\r\n" if parts[at].startswith("\r\n", len(body)) else "\n"
    space = parts[at][len(body) :].removeprefix(end) or ("" if at == len(parts) - 1 else end)
    put = _put_in_table(f"{body}{end}" if body else "", keys, value)
    return "".join((*parts[:at], put, space, *parts[at + 1 :]))


def _put_in_table(text: str, keys: Sequence[str], value: object) -> str:
    """Write a value; a table that is new has lines of its own, but where there are only tables in it."""
    import tomlkit  # noqa: PLC0415 - only who changes the file needs it

    document = tomlkit.parse(text)
    _put(document, keys, value, lambda below: tomlkit.table(is_super_table=below > 0))
    return tomlkit.dumps(document)


def _put_in_line(text: str, keys: Sequence[str], value: object) -> str:
    """Write a value; a table that is new stands in one line, as what is around it does."""
    import tomlkit  # noqa: PLC0415 - the same

    document = tomlkit.parse(text)
    _put(document, keys, value, lambda _: tomlkit.inline_table())
    return tomlkit.dumps(document)


def _put(tree: Tree, keys: Sequence[str], value: object, new: Callable[[int], Tree]) -> None:
    for at, key in enumerate(keys[:-1], 1):
        if key not in tree:
            tree[key] = new(len(keys) - 1 - at)
        if not isinstance(tree[key], dict):
            raise UsageError(f"{'.'.join(keys[:at])} is no table", _BY_HAND)
        tree = tree[key]
    tree[keys[-1]] = value


def _drop_sections(text: str, keys: Sequence[str]) -> str:
    """Leave out the sections of a table, with what is said about them."""
    head, *parts = sections(text)
    return "".join((head, *(part for part in parts if _name(part)[: len(keys)] != tuple(keys))))


def _take_out(text: str, keys: Sequence[str]) -> str:
    import tomlkit  # noqa: PLC0415 - the same

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


def _full(tree: Tree) -> Tree:
    """Return a tree without the tables in which nothing is."""
    inner = {key: _full(value) if isinstance(value, dict) else value for key, value in tree.items()}
    return {key: value for key, value in inner.items() if value != {}}


def _stuck(keys: Sequence[str]) -> UsageError:
    return UsageError(f"{'.'.join(keys)} cannot be changed without changing how the file is written", _BY_HAND)


def write(path: Path, text: str) -> None:
    """Write the file, whole or not at all; a link stays one, and a new file is nobody else's.

    Raises:
        OutputError: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    fresh = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        mode = _mode(target)
        try:
            _fill(fresh, text, mode)
            fresh.replace(target)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {(error.strerror or str(error)).lower()}") from error


def _mode(target: Path) -> int:
    try:
        found = target.stat()
    except FileNotFoundError:
        return 0o600
    if not stat.S_ISREG(found.st_mode):
        raise OutputError(f"{target}: it is no file that could be written")
    return stat.S_IMODE(found.st_mode)


def _fill(path: Path, text: str, mode: int) -> None:
    path.touch(mode=0o600, exist_ok=False)
    with path.open("wb") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    path.chmod(mode)
