"""The compositor of the chat's screen, which renders only the changed lines.

Textual 8.2 renders every widget from the first changed line to the last: a token below a spinner would render the
whole transcript and the composer.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.strip import Strip
    from textual.widget import Widget

    Chops = dict[int, dict[int, Strip | None]]


class LineCompositor(Compositor):
    """Renders the same partial updates as Textual's compositor, at the cost of their lines."""

    def render_partial_update(self) -> ChopsUpdate | None:
        cuts = self.cuts
        spans = [span for span in self._regions_to_spans(self._dirty_regions) if span[0] < len(cuts)]
        self._dirty_regions.clear()
        if not spans:
            return None
        chops: Chops = {y: dict.fromkeys(cuts[y][:-1]) for y, _, _ in spans}
        missing: dict[int, set[int]] = {y: set() for y in chops}
        for y, start, end in spans:
            missing[y] |= {x for x, stop in zip(cuts[y], cuts[y][1:], strict=False) if x < end and stop > start}
        for widget, (region, clip) in self.visible_widgets.items():
            if missing:
                self._render_widget(widget, region, region.intersection(clip), chops, missing)
        ends = {y: cuts[y][1:] for y in chops}
        # Textual looks up lines by their number only.
        return ChopsUpdate(chops, spans, ends)  # type: ignore[arg-type]

    def _render_widget(
        self, widget: Widget, region: Region, shown: Region, chops: Chops, missing: dict[int, set[int]]
    ) -> None:
        """Render the missing lines of a widget; those above it are rendered already."""
        left, right = shown.column_span
        lines = [y for y in missing if y in shown.line_range and any(left <= x < right for x in missing[y])]
        for first, count in _runs(sorted(lines)):
            crop = Region(shown.x - region.x, first - region.y, shown.width, count)
            for y, strip in enumerate(widget.render_lines(crop), first):
                cuts = [cut for cut in self.cuts[y] if left <= cut <= right]
                for cut, piece in zip(cuts, strip.divide([cut - left for cut in cuts[1:]]), strict=False):
                    if chops[y][cut] is None:
                        chops[y][cut] = piece
                        missing[y].discard(cut)
                if not missing[y]:
                    del missing[y]


def _runs(lines: list[int]) -> Iterator[tuple[int, int]]:
    """Yield the first of consecutive lines, and their number."""
    for _, run in groupby(enumerate(lines), lambda entry: entry[1] - entry[0]):
        (_, first), *others = run
        yield first, 1 + len(others)
