"""A stored conversation as rows, drawn as the chat draws it; stores nothing and writes nothing."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from reflectty.drawing.answer import Answer
from reflectty.drawing.inline import wrapped
from reflectty.drawing.paint import BOLD, PLAIN, plain
from reflectty.drawing.summary import ORIGINS, facts, fitting, remarks
from reflectty.drawing.thinking import Thinking
from reflectty.drawing.wrap import GUTTER, cells, expand
from reflectty.safety import clean, clean_line
from reflectty.session import Origin
from reflectty.stream import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.style import Style

    from reflectty.drawing.paint import Palette, Row
    from reflectty.drawing.wrap import Columns
    from reflectty.session import Said, Turn

_MARGIN = (" " * GUTTER, PLAIN)
_BLANK = " " * (GUTTER - 1)
_QUOTED = 60
"""Of the turn that a branch parts from, so many characters are enough to know it by."""


class Scene(NamedTuple):
    """Everything that the rows depend on, beside the text."""

    palette: Palette
    columns: Columns
    thinking: bool = True
    """Whether all of the thinking is shown, or its summary alone."""

    def style(self, role: str) -> Style:
        return self.palette.styles[role]


class Place(NamedTuple):
    """Where a turn stands among its branches."""

    turn: Turn
    number: int = 1
    of: int = 1
    """How many turns go on from the same one."""
    back_at: str | None = None
    """Where another branch stands above it: the question after which this one parts; nothing before the first."""


def one_branch(turns: Sequence[Turn], path: Iterable[Turn]) -> Iterator[Place]:
    """Yield the turns of a branch; `turns` are all of the session."""
    children = _children(turns)
    for turn in path:
        beside = children[_parent(turn, children)]
        yield Place(turn, beside.index(turn) + 1, len(beside))


def every_branch(turns: Sequence[Turn]) -> Iterator[Place]:
    """Yield all turns of a session, each branch to its end before the next one."""
    children = _children(turns)
    known = {turn.id: turn for turn in turns}
    waiting = list(reversed(children[None]))
    before: int | None = None
    while waiting:
        turn = waiting.pop()
        parent = _parent(turn, children)
        beside = children[parent]
        back_at = None if parent == before else _asked(parent, known)
        yield Place(turn, beside.index(turn) + 1, len(beside), back_at)
        before = turn.id
        waiting += reversed(children[turn.id])


def _asked(turn: int | None, known: dict[int, Turn]) -> str:
    """Return the question that a turn is, or answers."""
    found = known.get(turn) if turn is not None else None
    if found is not None and found.said is not None:
        found = known.get(found.parent) if found.parent is not None else None
    return found.text if found else ""


def _children(turns: Sequence[Turn]) -> dict[int | None, list[Turn]]:
    """Return the turns by the one that they go on from."""
    children: dict[int | None, list[Turn]] = {None: [], **{turn.id: [] for turn in turns}}
    for turn in turns:
        children[_parent(turn, children)].append(turn)
    return children


def _parent(turn: Turn, known: dict[int | None, list[Turn]]) -> int | None:
    """Return what a turn goes on from; nothing where that is lost, or could not have come before it."""
    return turn.parent if turn.parent in known and turn.parent is not None and turn.parent < turn.id else None


def transcript(places: Iterable[Place], scene: Scene) -> Iterator[list[Row]]:
    """Yield the rows of each turn, a blank one before all but the first."""
    for at, place in enumerate(places):
        rows = [*_parting(place, scene), *_turn(place, scene)]
        if rows:
            yield [[], *rows] if at else rows


def _parting(place: Place, scene: Scene) -> list[Row]:
    """Return the remark where a branch parts from another one that stands above."""
    if place.back_at is None:
        return []
    back = clean_line(place.back_at, _QUOTED) if place.back_at else "the beginning"
    text = f"{scene.palette.glyphs.rule * 2} branch {place.number} of {place.of}, back at {back}"
    return [[_MARGIN, *row] for row in wrapped([(text, scene.style("accent"))], scene.columns.prose)] + [[]]


def _turn(place: Place, scene: Scene) -> list[Row]:
    said = place.turn.said
    branch = [f"{'reply' if said else 'question'} {place.number} of {place.of}"] if place.of > 1 else []
    return _question(place.turn, branch, scene) if said is None else reply(said, scene, branch)


def _question(turn: Turn, branch: list[str], scene: Scene) -> list[Row]:
    text, prose = scene.style("text") + BOLD, scene.columns.prose
    lines = expand(clean(turn.text)).strip("\n").split("\n")
    rows = [row for line in lines for row in wrapped([(line, text)], prose)]
    for line in (*(f"+ {clean_line(item.name)}" for item in turn.attachments), *branch):
        rows += wrapped([(line, scene.style("dim"))], prose)
    return _behind(rows, scene.palette.glyphs.question, scene.style("you"))


def reply(said: Said, scene: Scene, branch: Sequence[str] = ()) -> list[Row]:
    """Return the rows of one reply: summary, thinking with its corrections, answer, and what went wrong."""
    segments = said.segments or ((Kind.ANSWER, said.answer or said.raw),)
    segments = tuple((kind, clean(text).lstrip("\n")) for kind, text in segments)
    segments = tuple((kind, text) for kind, text in segments if text.strip())
    thought = any(kind is not Kind.ANSWER for kind, _ in segments)
    rows = _summary(said, branch, scene, thought=thought)
    for answers, group in groupby(segments, key=lambda segment: segment[0] is Kind.ANSWER):
        if answers:
            rows += [*([[]] if rows else []), *_answer("\n\n".join(text for _, text in group), scene)]
        elif scene.thinking:
            rows += _thinking(group, scene)
    below = [row for text, wrong in remarks(said) for row in _remark(clean_line(text), scene, wrong=wrong)]
    return [*rows, [], *below] if rows and below else rows + below


def _summary(said: Said, branch: Sequence[str], scene: Scene, *, thought: bool) -> list[Row]:
    if not thought and not branch and said.origin is Origin.ASKED:
        return []
    glyphs, dim = scene.palette.glyphs, scene.style("dim")
    dot = f" {glyphs.dot} "
    sign = (glyphs.opened if scene.thinking else glyphs.folded) if thought else " "
    known = tuple(fact for fact in facts(said.measured) if "tok/s" not in fact.text)
    row: Row = []
    if said.origin in ORIGINS:
        row = [(f"{glyphs.steered} {ORIGINS[said.origin]}", scene.style("accent") + BOLD)]
    room = scene.columns.prose - sum(cells(text) + len(dot) for text, _ in row)
    for fact in fitting(known, max(1, room), len(dot)):
        row += [(dot, dim)] if row else []
        row.append((fact.text, scene.style("correction") + BOLD if fact.strong else dim))
    row = row or ([("thought", dim)] if thought else [])
    return _with_branch([(sign + _BLANK, dim), *row], branch, scene)


def _with_branch(row: Row, branch: Sequence[str], scene: Scene) -> list[Row]:
    """Add which branch this is: to the summary where it fits, else below it."""
    faint = scene.style("faint")
    rows = [row]
    for text in branch:
        if cells(plain(rows[-1])) + len(text) < scene.columns.prose:
            rows[-1] = [*rows[-1], ("   ", faint), (text, faint)]
        else:
            rows.append([_MARGIN, (text, faint)])
    return rows


def _thinking(segments: Iterable[tuple[Kind, str]], scene: Scene) -> list[Row]:
    drawer, rows = Thinking(scene.palette), []
    for kind, text in segments:
        drawer.begin(kind)
        rows += drawer.feed(text, scene.columns.prose)
        rows += drawer.close(scene.columns.prose)
    return rows


def _answer(text: str, scene: Scene) -> list[Row]:
    drawer = Answer(scene.palette)
    rows = drawer.feed(text, scene.columns)
    return [[_MARGIN, *row] if row else row for row in (*rows, *drawer.close(scene.columns))]


def _remark(text: str, scene: Scene, *, wrong: bool) -> list[Row]:
    rows = _behind(wrapped([(text, scene.style("dim"))], scene.columns.prose), " ", PLAIN)
    if wrong:
        rows[0][0] = (f"!{_BLANK}", scene.style("error") + BOLD)
    return rows


def _behind(rows: Iterable[Row], sign: str, style: Style) -> list[Row]:
    return [[(sign + _BLANK, style), *row] for row in rows]
