"""Test cases of other programs' parsers, read as this program reads its models' replies.

A row says which text is thinking and which is answer, but neither their order nor their white space: peers differ in
both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reflectty.reasoning.families import FAMILIES
from support.cases import cases
from support.parsing import Piece, characters, cut_once, merged, pieces, run_case

if TYPE_CHECKING:
    from collections.abc import Iterable

CASES = cases("peers.jsonl")
UNTOLD = {
    # Answer tags that may be a user's XML, words that any text may contain, and the remains of dropped tokens.
    *("vllm-079", "vllm-044", "vllm-045", "vllm-046", "vllm-047", "vllm-049", "vllm-158", "ollama-196"),
    *("sglang-082", "sglang-083", "sglang-084"),
}
"""Cases that are read as expected only with their own family."""
TOLD = [case for case in CASES if not case.get("start_in") and case["id"] not in UNTOLD]
KINDS = ("thinking", "reflection", "answer")


def joined(texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """All text of each kind, without white space."""
    given = list(texts)
    return {kind: "".join("".join(text for found, text in given if found == kind).split()) for kind in KINDS}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_peer_case_gives_the_expected_parts_for_any_split(case: dict[str, Any]) -> None:
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


@pytest.mark.parametrize("case", TOLD, ids=lambda case: case["id"])
def test_peer_case_gives_the_expected_parts_for_an_unknown_model(case: dict[str, Any]) -> None:
    unknown = case | {"family": "any"}
    arrived = pieces(case)

    assert joined(run_case(unknown, arrived)) == joined(case["expected"])
    assert joined(run_case(unknown, characters(arrived))) == joined(case["expected"])
