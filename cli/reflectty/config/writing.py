"""Changes one value in the user's file, and leaves its comments, its order and everything else as they are."""

from __future__ import annotations

import os
import stat
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    import tomlkit  # noqa: PLC0415 - only who changes the file needs it

    wanted = tomllib.loads(text)
    _put(wanted, keys, value, lambda _: {})
    # A table gets lines of its own, or stands in one line where what is around it does.
    for new in (lambda below: tomlkit.table(is_super_table=below > 0), lambda _: tomlkit.inline_table()):
        document = tomlkit.parse(text)
        with suppress(ValueError):
            _put(document, keys, value, new)
            if _says(written := tomlkit.dumps(document), wanted):
                return written
    raise _stuck(keys)


def _put(tree: Tree, keys: Sequence[str], value: object, new: Callable[[int], Tree]) -> None:
    for at, key in enumerate(keys[:-1], 1):
        if key not in tree:
            tree[key] = new(len(keys) - 1 - at)
        if not isinstance(tree[key], dict):
            raise UsageError(f"{'.'.join(keys[:at])} is no table", _BY_HAND)
        tree = tree[key]
    tree[keys[-1]] = value


def without(text: str, keys: Sequence[str]) -> str:
    """Return a document in which nothing stands under the keys any more.

    Raises:
        UsageError: nothing does, or the document is written so that it cannot be changed.
    """
    import tomlkit  # noqa: PLC0415 - only who changes the file needs it

    document, wanted = tomlkit.parse(text), tomllib.loads(text)
    for tree in (document, wanted):
        table: Any = tree
        for key in keys[:-1]:
            table = table.get(key) if isinstance(table, dict) else None
        if not isinstance(table, dict) or keys[-1] not in table:
            raise UsageError(f"{'.'.join(keys)} is not set")
        del table[keys[-1]]
    if _says(written := tomlkit.dumps(document), wanted):
        return written
    raise _stuck(keys)


def _says(text: str, wanted: Tree) -> bool:
    """Whether a document says what it should, and nothing else."""
    with suppress(ValueError):
        return tomllib.loads(text) == wanted
    return False


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
