"""A reply as rows: the summary, thinking and answer sections, and remarks on how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style

from reflectty.core.safety import Sanitizer, clean_line
from reflectty.core.segments import Kind, Reclassification, Segment
from reflectty.core.session import ReplyOrigin
from reflectty.view.parts import ThinkingView, branch_remarks_of, remark_rows, to_chat_wording
from reflectty.view.rows import GUTTER_WIDTH, PLAIN
from reflectty.view.summary import control_character_remark, remarks_on
from reflectty.view.thinking import ReplyState, ThinkingRenderer, summary_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reflectty.core.segments import Event
    from reflectty.core.session import StoredReply
    from reflectty.reasoning.reply import Reply
    from reflectty.view.answer import AnswerRenderer
    from reflectty.view.parts import Scene
    from reflectty.view.rows import Row


_TAIL_PIECES = 60
"""Number of last pieces to search for the last line of thinking."""


class ThinkingSection:
    """The thinking before one answer: blocks of thinking and corrections, safe to show."""

    def __init__(self) -> None:
        self._blocks: list[tuple[Kind, list[str]]] = []
        self._drawer: ThinkingRenderer | None = None
        self._width = 0
        self.rows: list[Row] = []
        """Rows that further text cannot change."""
        self.live_rows: list[Row] = []

    def begin(self, kind: Kind) -> None:
        """Start a block."""
        self._close()
        self._blocks.append((kind, []))
        if self._drawer:
            self._drawer.begin(kind)

    def add(self, text: str) -> None:
        """Add the next piece of the block."""
        pieces = self._blocks[-1][1]
        if not pieces:
            text = text.lstrip("\n")
        pieces.append(text)
        if self._drawer:
            self.rows += self._drawer.feed(text, self._width)
            self.live_rows = self._drawer.live_rows(self._width)

    def end(self) -> None:
        """End the last block."""
        self._close()

    def _close(self) -> None:
        if self._drawer and self._blocks:
            self.rows += self._drawer.close(self._width)
            self.live_rows = []

    def draw(self, scene: Scene) -> None:
        """Lay out the existing text, and from now on each new piece."""
        self._drawer, self._width = ThinkingRenderer(scene.palette), scene.columns.prose
        self.rows, self.live_rows = [], []
        for at, (kind, pieces) in enumerate(self._blocks):
            self._drawer.begin(kind)
            self.rows += self._drawer.feed("".join(pieces), self._width)
            if at < len(self._blocks) - 1:
                self.rows += self._drawer.close(self._width)
        self.live_rows = self._drawer.live_rows(self._width) if self._blocks else []

    def hide(self) -> None:
        """Drop the rows and stop laying out, which saves the work for hidden thinking."""
        self._drawer = None
        self.rows, self.live_rows = [], []

    @property
    def is_drawn(self) -> bool:
        return self._drawer is not None

    @property
    def is_empty(self) -> bool:
        return not any(piece.strip() for _, pieces in self._blocks for piece in pieces)

    @property
    def last_line(self) -> str:
        """The line being thought."""
        tail = "".join(self._blocks[-1][1][-_TAIL_PIECES:]) if self._blocks else ""
        return next((line.strip() for line in reversed(tail.split("\n")) if line.strip()), "")

    @property
    def is_correcting(self) -> bool:
        """True while the model is correcting itself."""
        return bool(self._blocks) and self._blocks[-1][0] is Kind.REFLECTION


_MARGIN = (" " * GUTTER_WIDTH, PLAIN)


class AnswerSection:
    """One answer, safe to show."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._scene: Scene | None = None
        self._answer: AnswerRenderer | None = None
        self._is_over = self._is_stale = False
        self.rows: list[Row] = []
        """Rows that further text cannot change."""
        self._live_rows: list[Row] = []

    def add(self, text: str) -> None:
        """Add the next piece."""
        if not self._pieces:
            text = text.lstrip("\n")
        self._pieces.append(text)
        if self._answer and self._scene:
            self.rows += _indent(self._answer.feed(text, self._scene.columns))
            self._is_stale = True

    def end(self) -> None:
        """End the answer."""
        if self._answer and self._scene and not self._is_over:
            self.rows += _indent(self._answer.close(self._scene.columns))
        self._is_over, self._is_stale, self._live_rows = True, False, []

    def draw(self, scene: Scene) -> None:
        """Lay out the existing text."""
        # Importing Markdown costs a tenth of the start time, and the first answer takes longer than its import.
        from reflectty.view.answer import AnswerRenderer

        over, self._is_over = self._is_over, False
        self._scene, self._answer, self.rows = scene, AnswerRenderer(scene.palette), []
        self.rows += _indent(self._answer.feed("".join(self._pieces), scene.columns))
        self._is_stale = True
        if over:
            self.end()

    @property
    def live_rows(self) -> list[Row]:
        """The rows of the open block, laid out on access: several pieces may arrive between two frames."""
        if self._is_stale and self._answer and self._scene:
            self._live_rows = _indent(self._answer.live_rows(self._scene.columns, self._scene.height))
            self._is_stale = False
        return self._live_rows

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def is_empty(self) -> bool:
        return not any(piece.strip() for piece in self._pieces)


def _indent(rows: list[Row]) -> list[Row]:
    return [[_MARGIN, *row] if row else row for row in rows]


PEEK_ROWS = 3
"""Rows of thinking in the peek view."""
_BLANK_ROWS: list[Row] = [[]]
_REVERSE = Style(reverse=True)


class ReplyPart:
    """One reply, complete or streaming."""

    def __init__(self, model: str, *, turn: int | None = None, origin: ReplyOrigin = ReplyOrigin.ASKED) -> None:
        self.turn = turn
        self.open_override: bool | None = None
        """Whether this thinking is open in any view; None leaves it to the view."""
        self.branch = (1, 1)
        self.marked_row = -1
        """The row of the correction that the user has jumped to."""
        self.is_last = True
        """Whether to show hints: keys act on the last reply."""
        self.state = ReplyState(model, origin)
        self._remarks: tuple[tuple[str, bool], ...] = ()
        self._sections: list[ThinkingSection | AnswerSection] = []
        self._blocks: dict[int, tuple[Kind, list[str]]] = {}
        self._block: int | None = None
        self._sanitizer = Sanitizer()
        self._replaced = 0
        self._scene: Scene | None = None

    # Input

    def begin(self, reply: Reply) -> None:
        """Start the reply when its request is sent."""
        self.state.follow(reply)

    def tick(self, seconds: float) -> None:
        """Update the elapsed time."""
        answers = bool(self._sections) and isinstance(self._sections[-1], AnswerSection)
        self.state.tick(seconds, is_answering=answers)

    def show(self, event: Event) -> None:
        """Add a piece of the reply."""
        if isinstance(event, Reclassification):
            self._reclassify(event)
            return
        if event.block != self._block:
            self._end_block()
            self._block = event.block
            self._blocks[event.block] = (event.kind, [])
            self._open_section(event.kind)
        self._add(self._sanitizer.feed(event.text))

    def end(self, said: StoredReply) -> None:
        """End the reply and show how it ended."""
        self._end_block()
        for section in self._sections:
            section.end()
        self.state.end(said)
        seen = ((control_character_remark(self._replaced), False),) if self._replaced else ()
        self._remarks = tuple((clean_line(to_chat_wording(text)), wrong) for text, wrong in (*seen, *remarks_on(said)))
        if self._scene:
            self.lay_out(self._scene)

    def _open_section(self, kind: Kind) -> None:
        """Begin a block in the last section if it holds this kind, else in a new section."""
        wanted: type[ThinkingSection | AnswerSection] = AnswerSection if kind is Kind.ANSWER else ThinkingSection
        section = self._sections[-1] if self._sections else None
        if not isinstance(section, wanted):
            if section:
                section.end()
            section = wanted()
            self._sections.append(section)
            if self._scene and isinstance(section, AnswerSection):
                section.draw(self._scene)
        elif isinstance(section, AnswerSection) and not section.is_empty:
            section.add("\n\n")
        if isinstance(section, ThinkingSection):
            section.begin(kind)
        self._show_or_hide()

    def _add(self, text: str) -> None:
        if text and self._block is not None:
            self._blocks[self._block][1].append(text)
            self._sections[-1].add(text)

    def _end_block(self) -> None:
        if self._block is not None:
            self._add(self._sanitizer.close())
        self._replaced += self._sanitizer.replaced_count
        self._sanitizer, self._block = Sanitizer(), None

    def _reclassify(self, event: Reclassification) -> None:
        """Turn blocks shown as an answer into thinking, or drop those taken back."""
        self._add(self._sanitizer.close())
        self._replaced += self._sanitizer.replaced_count
        self._sanitizer = Sanitizer()
        for number in event.blocks:
            if event.kind is None:
                self._blocks.pop(number, None)
            elif number in self._blocks:
                self._blocks[number] = (event.kind, self._blocks[number][1])
        blocks, self._blocks, self._sections, self._block = self._blocks, {}, [], None
        for number, (kind, pieces) in blocks.items():
            self._block = number
            self._blocks[number] = (kind, [])
            self._open_section(kind)
            self._add("".join(pieces))

    # Output

    @classmethod
    def from_stored(cls, said: StoredReply, *, turn: int | None = None) -> ReplyPart:
        """The part of a stored reply."""
        part = cls(said.model, turn=turn, origin=said.origin)
        for number, (kind, text) in enumerate(said.segments):
            part.show(Segment(kind, text, number))
        part.end(said)
        return part

    def lay_out(self, scene: Scene) -> None:
        self._scene = scene
        for section in self._sections:
            if isinstance(section, AnswerSection):
                section.draw(scene)
            else:
                section.hide()
        self._show_or_hide()

    def _show_or_hide(self) -> None:
        if self._scene is None:
            return
        for section in self._sections:
            if isinstance(section, ThinkingSection):
                shown = self.is_open or self._is_peeking(section)
                if shown and not section.is_drawn:
                    section.draw(self._scene)
                    if self.state.is_over or section is not self._sections[-1]:
                        section.end()
                elif not shown and section.is_drawn:
                    section.hide()

    @property
    def is_open(self) -> bool:
        """True if all of the thinking is shown."""
        return (
            self.open_override
            if self.open_override is not None
            else self._scene is not None and self._scene.view is ThinkingView.LIVE
        )

    def _is_peeking(self, section: ThinkingSection) -> bool:
        return self._is_coming(section) and self._scene is not None and self._scene.view is ThinkingView.PEEK

    def _is_coming(self, section: ThinkingSection | AnswerSection) -> bool:
        return not self.state.is_over and section is self._sections[-1] and self.open_override is None

    def toggle(self) -> None:
        """Open or fold the thinking."""
        self.open_override, self.marked_row = not self.is_open, -1
        self._show_or_hide()

    @property
    def height(self) -> int:
        return sum(len(rows) for _, rows in self._row_groups())

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The sections from the top: each one's number and row count."""
        return tuple((number, len(rows)) for number, rows in self._row_groups())

    @property
    def stable_height(self) -> int:
        """Number of rows from the top that further text cannot change, the summary apart."""
        if self.state.is_over or not self._sections:
            return 0 if not self.state.is_over else self.height
        return sum(len(rows) for _, rows in self._row_groups(live=False))

    def row(self, at: int) -> Row:
        wanted = at
        for _, rows in self._row_groups():
            if at < len(rows):
                return _reverse_row(rows[at]) if wanted == self.marked_row else rows[at]
            at -= len(rows)
        return []

    def _row_groups(self, *, live: bool = True) -> Iterator[tuple[int, Sequence[Row]]]:
        """Yield the rows in groups, each with the number of its section; numbers grow downwards.

        The blank row between two sections is its own group. With `live`, rows that may still change are included.
        """
        scene = self._scene
        if scene is None:
            return
        head = self._summary_rows(scene)
        if head:
            yield -2, head
        begun, answered = bool(head), False
        for at, section in enumerate(self._sections):
            number = 2 * at
            thought = isinstance(section, ThinkingSection)
            if section.is_empty or (isinstance(section, ThinkingSection) and not section.is_drawn):
                continue
            if begun and (answered or not thought):
                yield number - 1, _BLANK_ROWS
            if isinstance(section, ThinkingSection):
                yield from ((number, rows) for rows in self._thinking_rows(section, live=live))
            else:
                yield number, section.rows
                yield number, section.live_rows if live else ()
            begun, answered = True, not thought
        if self._remarks:
            last = 2 * len(self._sections)
            yield from (((last - 1, _BLANK_ROWS),) if begun else ())
            for text, wrong in self._remarks:
                yield last, remark_rows(text, scene, *(("error", "!") if wrong else ()))

    def _thinking_rows(self, section: ThinkingSection, *, live: bool) -> Iterator[Sequence[Row]]:
        if self.is_open:
            yield section.rows
            yield section.live_rows if live else ()
        elif live:
            yield [*section.rows[-PEEK_ROWS:], *section.live_rows][-PEEK_ROWS:]

    def _summary_rows(self, scene: Scene) -> list[Row]:
        """The summary of the thinking, or no rows if there is nothing to sum up."""
        thoughts = [
            section for section in self._sections if isinstance(section, ThinkingSection) and not section.is_empty
        ]
        branch = branch_remarks_of(self.branch, "reply", scene)
        if self.state.is_over and not thoughts and not branch and self.state.origin is ReplyOrigin.ASKED:
            return []
        if scene.view is ThinkingView.OFF and self.open_override is None and self.state.is_over and not branch:
            return []
        thinking = bool(thoughts) and self._sections[-1] is thoughts[-1]
        line = thoughts[-1].last_line if thinking and not self.is_open and not self._is_peeking(thoughts[-1]) else ""
        return [
            summary_row(
                self.state,
                scene,
                has_thinking=bool(thoughts),
                is_open=self.is_open,
                line=line,
                tail=branch,
                has_hints=self.is_last,
            )
        ]

    @property
    def correction_rows(self) -> tuple[int, ...]:
        """The rows in which a correction begins."""
        sign = self._scene.palette.glyphs.correction if self._scene else ""
        rows = (row for _, piece in self._row_groups() for row in piece)
        return tuple(at for at, row in enumerate(rows) if row and row[0][0].strip() == sign)

    @property
    def text(self) -> str:
        """The answer as shown."""
        return "\n\n".join(section.text for section in self._sections if isinstance(section, AnswerSection))


def _reverse_row(row: Row) -> Row:
    return [(text, style + _REVERSE) for text, style in row]
