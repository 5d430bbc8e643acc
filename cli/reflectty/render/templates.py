"""Templates as rows: their names, their fields and how they begin; fills none and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.render.columns import LAST, Column, rows
from reflectty.safety import clean_line
from reflectty.templates import fields_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.drawing.paint import Row
    from reflectty.render.page import Page
    from reflectty.templates import Template

_BEGINNING = 18
"""Before the beginning of a text gets fewer columns than this, the column beside it is left out."""
_LONGEST = 200


def template_rows(templates: Sequence[Template], page: Page) -> list[Row]:
    """Return a row for each template."""
    fields = [" ".join(fields_of(one.text)) or "-" for one in templates]
    columns = (
        Column("template", "accent", 0, tuple(clean_line(one.name) for one in templates)),
        Column("fields", "dim", 1, tuple(clean_line(text) for text in fields)),
        Column("begins", "text", LAST, tuple(_beginning(one.text) for one in templates)),
    )
    return rows(columns, page, _BEGINNING)


def _beginning(text: str) -> str:
    return clean_line(" ".join(text[: 2 * _LONGEST].split()), _LONGEST)
