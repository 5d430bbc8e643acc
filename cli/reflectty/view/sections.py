"""The sections of a reply, thinking and answers in turn, as rows from the events of its stream."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Protocol

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import Sanitizer
from reflectty.core.segments import Kind, Reclassification
from reflectty.view.thinking import ThinkingRenderer

if TYPE_CHECKING:
    from reflectty.core.segments import Event
    from reflectty.core.session import Readings
    from reflectty.reasoning.thought_reader import ThoughtMark, ThoughtReader
    from reflectty.view.rows import Columns, Palette, Row


class Canvas(Protocol):
    """The place that rows are made for."""

    @property
    def palette(self) -> Palette:
        """Its styles and glyphs."""
        ...

    @property
    def columns(self) -> Columns:
        """Its width."""
        ...

    @property
    def live_height(self) -> int:
        """The maximum number of rows that may still change."""
        ...

    @property
    def reads_thoughts(self) -> bool:
        """Whether second thoughts are marked."""
        ...


class BlockRenderer(Protocol):
    """Renders block after block; the rows that it returns never change, apart from live ones."""

    def begin(self, kind: Kind, columns: Columns) -> list[Row]:
        """Start a block; return the last rows of the previous one."""
        ...

    def feed(self, text: str, columns: Columns) -> list[Row]:
        """Add text; return the rows that are now complete."""
        ...

    def live_rows(self, canvas: Canvas) -> list[Row]:
        """The rows that may still change."""
        ...

    def close(self, columns: Columns) -> list[Row]:
        """End the last block; return its last rows."""
        ...


def _renderer_for(palette: Palette, *, is_answer: bool) -> BlockRenderer:
    if not is_answer:
        return ThinkingRenderer(palette)
    # Importing Markdown costs a tenth of the start time, and the first answer takes longer than its import.
    from reflectty.view.answer import AnswerRenderer

    return AnswerRenderer(palette)


_UNDECIDED_CHARACTERS = 600
"""So much text waits at most to see whether a second thought begins in it."""
_TAIL_PIECES = 60
"""Number of last pieces to search for the last line of thinking."""


class BlockText(NamedTuple):
    """One block of a reply: its number in the stream and its text, safe to show."""

    number: int
    kind: Kind
    pieces: list[str]
    marks: list[ThoughtMark]
    """The second thoughts that begin in it."""


class Section:
    """The thinking before one answer, with its corrections, or one answer."""

    def __init__(self, *, is_answer: bool) -> None:
        self.is_answer = is_answer
        self.is_over = False
        self.is_empty = True
        """Whether there is only white space."""
        self.blocks: list[BlockText] = []
        self.rows: list[Row] = []
        """Rows that further text cannot change."""
        self._live_rows: list[Row] = []
        self._is_stale = False
        self._canvas: Canvas | None = None
        self._renderer: BlockRenderer | None = None
        self._open: BlockText | None = None
        """The block that is being laid out: the last one, unless all are laid out anew."""
        self._undecided = ""
        """Text of this block that waits, because a second thought may begin in it."""
        self._laid_out = self._marked = 0
        """Characters and marks of this block that were laid out."""
        self._certain_to = 0
        self._shown_marks: list[ThoughtMark] = []
        """The marks of the block that is laid out: folded once the section is over, since drawn rows never change."""

    def begin(self, block: BlockText) -> None:
        """Start a block."""
        self._lay_out_rest()
        self.blocks.append(block)
        self.is_empty = self.is_empty and not any(piece.strip() for piece in block.pieces)
        self._begin_block(block)

    def add(self, text: str, certain_to: int = 0) -> None:
        """Add the next piece of the last block.

        Args:
            text: the piece.
            certain_to: characters of the block before which no further second thought begins.
        """
        self.blocks[-1].pieces.append(text)
        self.is_empty = self.is_empty and not text.strip()
        self._certain_to = certain_to
        if self._renderer:
            self._undecided += text
            self._lay_out_certain()

    def _begin_block(self, block: BlockText) -> None:
        self._open, self._undecided, self._laid_out, self._marked = block, "", 0, 0
        self._shown_marks = _folded(block.marks) if self.is_over and len(block.marks) > 1 else block.marks
        if self._renderer and self._canvas:
            self.rows += self._renderer.begin(block.kind, self._canvas.columns)
            self._is_stale = True

    def _lay_out_certain(self) -> None:
        """Lay out what no further second thought can begin in, and what has waited long enough."""
        reads = self._canvas is not None and self._canvas.reads_thoughts
        is_marked = reads and self._open is not None and self._open.kind is Kind.THINKING
        waiting = len(self._undecided)
        certain = self._certain_to - self._laid_out if is_marked else waiting
        self._lay_out(max(certain, waiting - _UNDECIDED_CHARACTERS))

    def _lay_out_rest(self) -> None:
        self._lay_out(len(self._undecided))

    def _lay_out(self, length: int) -> None:
        """Lay out so many characters of what waits."""
        renderer, canvas = self._renderer, self._canvas
        if renderer is None or canvas is None or self._open is None:
            return
        # Cut once: a long thought that is laid out anew has thousands of marks.
        text, self._undecided = self._undecided[: max(0, length)], self._undecided[max(0, length) :]
        start, self._laid_out = self._laid_out, self._laid_out + len(text)
        marks, fed = self._shown_marks, 0
        while self._marked < len(marks) and marks[self._marked].at < self._laid_out:
            mark = marks[self._marked]
            at = mark.at - start
            if at >= fed and canvas.reads_thoughts and isinstance(renderer, ThinkingRenderer):
                self._feed(renderer, text[fed:at], canvas)
                renderer.mark(mark)
                fed = at
            self._marked += 1
        self._feed(renderer, text[fed:], canvas)
        self._is_stale = True

    def _feed(self, renderer: BlockRenderer, text: str, canvas: Canvas) -> None:
        if text:
            self.rows += renderer.feed(text, canvas.columns)

    def end(self) -> None:
        """End the section; harmless if called twice."""
        if not self.is_over:
            self.is_over = True
            self._close()

    def _close(self) -> None:
        self._lay_out_rest()
        if self._renderer and self._canvas:
            self.rows += self._renderer.close(self._canvas.columns)
        self._live_rows, self._is_stale = [], False

    def draw(self, canvas: Canvas) -> None:
        """Lay out the existing text, and from now on each new piece."""
        self._canvas, self._renderer = canvas, _renderer_for(canvas.palette, is_answer=self.is_answer)
        self.rows, self._is_stale = [], True
        for number, block in enumerate(self.blocks, 1):
            self._begin_block(block)
            self._undecided = "".join(block.pieces)
            if number < len(self.blocks):
                self._lay_out_rest()
        if self.is_over:
            self._close()
        elif self.blocks:
            self._lay_out_certain()

    def hide(self) -> None:
        """Drop the rows and stop laying out, which saves the work for hidden thinking."""
        self._renderer = None
        self.rows, self._live_rows, self._is_stale = [], [], False

    @property
    def live_rows(self) -> list[Row]:
        """The rows that may still change, laid out on access: several pieces may arrive between two frames."""
        if self._is_stale and self._renderer and self._canvas:
            self._live_rows = _reused(self._live_rows, self._look_ahead(self._renderer, self._canvas))
            self._is_stale = False
        return self._live_rows

    def _look_ahead(self, renderer: BlockRenderer, canvas: Canvas) -> list[Row]:
        if not (self._undecided and isinstance(renderer, ThinkingRenderer)):
            return renderer.live_rows(canvas)
        ahead = renderer.clone()
        return [*ahead.feed(self._undecided, canvas.columns), *ahead.live_rows(canvas)]

    @property
    def is_drawn(self) -> bool:
        return self._renderer is not None

    @property
    def text(self) -> str:
        texts = ("".join(block.pieces) for block in self.blocks)
        return "\n\n".join(text for text in texts if text.strip())

    @property
    def last_line(self) -> str:
        """The line that is being written."""
        tail = "".join(self.blocks[-1].pieces[-_TAIL_PIECES:]) if self.blocks else ""
        return next((line.strip() for line in reversed(tail.split("\n")) if line.strip()), "")


def _folded(marks: list[ThoughtMark]) -> list[ThoughtMark]:
    from reflectty.reasoning.thought_reader import folded

    return folded(marks)


def _make_reader() -> ThoughtReader:
    # Its patterns take as long to compile as the rest of the view to import.
    from reflectty.reasoning.thought_reader import ThoughtReader

    return ThoughtReader()


def _reused(known: list[Row], rows: list[Row]) -> list[Row]:
    """The rows, those that have not changed as the same objects, by which a screen knows that it shows them."""
    return [old if old == row else row for old, row in zip_longest(known[: len(rows)], rows)]


class ReplySections:
    """The sections of one reply; the text of each block is made safe to show.

    Args:
        reads_thoughts: whether second thoughts are read as text arrives; else `read_thoughts` reads them.
    """

    def __init__(self, *, reads_thoughts: bool = True) -> None:
        self._reads_thoughts = reads_thoughts
        self.all: list[Section] = []
        self.replaced_count = 0
        """Control characters and invisible characters made visible, in blocks that have ended."""
        self._block: BlockText | None = None
        self._sanitizer = Sanitizer()
        self._thoughts: ThoughtReader | None = None

    @property
    def kind(self) -> Kind | None:
        """The kind of the last block; None if there is no text yet."""
        return self.all[-1].blocks[-1].kind if self.all and not self.all[-1].is_empty else None

    def show(self, event: Event) -> bool:
        """Add an event; true if a block has begun or earlier ones have changed."""
        if isinstance(event, Reclassification):
            self._reclassify(event)
            return True
        begins = self._block is None or event.block != self._block.number
        if begins:
            self._end_block()
            self._begin(BlockText(event.block, event.kind, [], []))
        self._add(self._sanitizer.feed(event.text))
        return begins

    def read_thoughts(self) -> None:
        """Read the second thoughts of a reply that is over, unless they were read as it arrived."""
        if self._reads_thoughts:
            return
        self._reads_thoughts = True
        for section in self.all:
            for block in section.blocks:
                if block.kind is Kind.THINKING:
                    self._thoughts = self._thoughts or _make_reader()
                    self._thoughts.begin(block.number)
                    block.marks.extend(self._thoughts.feed("".join(block.pieces)))
                    block.marks.extend(self._thoughts.end_block())

    @property
    def readings(self) -> Readings | None:
        """How many second thoughts are sure; None if there is no thinking."""
        return self._thoughts.readings if self._thoughts else None

    def end(self) -> None:
        """End the open block and its section."""
        self._end_block()
        if self.all:
            self.all[-1].end()

    def _begin(self, block: BlockText) -> None:
        """Begin a block in the last section if it holds this kind, else in a new section."""
        if self._reads_thoughts and block.kind is Kind.THINKING:
            self._thoughts = self._thoughts or _make_reader()
            self._thoughts.begin(block.number)
        is_answer = block.kind is Kind.ANSWER
        last = self.all[-1] if self.all else None
        if last is None or last.is_over or last.is_answer is not is_answer:
            if last:
                last.end()
            last = Section(is_answer=is_answer)
            self.all.append(last)
        last.begin(block)
        self._block = block

    def _add(self, text: str) -> None:
        block = self._block
        if block and not block.pieces:
            text = text.lstrip("\n")
        if not text or block is None:
            return
        certain_to = 0
        if self._thoughts and block.kind is Kind.THINKING:
            block.marks.extend(self._thoughts.feed(text))
            certain_to = self._thoughts.certain_to
        self.all[-1].add(text, certain_to)

    def _end_block(self) -> None:
        self._add(self._sanitizer.close())
        if self._thoughts and self._block:
            self._block.marks.extend(mark for mark in self._thoughts.end_block() if mark.block == self._block.number)
        self.replaced_count += self._sanitizer.replaced_count
        self._sanitizer, self._block = Sanitizer(), None

    def _reclassify(self, event: Reclassification) -> None:
        """Turn blocks shown as an answer into thinking, or drop those taken back."""
        self._end_block()
        blocks = [block for section in self.all for block in section.blocks]
        self.all, self._thoughts = [], None
        for block in blocks:
            kind = event.kind if block.number in event.blocks else block.kind
            if kind is not None:
                self._end_block()
                self._begin(block._replace(kind=kind, pieces=[], marks=[]))
                self._add("".join(block.pieces))
