"""Renders thinking and corrections as rows with a gutter, and the summary line above them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.safety import clean_line
from reflectty.core.segments import Kind
from reflectty.core.session import NO_METRICS, ReplyOrigin
from reflectty.core.text import format_count, format_duration
from reflectty.view.rows import (
    BOLD,
    GUTTER_WIDTH,
    Row,
    cell_width,
    expand_tabs,
    fitting_length,
    hanging_indent,
    row_spans,
    text_of_row,
)
from reflectty.view.summary import ORIGIN_LABELS, SummaryFact, fit_facts, summary_facts

if TYPE_CHECKING:
    from rich.style import Style

    from reflectty.core.session import StoredReply
    from reflectty.reasoning.reply import Reply
    from reflectty.view.parts import Scene
    from reflectty.view.rows import Palette


class ThinkingRenderer:
    """Renders block after block: `begin`, then `feed` for each piece of text; returned rows never change."""

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._kind = Kind.THINKING
        self._needs_mark = self._needs_blank = self._has_rows = False
        self._line = ""
        self._indent = 0
        self._has_begun = False

    def begin(self, kind: Kind) -> None:
        """Start a block after the previous one was closed."""
        self._kind, self._needs_mark = kind, kind is Kind.REFLECTION
        self._line, self._needs_blank, self._has_rows, self._has_begun = "", False, False, False

    def feed(self, text: str, width: int) -> list[Row]:
        """Add text that is safe to show; return its complete rows, `width` columns wide plus the gutter."""
        *lines, last = expand_tabs(self._line + text).split("\n")
        rows: list[Row] = []
        for line in lines:
            rows += self._end(line, width)
        complete, self._line = self._split(last, width)
        return rows + complete

    def live_rows(self, width: int) -> list[Row]:
        """The rows that may still change: none, one, or two while a word may not fit."""
        indent = self._indent_of(self._line, width)
        spans = row_spans(self._line, width, indent, begun=self._has_begun)
        texts = [self._line[start:end] for start, end in spans if end > start]
        return self._draw_rows(texts, indent)

    def close(self, width: int) -> list[Row]:
        """End the block; return its last row, if any."""
        line, self._line = self._line, ""
        return self._end(line, width) if line.strip() else []

    def _indent_of(self, line: str, width: int) -> int:
        return self._indent if self._has_begun else hanging_indent(line, width)

    def _split(self, line: str, width: int) -> tuple[list[Row], str]:
        """Split a line into the rows that further text cannot change, and the rest."""
        indent = self._indent_of(line, width)
        *spans, (start, _) = row_spans(line, width, indent, begun=self._has_begun)
        rows = self._rows([line[begin:end] for begin, end in spans], indent)
        if rows:
            self._has_begun, self._indent = True, indent
        return rows, line[start:]

    def _end(self, line: str, width: int) -> list[Row]:
        rows, rest = self._split(line, width)
        if rest.strip(" "):
            rows += self._rows([rest.rstrip(" ")], self._indent)
        elif not self._has_begun:
            self._needs_blank = self._has_rows
        self._has_begun = False
        return rows

    def _rows(self, texts: list[str], indent: int) -> list[Row]:
        rows = self._draw_rows(texts, indent)
        if texts:
            self._needs_mark, self._needs_blank, self._has_rows = False, False, True
        return rows

    def _draw_rows(self, texts: list[str], indent: int) -> list[Row]:
        rows = [self._row("", marked=False)] if texts and self._needs_blank else []
        for at, text in enumerate(texts):
            shift = " " * indent if at or self._has_begun else ""
            rows.append(self._row(shift + text, marked=self._needs_mark and at == 0))
        return rows

    def _row(self, text: str, *, marked: bool) -> Row:
        styles, glyphs = self._palette.styles, self._palette.glyphs
        if self._kind is Kind.REFLECTION:
            style = styles["correction"]
            gutter = (glyphs.correction, style + BOLD) if marked else (glyphs.bar, style)
        else:
            style, gutter = styles["thinking"], (glyphs.bar, styles["faint"])
        return [gutter, (" " + text, style)] if text else [gutter]


TURNS_PER_SECOND = 6
LOADING_SECONDS = 3
"""After this time, the model may be loading into memory."""
STEERING_NOTE = "paused: edit the thinking, enter continues"
_MIN_LINE_WIDTH = 12
"""Below this width the line of thinking is left out."""


class ReplyState:
    """The state of a reply during and after streaming."""

    def __init__(self, model: str, origin: ReplyOrigin) -> None:
        self.model = clean_line(model, 60)
        self.origin = origin
        self.is_over = False
        self.is_steered = False
        """Whether the user is editing its thinking right now."""
        self.seconds = 0.0
        self.measured = NO_METRICS
        self.is_answering = False
        """Whether it is answering, as opposed to thinking."""
        self._reply: Reply | None = None

    def follow(self, reply: Reply) -> None:
        self._reply = reply
        self.model = clean_line(reply.model, 60)

    def tick(self, seconds: float, *, is_answering: bool) -> None:
        self.seconds, self.is_answering = seconds, is_answering
        if self._reply:
            self.measured = self._reply.metrics

    def end(self, said: StoredReply) -> None:
        self.is_over, self.measured, self._reply = True, said.measured, None

    @property
    def resumable(self) -> bool:
        """True if the server can continue it mid-reply, as far as is known."""
        return self._reply is None or self._reply.resumable

    @property
    def has_begun(self) -> bool:
        return bool(self.measured.thinking_tokens or self.measured.answer_tokens or self.measured.corrections)


def summary_row(  # noqa: PLR0913 - each says one thing of the line
    state: ReplyState, scene: Scene, *, has_thinking: bool, is_open: bool, line: str, tail: list[str], has_hints: bool
) -> Row:
    """The summary line.

    Args:
        state: the reply's state.
        scene: palette, size and view.
        has_thinking: whether the reply has thinking.
        is_open: whether the thinking is open.
        line: the last line of thinking, or "".
        tail: further remarks.
        has_hints: whether to name the keys that apply.
    """
    dim, accent = scene.palette.styles["dim"], scene.palette.styles["accent"]
    dot = f" {scene.palette.glyphs.dot} "
    if state.is_steered:
        return [(f"{scene.palette.glyphs.steered} {STEERING_NOTE}", accent + BOLD)]
    row: Row = [_sign_of(state, scene, has_thinking=has_thinking, is_open=is_open)]
    if state.origin in ORIGIN_LABELS:
        row += [(f"{scene.palette.glyphs.steered} {ORIGIN_LABELS[state.origin]}", accent + BOLD), (dot, dim)]
    room = max(1, scene.columns.prose - cell_width(text_of_row(row)) + GUTTER_WIDTH)
    for at, fact in enumerate(fit_facts(_facts_of(state), room, len(dot))):
        row += [(dot, dim)] if at else []
        row.append((fact.text, scene.palette.styles["correction"] + BOLD if fact.strong else dim))
    if line:
        row = _add_line(row, line, dot, scene)
    return _add_tail(
        row,
        [*tail, *(_hints_for(state, scene, has_thinking=has_thinking, is_open=is_open) if has_hints else ())],
        scene,
    )


def _sign_of(state: ReplyState, scene: Scene, *, has_thinking: bool, is_open: bool) -> tuple[str, Style]:
    glyphs, styles = scene.palette.glyphs, scene.palette.styles
    if not state.is_over and not (state.is_answering and has_thinking):
        turn = int(state.seconds * TURNS_PER_SECOND) % len(glyphs.spinner)
        return (glyphs.spinner[turn] + " ", styles["accent"])
    sign = (glyphs.expanded if is_open else glyphs.collapsed) if has_thinking else " "
    return (sign + " ", styles["dim"])


def _facts_of(state: ReplyState) -> tuple[SummaryFact, ...]:
    if state.is_over or state.is_answering:
        return tuple(fact for fact in summary_facts(state.measured) if "tok/s" not in fact.text)
    if not state.has_begun:
        waited = f"waiting for {state.model} · {format_duration(int(state.seconds))}"
        late = " · it may still be loading" if state.seconds >= LOADING_SECONDS else ""
        return (SummaryFact(waited, 0), *((SummaryFact(late.removeprefix(" · "), 1),) if late else ()))
    said, corrections = state.measured.thinking_tokens, state.measured.corrections
    found = (
        SummaryFact(f"thinking {format_duration(int(state.seconds))}", 0),
        SummaryFact(format_count(said, "token") if said else "", 2),
        SummaryFact(format_count(corrections, "correction") if corrections else "", 1, strong=True),
    )
    return tuple(fact for fact in found if fact.text)


def _add_line(row: Row, line: str, dot: str, scene: Scene) -> Row:
    room = scene.width - cell_width(text_of_row(row)) - len(dot)
    if room < _MIN_LINE_WIDTH:
        return row
    cut = fitting_length(line, room)
    more = scene.palette.glyphs.more
    shown = line if cut == len(line) else line[: fitting_length(line, room - cell_width(more))] + more
    return [*row, (dot, scene.palette.styles["faint"]), (shown, scene.palette.styles["thinking"])]


def _add_tail(row: Row, tail: list[str], scene: Scene) -> Row:
    """Add the remarks that fit, from the left."""
    used = cell_width(text_of_row(row))
    for text in tail:
        if used + 3 + cell_width(text) > scene.width:
            break
        row = [
            *row,
            (f"   {text}" if used == cell_width(text_of_row(row)) else f"  {text}", scene.palette.styles["faint"]),
        ]
        used = cell_width(text_of_row(row))
    return row


def _hints_for(state: ReplyState, scene: Scene, *, has_thinking: bool, is_open: bool) -> list[str]:
    steerable = state.has_begun and not state.is_answering and state.resumable
    wanted = {
        "steer": ("steer", not state.is_over and steerable),
        "conclude": ("conclude", not state.is_over and steerable),
        "cancel": ("stop", not state.is_over),
        "next_correction": ("next", state.is_over and state.measured.corrections > 0),
        "toggle_thinking": ("fold" if is_open else "open", state.is_over and has_thinking),
    }
    return [f"{scene.key(name)} {word}" for name, (word, here) in wanted.items() if here and scene.key(name)]
