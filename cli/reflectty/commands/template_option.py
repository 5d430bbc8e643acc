"""`--template` and `--field`: selects a template and fills it with the inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.commands.ask_options import decode_argument
from reflectty.config.templates import NO_TEMPLATE, load_template
from reflectty.core.errors import UsageError
from reflectty.core.templates import INPUT, Template, fields_of, fill_template, parse_fields, refuse_unknown_fields

if TYPE_CHECKING:
    from reflectty.commands.ask_options import AskArguments
    from reflectty.commands.inputs import QuestionInputs


class FilledTemplate(NamedTuple):
    """A template, and what its fields are filled with, all but the input."""

    template: Template
    fields: dict[str, str]


def select_template(arguments: AskArguments, default_name: str) -> FilledTemplate | None:
    """Return the template that is wanted, or None where there is to be none.

    Args:
        arguments: the arguments.
        default_name: the template that the settings name.

    Raises:
        UsageError: there is no such template, or it has no such field.
    """
    wanted = decode_argument(arguments.template) or default_name
    if wanted in ("", NO_TEMPLATE):
        if arguments.field:
            raise UsageError("--field needs a template", "name one with -t")
        return None
    found = load_template(wanted, "--template" if arguments.template else "template")
    fields = parse_fields(map(decode_argument, arguments.field or ()))
    refuse_unknown_fields(fields, found)
    return FilledTemplate(found, fields)


def apply_template(filled_template: FilledTemplate, gathered: QuestionInputs) -> QuestionInputs:
    """Return the question that a template makes of what was gathered.

    Where the template has an input, all of it stands there, material first; else the template's own words come last.

    Raises:
        UsageError: a field is missing, or the input is.
    """
    found, fields = filled_template
    if INPUT not in fields_of(found.text):
        words = "\n\n".join(filter(str.strip, (gathered.words, fill_template(found.text, fields, found.name))))
        return gathered._replace(words=words)
    given = {INPUT: gathered.prompt.rstrip("\n")} if gathered.prompt.strip() else {}
    return gathered._replace(words=fill_template(found.text, fields | given, found.name), stdin="", files=())
