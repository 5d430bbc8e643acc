"""Renders session lists, search hits and whole transcripts as rows."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from reflectty.core.safety import clean, clean_line
from reflectty.core.segments import Kind
from reflectty.core.session import ReplyOrigin
from reflectty.output.tables import CUT_RANK, TableColumn, table_rows
from reflectty.view.answer import AnswerRenderer
from reflectty.view.inline import wrap_line
from reflectty.view.rows import BOLD, GUTTER_WIDTH, PLAIN, cell_width, expand_tabs, text_of_row
from reflectty.view.summary import ORIGIN_LABELS, fit_facts, remarks_on, summary_facts
from reflectty.view.thinking import ThinkingRenderer
from reflectty.view.units import format_age

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.style import Style

    from reflectty.core.session import SearchHit, Session, StoredReply, Turn
    from reflectty.output.tables import Page
    from reflectty.view.rows import Columns, Palette, Row


PART_LABELS = {"reflection": "correction"}
"""Display names of the parts of a turn."""
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
        (f"{clean_line(session.id)}  ", styles["accent"]),
        (session.display_title, styles["text"] + BOLD),
        (f"{dot}{format_age(session.updated, now)}", styles["dim"]),
    ]
    return wrap_line(line, page.columns.prose, _INDENT)


def _snippet_rows(found: SearchHit, page: Page) -> list[Row]:
    dim, strong = page.palette.styles["dim"], page.palette.styles["correction"] + BOLD
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


_MARGIN = (" " * GUTTER_WIDTH, PLAIN)
_BLANK = " " * (GUTTER_WIDTH - 1)
_MAX_QUOTE_LENGTH = 60
"""Maximum characters quoted of the question before a branch."""


class TranscriptOptions(NamedTuple):
    """Everything that rows depend on besides the text."""

    palette: Palette
    columns: Columns
    shows_thinking: bool = True
    """Whether all of the thinking is shown, or its summary alone."""

    def style_of(self, role: str) -> Style:
        return self.palette.styles[role]


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
    children = _children_by_parent(turns)
    for turn in path:
        beside = children[_parent_of(turn, children)]
        yield BranchPosition(turn, beside.index(turn) + 1, len(beside))


def positions_on_all_branches(turns: Sequence[Turn]) -> Iterator[BranchPosition]:
    """Yield all turns of a session, each branch to its end before the next one."""
    children = _children_by_parent(turns)
    known = {turn.id: turn for turn in turns}
    waiting = list(reversed(children[None]))
    before: int | None = None
    while waiting:
        turn = waiting.pop()
        parent = _parent_of(turn, children)
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


def _children_by_parent(turns: Sequence[Turn]) -> dict[int | None, list[Turn]]:
    """The turns by their parent."""
    children: dict[int | None, list[Turn]] = {None: [], **{turn.id: [] for turn in turns}}
    for turn in turns:
        children[_parent_of(turn, children)].append(turn)
    return children


def _parent_of(turn: Turn, known: dict[int | None, list[Turn]]) -> int | None:
    """The parent of a turn; None if it is lost or could not precede the turn."""
    return turn.parent if turn.parent in known and turn.parent is not None and turn.parent < turn.id else None


def transcript_rows(places: Iterable[BranchPosition], scene: TranscriptOptions) -> Iterator[list[Row]]:
    """Yield the rows of each turn, a blank one before all but the first."""
    for at, place in enumerate(places):
        rows = [*_branch_remark_rows(place, scene), *_turn_rows(place, scene)]
        if rows:
            yield [[], *rows] if at else rows


def _branch_remark_rows(place: BranchPosition, scene: TranscriptOptions) -> list[Row]:
    """The remark on a branch that parts from another one above."""
    if place.parted_from is None:
        return []
    back = clean_line(place.parted_from, _MAX_QUOTE_LENGTH) if place.parted_from else "the beginning"
    text = f"{scene.palette.glyphs.rule * 2} branch {place.number} of {place.total}, from {back}"
    return [[_MARGIN, *row] for row in wrap_line([(text, scene.style_of("accent"))], scene.columns.prose)] + [[]]


def _turn_rows(place: BranchPosition, scene: TranscriptOptions) -> list[Row]:
    said = place.turn.said
    branch = [f"{'reply' if said else 'question'} {place.number} of {place.total}"] if place.total > 1 else []
    return _question_rows(place.turn, branch, scene) if said is None else reply_rows(said, scene, branch)


def _question_rows(turn: Turn, branch: list[str], scene: TranscriptOptions) -> list[Row]:
    text, prose = scene.style_of("text") + BOLD, scene.columns.prose
    lines = expand_tabs(clean(turn.text)).strip("\n").split("\n")
    rows = [row for line in lines for row in wrap_line([(line, text)], prose)]
    for line in (*(f"+ {clean_line(item.name)}" for item in turn.attachments), *branch):
        rows += wrap_line([(line, scene.style_of("dim"))], prose)
    return _add_gutter(rows, scene.palette.glyphs.question, scene.style_of("you"))


def reply_rows(said: StoredReply, scene: TranscriptOptions, branch: Sequence[str] = ()) -> list[Row]:
    """The rows of one reply: summary, thinking with its corrections, answer, and what went wrong."""
    segments = said.segments or ((Kind.ANSWER, said.answer or said.raw),)
    segments = tuple((kind, clean(text).lstrip("\n")) for kind, text in segments)
    segments = tuple((kind, text) for kind, text in segments if text.strip())
    thought = any(kind is not Kind.ANSWER for kind, _ in segments)
    rows = _summary_rows(said, branch, scene, thought=thought)
    for answers, group in groupby(segments, key=lambda segment: segment[0] is Kind.ANSWER):
        if answers:
            rows += [*([[]] if rows else []), *_answer_rows("\n\n".join(text for _, text in group), scene)]
        elif scene.shows_thinking:
            rows += _thinking_rows(group, scene)
    below = [row for text, wrong in remarks_on(said) for row in _remark_rows(clean_line(text), scene, wrong=wrong)]
    return [*rows, [], *below] if rows and below else rows + below


def _summary_rows(said: StoredReply, branch: Sequence[str], scene: TranscriptOptions, *, thought: bool) -> list[Row]:
    if not thought and not branch and said.origin is ReplyOrigin.ASKED:
        return []
    glyphs, dim = scene.palette.glyphs, scene.style_of("dim")
    dot = f" {glyphs.dot} "
    sign = (glyphs.expanded if scene.shows_thinking else glyphs.collapsed) if thought else " "
    known = tuple(fact for fact in summary_facts(said.measured) if "tok/s" not in fact.text)
    row: Row = []
    if said.origin in ORIGIN_LABELS:
        row = [(f"{glyphs.steered} {ORIGIN_LABELS[said.origin]}", scene.style_of("accent") + BOLD)]
    room = scene.columns.prose - sum(cell_width(text) + len(dot) for text, _ in row)
    for fact in fit_facts(known, max(1, room), len(dot)):
        row += [(dot, dim)] if row else []
        row.append((fact.text, scene.style_of("correction") + BOLD if fact.strong else dim))
    row = row or ([("thought", dim)] if thought else [])
    return _add_branch([(sign + _BLANK, dim), *row], branch, scene)


def _add_branch(row: Row, branch: Sequence[str], scene: TranscriptOptions) -> list[Row]:
    """Add the number of the branch to the summary if it fits, else below it."""
    faint = scene.style_of("faint")
    rows = [row]
    for text in branch:
        if cell_width(text_of_row(rows[-1])) + len(text) < scene.columns.prose:
            rows[-1] = [*rows[-1], ("   ", faint), (text, faint)]
        else:
            rows.append([_MARGIN, (text, faint)])
    return rows


def _thinking_rows(segments: Iterable[tuple[Kind, str]], scene: TranscriptOptions) -> list[Row]:
    drawer, rows = ThinkingRenderer(scene.palette), []
    for kind, text in segments:
        drawer.begin(kind)
        rows += drawer.feed(text, scene.columns.prose)
        rows += drawer.close(scene.columns.prose)
    return rows


def _answer_rows(text: str, scene: TranscriptOptions) -> list[Row]:
    drawer = AnswerRenderer(scene.palette)
    rows = drawer.feed(text, scene.columns)
    return [[_MARGIN, *row] if row else row for row in (*rows, *drawer.close(scene.columns))]


def _remark_rows(text: str, scene: TranscriptOptions, *, wrong: bool) -> list[Row]:
    rows = _add_gutter(wrap_line([(text, scene.style_of("dim"))], scene.columns.prose), " ", PLAIN)
    if wrong:
        rows[0][0] = (f"!{_BLANK}", scene.style_of("error") + BOLD)
    return rows


def _add_gutter(rows: Iterable[Row], sign: str, style: Style) -> list[Row]:
    return [[(sign + _BLANK, style), *row] for row in rows]
