"""The top line with the title and the status line with model, context, speed and server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.reactive import reactive
from textual.widget import Widget

from reflectty.core import model_names
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.tui.widgets.strips import make_strip
from reflectty.view.rows import BOLD, cell_width, fitting_length, text_of_row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.style import Style
    from textual.strip import Strip

    from reflectty.view.rows import Palette, Row


PROGRAM_NAME = "reflect"


class TopLine(Widget):
    """The title on one row, truncated at its end."""

    DEFAULT_CSS = """
    TopLine { height: 1; padding: 0 1; background: $r-background; }
    """

    title: reactive[str] = reactive("")
    palette: reactive[Palette | None] = reactive(None)

    def render_line(self, y: int) -> Strip:
        del y
        colours = self.palette
        if colours is None:
            return super().render_line(0)
        width = self.size.width
        room = max(1, width - len(PROGRAM_NAME) - 3)
        title, more = clean_line(self.title, 400), colours.glyphs.more
        cut = fitting_length(title, room) if title else 0
        text = title if cut == len(title) else title[: fitting_length(title, max(1, room - cell_width(more)))] + more
        row = [
            (PROGRAM_NAME, colours.words("accent") + BOLD),
            ("   ", colours.styles["dim"]),
            (text, colours.styles["dim"]),
        ]
        return make_strip(row, width, colours.background)


METER_WIDTH = 8
"""Cells of the context meter."""
_GAP = 3
_MODEL_WIDTH, _SHORT_MODEL_WIDTH = 28, 12
"""Columns of a long model name once the row is too narrow."""
_NEARLY_FULL, _HALF_FULL = 0.8, 0.5


class StatusFacts(NamedTuple):
    """Facts for the status line; unknown ones are None or empty, and left out."""

    model: str = ""
    ids: bool = False
    """True if model ids have no short form."""
    mode: str = ""
    changes: tuple[str, ...] = ()
    """What changes the answers besides model and mode, each in a word or two: profile, effort, system prompt …"""
    activity: tuple[str, ...] = ()
    """What the running reply does, in seconds, tokens and tokens per second; empty between replies."""
    spinner: int = 0
    """The turn of the spinner before the activity."""
    usage: tuple[int, int] = (0, 0)
    """Context tokens that the server counted, and an estimate for what came after."""
    context: int = 0
    """The context length in tokens with which the server has loaded the model."""
    gpu: float | None = None
    """The share of the loaded model on the GPU, 0 to 1."""
    speed: float = 0.0
    """Tokens per second."""
    downloads: str = ""
    """The models being pulled, and their progress."""
    host: str = ""
    is_reachable: bool | None = None
    """True if the server answers; None before the first poll."""


class StatusLine(Widget):
    """Facts on one row; if it is too narrow, the less important ones get shorter or are left out."""

    DEFAULT_CSS = """
    StatusLine { height: 1; padding: 0 1; background: $r-background; }
    """

    facts: reactive[StatusFacts] = reactive(StatusFacts())
    palette: reactive[Palette | None] = reactive(None)

    def render_line(self, y: int) -> Strip:
        del y
        if self.palette is None:
            return super().render_line(0)
        return make_strip(
            status_row(self.facts, self.size.width, self.palette), self.size.width, self.palette.background
        )


def status_row(facts: StatusFacts, width: int, palette: Palette) -> Row:
    """The facts as a row that fits into a width."""
    parts: dict[str, Row] = {
        "model": _model_part(facts, palette),
        "mode": _mode_part(facts, palette),
        "changes": _changes_part(facts.changes, palette),
        "activity": _activity_part(facts, facts.activity, palette),
        "downloads": _downloads_part(facts, palette),
        "context": _context_part(facts, palette, has_meter=True),
        "gpu": _gpu_part(facts, palette),
        "speed": [] if facts.activity else _speed_part(facts, palette),
        "server": _server_part(facts, palette, has_name=True),
    }
    for name, shorter in _shorter_parts(facts, palette):
        if _width_of(parts.values()) <= width:
            break
        parts[name] = shorter
    row: Row = []
    for part in parts.values():
        row += [(" " * _GAP, palette.styles["dim"])] if row and part else []
        row += part
    return row


def _shorter_parts(facts: StatusFacts, palette: Palette) -> Iterator[tuple[str, Row]]:
    """What becomes shorter or is left out if the row is too narrow, the least important first."""
    if facts.is_reachable is not False:
        yield "server", _server_part(facts, palette, has_name=False)
    yield from (("gpu", []), ("speed", []))
    yield "model", _model_part(facts, palette, _MODEL_WIDTH)
    yield "mode", []
    yield "activity", _activity_part(facts, facts.activity[:1] + facts.activity[2:], palette)
    for number in range(len(facts.changes) - 1, 0, -1):
        yield "changes", _changes_part((*facts.changes[:number], palette.glyphs.more), palette)
    yield "context", _context_part(facts, palette, has_meter=False)
    yield "downloads", []
    yield "model", _model_part(facts, palette, _SHORT_MODEL_WIDTH)
    yield "server", _server_part(facts, palette, has_name=False)
    yield "activity", _activity_part(facts, facts.activity[:1], palette)
    yield from (("changes", []), ("context", []), ("activity", []), ("model", []))


def _width_of(parts: Iterable[Row]) -> int:
    shown = [part for part in parts if part]
    return sum(cell_width(text_of_row(part)) for part in shown) + _GAP * (len(shown) - 1)


def _model_part(facts: StatusFacts, palette: Palette, width: int = 0) -> Row:
    """The name of the model, cut to a width if one is given."""
    name = clean_line(model_names.short_name_of(facts.model, whole=facts.ids), 200)
    name = short_model_name(name, width, palette.glyphs.more) if width else name
    return [(name, palette.styles["text"] + BOLD)] if name else []


def short_model_name(name: str, width: int, more: str) -> str:
    """A name that fits into a width: without registry and user, and cut in the middle, where it tells least."""
    if cell_width(name) > width:
        name = name.rpartition("/")[2]
    if cell_width(name) <= width:
        return name
    room = max(2, width - cell_width(more))
    start, end = name[: fitting_length(name, room - room // 2)], name[::-1][: fitting_length(name[::-1], room // 2)]
    return start + more + end[::-1]


def _changes_part(changes: tuple[str, ...], palette: Palette) -> Row:
    text = f" {palette.glyphs.dot} ".join(clean_line(change, 30) for change in changes)
    return [(text, palette.styles["accent"])] if text else []


def _activity_part(facts: StatusFacts, activity: tuple[str, ...], palette: Palette) -> Row:
    if not activity:
        return []
    sign = palette.glyphs.spinner[facts.spinner % len(palette.glyphs.spinner)]
    text = f" {palette.glyphs.dot} ".join(clean_line(fact, 80) for fact in activity)
    return [(f"{sign} ", palette.styles["accent"]), (text, palette.styles["dim"])]


def _mode_part(facts: StatusFacts, palette: Palette) -> Row:
    return [(clean_line(facts.mode, 20), palette.words("accent"))] if facts.mode else []


def _downloads_part(facts: StatusFacts, palette: Palette) -> Row:
    text = clean_line(facts.downloads, 40)
    return [(f"{palette.glyphs.below} ", palette.styles["accent"]), (text, palette.styles["dim"])] if text else []


def _context_part(facts: StatusFacts, palette: Palette, *, has_meter: bool) -> Row:
    used, dim = sum(facts.usage), palette.styles["dim"]
    if not used:
        return []
    if not facts.context:
        return [(f"ctx {_about(short_count_of, facts.usage)}", dim)]
    share = min(1.0, used / facts.context)
    if not has_meter:
        about = _about(lambda tokens: f"{min(1.0, tokens / facts.context):.0%}", facts.usage)
        return [(f"ctx {about}", _meter_style(share, palette))]
    full = max(1, round(share * METER_WIDTH))
    meter: Row = [
        (palette.glyphs.full * full, _meter_style(share, palette)),
        (palette.glyphs.empty * (METER_WIDTH - full), palette.styles["faint"]),
    ]
    said = f"{_about(short_count_of, facts.usage)} of {short_count_of(facts.context)}"
    return [("ctx ", dim), *meter, (f" {said}", dim)]


def _about(format_tokens: Callable[[int], str], usage: tuple[int, int]) -> str:
    """The tokens, with a tilde if the estimate makes a difference that one sees."""
    counted, shown = format_tokens(usage[0]), format_tokens(sum(usage))
    return shown if shown == counted else f"~{shown}"


def _meter_style(share: float, palette: Palette) -> Style:
    role = "error" if share >= _NEARLY_FULL else "correction" if share >= _HALF_FULL else "good"
    return palette.styles[role]


def _gpu_part(facts: StatusFacts, palette: Palette) -> Row:
    if facts.gpu is None:
        return []
    whole = facts.gpu > 0.99  # noqa: PLR2004 - rounding of the server
    text = "CPU" if facts.gpu == 0 else f"GPU {facts.gpu:.0%}"
    return [(text, palette.styles["good" if whole else "correction"])]


def _speed_part(facts: StatusFacts, palette: Palette) -> Row:
    return [(f"{facts.speed:.0f} tok/s", palette.styles["dim"])] if facts.speed >= 1 else []


def _server_part(facts: StatusFacts, palette: Palette, *, has_name: bool) -> Row:
    if facts.is_reachable is None:
        return []
    glyph, role = (palette.glyphs.present, "good") if facts.is_reachable else (palette.glyphs.absent, "error")
    words = clean_line(facts.host, 40) if facts.is_reachable else f"{clean_line(facts.host, 40)} is not reachable"
    return [(glyph, palette.styles[role]), *([(f" {words}", palette.styles["dim"])] if has_name else ())]


def short_count_of(number: int) -> str:
    """A token count in at most four characters: 950, 1.2k, 128k; multiples of 1,024 count in units of 1,024."""
    if number and number % 1024 == 0:
        return f"{number // 1024}k"
    thousands = number / 1000
    if number < 1000:  # noqa: PLR2004 - where thousands begin
        return str(number)
    return f"{thousands:.1f}k" if thousands < 10 and round(thousands, 1) % 1 else f"{thousands:.0f}k"  # noqa: PLR2004
