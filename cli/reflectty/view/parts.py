"""The parts of a transcript apart from replies: questions and notes, as rows."""

from __future__ import annotations

import re
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean, clean_line
from reflectty.core.text import format_paste
from reflectty.view.inline import wrap_line
from reflectty.view.rows import BOLD, GUTTER_WIDTH, LINE_BREAK, PLAIN, Columns, ShownText, columns_for, expand_tabs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.style import Style

    from reflectty.core.session import Attachment, Span
    from reflectty.view.rows import Palette, Row, Run
    from reflectty.view.sections import Canvas


_FLAGS = {
    "-o": "/option",
    "--option": "/option",
    "--mode": "/mode",
    "-m": "/model",
    "--effort": "/effort",
    "--budget": "/budget",
    "--samples": "/samples",
}
_FLAG = re.compile(rf"(?<!\S)({'|'.join(sorted(map(re.escape, _FLAGS), key=len, reverse=True))})(?= \w)")
_PULL = re.compile(r"`?\b(?:ollama|reflect models) pull (\S*[^\s`])`?")
_SERVER = re.compile(r"Set another server with --host or (\w+)")
_PHRASES = {
    ", so its whole reply is taken as the answer": "",
    "run the same command to continue": "pull it again to continue",
    "--insecure allows it": "http:// before the name allows it",
    "use --insecure to pull over plain http": "write http:// before the name",
    "use --image for an image": "images are attached as PNG, JPEG, WebP, GIF, BMP or TIFF",
    "that the server lists, with -m": "that the server lists, with /model",
    "or without --verify": "or /verify off",
    "`reflect models` lists": "/models lists",
    "allow more with --deadline, or reduce": "reduce",
    "check --host or": "check the server's address, in the settings or in",
    "use --engine": "start with --engine",
}


def to_chat_wording(text: str) -> str:
    """Replace flags and commands in a text by the equivalent slash commands."""
    for phrase, other in _PHRASES.items():
        text = text.replace(phrase, other)
    text = _SERVER.sub(r"A /profile may name another server; else set \1 and start again", text)
    return _PULL.sub(r"/pull \1", _FLAG.sub(lambda found: _FLAGS[found[0]], text))


class ThinkingView(StrEnum):
    """How thinking is shown."""

    LIVE = "live"
    """All of it."""
    PEEK = "peek"
    """Its last rows and the summary."""
    FOLDED = "folded"
    """The summary."""
    OFF = "off"
    """Nothing."""


class Scene(NamedTuple):
    """Everything that rows depend on besides the text."""

    palette: Palette
    width: int
    height: int
    view: ThinkingView = ThinkingView.LIVE
    hints: tuple[tuple[str, str], ...] = ()
    """Pairs of an action's name and its key."""
    is_printed: bool = False
    """Whether everything is printed whole, in the words of the command line, as opposed to shown in the chat."""
    reads_thoughts: bool = True
    """Whether second thoughts are marked."""

    @property
    def columns(self) -> Columns:
        return columns_for(self.width)

    @property
    def live_height(self) -> int:
        """The maximum number of rows that may still change: any, since all rows can be drawn again."""
        return sys.maxsize

    def key(self, action: str) -> str:
        """The display form of an action's key; "" if it has none."""
        return dict(self.hints).get(action, "")


class Part(Protocol):
    """One part of a transcript."""

    def lay_out(self, scene: Scene) -> None:
        """Lay out the part anew."""
        ...

    @property
    def rows(self) -> list[Row]:
        """All rows."""
        ...

    @property
    def height(self) -> int:
        """The number of rows."""
        ...

    def row(self, at: int) -> Row:
        """The row at a position."""
        ...

    def rows_between(self, start: int, stop: int) -> Sequence[Row]:
        """The rows from a position up to another; positions before the first count as it."""
        ...


def add_gutter(
    rows: Sequence[Row], sign: str, style: Style, *, first: str = "", lead: Style | None = None
) -> list[Row]:
    """Put rows behind a gutter; the first may have its own sign."""
    blank = " " * (GUTTER_WIDTH - 1)
    gutter = ShownText(sign + blank, before=LINE_BREAK, skip=GUTTER_WIDTH)
    drawn: list[Row] = [[(gutter, style), *row] for row in rows]
    if drawn and first:
        drawn[0][0] = (ShownText(first + blank, before=LINE_BREAK, skip=GUTTER_WIDTH), lead or style)
    return drawn


def remark_rows(text: str, canvas: Canvas, *, wrong: bool = False) -> list[Row]:
    """The rows of a remark; `text` must be safe to show."""
    styles = canvas.palette.styles
    rows = wrap_line([(text, styles["text" if wrong else "dim"])], canvas.columns.prose)
    return add_gutter(rows, " ", PLAIN, first="!" if wrong else "", lead=styles["error"] + BOLD)


class _FixedPart:
    """A part whose rows are made once for a width."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    @property
    def height(self) -> int:
        return len(self.rows)

    def row(self, at: int) -> Row:
        return self.rows[at]

    def rows_between(self, start: int, stop: int) -> list[Row]:
        return self.rows[max(0, start) : max(0, stop)]


class NotePart(_FixedPart):
    """One note; `wrong` marks a failure."""

    def __init__(self, text: str, *, wrong: bool = False) -> None:
        super().__init__()
        self._text = clean_line(text)
        self._is_error = wrong

    def lay_out(self, scene: Scene) -> None:
        self.rows = remark_rows(self._text, scene, wrong=self._is_error)


MAX_QUESTION_ROWS = 40
"""Maximum rows of a long question until it is opened."""


class QuestionPart(_FixedPart):
    """One question; `toggle` opens it, if a pasted text or its length hides a part."""

    def __init__(
        self,
        text: str,
        attachments: tuple[Attachment, ...] = (),
        pastes: tuple[Span, ...] = (),
        *,
        turn: int | None = None,
        is_queued: bool = False,
    ) -> None:
        super().__init__()
        self.turn = turn
        self.text = text
        self.is_queued = is_queued
        """Whether it waits for the previous reply to end."""
        self.branch = (1, 1)
        """Its number among the questions at this place, and their total."""
        self.is_open = False
        self.is_foldable = False
        """Whether a part of it is hidden unless it is open."""
        self._attachments = attachments
        self._pastes = pastes
        self._scene: Scene | None = None

    def toggle(self) -> None:
        """Show all of it, or fold it again."""
        self.is_open = not self.is_open
        if self._scene:
            self.lay_out(self._scene)

    def lay_out(self, scene: Scene) -> None:
        self._scene = scene
        glyphs, faint = scene.palette.glyphs, scene.palette.styles["faint"]
        whole = self.is_open or scene.is_printed
        rows = [row for line in self._lines(scene, whole=whole) for row in wrap_line(line, scene.columns.prose)]
        over = len(rows) - MAX_QUESTION_ROWS
        self.is_foldable = bool(self._pastes) or over > 1
        if over > 1 and not whole:
            rows = [*rows[:MAX_QUESTION_ROWS], [(f"{glyphs.more} {over:,} more lines", faint)]]
        for remark in self._remarks(scene):
            rows += wrap_line([(remark, scene.palette.styles["dim"])], scene.columns.prose)
        self.rows = add_gutter(rows, glyphs.question, scene.palette.styles["faint" if self.is_queued else "you"])

    def _lines(self, scene: Scene, *, whole: bool) -> list[list[Run]]:
        """The lines of the text as runs, with a label for each pasted text unless all of it is shown."""
        styles = scene.palette.styles
        look = styles["dim"] if self.is_queued else styles["text"] + BOLD
        runs: list[Run] = []
        end = 0
        for start, stop in () if whole else self._pastes:
            label = f"{scene.palette.glyphs.collapsed} {format_paste(self.text[start:stop])}"
            runs += [(self.text[end:start], look), (label, styles["faint"])]
            end = stop
        runs.append((self.text[end:], look))
        return _split_lines([(expand_tabs(clean(text)), style) for text, style in _strip_lines(runs)])

    def _remarks(self, scene: Scene) -> list[str]:
        found = [f"+ {clean_line(item.name)}" for item in self._attachments]
        if self.is_queued:
            found.append("queued")
        return found + branch_remarks_of(self.branch, "question", scene)


def _strip_lines(runs: list[Run]) -> list[Run]:
    """The runs without blank lines at their ends."""
    (first, style), *rest = runs
    runs = [(first.lstrip("\n"), style), *rest]
    last, style = runs[-1]
    return [*runs[:-1], (last.rstrip("\n"), style)]


def _split_lines(runs: list[Run]) -> list[list[Run]]:
    lines: list[list[Run]] = [[]]
    for text, style in runs:
        first, *rest = text.split("\n")
        lines[-1].append((first, style))
        lines += [[(line, style)] for line in rest]
    return lines


def branch_remarks_of(branch: tuple[int, int], noun: str, scene: Scene) -> list[str]:
    """The number of this branch and the keys for the others, if there are several."""
    number, of = branch
    if of < 2:  # noqa: PLR2004 - one branch is none
        return []
    keys = " ".join(filter(None, (scene.key("previous_branch"), scene.key("next_branch"))))
    return [f"{noun} {number} of {of}" + (f"   {keys}" if keys else "")]
