"""A reply in the transcript: the summary of its thinking, the thinking when it is open, the answer, what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.style import Style

from reflectty.drawing.summary import made_visible, remarks
from reflectty.safety import Sanitizer, clean_line
from reflectty.session import Origin
from reflectty.stream import Kind, Reclassified, Segment
from reflectty.tui.parts.answered import Answered
from reflectty.tui.parts.part import View, remark
from reflectty.tui.parts.question import branch_remark
from reflectty.tui.parts.summary import State, summary
from reflectty.tui.parts.thought import Thought
from reflectty.tui.wording import in_chat

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reflectty.drawing.paint import Row
    from reflectty.reply import Reply
    from reflectty.session import Said
    from reflectty.stream import Event
    from reflectty.tui.parts.part import Scene

PEEK = 3
"""Rows of thinking that a peek shows."""
_BLANK: list[Row] = [[]]
_REVERSE = Style(reverse=True)


class ReplyPart:
    """One reply, complete or coming."""

    def __init__(self, model: str, *, turn: int | None = None, origin: Origin = Origin.ASKED) -> None:
        self.turn = turn
        self.opened: bool | None = None
        """Whether this thinking is open, whatever the view; None leaves it to the view."""
        self.branch = (1, 1)
        self.marked = -1
        """The row of the correction that the reader has gone to."""
        self.last = True
        """Whether hints stand beside it: keys act on the last reply."""
        self.state = State(model, origin)
        self._remarks: tuple[tuple[str, bool], ...] = ()
        self._sections: list[Thought | Answered] = []
        self._blocks: dict[int, tuple[Kind, list[str]]] = {}
        self._block: int | None = None
        self._sanitizer = Sanitizer()
        self._replaced = 0
        self._scene: Scene | None = None

    # What comes

    def begin(self, reply: Reply) -> None:
        """Say that this reply has been asked for."""
        self.state.follow(reply)

    def tick(self, seconds: float) -> None:
        """Say that time passes."""
        answers = bool(self._sections) and isinstance(self._sections[-1], Answered)
        self.state.tick(seconds, answers=answers)

    def show(self, event: Event) -> None:
        """Take a piece of the reply."""
        if isinstance(event, Reclassified):
            self._reclassify(event)
            return
        if event.block != self._block:
            self._end_block()
            self._block = event.block
            self._blocks[event.block] = (event.kind, [])
            self._section(event.kind)
        self._add(self._sanitizer.feed(event.text))

    def end(self, said: Said) -> None:
        """Say that nothing more comes, and how it ended."""
        self._end_block()
        for section in self._sections:
            section.end()
        self.state.end(said)
        seen = ((made_visible(self._replaced), False),) if self._replaced else ()
        self._remarks = tuple((clean_line(in_chat(text)), wrong) for text, wrong in (*seen, *remarks(said)))
        if self._scene:
            self.lay(self._scene)

    def _section(self, kind: Kind) -> None:
        """Begin a block in the last section, where that holds such blocks, or in a new one."""
        wanted: type[Thought | Answered] = Answered if kind is Kind.ANSWER else Thought
        section = self._sections[-1] if self._sections else None
        if not isinstance(section, wanted):
            if section:
                section.end()
            section = wanted()
            self._sections.append(section)
            if self._scene and isinstance(section, Answered):
                section.draw(self._scene)
        elif isinstance(section, Answered) and not section.empty:
            section.add("\n\n")
        if isinstance(section, Thought):
            section.begin(kind)
        self._show_or_hide()

    def _add(self, text: str) -> None:
        if text and self._block is not None:
            self._blocks[self._block][1].append(text)
            self._sections[-1].add(text)

    def _end_block(self) -> None:
        if self._block is not None:
            self._add(self._sanitizer.close())
        self._replaced += self._sanitizer.replaced
        self._sanitizer, self._block = Sanitizer(), None

    def _reclassify(self, event: Reclassified) -> None:
        """Draw blocks as thinking that were shown as an answer, or leave out those that are taken back."""
        self._add(self._sanitizer.close())
        self._replaced += self._sanitizer.replaced
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
            self._section(kind)
            self._add("".join(pieces))

    # What is seen

    @classmethod
    def of(cls, said: Said, *, turn: int | None = None) -> ReplyPart:
        """Return the part of a reply that is over."""
        part = cls(said.model, turn=turn, origin=said.origin)
        for number, (kind, text) in enumerate(said.segments):
            part.show(Segment(kind, text, number))
        part.end(said)
        return part

    def lay(self, scene: Scene) -> None:
        self._scene = scene
        for section in self._sections:
            if isinstance(section, Answered):
                section.draw(scene)
            else:
                section.hide()
        self._show_or_hide()

    def _show_or_hide(self) -> None:
        if self._scene is None:
            return
        for section in self._sections:
            if isinstance(section, Thought):
                shown = self.is_open or self._peeks(section)
                if shown and not section.drawn:
                    section.draw(self._scene)
                    if self.state.over or section is not self._sections[-1]:
                        section.end()
                elif not shown and section.drawn:
                    section.hide()

    @property
    def is_open(self) -> bool:
        """Whether all of the thinking is shown."""
        return self.opened if self.opened is not None else self._scene is not None and self._scene.view is View.LIVE

    def _peeks(self, section: Thought) -> bool:
        return self._coming(section) and self._scene is not None and self._scene.view is View.PEEK

    def _coming(self, section: Thought | Answered) -> bool:
        return not self.state.over and section is self._sections[-1] and self.opened is None

    def toggle(self) -> None:
        """Open the thinking, or fold it."""
        self.opened, self.marked = not self.is_open, -1
        self._show_or_hide()

    @property
    def height(self) -> int:
        return sum(len(rows) for _, rows in self._pieces())

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """The rows by the section they stand in, from the top: its number and how many rows."""
        return tuple((number, len(rows)) for number, rows in self._pieces())

    @property
    def stable(self) -> int:
        """How many rows from the top on no further text can change, the summary apart."""
        if self.state.over or not self._sections:
            return 0 if not self.state.over else self.height
        return sum(len(rows) for _, rows in self._pieces(live=False))

    def row(self, at: int) -> Row:
        wanted = at
        for _, rows in self._pieces():
            if at < len(rows):
                return _marked(rows[at]) if wanted == self.marked else rows[at]
            at -= len(rows)
        return []

    def _pieces(self, *, live: bool = True) -> Iterator[tuple[int, Sequence[Row]]]:
        """Yield the rows, a piece at a time, each with the number of its section, which grows downwards.

        The blank row between two sections is one of its own. Rows that may still change come along if `live`.
        """
        scene = self._scene
        if scene is None:
            return
        head = self._head(scene)
        if head:
            yield -2, head
        begun, answered = bool(head), False
        for at, section in enumerate(self._sections):
            number = 2 * at
            thought = isinstance(section, Thought)
            if section.empty or (isinstance(section, Thought) and not section.drawn):
                continue
            if begun and (answered or not thought):
                yield number - 1, _BLANK
            if isinstance(section, Thought):
                yield from ((number, rows) for rows in self._thought(section, live=live))
            else:
                yield number, section.rows
                yield number, section.live if live else ()
            begun, answered = True, not thought
        if self._remarks:
            last = 2 * len(self._sections)
            yield from (((last - 1, _BLANK),) if begun else ())
            for text, wrong in self._remarks:
                yield last, remark(text, scene, *(("error", "!") if wrong else ()))

    def _thought(self, section: Thought, *, live: bool) -> Iterator[Sequence[Row]]:
        if self.is_open:
            yield section.rows
            yield section.live if live else ()
        elif live:
            yield [*section.rows[-PEEK:], *section.live][-PEEK:]

    def _head(self, scene: Scene) -> list[Row]:
        """Return the summary of the thinking, where there is something to sum up."""
        thoughts = [section for section in self._sections if isinstance(section, Thought) and not section.empty]
        branch = branch_remark(self.branch, "reply", scene)
        if self.state.over and not thoughts and not branch and self.state.origin is Origin.ASKED:
            return []
        if scene.view is View.OFF and self.opened is None and self.state.over and not branch:
            return []
        thinking = bool(thoughts) and self._sections[-1] is thoughts[-1]
        line = thoughts[-1].last_line if thinking and not self.is_open and not self._peeks(thoughts[-1]) else ""
        return [
            summary(
                self.state, scene, thought=bool(thoughts), opened=self.is_open, line=line, tail=branch, hints=self.last
            )
        ]

    @property
    def corrections(self) -> tuple[int, ...]:
        """The rows in which a correction begins."""
        sign = self._scene.palette.glyphs.correction if self._scene else ""
        rows = (row for _, piece in self._pieces() for row in piece)
        return tuple(at for at, row in enumerate(rows) if row and row[0][0].strip() == sign)

    @property
    def text(self) -> str:
        """The answer as it is shown."""
        return "\n\n".join(section.text for section in self._sections if isinstance(section, Answered))


def _marked(row: Row) -> Row:
    return [(text, style + _REVERSE) for text, style in row]
