"""The sections of a reply, thinking and answers in turn, as rows from the events of its stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import Sanitizer
from reflectty.core.segments import Kind, Reclassification
from reflectty.view.thinking import ThinkingRenderer

if TYPE_CHECKING:
    from reflectty.core.segments import Event
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
    def height(self) -> int:
        """The maximum number of rows that may still change."""
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


_TAIL_PIECES = 60
"""Number of last pieces to search for the last line of thinking."""


class BlockText(NamedTuple):
    """One block of a reply: its number in the stream and its text, safe to show."""

    number: int
    kind: Kind
    pieces: list[str]


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

    def begin(self, block: BlockText) -> None:
        """Start a block."""
        self.blocks.append(block)
        self.is_empty = self.is_empty and not any(piece.strip() for piece in block.pieces)
        if self._renderer and self._canvas:
            self.rows += self._renderer.begin(block.kind, self._canvas.columns)
            self._is_stale = True

    def add(self, text: str) -> None:
        """Add the next piece of the last block."""
        pieces = self.blocks[-1].pieces
        text = text if pieces else text.lstrip("\n")
        if not text:
            return
        pieces.append(text)
        self.is_empty = self.is_empty and not text.strip()
        if self._renderer and self._canvas:
            self.rows += self._renderer.feed(text, self._canvas.columns)
            self._is_stale = True

    def end(self) -> None:
        """End the section; harmless if called twice."""
        if not self.is_over:
            self.is_over = True
            self._close()

    def _close(self) -> None:
        if self._renderer and self._canvas:
            self.rows += self._renderer.close(self._canvas.columns)
        self._live_rows, self._is_stale = [], False

    def draw(self, canvas: Canvas) -> None:
        """Lay out the existing text, and from now on each new piece."""
        self._canvas, self._renderer = canvas, _renderer_for(canvas.palette, is_answer=self.is_answer)
        self.rows, self._is_stale = [], True
        for block in self.blocks:
            self.rows += self._renderer.begin(block.kind, canvas.columns)
            self.rows += self._renderer.feed("".join(block.pieces), canvas.columns)
        if self.is_over:
            self._close()

    def hide(self) -> None:
        """Drop the rows and stop laying out, which saves the work for hidden thinking."""
        self._renderer = None
        self.rows, self._live_rows, self._is_stale = [], [], False

    @property
    def live_rows(self) -> list[Row]:
        """The rows that may still change, laid out on access: several pieces may arrive between two frames."""
        if self._is_stale and self._renderer and self._canvas:
            self._live_rows = self._renderer.live_rows(self._canvas)
            self._is_stale = False
        return self._live_rows

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


class ReplySections:
    """The sections of one reply; the text of each block is made safe to show."""

    def __init__(self) -> None:
        self.all: list[Section] = []
        self.replaced_count = 0
        """Control characters and invisible characters made visible, in blocks that have ended."""
        self._block: BlockText | None = None
        self._sanitizer = Sanitizer()

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
            self._begin(BlockText(event.block, event.kind, []))
        self._add(self._sanitizer.feed(event.text))
        return begins

    def end(self) -> None:
        """End the open block and its section."""
        self._end_block()
        if self.all:
            self.all[-1].end()

    def _begin(self, block: BlockText) -> None:
        """Begin a block in the last section if it holds this kind, else in a new section."""
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
        if text and self._block:
            self.all[-1].add(text)

    def _end_block(self) -> None:
        self._add(self._sanitizer.close())
        self.replaced_count += self._sanitizer.replaced_count
        self._sanitizer, self._block = Sanitizer(), None

    def _reclassify(self, event: Reclassification) -> None:
        """Turn blocks shown as an answer into thinking, or drop those taken back."""
        self._end_block()
        blocks = [block for section in self.all for block in section.blocks]
        self.all = []
        for block in blocks:
            kind = event.kind if block.number in event.blocks else block.kind
            if kind is not None:
                self._begin(block._replace(kind=kind))
