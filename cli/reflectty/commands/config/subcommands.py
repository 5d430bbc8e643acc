"""`reflect config show|path|edit|set|unset`: shows and changes the settings."""

from __future__ import annotations

import os
import re
import tomllib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reflectty import config
from reflectty.commands.ask_options import decode_argument
from reflectty.commands.chat import DEFAULT_HOSTS
from reflectty.commands.console import AsJson, info, open_page
from reflectty.commands.options import Profile
from reflectty.config.edit import parse_entry, parse_key
from reflectty.config.explain import ExplainedSetting, explain_settings, find_mistakes, find_mistakes_in
from reflectty.config.load import SettingOrigin, parse_toml, read_toml
from reflectty.config.templates import template_names
from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.messages import Timeouts
from reflectty.core.safety import clean_line
from reflectty.output import write_remark
from reflectty.system.files import read_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from reflectty.system.terminal import Terminal


Key = Annotated[
    str,
    typer.Argument(
        metavar="KEY", help="A setting, such as model, keys.steer or profiles.code.model.", show_default=False
    ),
]
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
    _check_keys(entry.keys, entry.value)
    path = config.config_path()
    text = _write_change(path, lambda text: with_value(text, entry.keys, entry.value))
    info(context.obj, f"set {name} in {path}")
    _warn_of_mistakes(context.obj, path, text)


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
    text = _write_change(path, lambda text: without_value(text, keys))
    info(context.obj, f"removed {name} from {path}")
    _warn_of_mistakes(context.obj, path, text)


def _write_change(path: Path, change: Callable[[str], str]) -> str:
    """Apply a change to the config file and return its new text.

    Raises:
        UsageError: the change would add a mistake.
    """
    from reflectty.config.edit import write_config

    before = read_text(path) or ""
    known = {str(error) for error in find_mistakes_in(parse_toml(before, path), path, {})}
    after = change(before)
    for error in find_mistakes_in(tomllib.loads(after), path, {}):
        if str(error) not in known:
            raise error
    write_config(path, after)
    return after


def _warn_of_mistakes(terminal: Terminal, path: Path, text: str) -> None:
    """Report the mistakes that remain in the file and prevent its use."""
    for error in find_mistakes_in(tomllib.loads(text), path, {}):
        write_remark(terminal, f"still invalid: {error.with_hint}")


def _check_keys(keys: tuple[str, ...], value: object) -> None:
    """Validate a key binding of the chat; other settings pass."""
    if keys[0] == "keys":
        from reflectty.tui.actions import bind_actions

        bind_actions(((keys[1], tuple(value) if isinstance(value, list) else (str(value),) if value else ()),))


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
    from reflectty.system.editor import edit_file

    terminal: Terminal = context.obj
    path = config.config_path()
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
    """Every mistake in the file, including invalid key bindings."""
    mistakes = find_mistakes({}, path)
    if mistakes:
        return mistakes
    keys = config.load_settings({}, path).keys
    if keys:
        from reflectty.tui.actions import bind_actions

        try:
            bind_actions(keys)
        except UsageError as error:
            return (error,)
    return ()


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


_SECRETS = frozenset(setting.key or setting.field for setting in config.SETTINGS if setting.is_secret)
"""What is never shown, only whether it is set."""
_PASSWORD = re.compile(r"(?<=:)[^:@/]*(?=@)")


def show(context: typer.Context, profile: Profile = "", as_json: AsJson = False) -> None:
    """Show every setting, its value, and where it comes from.

    Later sources override earlier ones: defaults, the file, a profile from the file or REFLECTTY_PROFILE, the
    environment, a profile from --profile, other options.
    """
    terminal: Terminal = context.obj
    found = tuple(map(_hide_secrets, (*explain_settings(profile=decode_argument(profile)), *_list_tables())))
    unset = {key: setting.unset for key, setting in config.FILE_SETTINGS.items()}
    unset["host"] = DEFAULT_HOSTS[next(str(one.value) for one in found if one.key == "engine")]
    if as_json:
        from reflectty.export.json import dump_json

        terminal.out.write(dump_json([_as_object(one) for one in found]))
        return
    from reflectty.output.tables import settings_rows

    page = open_page(terminal)
    page.write(
        settings_rows(
            [(one.key, _value_text_of(one) or unset.get(one.key, "none"), _origin_text_of(one)) for one in found], page
        )
    )


def path(context: typer.Context) -> None:
    """Print the path of the config file; it may not exist."""
    terminal: Terminal = context.obj
    terminal.out.write(f"{clean_line(str(config.config_path()), 4096)}\n")


def _list_tables() -> tuple[ExplainedSetting, ...]:
    """The names of the profiles and templates, as settings."""
    profiles, templates = config.profile_names(), template_names()
    return (
        ExplainedSetting("profiles", profiles, SettingOrigin.FILE if profiles else SettingOrigin.DEFAULT),
        ExplainedSetting("templates", templates, SettingOrigin.FILE if templates else SettingOrigin.DEFAULT),
    )


def _hide_secrets(one: ExplainedSetting) -> ExplainedSetting:
    """Hide the value of a secret and the passwords in hosts."""
    if one.key in _SECRETS:
        return one._replace(value=bool(one.value))
    if one.key == "host":
        return one._replace(value=_PASSWORD.sub("***", str(one.value)))
    if one.key == "hosts" and isinstance(one.value, tuple):
        return one._replace(value=tuple(_PASSWORD.sub("***", host) for host in one.value))
    return one


def _as_object(one: ExplainedSetting) -> dict[str, Any]:
    value = one.value._asdict() if isinstance(one.value, Timeouts) else one.value
    return {"key": one.key, "value": value, "from": str(one.origin), "name": one.source_name or None}


def _value_text_of(one: ExplainedSetting) -> str:
    """The text of a value; empty if the setting is unset."""
    if one.key in _SECRETS:
        return "set (hidden)" if one.value else "not set"
    if isinstance(one.value, bool):
        return str(one.value).lower()
    if isinstance(one.value, Timeouts):
        return ",".join(f"{part}={seconds:g}" for part, seconds in one.value._asdict().items())
    return ", ".join(map(str, one.value)) if isinstance(one.value, tuple) else str(one.value)


def _origin_text_of(one: ExplainedSetting) -> str:
    return f"{one.origin} ({one.source_name})" if one.source_name else str(one.origin)
