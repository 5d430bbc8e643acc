"""`reflect config edit|set|unset`: changes the settings."""

from __future__ import annotations

import os
import tomllib
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import config
from reflectty.commands.ask_options import decode_argument
from reflectty.commands.config.display import Key
from reflectty.commands.config.mistakes import find_every_mistake
from reflectty.commands.console import info
from reflectty.config.edit import parse_entry, parse_key
from reflectty.config.explain import find_override
from reflectty.config.load import SettingOrigin, parse_toml, read_toml
from reflectty.core.errors import UsageError, did_you_mean
from reflectty.output import write_remark
from reflectty.system.files import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reflectty.system.terminal import Terminal


Value = Annotated[
    list[str],
    typer.Argument(metavar="VALUE...", help="The value; several words are joined, or form a list.", show_default=False),
]
INITIAL_TEXT = """\
# Settings of reflect. Lines that start with # are ignored; `reflect config` shows the settings in effect.

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
"""The content of a new config file."""


def set_(context: typer.Context, key: Key, value: Value) -> None:
    """Set a value; comments, order and the rest of the file stay unchanged."""
    from reflectty.config.edit import with_value

    name, words = decode_argument(key), [decode_argument(word) for word in value]
    entry = parse_entry(name, words)
    path = config.config_path()
    text = write_change(path, lambda text: with_value(text, entry.keys, entry.value))
    info(context.obj, f"set {name} in {path}")
    _warn_of_mistakes(context.obj, path, text)
    _warn_of_override(context.obj, name, entry.keys)


def unset(context: typer.Context, key: Key) -> None:
    """Remove a value or a whole profile from the file; the rest stays unchanged."""
    from reflectty.config.edit import without_value

    name, path = decode_argument(key), config.config_path()
    keys = parse_key(name)
    document = read_toml(path)
    if not _is_set(document, keys):
        known = tuple(_dotted_keys_of(document))
        hint = did_you_mean(name, known) or (f"the file sets {', '.join(known)}" if known else "the file sets nothing")
        raise UsageError(f"{path}: {name} is not set", hint)
    text = write_change(path, lambda text: without_value(text, keys))
    info(context.obj, f"removed {name} from {path}")
    _warn_of_mistakes(context.obj, path, text)


def write_change(path: Path, change: Callable[[str], str]) -> str:
    """Apply a change to the config file and return its new text.

    Raises:
        UsageError: the change would add a mistake.
    """
    from reflectty.config.edit import write_config

    before = read_text(path) or ""
    known = {str(error) for error in find_every_mistake(parse_toml(before, path), path, {})}
    after = change(before)
    for error in find_every_mistake(tomllib.loads(after), path, {}):
        if str(error) not in known:
            raise error
    write_config(path, after)
    return after


def _warn_of_mistakes(terminal: Terminal, path: Path, text: str) -> None:
    """Report the mistakes that remain in the file and prevent its use."""
    for error in find_every_mistake(tomllib.loads(text), path, {}):
        write_remark(terminal, f"still invalid: {error.with_hint}")


def _warn_of_override(terminal: Terminal, name: str, keys: tuple[str, ...]) -> None:
    """Report that a variable or the profile in use overrides the value just set."""
    with suppress(UsageError):
        one = find_override(keys)
        if one and one.origin is SettingOrigin.ENVIRONMENT:
            write_remark(terminal, f"{one.source_name} is set and overrides {name} (unset {one.source_name})")
        elif one:
            own = f"profiles.{one.source_name}.{one.key}"
            write_remark(terminal, f"profile {one.source_name} is in use and overrides {name} (set {own} instead)")


def _is_set(document: object, keys: tuple[str, ...]) -> bool:
    for key in keys:
        if not isinstance(document, dict) or key not in document:
            return False
        document = document[key]
    return True


def _dotted_keys_of(document: Mapping[str, object], before: str = "") -> list[str]:
    """The dotted keys of all values."""
    return [
        leaf
        for key, value in document.items()
        for leaf in (_dotted_keys_of(value, f"{before}{key}.") if isinstance(value, dict) else [f"{before}{key}"])
    ]


def edit(context: typer.Context) -> None:
    """Open the file in your editor, then report invalid settings."""
    from reflectty.config.edit import write_config
    from reflectty.system.editor import edit_file, require_editor

    terminal: Terminal = context.obj
    path = config.config_path()
    require_editor()
    if not os.path.lexists(path):
        write_config(path, INITIAL_TEXT)
    while True:
        if not edit_file(path):
            raise UsageError("the editor failed", f"any changes are in {path}")
        mistakes = _find_mistakes(path)
        for error in mistakes:
            write_remark(terminal, error.with_hint)
        if not mistakes:
            info(terminal, f"{path} is valid")
            return
        if not _ask_to_edit_again(terminal):
            raise UsageError(f"{path} is not valid", "your edit is saved: run `reflect config edit` to continue")


def _find_mistakes(path: Path) -> tuple[UsageError, ...]:
    """Every mistake in the file; one in its form hides the others."""
    try:
        return find_every_mistake(read_toml(path), path, {})
    except UsageError as error:
        return (error,)


def _ask_to_edit_again(terminal: Terminal) -> bool:
    """Ask whether to edit again; False without a terminal."""
    if not (terminal.stdin_tty and terminal.err.tty and terminal.stdin):
        return False
    terminal.write_stderr("Edit again? [Y/n] ")
    answer = terminal.stdin.readline()
    if not answer.endswith(b"\n"):
        terminal.write_stderr("\n")
        return False
    return answer.strip().lower() in (b"", b"y", b"yes")
