"""Parses the head of a template: TOML between two lines of `+++`, which sets how its questions are asked."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from reflectty.config.load import parse_toml
from reflectty.config.schema import PROFILE_SETTINGS, parse_text
from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.templates import Template, TemplateSettings, refuse_unknown_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FENCE = "+++"
"""The line before and after a head."""


def template_of(name: str, text: str, location: str, key: str = "") -> Template:
    """The template of a text, which may begin with a head.

    Args:
        name: the name of the template.
        text: the text.
        location: the file.
        key: its key, if the file holds more than this template.

    Raises:
        UsageError: the head has a mistake; the message begins with the file.
    """
    where = f"{location}: {key}" if key else location
    first, *rest = text.rstrip("\n").split("\n")
    lines = [line.rstrip() for line in rest]
    if first.rstrip() != FENCE:
        return Template(name, text.rstrip("\n"), location)
    if FENCE not in lines:
        raise UsageError(f"{where}: its head has no end", f"put a line with {FENCE} before the text")
    end = lines.index(FENCE)
    head, body = "\n".join(rest[:end]), "\n".join(rest[end + 1 :]).lstrip("\n")
    template = Template(name, body, location, _parse_head(head, where, Path(location).parent), head)
    try:
        refuse_unknown_fields(dict(template.settings.fields), template)
    except UsageError as error:
        raise UsageError(f"{where}: fields: {error}", error.hint) from error
    return template


def _parse_head(head: str, where: str, folder: Path) -> TemplateSettings:
    """Parse the settings of a head.

    Args:
        head: the TOML.
        where: its place, for errors.
        folder: the folder of files that it names.

    Raises:
        UsageError: it is not TOML, or a setting is unknown or invalid.
    """
    try:
        # The line before the head counts, so that a mistake has the line of the file.
        document = parse_toml(f"\n{head}", Path(where))
    except UsageError as error:
        raise UsageError(str(error), 'write it as model = "qwen3:8b"') from error
    unknown = next((key for key in document if key not in _PARSERS), None)
    if unknown is not None:
        hint = did_you_mean(unknown, _PARSERS) or f"choose from {', '.join(_PARSERS)}"
        raise UsageError(f"{where}: a template has no setting {unknown!r}", hint)
    parsed = {key: _PARSERS[key](value, f"{where}: {key}") for key, value in document.items()}
    schema = str(parsed.get("schema", ""))
    if schema.startswith("@"):
        parsed["schema"] = f"@{folder / Path(schema[1:]).expanduser()}"
    return TemplateSettings(**parsed)  # type: ignore[arg-type]


def _parse_fields(value: object, name: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict):
        raise UsageError(f"{name} must be a table", 'write it as fields = { language = "French" }')
    return tuple((field, _parse_default(default, f"{name}.{field}")) for field, default in value.items())


def _parse_default(value: object, name: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise UsageError(f"{name} must be a quoted string or a number")
    return str(value)


def _parse_schema(value: object, name: str) -> str:
    """Parse a schema: a table, or a text as after `--schema`."""
    if isinstance(value, dict):
        try:
            return json.dumps(value)
        except TypeError as error:
            raise UsageError(f"{name} must not have dates or times") from error
    return parse_text(value, name)


def _parse_setting(key: str, value: object, name: str) -> object:
    return PROFILE_SETTINGS[key].parse(value, name, ())


_PARSERS: Mapping[str, Callable[[object, str], object]] = {
    **{
        key: partial(_parse_setting, key)
        for key in ("model", "system", "mode", "effort", "until_settled", "samples", "verify", "options")
    },
    "schema": _parse_schema,
    "fields": _parse_fields,
}
"""The parsers of the settings of a head, by key."""
