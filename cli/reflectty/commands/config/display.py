"""`reflect config show|get|schema|path`: prints the settings, their values and sources."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reflectty import config
from reflectty.commands.ask_options import decode_argument
from reflectty.commands.chat import DEFAULT_HOSTS
from reflectty.commands.config.mistakes import find_every_mistake
from reflectty.commands.console import AsJson, find_theme
from reflectty.commands.options import Profile
from reflectty.config.edit import parse_key
from reflectty.config.evidence import evidence_table
from reflectty.config.explain import ExplainedSetting, explain_settings
from reflectty.config.load import (
    EXTENDS,
    TABLES,
    SettingOrigin,
    profile_chain,
    profiles_of,
    read_toml,
    unknown_setting_error,
    user_config_path,
)
from reflectty.config.schema import FILE_SETTINGS, PROFILE_SETTINGS, TABLE_ABOUTS
from reflectty.config.templates import load_template, template_names
from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.evidence import Evidence
from reflectty.core.messages import Timeouts
from reflectty.core.options import OPTIONS
from reflectty.core.safety import clean_line
from reflectty.output import write_remark
from reflectty.system.terminal import system_environment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.system.terminal import Terminal

Key = Annotated[
    str,
    typer.Argument(
        metavar="KEY", help="A setting, such as model, keys.steer or profiles.code.model.", show_default=False
    ),
]
_MAX_LENGTH = 1 << 20
"""Code points of a printed value: more than the file can hold."""
_ENTRY_DEPTH = 2
"""Keys that lead to an entry of a table."""


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
    if as_json:
        _write_json(terminal, [_as_object(one) for one in found])
    else:
        from reflectty.output.tables import Page, settings_rows

        page, defaults = Page(terminal, find_theme().theme), _default_texts(found)
        page.write(
            settings_rows(
                [
                    (one.key, _value_text_of(one) or defaults.get(one.key, "none"), _origin_text_of(one), _about(one))
                    for one in found
                ],
                page,
            )
        )
    file = user_config_path() or Path()
    for error in find_every_mistake(read_toml(file), file, system_environment()):
        write_remark(terminal, error.with_hint)


def get(context: typer.Context, key: Key, profile: Profile = "", as_json: AsJson = False) -> None:
    """Print the value in effect of one setting, alone on a line.

    A setting without a value prints nothing and exits with 2; --json prints it with its source as `show` does.
    """
    name, terminal = decode_argument(key), context.obj
    one = _hide_secrets(_find_setting(name, decode_argument(profile)))
    if as_json:
        _write_json(terminal, _as_object(one))
        return
    if one.key in _SECRETS:
        raise UsageError(f"{name} is never shown", f"it is {_value_text_of(one)}; `reflect config get {name} --json`")
    text = _value_text_of(one)
    if not text and name == "host":
        text = _default_texts(explain_settings(profile=decode_argument(profile)))[name]
    if not text:
        raise UsageError(f"{name} is not set", _unset_hint(name))
    terminal.out.write(f"{clean_line(text, _MAX_LENGTH)}\n")


def _unset_hint(name: str) -> str:
    """What holds without a value, or how to set one."""
    if name.partition(".")[0] == "evidence":
        return "`reflect eval apply RUN` writes it"
    setting = FILE_SETTINGS.get(name)
    if setting and setting.unset != "none":
        return f"default: {setting.unset}"
    entry = {"profiles": ".NAME.KEY", "templates": ".NAME", "options": ".NAME"}.get(name, "")
    return f"set it with `reflect config set {name}{entry} VALUE`"


def _find_setting(name: str, profile: str) -> ExplainedSetting:
    """Find a setting, an entry of one, or one of a profile or template, by its dotted key.

    Raises:
        UsageError: there is no such setting, or the settings are not valid.
    """
    keys = parse_key(name)
    if keys[0] in TABLES and len(keys) == 1:
        return next(one for one in _list_tables() if one.key == name)
    if keys[0] == "templates":
        return ExplainedSetting(name, load_template(".".join(keys[1:]), name).text, SettingOrigin.FILE)
    if keys[0] == "profiles":
        return _find_in_profile(keys)
    known = {setting.key or setting.field: setting for setting in config.SETTINGS}
    if keys[0] not in known:
        raise unknown_setting_error(keys[0], (*FILE_SETTINGS, *TABLES), f"unknown setting {keys[0]!r}")
    return _pick_row(name, keys, explain_settings(profile=profile))


def _find_in_profile(keys: tuple[str, ...]) -> ExplainedSetting:
    """Find what a profile or one of its bases sets."""
    name, profile, beyond, path = ".".join(keys), keys[1], keys[2:], user_config_path()
    profiles = profiles_of(read_toml(path), path) if path else {}
    profile_chain(profile, profiles, name)  # raises if it does not exist
    if not beyond:
        raise UsageError(f"{name} is a table", f"name one of its entries: {name}.KEY")
    if beyond == (EXTENDS,):
        value, source = profiles[profile].get(EXTENDS, ""), SettingOrigin.PROFILE
        return ExplainedSetting(name, value, source if value else SettingOrigin.DEFAULT, profile if value else "")
    if beyond[0] not in PROFILE_SETTINGS:
        raise unknown_setting_error(beyond[0], (*PROFILE_SETTINGS, EXTENDS), f"unknown setting {name!r}")
    rows = explain_settings({}, path, profile)
    own = tuple(row for row in rows if row.origin is SettingOrigin.PROFILE)
    return _pick_row(".".join(beyond), beyond, own)._replace(key=name)


def _pick_row(name: str, keys: tuple[str, ...], rows: tuple[ExplainedSetting, ...]) -> ExplainedSetting:
    """Pick the row of a setting; a table that is set has a row for each entry, and they become one."""
    found = next((row for row in rows if row.key == name), None)
    if found:
        return found
    entries = [row for row in rows if row.key.startswith(f"{name}.")]
    if entries:
        last = entries[-1]
        value = {row.key.removeprefix(f"{name}."): row.value for row in entries}
        return ExplainedSetting(name, value, last.origin, last.source_name)
    setting = FILE_SETTINGS.get(keys[0])
    if len(keys) > 1:
        if len(keys) > _ENTRY_DEPTH or setting is None or not setting.is_table:
            raise UsageError(f"{name} is not a setting", f"{keys[0]} has no entry {'.'.join(keys[1:])!r}")
        _check_entry(keys[0], keys[1])
    return ExplainedSetting(name, "")


def _check_entry(table: str, entry: str) -> None:
    """Check that a table of settings can have an entry.

    Raises:
        UsageError: Ollama has no such option, or the chat no such action.
    """
    if table == "keys":
        from reflectty.tui.actions import bind_actions

        bind_actions(((entry, ()),))
    elif table == "options" and entry not in OPTIONS:
        raise UsageError(
            f"unknown option {entry!r}", did_you_mean(entry, OPTIONS) or f"choose from {', '.join(OPTIONS)}"
        )


def schema(context: typer.Context) -> None:
    """Print the JSON Schema of the config file, for your editor."""
    from reflectty.config.json_schema import config_schema
    from reflectty.export.json import dump_json
    from reflectty.tui.actions import ACTIONS

    terminal: Terminal = context.obj
    terminal.out.write(dump_json(config_schema(action.name for action in ACTIONS), indent=2))


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


def _default_texts(found: Iterable[ExplainedSetting]) -> dict[str, str]:
    """What holds without a value, by setting."""
    engine = next(str(one.value) for one in found if one.key == "engine")
    return {key: setting.unset for key, setting in FILE_SETTINGS.items()} | {"host": DEFAULT_HOSTS[engine]}


_ABOUTS = {setting.key or setting.field: setting.about for setting in config.SETTINGS if setting.about} | TABLE_ABOUTS


def _about(one: ExplainedSetting) -> str:
    """What a setting is; entries of a table need no words."""
    return _ABOUTS.get(one.key, "")


def _write_json(terminal: Terminal, value: object) -> None:
    from reflectty.export.json import dump_json

    terminal.out.write(dump_json(value))


def _hide_secrets(one: ExplainedSetting) -> ExplainedSetting:
    """Hide the value of a secret and the passwords in hosts."""
    if one.key in _SECRETS:
        return one._replace(value=bool(one.value))
    if one.key.rpartition(".")[2] == "host":
        return one._replace(value=_PASSWORD.sub("***", str(one.value)))
    if one.key.rpartition(".")[2] == "hosts" and isinstance(one.value, tuple):
        return one._replace(value=tuple(_PASSWORD.sub("***", host) for host in one.value))
    return one


def _as_object(one: ExplainedSetting) -> dict[str, Any]:
    return {
        "key": one.key,
        "value": _value_object_of(one.value),
        "from": str(one.origin),
        "name": one.source_name or None,
    }


def _value_object_of(value: object) -> object:
    """A value as JSON has it: named values become objects."""
    if isinstance(value, Timeouts):
        return value._asdict()
    if isinstance(value, Evidence):
        return evidence_table(value)
    return {key: _value_object_of(one) for key, one in value.items()} if isinstance(value, dict) else value


def _value_text_of(one: ExplainedSetting) -> str:
    """The text of a value; empty if the setting is unset."""
    if one.key in _SECRETS:
        return "set (hidden)" if one.value else "not set"
    if isinstance(one.value, Timeouts):
        return ",".join(f"{part}={seconds:g}" for part, seconds in one.value._asdict().items())
    if isinstance(one.value, dict):
        return ", ".join(f"{name}={_text_of(value)}" for name, value in one.value.items())
    return _text_of(one.value)


def _text_of(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Evidence):
        return str(value)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _origin_text_of(one: ExplainedSetting) -> str:
    return f"{one.origin} ({one.source_name})" if one.source_name else str(one.origin)
