from __future__ import annotations

import pytest
from rich.style import Style

from reflectty.tui.widgets.list import PLAIN_GLYPHS, Detail, Heading, Listing, RowPainter


def texts(entry: Detail | Heading, width: int) -> list[str]:
    """The rows of an entry as text."""
    painter = RowPainter(width, lambda _: Style.null(), PLAIN_GLYPHS)
    return ["".join(text for text, _ in row).rstrip() for row in entry.rows(painter)]


@pytest.mark.parametrize(
    ("entry", "width", "expected"),
    [
        (Heading("today", is_first=True), 9, ["today"]),
        (Heading("last week"), 6, ["", "last~"]),
        (Detail("size", "5.2 GB", 6), 20, ["size  5.2 GB"]),
        (Detail("size", "5.2 GB in two layers", 6), 16, ["size  5.2 GB in", "      two layers"]),
        (Detail("", "", 6), 20, [""]),
    ],
)
def test_heading_and_detail_fit_into_the_width(entry: Detail | Heading, width: int, expected: list[str]) -> None:
    assert texts(entry, width) == expected
    assert entry.height(width) == len(expected)


def test_entry_takes_one_row_before_the_first_layout() -> None:
    listing = Listing()
    listing.extend([Detail("size", "5.2 GB in two layers", 6)])
    assert listing.virtual_size.height == 1
