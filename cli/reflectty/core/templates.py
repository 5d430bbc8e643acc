"""Finds, checks and fills the `{fields}` of prompt templates.

A field is a name between braces, `{language}`; a name begins with a letter and continues with letters, digits, `_` and
`-`. `{input}` is the subject of the question: stdin, the files, the words. Every other brace is literal, so that code
needs no escaping: `{}`, `{ x }`, `{"a": 1}`, `f"{x.y}"`, and also the `${name}` of a shell. `{{name}}` is a literal
`{name}`. The value of a field is never parsed again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reflectty.core.messages import OptionValue

INPUT = "input"
"""The field for the subject of the question."""
INPUT_HINT = "pipe it in, or write it after the options"
_NAME = r"[^\W\d_][\w-]*"
_BRACES = re.compile(rf"\{{\{{({_NAME})\}}\}}|(?<!\$)\{{({_NAME})\}}")


class TemplateSettings(NamedTuple):
    """What a template sets besides its text; empty where it sets nothing."""

    model: str = ""
    system: str = ""
    schema: str = ""
    """As after `--schema`."""
    mode: str = ""
    effort: str = ""
    until_settled: bool | None = None
    """None if it does not say."""
    samples: int = 0
    verify: bool | None = None
    """None if it does not say."""
    options: tuple[tuple[str, OptionValue], ...] = ()
    fields: tuple[tuple[str, str], ...] = ()
    """The defaults of its fields."""


NO_TEMPLATE_SETTINGS = TemplateSettings()


class Template(NamedTuple):
    """A template: its name, its text, its location and what it sets."""

    name: str
    text: str
    location: str = ""
    settings: TemplateSettings = NO_TEMPLATE_SETTINGS
    head: str = ""
    """The settings as written."""


def fields_of(text: str) -> tuple[str, ...]:
    """The names of the fields in a text, each once, in their order."""
    return tuple(dict.fromkeys(match[2] for match in _BRACES.finditer(text) if match[2]))


def fill_template(template_text: str, fields: Mapping[str, str], name: str = "") -> str:
    """Fill the fields of a template; surplus fields are ignored.

    Args:
        template_text: the text of a template.
        fields: the values, the input among them.
        name: the template's name, for errors.

    Raises:
        UsageError: one of its fields is missing; the hint says how to pass it.
    """
    missing = [field for field in fields_of(template_text) if field not in fields]
    if missing:
        raise _missing_fields_error(missing, f"the template {name}" if name else "the template")
    return _BRACES.sub(lambda match: fields[match[2]] if match[2] else f"{{{match[1]}}}", template_text)


def _missing_fields_error(fields: list[str], template: str) -> UsageError:
    if INPUT in fields:
        return UsageError(f"{template} needs a value for {{{INPUT}}}", INPUT_HINT)
    listed = " and ".join(f"{{{field}}}" for field in fields)
    first = fields[0]
    return UsageError(
        f"{template} needs a value for {listed}",
        f"use --field {first}=TEXT, or {{{{{first}}}}} for literal braces",
    )


def refuse_unfillable_fields(template: Template, fields: Iterable[str]) -> None:
    """Refuse a template for lines of plain text if they leave one of its fields without a value.

    Args:
        template: the template.
        fields: the fields that have a value.

    Raises:
        UsageError: the first such field.
    """
    missing = next((name for name in fields_of(template.text) if name not in {INPUT, *fields}), "")
    if missing:
        raise UsageError(
            f"the template {template.name} needs a value for {{{missing}}}, which lines of plain text do not have",
            f"use --field {missing}=TEXT, or lines of JSON with a member {missing}",
        )


def parse_fields(pairs: Iterable[str]) -> dict[str, str]:
    """Parse fields from `NAME=VALUE` texts; a repeated one replaces.

    Raises:
        UsageError: no `=`, or the field `input`, which cannot be set.
    """
    fields: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise UsageError(
                f"--field {pair!r} has no value", "write it as NAME=VALUE, such as --field language=French"
            )
        if name.strip() == INPUT:
            raise UsageError("--field input cannot be set", INPUT_HINT)
        fields[name.strip()] = value
    return fields


def refuse_unknown_fields(names: Iterable[str], template: Template) -> None:
    """Refuse fields that a template does not have.

    Raises:
        UsageError: the first such field.
    """
    field_names = [name for name in fields_of(template.text) if name != INPUT]
    for name in names:
        if name not in field_names:
            listed = f"its fields are {', '.join(field_names)}" if field_names else "it has no fields besides the input"
            raise UsageError(
                f"the template {template.name} has no field {name!r}", did_you_mean(name, field_names) or listed
            )
