"""The screen that shows the replies of several arms beside each other; one of them can be kept on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from reflectty.core.safety import clean_line
from reflectty.tui.compositor import LineCompositor
from reflectty.tui.keys import format_key
from reflectty.tui.widgets.list import SHORT, list_glyphs
from reflectty.tui.widgets.strips import make_strip
from reflectty.tui.widgets.transcript import Transcript
from reflectty.view.parts import NotePart
from reflectty.view.reply_column import MIN_COLUMN_WIDTH
from reflectty.view.reply_part import ReplyPart
from reflectty.view.rows import Glyphs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType
    from textual.strip import Strip

    from reflectty.core.segments import Event
    from reflectty.core.session import Readings, StoredReply
    from reflectty.reasoning.reply import Reply
    from reflectty.view.parts import Scene
    from reflectty.view.rows import Row

HINTS = "enter keep this one · ← → column · ↑ ↓ scroll · {}esc {}"
_MAX_TITLE = 200
_PADDING = 2
"""Columns beside the rows below the columns."""


class ComparedColumn(Vertical):
    """The replies of one arm under its title.

    Args:
        title: the name of the arm.
        scene: what its rows depend on.
    """

    DEFAULT_CSS = """
    ComparedColumn {
        width: 1fr; height: 1fr; padding: 0 1;
        & > Static { height: 1; color: $r-dim; border: none; text-style: bold; }
        & > Transcript { height: 1fr; }
        &.-chosen > Static { color: $r-accent-words; text-style: bold underline; }
    }
    """

    def __init__(self, title: str, scene: Scene) -> None:
        super().__init__()
        self._title = clean_line(title, _MAX_TITLE)
        self.transcript = Transcript(scene)
        self._part: ReplyPart | None = None
        """The last reply."""

    def compose(self) -> ComposeResult:
        yield Static(Content(self._title))
        yield self.transcript

    def say(self, text: str, *, wrong: bool = False) -> None:
        self.transcript.add(NotePart(text, wrong=wrong))

    def clear(self) -> None:
        self._part = None
        self.transcript.fill([])

    def begin(self, reply: Reply) -> None:
        self._part = ReplyPart(reply.model, reads_thoughts=self.transcript.scene.reads_thoughts)
        self._part.begin(reply)
        self.transcript.add(self._part)

    def tick(self, seconds: float) -> None:
        if self._part:
            self.transcript.tick(self._part, seconds)

    def show(self, event: Event) -> None:
        if self._part:
            self.transcript.show_event(self._part, event)

    def end(self, stored: StoredReply) -> None:
        part = self._part
        if part and not part.state.is_over:
            self.transcript.change(part, lambda: part.end(stored))

    @property
    def readings(self) -> Readings | None:
        return self._part.readings if self._part else None


class SummaryRows(Widget):
    """Rows below the columns, which say how the arms did."""

    DEFAULT_CSS = "SummaryRows { height: auto; padding: 0 1; margin: 1 0 0 0; background: $r-background; }"

    def __init__(self, make: Callable[[Scene], Sequence[Row]], scene: Scene) -> None:
        super().__init__()
        self._make = make
        self._scene = scene
        self._rows: Sequence[Row] = ()

    def fill(self) -> None:
        """Make the rows anew, for the width of the screen: without rows this widget has none."""
        self._rows = self._make(self._scene._replace(width=max(1, self.screen.size.width - _PADDING)))
        self.display = bool(self._rows)
        self.refresh(layout=True)

    def get_content_height(self, *_: object) -> int:
        return len(self._rows)

    def render_line(self, y: int) -> Strip:
        row = self._rows[y] if y < len(self._rows) else []
        return make_strip(row, self.size.width, self._scene.palette.background)


class CompareScreen(Screen[int | None]):
    """Columns beside each other, as many as there is room for; returns the number of the one that is kept.

    Args:
        question: the question, of which the first line is shown.
        titles: the names of the arms.
        scene: what the rows depend on.
        summarize: makes the rows below the columns; none until all arms are over.
        answer_now: ends the thinking of an arm, by its number.
        leave_keys: further keys that leave the screen.
        answer_keys: keys that end the thinking of the chosen arm.
    """

    DEFAULT_CSS = """
    CompareScreen {
        background: $r-background; layout: vertical;
        & > .compare-head { height: 1; padding: 0 1; margin: 0 0 1 0; color: $r-dim; }
        & > .compare-columns { height: 1fr; }
        & > .compare-hints { height: 1; padding: 0 1; margin: 1 0 0 0; color: $r-faint; }
        &.-short > .compare-head, &.-short > .compare-hints { display: none; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,shift+tab", "choose(-1)", priority=True),
        Binding("right,tab", "choose(1)", priority=True),
        Binding("up", "scroll_by(-1)", priority=True),
        Binding("down", "scroll_by(1)", priority=True),
        Binding("pageup", "page(-1)", priority=True),
        Binding("pagedown", "page(1)", priority=True),
        Binding("home", "start", priority=True),
        Binding("end", "end", priority=True),
        Binding("enter", "keep", priority=True),
        Binding("escape", "leave", priority=True),
    ]

    def __init__(  # noqa: PLR0913 - what it shows, and what it calls
        self,
        question: str,
        titles: Sequence[str],
        scene: Scene,
        summarize: Callable[[Scene], Sequence[Row]],
        answer_now: Callable[[int], object],
        *,
        leave_keys: Sequence[str] = (),
        answer_keys: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._compositor = LineCompositor()
        self._question = clean_line(question, _MAX_TITLE)
        self._glyphs = list_glyphs(unicode=scene.palette.glyphs == Glyphs())
        self._arrows = scene.palette.glyphs == Glyphs()
        scene = scene._replace(hints=())
        self.columns = [ComparedColumn(title, scene) for title in titles]
        self._summary = SummaryRows(summarize, scene)
        self._chosen = 0
        self._is_over = False
        self._answer_now = answer_now
        self._answer_hint = f"{format_key(answer_keys[0])} answer now · " if answer_keys else ""
        for key in leave_keys:
            self._bindings.bind(key, "leave", show=False, priority=True)
        for key in answer_keys:
            self._bindings.bind(key, "answer", show=False, priority=True)

    def compose(self) -> ComposeResult:
        yield Static(Content(self._question), classes="compare-head")
        with Horizontal(classes="compare-columns"):
            yield from self.columns
        yield self._summary
        yield Static("", classes="compare-hints")

    def on_mount(self) -> None:
        self._summary.display = False
        self._show_columns()
        self._show_hints()

    def on_resize(self) -> None:
        self.set_class(self.size.height < SHORT, "-short")
        self._show_columns()
        self._summary.fill()

    def end(self) -> None:
        """Show that all arms are over."""
        self._is_over = True
        self._summary.fill()
        self._show_hints()

    def _show_hints(self) -> None:
        end = "back" if self._is_over else "stop"
        text = HINTS.format("" if self._is_over else self._answer_hint, end).replace("·", self._glyphs.dot)
        if not self._arrows:
            text = text.replace("← →", "left right").replace("↑ ↓", "up down")
        self.query_one(".compare-hints", Static).update(Content(text))

    def _show_columns(self) -> None:
        """Show as many columns as there is room for, the chosen one among them."""
        room = max(1, self.size.width // MIN_COLUMN_WIDTH)
        first = max(0, min(self._chosen - room + 1, len(self.columns) - room))
        for at, column in enumerate(self.columns):
            column.display = first <= at < first + room
            column.set_class(at == self._chosen, "-chosen")

    @property
    def _transcript(self) -> Transcript:
        return self.columns[self._chosen].transcript

    def on_transcript_toggled(self, event: Transcript.Toggled) -> None:
        event.stop()
        column = next(column for column in self.columns if event.part in column.transcript.parts)
        column.transcript.change(event.part, event.part.toggle)

    def action_choose(self, by: int) -> None:
        self._chosen = (self._chosen + by) % len(self.columns)
        self._show_columns()

    def action_scroll_by(self, lines: int) -> None:
        transcript = self._transcript
        transcript.scroll_to(y=transcript.scroll_offset.y + lines, animate=False)

    def action_page(self, pages: int) -> None:
        self._transcript.go_by_page(pages)

    def action_start(self) -> None:
        self._transcript.go_to_start()

    def action_end(self) -> None:
        self._transcript.go_to_end()

    def action_keep(self) -> None:
        self.dismiss(self._chosen)

    def action_answer(self) -> None:
        self._answer_now(self._chosen)

    def action_leave(self) -> None:
        self.dismiss(None)
