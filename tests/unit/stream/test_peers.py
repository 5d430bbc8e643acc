"""Cases of other programs' tests of their parsers, read as this program reads its models' replies.

A row tells which text is thinking and which is answer, not in which order, and not where white space goes: peers differ
in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reflectty.families import FAMILIES
from support.cases import cases
from support.parsing import Piece, characters, cut_once, merged, pieces, run_case

if TYPE_CHECKING:
    from collections.abc import Iterable

CASES = cases("peers.jsonl")
KINDS = ("thinking", "reflection", "answer")


def joined(texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """All text of each kind, without white space."""
    given = list(texts)
    return {kind: "".join("".join(text for found, text in given if found == kind).split()) for kind in KINDS}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_peers_case_comes_out_as_expected_however_it_is_cut(case: dict[str, Any]) -> None:
    assert case["family"] in FAMILIES
    expected = joined(case["expected"])

    def check(given: list[Piece]) -> None:
        assert joined(run_case(case, given)) == expected, given

    arrived = pieces(case)
    check(arrived)
    check(merged(arrived))
    check(characters(arrived))
    for cut in cut_once(arrived):
        check(cut)
