"""The template that a question of one shot is put into: finds it, and puts in what was gathered; asks nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.commands.arguments import decoded
from reflectty.config.templates import NO_TEMPLATE, template
from reflectty.errors import UsageError
from reflectty.templates import INPUT, Template, fields_of, fill, parse_fields, refuse_unknown

if TYPE_CHECKING:
    from reflectty.commands.arguments import Arguments
    from reflectty.commands.gathering import Gathered


class Filling(NamedTuple):
    """A template, and what its fields are filled with, all but the input."""

    template: Template
    fields: dict[str, str]


def filling(given: Arguments, standing: str) -> Filling | None:
    """Return the template that is wanted, or None where there is to be none.

    Args:
        given: the arguments.
        standing: the template that the settings name.

    Raises:
        UsageError: there is no such template, or it has no such field.
    """
    wanted = decoded(given.template) or standing
    if wanted in ("", NO_TEMPLATE):
        if given.field:
            raise UsageError("--field fills a template, and none is named", "name it with -t")
        return None
    found = template(wanted, "--template" if given.template else "template")
    fields = parse_fields(map(decoded, given.field or ()))
    refuse_unknown(fields, found)
    return Filling(found, fields)


def put_in(filling: Filling, gathered: Gathered) -> Gathered:
    """Return the question that a template makes of what was gathered.

    Where the template has an input, all of it stands there, material first; else the template's own words come last.

    Raises:
        UsageError: a field is missing, or the input is.
    """
    found, fields = filling
    if INPUT not in fields_of(found.text):
        words = "\n\n".join(filter(str.strip, (gathered.words, fill(found.text, fields, found.name))))
        return gathered._replace(words=words)
    given = {INPUT: gathered.prompt.rstrip("\n")} if gathered.prompt.strip() else {}
    return gathered._replace(words=fill(found.text, fields | given, found.name), stdin="", files=())
