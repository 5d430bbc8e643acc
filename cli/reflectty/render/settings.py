"""Settings as rows: what each is, and who said so; reads none and writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.render.columns import LAST, Column, rows
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.drawing.paint import Row
    from reflectty.render.page import Page

_VALUE = 18
"""Before a value gets fewer columns than this, the column beside it is left out."""
_LONGEST = 1_000


def settings_rows(shown: Sequence[tuple[str, str, str]], page: Page) -> list[Row]:
    """Return a row for each setting: its key, its value, and where that comes from."""
    keys, values, origins = zip(*shown, strict=True)
    columns = (
        Column("setting", "accent", 0, _safe(keys)),
        Column("from", "dim", 1, _safe(origins)),
        Column("value", "text", LAST, _safe(values)),
    )
    return rows(columns, page, _VALUE)


def _safe(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(clean_line(text, _LONGEST) for text in texts)
