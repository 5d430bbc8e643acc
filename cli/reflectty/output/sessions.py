"""Renders session lists, search hits and whole transcripts as rows."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean, clean_line
from reflectty.core.session import children_by_parent, parent_of
from reflectty.output.tables import CUT_RANK, TableColumn, table_rows
from reflectty.view.inline import wrap_line
from reflectty.view.parts import Scene, ThinkingView
from reflectty.view.reply_part import part_of
from reflectty.view.rows import BOLD, MARGIN, PLAIN
from reflectty.view.tree import tree_nodes
from reflectty.view.units import format_age

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reflectty.core.session import SearchHit, Session, Turn
    from reflectty.output.tables import Page
    from reflectty.view.rows import Row


PART_LABELS = {"reflection": "correction", **{name: f"~{name}" for name in ("correction", "check", "alternative")}}
"""Display names of the parts of a turn; a tilde marks what is read, not tagged."""
_MIN_TITLE_WIDTH = 18
"""Before a title gets fewer columns than this, another column is left out."""
_MAX_MODEL_LENGTH = 24
_INDENT = 2


def session_rows(sessions: Sequence[Session], page: Page, now: float) -> list[Row]:
    """A row for each session; on a terminal with a head, and no wider than the terminal."""
    return table_rows(_session_columns(sessions, now), page, _MIN_TITLE_WIDTH) if sessions else []


def _session_columns(sessions: Sequence[Session], now: float) -> tuple[TableColumn, ...]:
    return (
        TableColumn("id", "accent", 0, tuple(clean_line(session.id) for session in sessions)),
        TableColumn("when", "dim", 1, tuple(format_age(session.updated, now) for session in sessions)),
        TableColumn(
            "model", "dim", 3, tuple(clean_line(session.model, _MAX_MODEL_LENGTH) or "-" for session in sessions)
        ),
        TableColumn("asked", "dim", 2, tuple(f"{session.questions:,}" for session in sessions), align_right=True),
        TableColumn("title", "text", CUT_RANK, tuple(session.display_title for session in sessions)),
    )


def search_hit_rows(found: Iterable[SearchHit], page: Page, now: float) -> Iterator[list[Row]]:
    """Yield the rows of each session with hits: its line, then each passage below it."""
    for at, (_, group) in enumerate(groupby(found, key=lambda item: item.session.id)):
        items = list(group)
        rows = [
            *_session_heading(items[0].session, page, now),
            *(row for item in items for row in _snippet_rows(item, page)),
        ]
        yield [[], *rows] if at else rows


def _session_heading(session: Session, page: Page, now: float) -> list[Row]:
    styles = page.palette.styles
    dot = f" {page.palette.glyphs.dot} "
    line: Row = [
        (f"{clean_line(session.id)}  ", page.palette.words("accent")),
        (session.display_title, styles["text"] + BOLD),
        (f"{dot}{format_age(session.updated, now)}", styles["dim"]),
    ]
    return wrap_line(line, page.columns.prose, _INDENT)


def _snippet_rows(found: SearchHit, page: Page) -> list[Row]:
    dim, strong = page.palette.styles["dim"], page.palette.words("correction") + BOLD
    before, after = _match_marks(page)
    line: Row = [(f"{PART_LABELS.get(found.part, clean_line(found.part))}: ", page.palette.styles["faint"])]
    for text, matched in found.passage:
        piece = re.sub(r"\s+", " ", clean(text))
        piece = piece.lstrip(" ") if len(line) == 1 else piece
        line.append((f"{before}{piece}{after}", strong) if matched else (piece, dim))
    return [[(" " * _INDENT, PLAIN), *row] for row in wrap_line(line, page.columns.prose, _INDENT)]


def _match_marks(page: Page) -> tuple[str, str]:
    """The marks around a match if bold is not visible."""
    if page.can_show_bold:
        return "", ""
    return ("«", "»") if page.terminal.out.unicode else ("*", "*")


_MAX_QUOTE_LENGTH = 60
"""Maximum characters quoted of the question before a branch."""


class BranchPosition(NamedTuple):
    """The position of a turn among its branches."""

    turn: Turn
    number: int = 1
    total: int = 1
    """Number of turns with the same parent."""
    parted_from: str | None = None
    """If another branch stands above: the question after which this one parts, "" before the first; else None."""


def positions_on_branch(turns: Sequence[Turn], path: Iterable[Turn]) -> Iterator[BranchPosition]:
    """Yield the turns of a branch; `turns` are all of the session."""
    children = children_by_parent(turns)
    for turn in path:
        beside = children[parent_of(turn, children)]
        yield BranchPosition(turn, beside.index(turn) + 1, len(beside))


def positions_on_all_branches(turns: Sequence[Turn]) -> Iterator[BranchPosition]:
    """Yield all turns of a session, each branch to its end before the next one."""
    children = children_by_parent(turns)
    known = {turn.id: turn for turn in turns}
    waiting = list(reversed(children[None]))
    before: int | None = None
    while waiting:
        turn = waiting.pop()
        parent = parent_of(turn, children)
        beside = children[parent]
        back_at = None if parent == before else _question_of(parent, known)
        yield BranchPosition(turn, beside.index(turn) + 1, len(beside), back_at)
        before = turn.id
        waiting += reversed(children[turn.id])


def _question_of(turn: int | None, known: dict[int, Turn]) -> str:
    """The text of a turn if it is a question, else of the question that it answers."""
    found = known.get(turn) if turn is not None else None
    if found is not None and found.said is not None:
        found = known.get(found.parent) if found.parent is not None else None
    return found.text if found else ""


def tree_rows(turns: Sequence[Turn], leaf: int | None, page: Page, now: float) -> list[Row]:
    """A row for each turn, indented by its branch; those of the branch viewed last are marked."""
    nodes, glyphs = tree_nodes(turns, leaf), page.palette.glyphs
    if not nodes:
        return []
    dot = f" {glyphs.dot} "
    texts = []
    for node in nodes:
        label = [f"[{node.label}]"] if node.label else []
        remarks = [", ".join(node.remarks) + f" {glyphs.dot}"] if node.remarks else []
        indent = node.guide(glyphs) + "  " * (node.turn.said is not None)
        texts.append(indent + " ".join((*label, *remarks, node.text)))
    columns = (
        TableColumn("", "accent", 0, tuple(glyphs.present if node.is_on_path else " " for node in nodes)),
        TableColumn("turn", "text", CUT_RANK, tuple(texts)),
        TableColumn("figures", "dim", 2, tuple(dot.join(fact.text for fact in node.facts) for node in nodes)),
        TableColumn("when", "dim", 1, tuple(format_age(node.turn.created, now) for node in nodes)),
    )
    return table_rows(columns, page, _MIN_TITLE_WIDTH)


def transcript_rows(positions: Iterable[BranchPosition], page: Page, *, thinking: bool = True) -> Iterator[list[Row]]:
    """Yield the rows of each turn, a blank one before all but the first; without `thinking`, its summary alone."""
    view = ThinkingView.LIVE if thinking else ThinkingView.FOLDED
    scene = Scene(page.palette, page.width, 1, view, is_printed=True, reads_thoughts=page.reads_thoughts)
    for at, position in enumerate(positions):
        part = part_of(position.turn)
        part.branch = position.number, position.total
        part.lay_out(scene)
        rows = [*_branch_remark_rows(position, page), *part.rows]
        if rows:
            yield [[], *rows] if at else rows


def _branch_remark_rows(position: BranchPosition, page: Page) -> list[Row]:
    """The remark on a branch that parts from another one above."""
    if position.parted_from is None:
        return []
    back = clean_line(position.parted_from, _MAX_QUOTE_LENGTH) if position.parted_from else "the beginning"
    text = f"{page.palette.glyphs.rule * 2} branch {position.number} of {position.total}, from {back}"
    return [[MARGIN, *row] for row in wrap_line([(text, page.palette.words("accent"))], page.columns.prose)] + [[]]
