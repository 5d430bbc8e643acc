from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.view.grammar import split_cells
from support.drawn_markdown import drawn, growth
from support.properties import examples

HEAD = "| Task | Command | Note |\n|---|---|---|\n"


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| Count | `ls | wc -l` | counts lines |", ["Count", "`ls | wc -l`", "counts lines"]),
        ("| Or | a || b | logical |", ["Or", "a", "| b | logical"]),
        ("| 1 | 2 | 3 | 4 | 5 |", ["1", "2", "3 | 4 | 5"]),
        (r"| a \| b | `c \| d` | e |", [r"a \| b", r"`c \| d`", "e"]),
        ("| ``a`|`b`` | c | d |", ["``a`|`b``", "c", "d"]),
        ("| a ` b | c ` d | e |", ["a ` b", "c ` d", "e"]),
        ("| a ` b | c | d |", ["a ` b", "c", "d"]),
        (r"| $|x|$ | \(|y|\) | z |", ["$|x|$", r"\(|y|\)", "z"]),
        ("| $5 | $6 | $7 |", ["$5", "$6", "$7"]),
        (r"| \( | b | c |", [r"\(", "b", "c"]),
        ("| only |", ["only"]),
        ("a | b | c", ["a", "b", "c"]),
        ("|  | x |  |", ["", "x", ""]),
    ],
)
def test_row_is_split_where_it_was_meant_to(row: str, cells: list[str]) -> None:
    assert split_cells(row, 3) == cells


def test_no_cell_of_a_table_is_lost() -> None:
    assert drawn(f"{HEAD}| Count | `ls | wc -l` | counts lines |\n| Or | a || b | logical |\n| x |") == [
        "Task    Command        Note",
        "─────   ────────────   ─────────────",
        "Count   `ls | wc -l`   counts lines",
        "Or      a              | b | logical",
        "x",
    ]


def test_code_in_the_header_does_not_split_it() -> None:
    assert drawn("| `a|b` | c |\n|:-:|--:|\n| 1 | 22 |") == ["`a|b`    c", "─────   ──", "  1     22"]


@pytest.mark.parametrize("text", ["a | b\n---|", "|a|b|\n|-|", "|\n|-|", "a\n-", "| a |\n| b |", "| a | b |\n|--||--|"])
def test_text_that_is_not_a_table_stays_text(text: str) -> None:
    assert not any(set(row) & set("─•") and "   " in row for row in drawn(text))


@examples(300)
@given(st.text(alphabet="a `|\\$()1", max_size=30), st.integers(1, 4))
def test_every_word_of_a_row_is_in_a_cell(row: str, columns: int) -> None:
    cells = split_cells(row, columns)
    assert len(cells) <= columns
    assert "".join(cells).replace("|", "").replace(" ", "") == row.replace("|", "").replace(" ", "")


@pytest.mark.parametrize("piece", ["|", "`|", "\\|", "$a|", "\\(|", "``|`", "$|", "\\|`"])
def test_row_with_many_pipes_stays_fast(piece: str) -> None:
    assert growth(lambda size: drawn(f"|a|b|\n|-|-|\n{piece * size}"), 1_000) < 24
    assert growth(lambda size: split_cells(f"{piece * size}\\)", 2), 1_000) < 24
