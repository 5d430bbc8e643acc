"""Hostile texts for the tests of every place that shows text: one of each kind, and all the others.

The policy for every text, however it is cut, is proven on `safety` (unit/core/test_safety.py). A place that shows text
has to prove that nothing bypasses it; one text of each kind does that, because all of a kind take the same path. The
others are tried at once, in one slow test per place.
"""

from __future__ import annotations

from typing import Any

import pytest

from support.cases import cases

EVERY = tuple(cases("hostile.jsonl"))
CHOSEN = {
    "c0_all": "every C0 control but tab and line feed, NUL and ESC among them",
    "c0_cr": "a lone carriage return, which text layers take for a line end",
    "c1_all": "every C1 control: no ESC for a filter to find, and NEL is a line end to str.splitlines",
    "csi_nested": "a sequence that is whole again when one inside it has been cut out",
    "osc52_bel": "a write to the clipboard",
    "bidi_rlo": "an override of the direction of text",
    "zw_space": "what has no width",
    "tags_flag_fake": "tags, which smuggle text that nobody sees",
    "zalgo": "a flood of combining marks",
    "surrogate_lone": "what cannot be encoded",
    "rich_link_esc": "an escape inside the markup of a library that draws",
    "textual_zero": "markup on which a library that draws gives up",
    "md_link_entity": "Markdown that becomes a control only when it is read, after it was cleaned",
    "huge_line": "a line without an end",
}
"""Ids of the chosen texts, and the kind that each stands for."""
ONE_OF_EACH = tuple(case for case in EVERY if case["id"] in CHOSEN)
OTHERS = tuple(case for case in EVERY if case["id"] not in CHOSEN)
assert len(ONE_OF_EACH) == len(CHOSEN), CHOSEN.keys() - {case["id"] for case in ONE_OF_EACH}

hostile_texts = pytest.mark.parametrize(
    "hostile",
    [
        *(pytest.param((case,), id=case["id"]) for case in ONE_OF_EACH),
        pytest.param(OTHERS, id="the others", marks=pytest.mark.slow),
    ],
)
"""Gives a test one case after another, and all the others at once where slow tests run."""


def text_of(case: dict[str, Any], at_most: int = 2_000) -> str:
    """The text of a case, with its repetitions up to a limit."""
    return str(case["text"]) * min(int(case.get("repeat", 1)), at_most)


def is_let_through(case: dict[str, Any], shown: str) -> bool:
    """Whether the piece of a text that must be neutralized was shown as it is."""
    return case["expect"] == "neutralise" and "needle" in case and case["needle"] in shown
