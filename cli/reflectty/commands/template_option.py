"""`--template` and `--field`: selects a template and fills it with the inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.commands.ask_options import decode_argument
from reflectty.commands.inputs import read_text_argument
from reflectty.config.templates import NO_TEMPLATE, load_template
from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.templates import INPUT, Template, fields_of, fill_template, parse_fields, refuse_unknown_fields

if TYPE_CHECKING:
    from reflectty.commands.ask_options import AskArguments
    from reflectty.commands.inputs import QuestionInputs
    from reflectty.config import Settings
    from reflectty.core.schema import Schema


class FilledTemplate(NamedTuple):
    """A template with the values of its fields, except the input."""

    template: Template
    fields: dict[str, str]


def select_template(arguments: AskArguments, default_name: str) -> FilledTemplate | None:
    """The selected template with the values of its fields; None without a template.

    Args:
        arguments: the arguments of the question.
        default_name: the template named in the settings.

    Raises:
        UsageError: the template or one of the fields does not exist.
    """
    name = decode_argument(arguments.template) or default_name
    if name in ("", NO_TEMPLATE):
        if arguments.field:
            raise UsageError("--field needs a template", "name one with -t")
        return None
    template = load_template(name, "--template" if arguments.template else "template")
    fields = {
        name: read_text_argument(value, lambda _: None)
        for name, value in parse_fields(map(decode_argument, arguments.field or ())).items()
    }
    refuse_unknown_fields(fields, template)
    return FilledTemplate(template, dict(template.settings.fields) | fields)


def settings_with(template: Template, settings: Settings, *, is_named: bool) -> Settings:
    """The settings with those of a template, which precede them.

    Args:
        template: the template.
        settings: the settings.
        is_named: whether the command line names the template, so that its model precedes that of a session.
    """
    own = template.settings
    options = tuple((dict(settings.options) | dict(own.options)).items())
    settings = settings._replace(
        system=own.system or settings.system,
        mode=own.mode or settings.mode,
        effort=own.effort or settings.effort,
        until_settled=settings.until_settled if own.until_settled is None else own.until_settled,
        samples=own.samples or (0 if own.verify else settings.samples),
        verify=settings.verify and own.samples == 0 if own.verify is None else own.verify,
        options=options,
        evidence=() if own.effort else settings.evidence,
    )
    if not own.model:
        return settings
    is_explicit = is_named or settings.is_model_explicit
    return settings._replace(model=own.model, is_model_explicit=is_explicit, user_configured=True)


def schema_of(template: Template) -> Schema | None:
    """The schema that a template sets.

    Raises:
        UsageError: it is not a schema; the message begins with the location of the template.
    """
    if not template.settings.schema:
        return None
    from reflectty.core.schema import read_schema

    try:
        return read_schema(template.settings.schema)
    except UsageError as error:
        problem = str(error).replace("--schema", "the schema")
        raise UsageError(f"{template.location}: {problem}", error.hint) from error


def refuse_form_with_schema(arguments: AskArguments, template: Template) -> None:
    """Refuse a form of output that an answer with the schema of a template cannot have.

    Raises:
        UsageError: one is given.
    """
    form = "--raw" if arguments.raw else "--code" if arguments.code else ""
    if form and template.settings.schema:
        raise UsageError(
            f"{form} and the schema of the template {template.name} cannot be combined", f"leave out {form}"
        )


def apply_template(filled_template: FilledTemplate, inputs: QuestionInputs) -> QuestionInputs:
    """Put the inputs of a question into a template.

    If the template has an input field, all inputs replace it, material first; if not, the template follows the inputs.

    Raises:
        UsageError: a field or the input is missing.
    """
    template, fields = filled_template
    if INPUT not in fields_of(template.text):
        words = "\n\n".join(filter(str.strip, (inputs.words, fill_template(template.text, fields, template.name))))
        return inputs._replace(words=words)
    input_field = {INPUT: inputs.prompt.rstrip("\n")} if inputs.prompt.strip() else {}
    return inputs._replace(words=fill_template(template.text, fields | input_field, template.name), stdin="", files=())
