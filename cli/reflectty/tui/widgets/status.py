"""The bottom line: model, mode, how full the context is, where the model runs, its speed, and the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from textual.reactive import reactive
from textual.widget import Widget

from reflectty import names
from reflectty.drawing.paint import BOLD, plain
from reflectty.drawing.wrap import cells
from reflectty.safety import clean_line
from reflectty.tui.strips import strip

if TYPE_CHECKING:
    from rich.style import Style
    from textual.strip import Strip

    from reflectty.drawing.paint import Palette, Row

METER = 8
"""Signs of the context meter."""
NO_METER_BELOW = 60
"""Columns under which the meter is only a number."""
_GAP = 3
_NARROW = 40
_NEARLY_FULL, _HALF_FULL = 0.8, 0.5


class Facts(NamedTuple):
    """What is known; what is not is None or empty, and left out."""

    model: str = ""
    ids: bool = False
    """Whether models are called by ids that have no short form."""
    mode: str = ""
    used: int = 0
    """Tokens of the context that the last reply and all before it took."""
    context: int = 0
    """Tokens that the context holds, as the server has loaded the model."""
    gpu: float | None = None
    """The share of the loaded model that is on the GPU, 0 to 1."""
    speed: float = 0.0
    """Tokens per second."""
    pulls: str = ""
    """What is being pulled, and how far it is."""
    host: str = ""
    there: bool | None = None
    """Whether the server answers; None while nobody has asked."""


class StatusLine(Widget):
    """One row; where it is too narrow, parts go from the right, the server's state last."""

    DEFAULT_CSS = """
    StatusLine { height: 1; padding: 0 1; background: $r-background; }
    """

    facts: reactive[Facts] = reactive(Facts())
    palette: reactive[Palette | None] = reactive(None)

    def render_line(self, y: int) -> Strip:
        del y
        if self.palette is None:
            return super().render_line(0)
        return strip(status(self.facts, self.size.width, self.palette), self.size.width, self.palette.ground)


def status(facts: Facts, width: int, palette: Palette) -> Row:
    """Return the row that fits into a width."""
    parts = [_model(facts, palette), _mode(facts, palette), _pulls(facts, palette), _context(facts, width, palette)]
    parts += [_gpu(facts, palette), _speed(facts, palette)]
    server = _server(facts, palette, named=width >= NO_METER_BELOW)
    if width < _NARROW:
        parts = parts[:1]
    parts = [part for part in parts if part]
    while len(parts) > 1 and _width([*parts, server]) > width:
        parts.pop()
    if _width([*parts, server]) > width:
        server = _server(facts, palette, named=False)
    row: Row = []
    for part in (*parts, server):
        row += [(" " * _GAP, palette.styles["dim"])] if row and part else []
        row += part
    return row


def _width(parts: list[Row]) -> int:
    shown = [part for part in parts if part]
    return sum(cells(plain(part)) for part in shown) + _GAP * (len(shown) - 1)


def _model(facts: Facts, palette: Palette) -> Row:
    name = clean_line(names.short(facts.model, whole=facts.ids), 40)
    return [(name, palette.styles["text"] + BOLD)] if name else []


def _mode(facts: Facts, palette: Palette) -> Row:
    return [(clean_line(facts.mode, 20), palette.styles["accent"])] if facts.mode else []


def _pulls(facts: Facts, palette: Palette) -> Row:
    text = clean_line(facts.pulls, 40)
    return [(f"{palette.glyphs.below} ", palette.styles["accent"]), (text, palette.styles["dim"])] if text else []


def _context(facts: Facts, width: int, palette: Palette) -> Row:
    if not facts.used:
        return []
    dim = palette.styles["dim"]
    if not facts.context:
        return [(f"ctx {short(facts.used)}", dim)]
    share = min(1.0, facts.used / facts.context)
    said = f"{short(facts.used)} of {short(facts.context)}"
    if width < NO_METER_BELOW:
        return [(f"ctx {share:.0%}", _colour(share, palette))]
    full = max(1, round(share * METER))
    meter: Row = [
        (palette.glyphs.full * full, _colour(share, palette)),
        (palette.glyphs.empty * (METER - full), palette.styles["faint"]),
    ]
    return [("ctx ", dim), *meter, (f" {said}", dim)]


def _colour(share: float, palette: Palette) -> Style:
    role = "error" if share >= _NEARLY_FULL else "correction" if share >= _HALF_FULL else "good"
    return palette.styles[role]


def _gpu(facts: Facts, palette: Palette) -> Row:
    if facts.gpu is None:
        return []
    whole = facts.gpu > 0.99  # noqa: PLR2004 - rounding of the server
    text = "CPU" if facts.gpu == 0 else f"GPU {facts.gpu:.0%}"
    return [(text, palette.styles["good" if whole else "correction"])]


def _speed(facts: Facts, palette: Palette) -> Row:
    return [(f"{facts.speed:.0f} tok/s", palette.styles["dim"])] if facts.speed >= 1 else []


def _server(facts: Facts, palette: Palette, *, named: bool) -> Row:
    if facts.there is None:
        return []
    glyph, role = (palette.glyphs.there, "good") if facts.there else (palette.glyphs.gone, "error")
    words = clean_line(facts.host, 40) if facts.there else f"{clean_line(facts.host, 40)} is gone"
    return [(glyph, palette.styles[role]), *([(f" {words}", palette.styles["dim"])] if named else ())]


def short(number: int) -> str:
    """Return a number of tokens in at most four signs: 950, 1.2k, 128k; powers of two count in 1,024."""
    if number and number % 1024 == 0:
        return f"{number // 1024}k"
    thousands = number / 1000
    if number < 1000:  # noqa: PLR2004 - where thousands begin
        return str(number)
    return f"{thousands:.1f}k" if thousands < 10 and round(thousands, 1) % 1 else f"{thousands:.0f}k"  # noqa: PLR2004
