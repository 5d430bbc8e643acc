"""`reflect config edit|set|unset`: one change of the user's file, looked at before it is made or right after."""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import config
from reflectty.commands.arguments import decoded
from reflectty.commands.output import told
from reflectty.config.document import parse, read_text
from reflectty.config.entering import entry, place
from reflectty.config.explaining import mistakes, mistakes_in
from reflectty.errors import UsageError, near
from reflectty.render.remark import remark

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reflectty.terminal import Terminal

Key = Annotated[
    str,
    typer.Argument(
        metavar="KEY", help="A setting, such as model, keys.steer or profiles.code.model.", show_default=False
    ),
]
Value = Annotated[
    list[str],
    typer.Argument(metavar="VALUE...", help="Its value; several words are joined, or a list.", show_default=False),
]
BEGINNING = """\
# The settings of reflect. A line that begins with # says nothing; `reflect config` shows what holds.

# model = "reflection"
# host = "127.0.0.1:11434"
# timeout = "first=600,idle=60"
# options = { num_ctx = 8192 }

# [profiles.code]            # reflect --profile code "…"
# model = "qwen3"
# system = "Answer with code."

# [templates]                # reflect -t translate --field language=French "good morning"
# translate = "Translate into {language}: {input}"
"""
"""What a file begins with that is opened for the first time."""


def set_(context: typer.Context, key: Key, value: Value) -> None:
    """Set one value; comments, order and the rest of the file stay as they are."""
    from reflectty.config.writing import with_value  # noqa: PLC0415 - only who changes the file needs it

    name, words = decoded(key), [decoded(word) for word in value]
    wanted = entry(name, words)
    _refuse_keys(wanted.keys, wanted.value)
    path = config.config_path()
    text = _change(path, lambda text: with_value(text, wanted.keys, wanted.value))
    told(context.obj, f"{name} is set in {path}")
    _warn(context.obj, path, text)


def unset(context: typer.Context, key: Key) -> None:
    """Take one value out of the file, or a whole profile; the rest stays as it is."""
    from reflectty.config.writing import without  # noqa: PLC0415 - only who changes the file needs it

    name, path = decoded(key), config.config_path()
    keys = place(name)
    document = parse(read_text(path) or "", path)
    if not _stands(document, keys):
        known = tuple(_leaves(document))
        hint = near(name, known) or (f"there are {', '.join(known)}" if known else "the file sets nothing")
        raise UsageError(f"{path}: {name} is not set", hint)
    text = _change(path, lambda text: without(text, keys))
    told(context.obj, f"{name} is not set any more in {path}")
    _warn(context.obj, path, text)


def _change(path: Path, change: Callable[[str], str]) -> str:
    """Write the file with a change that brings no mistake into it; return what it says then."""
    from reflectty.config.writing import write  # noqa: PLC0415 - only who changes the file needs it

    before = read_text(path) or ""
    known = {str(error) for error in mistakes_in(parse(before, path), path, {})}
    after = change(before)
    for error in mistakes_in(tomllib.loads(after), path, {}):
        if str(error) not in known:
            raise error
    write(path, after)
    return after


def _warn(terminal: Terminal, path: Path, text: str) -> None:
    """Say what else is wrong in the file, which keeps it from being used."""
    for error in mistakes_in(tomllib.loads(text), path, {}):
        remark(terminal, f"still wrong: {_line(error)}")


def _refuse_keys(keys: tuple[str, ...], value: object) -> None:
    """Refuse an action or a key that the chat does not have."""
    if keys[0] == "keys":
        from reflectty.tui.keys import bound  # noqa: PLC0415 - only the keys of the chat need its list

        bound(((keys[1], tuple(value) if isinstance(value, list) else (str(value),) if value else ()),))


def _stands(document: object, keys: tuple[str, ...]) -> bool:
    for key in keys:
        if not isinstance(document, dict) or key not in document:
            return False
        document = document[key]
    return True


def _leaves(document: Mapping[str, object], before: str = "") -> list[str]:
    """Return the dotted keys of all values."""
    return [
        leaf
        for key, value in document.items()
        for leaf in (_leaves(value, f"{before}{key}.") if isinstance(value, dict) else [f"{before}{key}"])
    ]


def edit(context: typer.Context) -> None:
    """Open the file in your editor, and say afterwards what in it cannot be used."""
    from reflectty.config.writing import write  # noqa: PLC0415 - only who changes the file needs it
    from reflectty.editor import edit_file  # noqa: PLC0415

    terminal: Terminal = context.obj
    path = config.config_path()
    if not os.path.lexists(path):
        write(path, BEGINNING)
    while True:
        if not edit_file(path):
            raise UsageError("the editor failed", f"what it left is in {path}")
        wrong = _wrong(path)
        for error in wrong:
            remark(terminal, _line(error))
        if not wrong:
            told(terminal, f"{path} can be used")
            return
        if not _again(terminal):
            raise UsageError(f"{path} cannot be used as it is", "your edit is kept: `reflect config edit` goes on")


def _wrong(path: Path) -> tuple[UsageError, ...]:
    """Return every mistake in the file, the keys of the chat included."""
    found = mistakes({}, path)
    if found:
        return found
    keys = config.load({}, path).keys
    if keys:
        from reflectty.tui.keys import bound  # noqa: PLC0415 - only the keys of the chat need its list

        try:
            bound(keys)
        except UsageError as error:
            return (error,)
    return ()


def _line(error: UsageError) -> str:
    return f"{error} ({error.hint})" if error.hint else str(error)


def _again(terminal: Terminal) -> bool:
    """Ask whether to go on editing, where somebody can be asked."""
    if not (terminal.stdin_tty and terminal.err.tty and terminal.stdin):
        return False
    terminal.say("Edit again? [Y/n] ")
    answer = terminal.stdin.readline()
    if not answer.endswith(b"\n"):
        terminal.say("\n")
        return False
    return answer.strip().lower() in (b"", b"y", b"yes")
