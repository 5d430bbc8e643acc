"""The turns of a session as an indented tree, in which the branch on the screen runs straight down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.core.session import ReplyStatus, branch_to, children_by_parent, parent_of
from reflectty.view.summary import ORIGIN_LABELS, summary_facts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from reflectty.core.session import StoredReply, Turn
    from reflectty.view.rows import Glyphs
    from reflectty.view.summary import SummaryFact

MAX_DEPTH = 8
"""Branches nested deeper are drawn at this depth."""
MAX_TEXT_LENGTH = 400
_SEEN_LENGTH = MAX_TEXT_LENGTH * 4
"""Characters of a text that are looked at for its first line."""
_ENDINGS = {
    ReplyStatus.STREAMING: "being written",
    ReplyStatus.INTERRUPTED: "stopped",
    ReplyStatus.INCOMPLETE: "cut off",
    ReplyStatus.FAILED: "no reply",
}


class TreeNode(NamedTuple):
    """A turn in the tree."""

    turn: Turn
    depth: int
    """How many branches it is away from the branch on the screen, or from the newest one."""
    begins_branch: bool
    """Whether it stands beside another turn and is the first of its branch."""
    is_on_path: bool
    """Whether it belongs to the branch on the screen."""
    number: int
    """Its number among the turns with the same parent."""
    total: int
    below: int
    """The number of turns below it on all branches."""
    is_folded: bool = False

    @property
    def kind(self) -> str:
        """What it is: a question or an edited one, or how its reply was made."""
        said = self.turn.said
        if said is None:
            return "edited" if self.number > 1 else "question"
        return ORIGIN_LABELS.get(said.origin, "regenerated" if self.number > 1 else "reply")

    @property
    def remarks(self) -> tuple[str, ...]:
        """The words before its text: what it is if that is worth saying, its number, and how it ended."""
        said = self.turn.said
        kind = () if self.kind in {"question", "reply"} else (self.kind,)
        place = (f"{self.number} of {self.total}",) if self.total > 1 else ()
        ending = (_ENDINGS[said.ended],) if said and said.ended in _ENDINGS else ()
        return (*kind, *place, *ending)

    @property
    def text(self) -> str:
        """The beginning of a question or an answer, safe for a terminal and on one line."""
        said = self.turn.said
        return clean_line(_first_words(self.turn.text if said is None else _text_of(said)), MAX_TEXT_LENGTH)

    @property
    def label(self) -> str:
        return clean_line(self.turn.label)

    @property
    def facts(self) -> tuple[SummaryFact, ...]:
        """The figures of a reply."""
        return summary_facts(self.turn.said.measured, speed=False) if self.turn.said else ()

    def guide(self, glyphs: Glyphs) -> str:
        """The lines of the branches before its text."""
        depth = min(self.depth, MAX_DEPTH)
        if not depth:
            return ""
        if self.begins_branch:
            return f"{glyphs.bar} " * (depth - 1) + f"{glyphs.tee} "
        return f"{glyphs.bar} " * depth


def tree_nodes(turns: Sequence[Turn], leaf: int | None, folded: Collection[int] = ()) -> list[TreeNode]:
    """All turns as a tree, each branch to its end before the next one; those below a folded turn are left out.

    At each fork the other branches come first, set in, and the one on the screen goes on below them.

    Args:
        turns: the turns of a session, parents first.
        leaf: the last turn of the branch on the screen.
        folded: the ids of folded turns.
    """
    children = children_by_parent(turns)
    path = {turn.id for turn in branch_to(turns, leaf)}
    below = _counts_below(turns, children)
    waiting = _following(None, 0, children, path)
    nodes: list[TreeNode] = []
    while waiting:
        turn, depth, begins_branch = waiting.pop()
        beside = children[parent_of(turn, children)]
        number = next(at for at, other in enumerate(beside, 1) if other is turn)
        is_folded = turn.id in folded and bool(children[turn.id])
        place = (number, len(beside), below[turn.id])
        nodes.append(TreeNode(turn, depth, begins_branch, turn.id in path, *place, is_folded))
        if not is_folded:
            waiting += _following(turn.id, depth, children, path)
    return nodes


def _following(
    parent: int | None, depth: int, children: Mapping[int | None, list[Turn]], path: Collection[int]
) -> list[tuple[Turn, int, bool]]:
    """The turns after a turn with their depths, the last one first, and whether each begins a branch of its own."""
    found = children[parent]
    if not found:
        return []
    main = next((turn for turn in found if turn.id in path), found[-1])
    return [(main, depth, False), *((turn, depth + 1, True) for turn in reversed(found) if turn is not main)]


def _counts_below(turns: Sequence[Turn], children: Mapping[int | None, list[Turn]]) -> dict[int, int]:
    below = dict.fromkeys((turn.id for turn in turns), 0)
    for turn in sorted(turns, key=lambda turn: turn.id, reverse=True):
        parent = parent_of(turn, children)
        if parent is not None:
            below[parent] += 1 + below[turn.id]
    return below


def _text_of(said: StoredReply) -> str:
    """The answer, or what there is of a reply without one."""
    return said.answer or next((text for _, text in reversed(said.segments) if text.strip()), said.raw)


def _first_words(text: str) -> str:
    return " ".join(text[:_SEEN_LENGTH].split())
