"""`reflect templates list|show|edit|path`: the user's templates, to see and to write; fills none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import config
from reflectty.commands.arguments import decoded
from reflectty.commands.listing import grouped
from reflectty.commands.output import AsJson, paged, told
from reflectty.config.templates import template, template_names, template_path
from reflectty.config.values import name as named
from reflectty.errors import UsageError
from reflectty.render.remark import remark
from reflectty.safety import clean, clean_line
from reflectty.templates import fields_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from reflectty.templates import Template
    from reflectty.terminal import Terminal

Name = Annotated[str, typer.Argument(metavar="NAME", help="The template.", show_default=False)]
OneName = Annotated[
    str, typer.Argument(metavar="[NAME]", help="The template; without one, the folder.", show_default=False)
]
EMPTY = "there are no templates yet: reflect templates edit NAME makes one"


def list_(context: typer.Context, as_json: AsJson = False) -> None:
    """List the templates, with their fields and the beginning of their text."""
    terminal: Terminal = context.obj
    found = tuple(_usable(terminal))
    if as_json:
        from reflectty.exporting.json import written  # noqa: PLC0415 - each form loads only itself

        terminal.out.write(written([_as_object(one) for one in found]))
    elif found:
        from reflectty.render.templates import template_rows  # noqa: PLC0415

        page = paged(terminal)
        page.write(template_rows(found, page))
    elif not template_names():
        remark(terminal, EMPTY)


def _usable(terminal: Terminal) -> Iterator[Template]:
    """Yield the templates that can be used; what is wrong with another hides none of them."""
    for name in template_names():
        try:
            yield template(name)
        except UsageError as error:
            remark(terminal, str(error))


def show(context: typer.Context, name: Name, as_json: AsJson = False) -> None:
    """Print a template as it is written."""
    terminal: Terminal = context.obj
    found = template(decoded(name), "templates")
    if as_json:
        from reflectty.exporting.json import written  # noqa: PLC0415 - each form loads only itself

        terminal.out.write(written(_as_object(found)))
    else:
        terminal.out.write(clean(found.text) + "\n")


def edit(context: typer.Context, name: Name) -> None:
    """Write a template in your editor; one that is not there is made.

    {input} is what is piped in and asked, {language} is what --field language=French gives. A template without {input}
    stands behind it. Braces round anything but a name are left alone; {{name}} is a name in braces.
    """
    from reflectty.editor import edit_file  # noqa: PLC0415 - only who writes one needs it

    terminal: Terminal = context.obj
    known = named(decoded(name), "templates")
    path = template_path(known)
    if not path.exists() and known in template_names():
        raise UsageError(f"the template {known} stands among the settings", "`reflect config edit` opens them")
    _make_folder(path.parent)
    if not edit_file(path):
        raise UsageError("the editor failed", f"what it left is in {path}")
    if not path.exists():
        told(terminal, "nothing was written")
        return
    fields = ", ".join(f"{{{field}}}" for field in fields_of(template(known).text)) or "no fields"
    told(terminal, f"the template {known} has {fields}: reflect -t {known}")


def path_(context: typer.Context, name: OneName = "", as_json: AsJson = False) -> None:
    """Print where a template is, or the folder of all; it may not exist."""
    terminal: Terminal = context.obj
    where = template(decoded(name), "templates").where if name else str(config.templates_folder())
    if as_json:
        from reflectty.exporting.json import written  # noqa: PLC0415 - each form loads only itself

        terminal.out.write(written({"path": where}))
    else:
        terminal.out.write(f"{clean_line(where, 4096)}\n")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"{folder}: cannot be made: {reason}") from error


def _as_object(one: Template) -> dict[str, object]:
    return {"name": one.name, "fields": fields_of(one.text), "path": one.where, "text": one.text}


SUBCOMMANDS: dict[str, Callable[..., None]] = {"list": list_, "show": show, "edit": edit, "path": path_}


def templates() -> typer.Typer:
    """Return the command with its subcommands."""
    return grouped(
        SUBCOMMANDS,
        "See and write the templates that questions are put into with -t; lists them where nothing else is said.",
    )
