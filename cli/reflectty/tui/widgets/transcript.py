"""The transcript widget: shows the parts of a conversation, draws only visible lines and follows the end.

Complete rows are kept; of a running reply only the last rows are laid out again, at most 20 times per second. Parts
that were never in view are not laid out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.geometry import Offset, Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.selection import Selection
from textual.widget import Widget

from reflectty.core.segments import Reclassification
from reflectty.core.text import format_count
from reflectty.tui.widgets.scrollbar import LineScrollBar
from reflectty.tui.widgets.strips import at_offsets, make_strip, mark_gutter, mark_matches, mark_selection, mark_spans
from reflectty.view.parts import QuestionPart
from reflectty.view.reply_part import ReplyPart
from reflectty.view.rows import cell_width, text_of_row
from reflectty.view.selection import ShownMatch, TextPlace, copied_text, matches_in, span_around
from reflectty.view.stack import Stack, anchor_after, letters_above
from reflectty.view.thought_map import share_at

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable

    from textual import events
    from textual.scrollbar import ScrollBar
    from textual.strip import Strip
    from textual.timer import Timer

    from reflectty.core.segments import Event
    from reflectty.view.parts import Part, Scene
    from reflectty.view.rows import Row
    from reflectty.view.stack import ScrollAnchor

FRAMES_PER_SECOND = 20
_MAX_STRIPS = 256
"""Maximum lines whose strips are kept."""


class Transcript(ScrollView):
    """Shows parts and follows the end until the user scrolls up; then it shows how many rows are below."""

    DEFAULT_CSS = """
    Transcript {
        background: $r-background;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        scrollbar-color: $r-line;
        scrollbar-color-hover: $r-faint;
        scrollbar-color-active: $r-dim;
        scrollbar-background: $r-background;
        scrollbar-background-hover: $r-background;
        scrollbar-background-active: $r-background;
    }
    """
    BINDINGS: ClassVar = []

    class Toggled(Message):
        """The user clicked the summary of a reply, or a question of which a part is hidden."""

        def __init__(self, part: ReplyPart | QuestionPart) -> None:
            super().__init__()
            self.part = part

    class MapClicked(Message):
        """The user clicked the map of a thought, at a share of it."""

        def __init__(self, part: ReplyPart, share: float) -> None:
            super().__init__()
            self.part, self.share = part, share

    class SelectionToggled(Message):
        """Text has been selected with the mouse, or nothing is selected any more."""

    def __init__(self, scene: Scene) -> None:
        super().__init__()
        self.can_focus = False
        self.follows_end = True
        self._stack = Stack(scene)
        self.chosen: Part | None = None
        """The part that is marked in the gutter."""
        self.found: tuple[Part, ShownMatch] | None = None
        """The match that was gone to."""
        self.marked_pattern: re.Pattern[str] | None = None
        self._changed_from: tuple[int, int] | None = None
        self._changed_heads: list[Part] = []
        """The parts whose first row has changed."""
        self._strips: dict[tuple[int, int, int], tuple[Row, list[Strip]]] = {}
        """The drawn lines near the view by line, first column and width, each with the row that it shows."""
        self._timer: Timer | None = None
        self._has_selection = False

    # Parts

    @property
    def parts(self) -> list[Part]:
        """All parts, in order; only the methods here may change them."""
        return self._stack.parts

    def fill(self, parts: Iterable[Part]) -> None:
        """Replace all parts and show the end."""
        self._stack.parts = list(parts)
        self.marked_pattern = self.found = self.chosen = None
        self._strips.clear()
        self.follows_end = True
        self._start_at(self._stack.lay_out_before(len(self.parts)), None)

    def add(self, part: Part) -> None:
        """Add a part at the end."""
        self.insert(len(self.parts), part)

    def insert(self, at: int, part: Part) -> None:
        """Add a part before another."""
        self._stack.insert(at, part)
        self.mark_changed(part)

    def drop(self, part: Part) -> None:
        reading = self._reading_anchor()
        at = self._stack.index(part)
        self._stack.drop(at)
        self.chosen = None if part is self.chosen else self.chosen
        self._changed_from = min(self._changed_from or (at, 0), (at, 0))
        self._draw_changes(reading)

    def change(self, part: Part, work: Callable[[], object]) -> None:
        """Run `work`, which may change any row of the part, and keep the same line in view."""
        self._draw_frame()
        reading = self._reading_anchor()
        work()
        self.mark_changed(part)
        self._draw_changes(reading)

    def mark_changed(self, part: Part, row: int = 0) -> None:
        """Redraw a part from one of its rows on, with the next frame."""
        at = self._stack.index(part)
        if at >= self._stack.first:
            self._changed_from = min(self._changed_from or (at, row), (at, row))
            self._schedule_frame()

    def show_event(self, part: ReplyPart, event: Event) -> None:
        """Add a piece to a running reply; rows that it cannot change are not drawn again."""
        row = 0 if isinstance(event, Reclassification) else part.stable_height
        part.show(event)
        self.mark_changed(part, row)

    def tick(self, part: ReplyPart, seconds: float) -> None:
        """Update the elapsed time of a running reply."""
        height = part.height
        part.tick(seconds)
        if part.height == height:
            self.refresh_first_row(part)
        else:
            self.mark_changed(part)

    def refresh_first_row(self, part: Part) -> None:
        """Redraw only the first row of a part, with the next frame."""
        if part not in self._changed_heads:
            self._changed_heads.append(part)
        self._schedule_frame()

    def _schedule_frame(self) -> None:
        if self._timer is None:
            self._timer = self.set_timer(1 / FRAMES_PER_SECOND, self._draw_frame)

    def lay_out_part(self, part: Part) -> None:
        """Lay out one part again, after a change that its rows depend on."""
        if self._stack.index(part) >= self._stack.first:
            self.change(part, lambda: part.lay_out(self.scene))

    def set_scene(self, scene: Scene) -> None:
        """Lay out everything again, after a change of the theme, the size, the view or the keys."""
        if scene != self.scene:
            self._draw_frame()
            reading = self._reading_anchor()
            letters = letters_above(reading) if reading and scene.width != self.scene.width else None
            self._stack.scene, self.found = scene, None
            self._strips.clear()
            # Parts far above the view are laid out when the user scrolls to them.
            at = self._stack.index(reading.part) if reading else len(self.parts)
            self._stack.lay_out(at, len(self.parts))
            if reading and letters is not None:
                reading = anchor_after(reading, letters)
            self._start_at(self._stack.lay_out_before(at), reading)

    @property
    def scene(self) -> Scene:
        return self._stack.scene

    def _start_at(self, first: int, reading: ScrollAnchor | None) -> None:
        """Show the parts from `first` on, which are laid out, and keep the same line in view."""
        self._stack.begin_at(first)
        self._apply_height(reading)
        self.refresh()

    def _draw_frame(self) -> None:
        """Draw the changes since the last frame; nothing above the view has changed."""
        self._draw_changes(self._reading_anchor())

    def _draw_changes(self, reading: ScrollAnchor | None) -> None:
        """Draw the changes since the last frame and restore the scroll anchor."""
        if self._timer:
            self._timer.stop()
        self._timer = None
        if not self.is_attached:
            return
        self._draw_heads()
        if self._changed_from is None:
            return
        (at, row), self._changed_from = self._changed_from, None
        line, before = self._stack.line_at(at, row), self._stack.height
        self._stack.measure(max(at, self._stack.first))
        scrolled = self._apply_height(reading)
        if not scrolled:
            self._refresh_rows(line, max(self._stack.height, before) - line)
            if not self.follows_end:
                self._refresh_rows(self.scroll_offset.y + self.size.height - 1)

    def _draw_heads(self) -> None:
        """Draw the first rows that have changed, where they are in view."""
        parts, self._changed_heads = self._changed_heads, []
        for part in parts:
            line = self._stack.top_of(part) if part in self.parts else -1
            if line >= 0:
                self._refresh_rows(line)

    def _refresh_rows(self, line: int, count: int = 1) -> None:
        """Redraw the lines that are in view, without the scrollbar."""
        rows = Region(0, line - self.scroll_offset.y, self.scene.width, count).intersection(self.size.region)
        if rows:
            self.refresh(rows)

    def _reading_anchor(self) -> ScrollAnchor | None:
        """The anchor of the first row in view; None while the end is followed."""
        return None if self.follows_end else self._stack.anchor_at(self.scroll_offset.y)

    def _apply_height(self, reading: ScrollAnchor | None) -> bool:
        """Apply the new height and restore the scroll anchor; True if all lines have moved."""
        before = self.scroll_offset.y
        size = Size(self.size.width, self._stack.height)
        if size != self.virtual_size:
            # Setting it would lay out the whole screen, whose widgets do not depend on it.
            self.set_reactive(Widget.virtual_size, size)
            self.vertical_scrollbar.window_virtual_size = size.height
        line = self.max_scroll_y if reading is None else min(self._stack.line_of(reading), self.max_scroll_y)
        self.scroll_to(y=line, animate=False)
        return self.scroll_offset.y != before

    @property
    def max_scroll_y(self) -> int:
        return max(0, self._stack.height - self.size.height)

    def on_resize(self, _: events.Resize) -> None:
        width, height = self.size
        # The scrollbar is always visible, and the size includes it.
        room = max(1, width - self.styles.scrollbar_size_vertical)
        self.set_scene(self.scene._replace(width=room, height=height))

    # Scrolling

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.follows_end = round(new_value) >= self.max_scroll_y
        if self._stack.first and new_value < self.size.height:
            self.call_later(self._load_earlier)

    def _load_earlier(self) -> None:
        """Lay out parts above those that are laid out."""
        if self._stack.first and self.scroll_offset.y < self.size.height:
            reading = self._reading_anchor()
            self._start_at(self._stack.lay_out_before(self._stack.first), reading)

    def go_to_end(self) -> None:
        self.follows_end = True
        self.scroll_to(y=self.max_scroll_y, animate=False)

    def go_to_start(self) -> None:
        """Go to the first part, which lays out all of them."""
        if self._stack.first:
            self._stack.lay_out(0, self._stack.first)
            self._start_at(0, None)
        self.follows_end = False
        self.scroll_to(y=0, animate=False)

    def go_by_page(self, direction: int) -> None:
        step = max(1, self.size.height - 2)
        self.scroll_to(y=self._clamp_line(self.scroll_offset.y + direction * step), animate=False)

    def choose(self, part: Part | None) -> None:
        """Mark a part in the gutter, and no other one, and bring as much of it into view as fits."""
        self.chosen = part
        self._strips.clear()
        self.refresh()
        if part:
            line = self._lay_out_to(part)
            top, bottom = self.scroll_offset.y, self.scroll_offset.y + self.size.height
            if line < top or line + part.height > bottom:
                end = line + part.height - self.size.height
                self.scroll_to(y=self._clamp_line(line if line < top else min(line, end)), animate=False)

    def reveal(self, part: Part, row: int = 0) -> None:
        """Scroll a row of a part to the upper third of the screen."""
        line = self._lay_out_to(part, row)
        self.scroll_to(y=self._clamp_line(line - self.size.height // 3), animate=False)

    def _lay_out_to(self, part: Part, row: int = 0) -> int:
        """Lay out a part and all below it; return the line of one of its rows."""
        at = self._stack.index(part)
        if at < self._stack.first:
            self._stack.lay_out(at, self._stack.first)
            self._start_at(at, None)
        if self._changed_from:
            self._draw_frame()
        return self._stack.line_at(at, row)

    def mark(self, pattern: re.Pattern[str] | None) -> None:
        """Mark what matches a pattern, until other parts are shown."""
        self.marked_pattern, self.found = pattern, None
        self._strips.clear()
        self.refresh()

    def reveal_mark(self, part: Part) -> None:
        """Go to the first marked row of a part, and open its thinking if the row is in there."""
        self.reveal(part)
        at = self._find_mark(part)
        if at is None and isinstance(part, ReplyPart) and not part.is_open:
            self.change(part, part.toggle)
            at = self._find_mark(part)
        if at is not None:
            self.reveal(part, at)

    def go_to_match(self, part: Part, number: int) -> None:
        """Go to a match of a part by its number, and open what is folded of the part."""
        self._lay_out_to(part)
        folds = (
            part.has_thinking if isinstance(part, ReplyPart) else isinstance(part, QuestionPart) and part.is_foldable
        )
        if isinstance(part, ReplyPart | QuestionPart) and folds and not part.is_open:
            self.change(part, part.toggle)
        matches = matches_in(part.rows, self.marked_pattern) if self.marked_pattern else []
        self._strips.clear()
        self.refresh()
        # Markup that is not shown may match as well.
        match = matches[min(number, len(matches) - 1)] if matches else None
        self.found = (part, match) if match else None
        self.reveal(part, match.spans[0][0] if match else 0)

    def _find_mark(self, part: Part) -> int | None:
        pattern = self.marked_pattern
        return next((at for at, row in enumerate(part.rows) if pattern and pattern.search(text_of_row(row))), None)

    def top_of(self, part: Part) -> int:
        """The first line of a part; -1 until it is laid out."""
        return self._stack.top_of(part)

    def _clamp_line(self, line: int) -> int:
        return max(0, min(line, self.max_scroll_y))

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        if self._vertical_scrollbar is None:
            self._vertical_scrollbar = bar = LineScrollBar(vertical=True, name="vertical", thickness=1)
            bar.display = False
            self.app._start_widget(self, bar)  # noqa: SLF001 - as Textual starts its own
        return self._vertical_scrollbar

    # Drawing

    def render_lines(self, crop: Region) -> list[Strip]:
        if self.text_selection:
            return super().render_lines(crop)
        top = self.gutter.top
        strips: list[Strip] = []
        for y in crop.line_range:
            # The last row of the view may say how much follows.
            shows_row = top <= y < top + self.size.height - (not self.follows_end)
            row = self._stack.row(y - top + self.scroll_offset.y) if shows_row else None
            strips += self._render_cached(row, Region(crop.x, y, crop.width, 1))
        return strips

    def _render_cached(self, row: Row | None, crop: Region) -> list[Strip]:
        """Render one line, or reuse its strip if it shows the same row as before."""
        if row is None:
            return super().render_lines(crop)
        key = crop.y + self.scroll_offset.y, crop.x, crop.width
        known = self._strips.get(key)
        if known is None or known[0] is not row:
            if len(self._strips) > _MAX_STRIPS:
                self._strips.clear()
            # The row may have changed without a refresh yet, and Textual would reuse the line that it knows.
            self._styles_cache.set_dirty(crop)
            known = self._strips[key] = row, super().render_lines(crop)
        return known[1]

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        width, height = self.size
        line = y + self.scroll_offset.y
        below = 0 if self.follows_end else self._stack.height - self.scroll_offset.y - height
        if y == height - 1 and below > 0:
            return make_strip(self._more_below_row(below + 1, width), width, self.scene.palette.background)
        row = self._stack.row(line)
        row = self._mark_found(row, line) if self.marked_pattern else row
        if self.chosen and self._is_chosen(line):
            row = mark_gutter(row, self.scene.palette.styles["accent"])
        drawn = make_strip(row, width, self.scene.palette.background)
        selection = self.text_selection
        span = selection.get_span(line) if selection else None
        return at_offsets(mark_selection(drawn, *span) if span else drawn, line)

    def _mark_found(self, row: Row, line: int) -> Row:
        """The row with its matches marked, that which was gone to in another color."""
        place, look = self._stack.part_at(line), self.scene.palette.styles["correction"] + Style(reverse=True)
        if self.found and place and place[0] is self.found[0]:
            row = mark_spans(row, [(start, end) for at, start, end in self.found[1].spans if at == place[1]], look)
        return mark_matches(row, self.marked_pattern) if self.marked_pattern else row

    def _is_chosen(self, line: int) -> bool:
        found = self._stack.part_at(line)
        return found is not None and found[0] is self.chosen and found[1] < found[0].height

    def _more_below_row(self, rows: int, width: int) -> Row:
        key = self.scene.key("bottom")
        glyphs = self.scene.palette.glyphs
        text = f"{glyphs.below} {format_count(rows, 'more line')} below"
        text += f" {glyphs.dot} {key}" if key else ""
        indent = max(0, (min(width, self.scene.columns.prose) - cell_width(text)) // 2)
        return [(" " * indent, Style.null()), (text, self.scene.palette.words("accent"))]

    def mark_row(self, part: ReplyPart, row: int) -> None:
        """Mark a row of a part and bring it into view."""
        part.marked_row = row
        self.reveal(part, row)
        self.refresh()

    # The mouse

    def on_click(self, event: events.Click) -> None:
        """Go to the end, or open what was clicked; the second click selects a word, the third a line of the source."""
        place = event.get_content_offset(self)
        if place is None:
            return
        if event.chain > 1:
            # Textual would select everything.
            event.prevent_default()
            if self._select_around(event.screen_offset, whole_line=event.chain > 2):  # noqa: PLR2004 - clicks
                return
        line = place.y + self.scroll_offset.y
        part, row = self._stack.part_at(line) or (None, 0)
        if not self.follows_end and place.y == self.size.height - 1:
            self.go_to_end()
        elif self.text_selection is None and (
            (isinstance(part, ReplyPart) and row == 0) or (isinstance(part, QuestionPart) and part.is_foldable)
        ):
            self.post_message(self.Toggled(part))
        elif isinstance(part, ReplyPart) and row == part.map_at and self.text_selection is None:
            self.post_message(self.MapClicked(part, share_at(place.x)))

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """The selected text, as it was written."""
        start = selection.start or Offset(0, 0)
        end = selection.end or Offset(1 << 30, max(0, self._stack.height - 1))
        lines = range(start.y, min(end.y, self._stack.height - 1) + 1)
        rows = (
            (self._stack.row(line), start.x if line == start.y else 0, end.x if line == end.y else 1 << 30)
            for line in lines
        )
        return copied_text(rows), "\n"

    def _select_around(self, place: Offset, *, whole_line: bool) -> bool:
        """Select the word or the line of the source at a place of the screen; false if there is none."""
        _, at = self.screen.get_widget_and_offset_at(*place)
        span = span_around(TextPlace(at.y, at.x), self._stack.row, whole_line=whole_line) if at else None
        if span:
            (line, start), (last_line, end) = span
            self.screen.selections = {self: Selection(Offset(start, line), Offset(end, last_line))}
        return span is not None

    def selection_updated(self, selection: Selection | None) -> None:
        self.refresh()
        if self._has_selection != (selection is not None):
            self._has_selection = selection is not None
            self.post_message(self.SelectionToggled())
