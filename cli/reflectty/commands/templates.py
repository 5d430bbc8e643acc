"""`reflect templates list|show|edit|remove|path`: shows and changes the user's templates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import config
from reflectty.commands.ask_options import decode_argument
from reflectty.commands.console import (
    AsJson,
    Yes,
    confirm,
    end_without_effect,
    info,
    make_group,
    open_page,
    require_yes,
)
from reflectty.commands.template_option import schema_of
from reflectty.config.schema import parse_name
from reflectty.config.template_head import FENCE
from reflectty.config.templates import load_template, missing_template_error, template_names, template_path
from reflectty.core.errors import UsageError, reason_of
from reflectty.core.safety import clean, clean_line
from reflectty.core.templates import fields_of
from reflectty.output import write_remark

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reflectty.core.templates import Template
    from reflectty.system.terminal import Terminal

Name = Annotated[str, typer.Argument(metavar="NAME", help="The template.", show_default=False)]
Names = Annotated[list[str], typer.Argument(metavar="NAME...", help="The templates.", show_default=False)]
OptionalName = Annotated[
    str, typer.Argument(metavar="[NAME]", help="The template (default: the folder of all).", show_default=False)
]
EMPTY = "no templates yet: run reflect templates edit NAME to create one"


def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List the templates with their fields and the start of their text."""
    terminal: Terminal = context.obj
    found = tuple(_load_usable(terminal))
    if as_json:
        from reflectty.export.json import dump_json

        terminal.out.write(dump_json([_as_object(one) for one in found]))
    elif found:
        from reflectty.output.tables import template_rows

        page = open_page(terminal)
        page.write(template_rows(found, page))
    elif not template_names():
        write_remark(terminal, EMPTY)


def _load_usable(terminal: Terminal) -> Iterator[Template]:
    """Yield the valid templates, and report the mistakes in the others."""
    for name in template_names():
        try:
            yield load_template(name)
        except UsageError as error:
            write_remark(terminal, str(error))


def show(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Print a template: its settings, if it has any, and its text."""
    terminal: Terminal = context.obj
    found = load_template(decode_argument(name), "templates")
    if as_json:
        from reflectty.export.json import dump_json

        terminal.out.write(dump_json(_as_object(found)))
    else:
        head = f"{FENCE}\n{found.head}\n{FENCE}\n" if found.head else ""
        terminal.out.write(clean(head + found.text) + "\n")


def edit(context: typer.Context, name: Name) -> None:
    """Edit a template in your editor; creates it if it does not exist.

    {input} is replaced by the question and piped input, {language} by the value of --field language=French. A template
    without {input} follows the input. Braces around anything but a name are left alone; {{name}} stands for {name}.

    A template may begin with settings in TOML between two lines of +++: model, system, schema, mode, effort,
    options = { temperature = 0.2 }, and the defaults of its fields, fields = { language = "French" }. Command-line
    options override them, and they override the settings.
    """
    from reflectty.system.editor import edit_file, require_editor

    terminal: Terminal = context.obj
    require_editor()
    template_name = parse_name(decode_argument(name), "templates")
    path = template_path(template_name)
    if not path.exists() and template_name in template_names():
        raise UsageError(
            f"the template {template_name} is defined in the config file", "run `reflect config edit` to change it"
        )
    _make_folder(path.parent)
    if not edit_file(path):
        raise UsageError("the editor failed", f"any changes are in {path}")
    if not path.exists():
        info(terminal, "nothing was written")
        return
    written = load_template(template_name)
    schema_of(written)
    fields = ", ".join(f"{{{field}}}" for field in fields_of(written.text)) or "no fields"
    info(terminal, f"the template {template_name} has {fields}: use it with reflect -t {template_name}")


def remove(context: typer.Context, names: Names, yes: Yes = False) -> None:
    """Remove templates for good."""
    terminal: Terminal = context.obj
    require_yes(terminal, "templates", yes=yes)
    found = tuple({name: _file_of(name) for name in map(decode_argument, names)}.items())
    if not yes and not confirm(terminal, (f"{name}, {path}" for name, path in found)):
        end_without_effect(terminal, "nothing was removed")
    for name, path in found:
        try:
            path.unlink()
        except OSError as error:
            raise UsageError(f"cannot remove {path}: {reason_of(error)}") from error
        info(terminal, f"removed the template {name}")


def _file_of(name: str) -> Path:
    """The file of a template.

    Raises:
        UsageError: there is no such template, or the config file defines it.
    """
    path = template_path(parse_name(name, "templates"))
    if path.exists():
        return path
    if name in template_names():
        hint = f"run `reflect config unset templates.{name}`"
        raise UsageError(f"the template {name} is defined in the config file", hint)
    raise missing_template_error(name, "templates", template_names())


def path_(context: typer.Context, name: OptionalName = "", as_json: AsJson = False) -> None:
    """Print the path of a template or of the templates folder; it may not exist."""
    terminal: Terminal = context.obj
    location = load_template(decode_argument(name), "templates").location if name else str(config.templates_folder())
    if as_json:
        from reflectty.export.json import dump_json

        terminal.out.write(dump_json({"path": location}))
    else:
        terminal.out.write(f"{clean_line(location, 4096)}\n")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = reason_of(error)
        raise UsageError(f"cannot create {folder}: {reason}") from error


def _as_object(template: Template) -> dict[str, object]:
    settings = template.settings
    return {
        "name": template.name,
        "fields": fields_of(template.text),
        "path": template.location,
        "text": template.text,
        **{name: getattr(settings, name) for name in ("model", "system", "schema", "mode", "effort")},
        "options": dict(settings.options),
        "defaults": dict(settings.fields),
    }


SUBCOMMANDS: dict[str, Callable[..., None]] = {
    "list": list_,
    "show": show,
    "edit": edit,
    "remove": remove,
    "path": path_,
}


def templates() -> typer.Typer:
    """The command group with its subcommands."""
    return make_group(
        SUBCOMMANDS,
        "Manage prompt templates, used with -t (default: list).",
    )
