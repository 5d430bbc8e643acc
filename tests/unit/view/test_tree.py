"""A session as a tree: the branch on the screen runs straight down, and the others are set in beside it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reflectty.core.session import ReplyOrigin, ReplyStatus, Turn
from reflectty.view.rows import ASCII_GLYPHS, Glyphs
from reflectty.view.tree import MAX_DEPTH, TreeNode, tree_nodes
from support.conversations import plain_reply, stored_reply
from support.hostile_texts import hostile_texts
from support.list_app import controls

STEERED, ASKED, CONCLUDED = ReplyOrigin.STEERED, ReplyOrigin.ASKED, ReplyOrigin.CONCLUDED


def asked(number: int, parent: int | None, text: str = "", **values: Any) -> Turn:
    return Turn(number, parent, float(number), text or f"Q{number}", **values)


def said(number: int, parent: int, origin: ReplyOrigin = ASKED, **values: Any) -> Turn:
    return Turn(number, parent, float(number), said=plain_reply(f"R{number}", origin=origin, **values))


FORKED = (
    asked(1, None),
    said(2, 1),
    said(3, 1, STEERED),
    asked(4, 3),
    said(5, 4),
    asked(6, 3),
    said(7, 6, ended=ReplyStatus.INTERRUPTED),
    said(8, 1),
)


def drawn(nodes: list[TreeNode], glyphs: Glyphs | None = None) -> list[str]:
    return [f"{node.guide(glyphs or Glyphs())}{node.text} {', '.join(node.remarks)}".rstrip() for node in nodes]


def test_branch_on_the_screen_runs_straight_down() -> None:
    nodes = tree_nodes(FORKED, 5)
    assert drawn(nodes) == [
        "Q1",
        "├ R2 1 of 3",
        "├ R8 regenerated, 3 of 3",
        "R3 steered, 2 of 3",
        "├ Q6 edited, 2 of 2",
        "│ R7 stopped",
        "Q4 1 of 2",
        "R5",
    ]
    assert [node.turn.id for node in nodes if node.is_on_path] == [1, 3, 4, 5]
    assert [node.below for node in nodes] == [7, 0, 0, 4, 1, 0, 1, 0]


def test_other_branch_on_the_screen_turns_the_tree() -> None:
    assert drawn(tree_nodes(FORKED, 2), ASCII_GLYPHS) == [
        "Q1",
        "+ R3 steered, 2 of 3",
        "| + Q4 1 of 2",
        "| | R5",
        "| Q6 edited, 2 of 2",
        "| R7 stopped",
        "+ R8 regenerated, 3 of 3",
        "R2 1 of 3",
    ]


def test_folded_turn_hides_what_is_below_it() -> None:
    nodes = tree_nodes(FORKED, 5, {3, 5})
    assert [node.turn.id for node in nodes] == [1, 2, 8, 3]
    assert [node.is_folded for node in nodes] == [False, False, False, True]


@pytest.mark.parametrize(
    ("turn", "kind", "remarks"),
    [
        (asked(1, None), "question", ()),
        (said(2, 1), "reply", ()),
        (said(2, 1, CONCLUDED), "concluded", ("concluded",)),
        (said(2, 1, ReplyOrigin.CONTINUED), "continued", ("continued",)),
        (said(2, 1, ended=ReplyStatus.FAILED), "reply", ("no reply",)),
        (said(2, 1, ended=ReplyStatus.INCOMPLETE), "reply", ("cut off",)),
        (said(2, 1, ended=ReplyStatus.STREAMING), "reply", ("being written",)),
    ],
)
def test_turn_says_what_it_is(turn: Turn, kind: str, remarks: tuple[str, ...]) -> None:
    (node,) = tree_nodes((turn,), turn.id)
    assert (node.kind, node.remarks) == (kind, remarks)


def test_reply_has_its_figures() -> None:
    (node,) = tree_nodes((Turn(1, None, 1.0, said=stored_reply("Yes.")),), None)
    assert [fact.text for fact in node.facts] == ["thought 2 s", "64 tokens", "1 correction"]


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(0, 40), st.sets(st.integers(1, 40)))
@example([0, 3, 0], 2, set())
def test_every_turn_of_any_session_is_listed_once(parents: list[int], leaf: int, folded: set[int]) -> None:
    turns = tuple(asked(number, parent or None) for number, parent in enumerate(parents, 1))
    nodes = tree_nodes(turns, leaf)
    assert sorted(node.turn.id for node in nodes) == [turn.id for turn in turns]
    shown = {node.turn.id for node in tree_nodes(turns, leaf, folded)}
    assert shown <= {turn.id for turn in turns}
    # Only the turns of other branches are set in.
    assert all(node.depth == 0 for node in nodes if node.is_on_path)
    assert all(len(node.guide(Glyphs())) <= 2 * MAX_DEPTH for node in nodes)


@hostile_texts
def test_hostile_texts_are_cleaned(hostile: tuple[dict[str, Any], ...]) -> None:
    for case in hostile:
        text = case["text"]
        question = asked(1, None, text, label=text)
        reply = Turn(2, 1, 2.0, said=plain_reply(text))
        for node in tree_nodes((question, reply), 2):
            assert not controls((node.text, node.label)), node


def test_thousands_of_turns_stand_at_one_depth() -> None:
    turns = tuple(asked(number, number - 1 or None) for number in range(1, 5_001))
    nodes = tree_nodes(turns, 5_000)
    assert len(nodes) == 5_000
    assert {node.depth for node in nodes} == {0}
