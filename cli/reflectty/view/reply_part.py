"""A reply as rows: the summary, thinking and answer sections, and remarks on how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style

from reflectty.core.safety import clean_line
from reflectty.core.segments import Kind, Segment
from reflectty.core.session import ReplyOrigin
from reflectty.view.parts import QuestionPart, ThinkingView, branch_remarks_of, remark_rows, to_chat_wording
from reflectty.view.probed import beginnings_of, places_of, with_probe_rows
from reflectty.view.rows import MARGIN, uncopied
from reflectty.view.sections import ReplySections
from reflectty.view.summary import control_character_remark, remarks_on
from reflectty.view.thinking import STOPPED_REASON, ReplyState, summary_rows
from reflectty.view.thought_map import MapPoint, map_row, points_of, with_settled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reflectty.core.segments import Event
    from reflectty.core.session import Readings, StoredReply, Turn
    from reflectty.reasoning.reply import Reply
    from reflectty.view.parts import Scene
    from reflectty.view.rows import Row
    from reflectty.view.sections import BlockText, Section


PEEK_ROWS = 3
"""Rows of thinking in the peek view."""
_BLANK_ROWS: list[Row] = [[]]
_REVERSE = Style(reverse=True)


class ReplyPart:
    """One reply, complete or streaming."""

    def __init__(
        self,
        model: str,
        *,
        turn: int | None = None,
        origin: ReplyOrigin = ReplyOrigin.ASKED,
        reads_thoughts: bool = True,
    ) -> None:
        self.turn = turn
        self.open_override: bool | None = None
        """Whether this thinking is open in any view; None leaves it to the view."""
        self.branch = (1, 1)
        self.marked_row = -1
        """The row of the correction that the user has jumped to."""
        self.is_last = False
        """Whether to show hints: keys act on the last reply."""
        self.known_warnings: frozenset[str] = frozenset()
        """Warnings under earlier replies of the session, which are not repeated."""
        self.state = ReplyState(model, origin)
        self._remarks: tuple[tuple[str, bool], ...] = ()
        self._remark_rows: list[Row] = []
        self._reads_thoughts = reads_thoughts
        self._sections = ReplySections(reads_thoughts=reads_thoughts)
        self._unread: StoredReply | None = None
        self._scene: Scene | None = None
        self._summary: list[Row] = []
        self._map_points: list[MapPoint] = []
        self._settled_length = -1
        """The length of the thinking for which the points of the map were read."""
        self.map_at = -1
        """The row of the thought map; -1 if there is none."""
        self._summarized: tuple[object, ...] = ()
        """The values that the summary was made of: every row of a frame asks for its height."""

    # Input

    def begin(self, reply: Reply) -> None:
        """Start the reply when its request is sent."""
        self.state.follow(reply)

    def clear(self) -> None:
        """Drop what was shown: another reply takes its place."""
        self._sections = ReplySections(reads_thoughts=self._reads_thoughts)
        self.state = ReplyState(self.state.model, self.state.origin)
        if self._scene:
            self.lay_out(self._scene)

    def tick(self, seconds: float) -> None:
        """Update the elapsed time."""
        self.state.tick(seconds, self._sections.kind, self._sections.readings)

    def show(self, event: Event) -> None:
        """Add a piece of the reply."""
        if self._sections.show(event):
            self._show_or_hide()

    def end_text(self) -> Readings | None:
        """End the text, which makes the reading of its last sentence certain; how many second thoughts are sure."""
        self._sections.end()
        return self._sections.readings

    def end(self, stored: StoredReply) -> None:
        """End the reply and show how it ended."""
        if not stored.segments:
            # A program that was killed has stored only the raw text.
            self.show(Segment(Kind.ANSWER, stored.answer or stored.raw, 0))
        self._sections.end()
        self.state.end(stored)
        self.state.note_readings(self._sections.readings)
        replaced = self._sections.replaced_count
        seen = ((control_character_remark(replaced), False),) if replaced else ()
        self._remarks = (*seen, *remarks_on(stored))
        if self._scene:
            self.lay_out(self._scene)

    # Output

    @classmethod
    def from_stored(cls, stored: StoredReply, *, turn: int | None = None) -> ReplyPart:
        """The part of a stored reply."""
        part = cls(stored.model, turn=turn, origin=stored.origin, reads_thoughts=False)
        part.restore(stored)
        return part

    def restore(self, stored: StoredReply) -> None:
        """Show a stored reply in place of all that came before."""
        self._sections, self._unread = ReplySections(reads_thoughts=False), stored
        self.state.end(stored)
        if self._scene:
            self.lay_out(self._scene)

    def _read(self) -> None:
        """Read a stored reply at the first use of its text: of a long session few replies come into view."""
        stored, self._unread = self._unread, None
        if stored:
            for number, (kind, text) in enumerate(stored.segments):
                self.show(Segment(kind, text, number))
            self.end(stored)

    def lay_out(self, scene: Scene) -> None:
        self._read()
        self._scene = scene
        for section in self._sections.all:
            section.hide()
        self._show_or_hide()
        self._remark_rows = []
        for text, wrong in self._remarks:
            if text in self.known_warnings and not wrong:
                continue
            if scene.is_printed:
                self._remark_rows += remark_rows(clean_line(text), scene, wrong=wrong)
            elif not (wrong and self.state.is_stopped):  # The summary says that the user stopped it.
                line = clean_line(to_chat_wording(text)) + (self._next_key(scene) if wrong else "")
                self._remark_rows += remark_rows(line, scene, wrong=wrong)

    def _next_key(self, scene: Scene) -> str:
        """What to press after a reply that was cut; empty if the keys act on another reply."""
        action, words = ("continue", "continues") if self.state.has_text else ("regenerate", "asks again")
        key = scene.key(action) if self.is_last else ""
        return f" {scene.palette.glyphs.dot} {key} {words}" if key else ""

    def _show_or_hide(self) -> None:
        if self._scene is None:
            return
        for section in self._sections.all:
            shown = section.is_answer or self.is_open or self._is_peeking(section)
            if shown and not section.is_drawn:
                if not section.is_answer and self._scene.reads_thoughts:
                    self._sections.read_thoughts()
                    self.state.note_readings(self._sections.readings)
                section.draw(self._scene)
                self._add_probe_rows(section)
            elif not shown and section.is_drawn:
                section.hide()

    def _add_probe_rows(self, section: Section) -> None:
        """Tell below each correction of a section that was probed what it was worth."""
        if self._scene and self.state.measured.probed and not section.is_answer and self.state.is_over:
            beginnings = beginnings_of(self._thought_blocks)
            section.rows = with_probe_rows(section.rows, beginnings, self.state.measured.probed, self._scene.palette)

    @property
    def _thought_blocks(self) -> list[BlockText]:
        return [block for section in self._sections.all if not section.is_answer for block in section.blocks]

    def correction_near(self, row: int) -> int:
        """The number of the correction or second thought that begins in a row, from 1; 0 if none does."""
        if self._scene is None or not 0 <= row < self.height:
            return 0
        places = places_of(self.rows, beginnings_of(self._thought_blocks), self._scene.palette)
        return next((number for number, place in places.items() if place == row), 0)

    @property
    def is_open(self) -> bool:
        """True if all of the thinking is shown."""
        return (
            self.open_override
            if self.open_override is not None
            else self._scene is not None and self._scene.view is ThinkingView.LIVE
        )

    def _is_peeking(self, section: Section) -> bool:
        """True for the last section of thinking in the peek view."""
        if self._scene is None or self._scene.view is not ThinkingView.PEEK or self.open_override is not None:
            return False
        thoughts = (one for one in reversed(self._sections.all) if not one.is_answer and not one.is_empty)
        return section is next(thoughts, None)

    def toggle(self) -> None:
        """Open or fold the thinking."""
        self.open_override, self.marked_row = not self.is_open, -1
        self._show_or_hide()

    @property
    def rows(self) -> list[Row]:
        return [row for _, rows in self._row_groups() for row in rows]

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
        if self.state.is_over or not self._sections.all:
            return 0 if not self.state.is_over else self.height
        return sum(len(rows) for _, rows in self._row_groups(live=False))

    def row(self, at: int) -> Row:
        wanted = at
        for _, rows in self._row_groups():
            if at < len(rows):
                return _reverse_row(rows[at]) if wanted == self.marked_row else rows[at]
            at -= len(rows)
        return []

    def rows_between(self, start: int, stop: int) -> list[Row]:
        """The rows from a position up to another."""
        found: list[Row] = []
        top = 0
        for _, rows in self._row_groups():
            found += rows[max(0, start - top) : max(0, stop - top)]
            top += len(rows)
        return found

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
        for at, section in enumerate(self._sections.all):
            if section.is_empty or not section.is_drawn:
                continue
            if begun and (answered or section.is_answer):
                yield 2 * at - 1, _BLANK_ROWS
            yield from ((2 * at, rows) for rows in self._section_rows(section, live=live))
            begun, answered = True, section.is_answer
        if self._remark_rows:
            last = 2 * len(self._sections.all)
            yield from (((last - 1, _BLANK_ROWS),) if begun else ())
            yield last, self._remark_rows

    def _section_rows(self, section: Section, *, live: bool) -> Iterator[Sequence[Row]]:
        if section.is_answer or self.is_open:
            yield section.rows
            yield section.live_rows if live else ()
        elif live:
            yield [*section.rows[-PEEK_ROWS:], *section.live_rows][-PEEK_ROWS:]

    def _summary_rows(self, scene: Scene) -> list[Row]:
        """The summary of the thinking, or no rows if there is nothing to sum up."""
        thoughts = [section for section in self._sections.all if not section.is_answer and not section.is_empty]
        branch = branch_remarks_of(self.branch, "reply", scene)
        if self.state.is_stopped and not scene.is_printed:
            branch = [STOPPED_REASON, *branch]
        if self.state.is_over and not thoughts and not branch and self.state.origin is ReplyOrigin.ASKED:
            return []
        if scene.view is ThinkingView.OFF and self.open_override is None and self.state.is_over:
            return [uncopied([MARGIN, (text, scene.palette.styles["faint"])]) for text in branch]
        thinking = bool(thoughts) and self._sections.all[-1] is thoughts[-1]
        line = thoughts[-1].last_line if thinking and not self.is_open and not self._is_peeking(thoughts[-1]) else ""
        shown = (scene, self.state.values, bool(thoughts), self.is_open, line, branch, self.is_last)
        if shown != self._summarized:
            self._summarized = shown
            self._summary = summary_rows(
                self.state,
                scene,
                has_thinking=bool(thoughts),
                is_open=self.is_open,
                line=line,
                branch=branch,
                has_hints=self.is_last,
            )
            thought_map = self._map_row(scene) if thoughts and self.state.is_over else None
            self.map_at = len(self._summary) if thought_map else -1
            self._summary = [uncopied(row) for row in (*self._summary, *([thought_map] if thought_map else ()))]
        return self._summary

    def _map_row(self, scene: Scene) -> Row | None:
        """The strip that shows where a long thought turned and settled; None if it was short, or is not read."""
        if not scene.reads_thoughts or self._sections.readings is None:
            return None
        blocks = ((block.kind, sum(map(len, block.pieces)), block.marks) for block in self._thought_blocks)
        points, length = points_of(blocks)
        if self._settled_length != length:
            texts = [(block.kind, "".join(block.pieces)) for section in self._sections.all for block in section.blocks]
            self._map_points, self._settled_length = with_settled(points, length, texts), length
        return map_row(self._map_points, length, scene.palette, scene.columns.prose)

    def turning_row_near(self, share: float) -> int:
        """The row of the correction or second thought nearest to a share of the thinking; -1 if there is none."""
        thinking = sum(len(section.rows) for section in self._sections.all if not section.is_answer)
        wanted = len(self._summary) + share * thinking
        return min(self.turning_rows, key=lambda row: abs(row - wanted), default=-1)

    @property
    def turning_rows(self) -> tuple[int, ...]:
        """The rows in which a correction or a second thought begins; of a run of neighbors the first."""
        if self._scene is None:
            return ()
        glyphs = self._scene.palette.glyphs
        signs = {glyphs.correction, glyphs.second_correction, glyphs.check, glyphs.alternative}
        found = [at for at, row in enumerate(self.rows) if len(row) > 1 and row[0][0] in signs and at != self.map_at]
        return tuple(at for at in found if at - 1 not in found)

    @property
    def readings(self) -> Readings | None:
        """How many second thoughts are sure; None if they are not read."""
        self._read()
        return self._sections.readings

    @property
    def has_thinking(self) -> bool:
        self._read()
        return any(not section.is_answer and not section.is_empty for section in self._sections.all)

    @property
    def texts(self) -> tuple[str, ...]:
        """The text of each section, thinking and answers in turn."""
        self._read()
        return tuple(section.text for section in self._sections.all)

    @property
    def text(self) -> str:
        """The answer as shown."""
        self._read()
        return "\n\n".join(section.text for section in self._sections.all if section.is_answer)


def _reverse_row(row: Row) -> Row:
    return [(text, style + _REVERSE) for text, style in row]


def part_of(turn: Turn) -> QuestionPart | ReplyPart:
    """The part of a stored turn."""
    if turn.said is None:
        return QuestionPart(turn.text, turn.attachments, turn.pastes, turn=turn.id)
    return ReplyPart.from_stored(turn.said, turn=turn.id)
