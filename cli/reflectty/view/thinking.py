"""Renders thinking and corrections as rows with a gutter, and the summary line above them."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from reflectty.core.safety import clean_line
from reflectty.core.segments import Kind
from reflectty.core.session import NO_METRICS, ReplyOrigin, ReplyStatus
from reflectty.core.text import format_count, format_duration
from reflectty.view.rows import (
    BOLD,
    GUTTER_WIDTH,
    LINE_BREAK,
    MARGIN,
    Row,
    ShownText,
    cell_width,
    expand_tabs,
    fitting_length,
    hanging_indent,
    row_spans,
    text_of_row,
)
from reflectty.view.summary import ORIGIN_LABELS, SummaryFact, fit_facts, reading_facts, summary_facts

if TYPE_CHECKING:
    from rich.style import Style

    from reflectty.core.session import Readings, StoredReply
    from reflectty.reasoning.reply import Reply
    from reflectty.reasoning.thought_reader import ThoughtMark
    from reflectty.view.parts import Scene
    from reflectty.view.rows import Columns, Palette, Run
    from reflectty.view.sections import Canvas

    _MarkedText = tuple[str, str, ThoughtMark | None]
    """What the wrap has swallowed before a row, its text, and the second thought that begins in it."""


class ThinkingRenderer:
    """Renders block after block: `begin`, then `feed` for each piece of text; returned rows never change."""

    def __init__(self, palette: Palette) -> None:
        self._palette = palette
        self._kind = Kind.THINKING
        self._needs_mark = self._needs_blank = self._has_rows = False
        self._line = ""
        self._marks: tuple[tuple[int, ThoughtMark], ...] = ()
        """The second thoughts that begin in the line, each with its place in it."""
        self._indent = 0
        self._has_begun = False
        self._gap = LINE_BREAK
        """What stands before the next row in the text."""

    def begin(self, kind: Kind, columns: Columns) -> list[Row]:
        """Start a block; return the last row of the previous one, if any."""
        rows = self.close(columns)
        self._kind, self._needs_mark = kind, kind is Kind.REFLECTION
        self._needs_blank = self._has_rows = self._has_begun = False
        return rows

    def mark(self, thought: ThoughtMark) -> None:
        """Mark the row in which the next text begins."""
        self._marks += ((len(self._line), thought),)

    def feed(self, text: str, columns: Columns) -> list[Row]:
        """Add text that is safe to show; return its complete rows."""
        width = columns.prose
        *lines, last = expand_tabs(self._line + text).split("\n")
        rows: list[Row] = []
        for line in lines:
            rows += self._end(line, width)
            self._marks = ()
        complete, self._line = self._split(last, width)
        return rows + complete

    def clone(self) -> ThinkingRenderer:
        """A copy that can go on by itself, to see how text would look that may still get a mark."""
        return copy(self)

    def live_rows(self, canvas: Canvas) -> list[Row]:
        """The rows that may still change: none, one, or two while a word may not fit."""
        width = canvas.columns.prose
        indent = self._indent_of(self._line, width)
        spans = row_spans(self._line, width, indent, begun=self._has_begun)
        return self._draw_rows(self._texts(self._line, [span for span in spans if span[1] > span[0]]), indent)

    def close(self, columns: Columns) -> list[Row]:
        """End the block; return its last row, if any."""
        line, self._line = self._line, ""
        return self._end(line, columns.prose) if line.strip() else []

    def _indent_of(self, line: str, width: int) -> int:
        return self._indent if self._has_begun else hanging_indent(line, width)

    def _split(self, line: str, width: int) -> tuple[list[Row], str]:
        """Split a line into the rows that further text cannot change, and the rest."""
        indent = self._indent_of(line, width)
        *spans, (start, _) = row_spans(line, width, indent, begun=self._has_begun)
        rows = self._rows(self._texts(line, spans), indent)
        if rows:
            self._has_begun, self._indent, self._gap = True, indent, line[spans[-1][1] : start]
        self._marks = tuple((at - start, mark) for at, mark in self._marks if at >= start)
        return rows, line[start:]

    def _texts(self, line: str, spans: list[tuple[int, int]]) -> list[_MarkedText]:
        starts = [start for start, _ in spans[1:]]
        gaps = [self._gap, *(line[end:start] for (_, end), start in zip(spans, starts, strict=False))]
        return [
            (gap, line[start:end], self._mark_in(start, end)) for gap, (start, end) in zip(gaps, spans, strict=False)
        ]

    def _mark_in(self, start: int, end: int) -> ThoughtMark | None:
        """The most telling second thought that begins in a part of the line."""
        return min((mark for at, mark in self._marks if start <= at < end), key=_rank_of, default=None)

    def _end(self, line: str, width: int) -> list[Row]:
        rows, rest = self._split(line, width)
        if rest.strip(" "):
            rows += self._rows([(self._gap, rest.rstrip(" "), self._mark_in(0, len(rest)))], self._indent)
        elif not self._has_begun:
            self._needs_blank = self._has_rows
        self._has_begun, self._gap = False, LINE_BREAK
        return rows

    def _rows(self, texts: list[_MarkedText], indent: int) -> list[Row]:
        rows = self._draw_rows(texts, indent)
        if texts:
            self._needs_mark, self._needs_blank, self._has_rows = False, False, True
        return rows

    def _draw_rows(self, texts: list[_MarkedText], indent: int) -> list[Row]:
        rows = [self._row("", marked=False)] if texts and self._needs_blank else []
        for at, (gap, text, thought) in enumerate(texts):
            shift = self._count_of(thought) + " " * (indent if at or self._has_begun else 0)
            line = ShownText(shift + text, before=gap, skip=len(shift))
            rows.append(self._row(line, marked=self._needs_mark and at == 0, thought=thought))
        return rows

    def _count_of(self, thought: ThoughtMark | None) -> str:
        """A digit behind the sign of alternatives that were folded; else a space."""
        counts = self._palette.glyphs.counts
        return counts[min(thought.run, len(counts) - 1)] if thought and thought.run > 1 else " "

    def _row(self, text: str, *, marked: bool, thought: ThoughtMark | None = None) -> Row:
        """A row behind its gutter; one without text is the gutter alone."""
        styles, glyphs = self._palette.styles, self._palette.glyphs
        if self._kind is Kind.REFLECTION:
            style, sign = self._palette.words("correction"), styles["correction"]
            gutter = (glyphs.correction, self._palette.mark("correction")) if marked else (glyphs.bar, sign)
        else:
            style, gutter = styles["thinking"], (glyphs.bar, styles["faint"])
            if thought:
                sign = self._palette.words("correction") if thought.is_sure else styles["dim"]
                gutter = (glyphs.of_thought(thought.kind), sign)
        if not text:
            return [(ShownText(gutter[0], before=LINE_BREAK, skip=len(gutter[0])), gutter[1])]
        return [gutter, (text, style)]


def _rank_of(mark: ThoughtMark) -> tuple[bool, int]:
    """The order of marks in a row: what is sure first, then corrections, checks, alternatives."""
    return not mark.is_sure, _KIND_ORDER.index(mark.kind)


_KIND_ORDER = ("correction", "check", "alternative")
TURNS_PER_SECOND = 6
MIN_TIMED_TOKENS = 5
"""Below this number of tokens, their speed tells nothing."""
SLOW_START_SECONDS = 3
"""After this time, the model may be loading into memory."""
STOPPED_REASON = "stopped"
"""The error of a reply that the user stopped."""
STEERING_NOTE = "paused: edit the thinking, enter continues"
_MIN_LINE_WIDTH = 12
"""Below this width the line of thinking is left out."""


class ReplyState:
    """The state of a reply during and after streaming."""

    def __init__(self, model: str, origin: ReplyOrigin = ReplyOrigin.ASKED) -> None:
        self.model = clean_line(model, 60)
        self.origin = origin
        self.is_over = False
        self.is_steered = False
        """Whether the user is editing its thinking right now."""
        self.seconds = 0.0
        self.measured = NO_METRICS
        self.kind: Kind | None = None
        """The part that is being written; None before the first one."""
        self.repeats_itself = False
        """Whether the thinking is in a loop."""
        self.is_cut = False
        """Whether it has ended before it was complete."""
        self.is_stopped = False
        """Whether the user ended it."""
        self.has_text = False
        """Whether it has any text, once it is over."""
        self._reply: Reply | None = None

    def follow(self, reply: Reply) -> None:
        self._reply = reply
        self.model = clean_line(reply.model, 60)

    def tick(self, seconds: float, kind: Kind | None, readings: Readings | None = None) -> None:
        # Only what is visible counts: the line is drawn again once a value has changed.
        self.seconds, self.kind = int(seconds * TURNS_PER_SECOND) / TURNS_PER_SECOND, kind
        if self._reply:
            self._reply.readings = readings
            self.measured = self._reply.metrics
            self.repeats_itself = self._reply.repeats_itself

    def end(self, stored: StoredReply) -> None:
        self.is_over, self.measured, self._reply = True, stored.measured, None
        self.is_cut = stored.ended not in (ReplyStatus.COMPLETE, ReplyStatus.STREAMING)
        self.is_stopped = stored.ended is ReplyStatus.INTERRUPTED and stored.error.strip() in ("", STOPPED_REASON)
        self.has_text = bool(stored.segments or stored.raw)

    def note_readings(self, readings: Readings | None) -> None:
        """Take over the second thoughts that were read in the thinking, unless they are known."""
        if self.measured.readings is None:
            self.measured = self.measured._replace(readings=readings)

    @property
    def values(self) -> tuple[object, ...]:
        """Everything that is drawn of it; equal values look the same."""
        flags = (self.is_over, self.is_steered, self.resumable, self.repeats_itself, self.is_stopped)
        return (self.model, self.origin, flags, self.seconds, self.kind, self.measured)

    @property
    def has_turns(self) -> bool:
        """Whether the thinking has a correction or a sure second thought, as far as known."""
        return self.measured.corrections > 0 or any(self.measured.readings or ())

    @property
    def resumable(self) -> bool:
        """True if the server can continue it mid-reply, as far as is known."""
        return self._reply is None or self._reply.resumable

    @property
    def is_answering(self) -> bool:
        return self.kind is Kind.ANSWER


def summary_rows(  # noqa: PLR0913 - each says one thing of the line
    state: ReplyState, scene: Scene, *, has_thinking: bool, is_open: bool, line: str, branch: list[str], has_hints: bool
) -> list[Row]:
    """The summary line, and rows for what does not fit but must be shown.

    Args:
        state: the reply's state.
        scene: palette, size and view.
        has_thinking: whether the reply has thinking.
        is_open: whether the thinking is open.
        line: the last line of thinking, or "".
        branch: remarks on the branch.
        has_hints: whether to name the keys that apply.
    """
    if state.is_steered:
        return [[(f"{scene.palette.glyphs.steered} {STEERING_NOTE}", scene.palette.words("accent") + BOLD)]]
    row = state_row(state, scene, has_thinking=has_thinking, is_open=is_open)
    if line:
        row = _add_line(row, line, scene)
    row, below = _add_beside(row, branch, scene)
    if has_hints:
        row, _ = _add_beside(row, _hints_for(state, scene, has_thinking=has_thinking, is_open=is_open), scene)
    return [row, *([MARGIN, (text, scene.palette.styles["faint"])] for text in below)]


def state_row(state: ReplyState, canvas: Canvas, *, has_thinking: bool = False, is_open: bool = False) -> Row:
    """The sign of a reply's state and its figures."""
    palette = canvas.palette
    row: Row = [_sign_of(state, palette, has_thinking=has_thinking, is_open=is_open)]
    dot: Run = (f" {palette.glyphs.dot} ", palette.styles["dim"])
    if state.origin in ORIGIN_LABELS:
        label = f"{palette.glyphs.steered} {ORIGIN_LABELS[state.origin]}"
        row += [(label, palette.words("accent") + BOLD), dot]
    room = max(1, canvas.columns.prose - cell_width(text_of_row(row)) + GUTTER_WIDTH)
    facts = facts_row(_facts_of(state, reads_thoughts=canvas.reads_thoughts), room, palette)
    if not facts and row[-1] == dot:
        return row[:-1]
    return row + (facts or ([("thought", palette.styles["dim"])] if has_thinking else []))


def facts_row(facts: tuple[SummaryFact, ...], width: int, palette: Palette) -> Row:
    """The facts that fit into a row."""
    dot, dim = f" {palette.glyphs.dot} ", palette.styles["dim"]
    row: Row = []
    for fact in fit_facts(facts, width, len(dot)):
        row += [(dot, dim)] if row else []
        row.append((fact.text, palette.words("correction") + BOLD if fact.strong else dim))
    return row


def _sign_of(state: ReplyState, palette: Palette, *, has_thinking: bool, is_open: bool) -> tuple[str, Style]:
    glyphs, styles = palette.glyphs, palette.styles
    if not state.is_over and not (state.is_answering and has_thinking):
        turn = int(state.seconds * TURNS_PER_SECOND) % len(glyphs.spinner)
        return (glyphs.spinner[turn] + " ", styles["accent"])
    sign = (glyphs.expanded if is_open else glyphs.collapsed) if has_thinking else " "
    return (sign + " ", styles["dim"])


def _facts_of(state: ReplyState, *, reads_thoughts: bool) -> tuple[SummaryFact, ...]:
    measured = state.measured if reads_thoughts else state.measured._replace(readings=None)
    if state.is_over or (state.is_answering and measured.thinking_tokens):
        return summary_facts(measured, speed=False)
    if state.is_answering:
        tokens = state.measured.answer_tokens
        counted = (SummaryFact(format_count(tokens, "token"), 2),) if tokens else ()
        return (SummaryFact("answering", 0), *counted)
    if state.kind is None:
        found = (
            SummaryFact(f"waiting for {state.model}", 0),
            SummaryFact(format_duration(int(state.seconds)), 1),
            SummaryFact("it may still be loading" if state.seconds >= SLOW_START_SECONDS else "", 2),
        )
        return tuple(fact for fact in found if fact.text)
    tokens, corrections = state.measured.thinking_tokens, state.measured.corrections
    facts = (
        SummaryFact(_with_seconds("thinking", state.measured.thinking_ms), 0),
        SummaryFact(format_count(tokens, "token") if tokens else "", 2),
        SummaryFact(format_count(corrections, "correction") if corrections else "", 1, strong=True),
        *reading_facts(measured.readings),
        SummaryFact("repeats itself" if state.repeats_itself else "", 0, strong=True),
    )
    return tuple(fact for fact in facts if fact.text)


def activity_of(state: ReplyState) -> tuple[str, ...]:
    """What a running reply does, and its seconds, tokens and tokens per second; empty once it is over.

    The time before the first text counts as waiting only: the server may be loading the model.
    """
    if state.is_over:
        return ()
    if state.kind is None:
        loading = "it may still be loading" if state.seconds >= SLOW_START_SECONDS else ""
        return tuple(filter(None, (f"waiting {format_duration(int(state.seconds))}", loading)))
    measured = state.measured
    tokens = measured.thinking_tokens + measured.answer_tokens
    spent = measured.total_ms - measured.first_token_ms if state.is_answering else measured.thinking_ms
    found = (
        _with_seconds("answering" if state.is_answering else "thinking", spent),
        format_count(tokens, "token") if tokens else "",
        f"{measured.tokens_per_second:.0f} tok/s" if tokens >= MIN_TIMED_TOKENS else "",
    )
    return tuple(filter(None, found))


def _with_seconds(verb: str, ms: float) -> str:
    """A verb with a duration that is still growing, in whole seconds; alone below one."""
    return f"{verb} {format_duration(int(ms / 1000))}" if ms >= 1000 else verb  # noqa: PLR2004 - milliseconds of a second


def _add_line(row: Row, line: str, scene: Scene) -> Row:
    dot = f" {scene.palette.glyphs.dot} "
    room = scene.width - cell_width(text_of_row(row)) - len(dot)
    if room < _MIN_LINE_WIDTH:
        return row
    cut = fitting_length(line, room)
    more = scene.palette.glyphs.more
    shown = line if cut == len(line) else line[: fitting_length(line, room - cell_width(more))] + more
    return [*row, (dot, scene.palette.styles["faint"]), (shown, scene.palette.styles["thinking"])]


def _add_beside(row: Row, texts: list[str], scene: Scene) -> tuple[Row, list[str]]:
    """The row with the remarks that fit, from the left, and the remarks left over."""
    for at, text in enumerate(texts):
        gap = "   " if text_of_row(row).strip() else ""
        if cell_width(text_of_row(row)) + len(gap) + cell_width(text) > scene.width:
            return row, texts[at:]
        row = [*row, (gap + text, scene.palette.styles["faint"])]
    return row, []


def _hints_for(state: ReplyState, scene: Scene, *, has_thinking: bool, is_open: bool) -> list[str]:
    steerable = state.kind not in (None, Kind.ANSWER) and state.resumable
    if steerable and state.repeats_itself and not state.is_over and scene.key("conclude"):
        # What helps now comes alone: a narrow screen has room for one.
        return [f"{scene.key('conclude')} answers now"]
    wanted = {
        "steer": ("steer", not state.is_over and steerable),
        "conclude": ("conclude", not state.is_over and steerable),
        "cancel": ("stop", not state.is_over),
        "continue": ("continue", state.is_stopped and state.has_text),
        "regenerate": ("again", state.is_stopped and not state.has_text),
        "next_correction": ("next", state.is_over and state.has_turns),
        "toggle_thinking": ("fold" if is_open else "open", state.is_over and has_thinking),
    }
    return [f"{scene.key(name)} {word}" for name, (word, here) in wanted.items() if here and scene.key(name)]
