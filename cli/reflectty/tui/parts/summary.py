"""The one line above a thinking: at work, with the last line of thought; afterwards, how long, how much, how often."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.drawing.paint import BOLD, plain
from reflectty.drawing.summary import ORIGINS, Fact, counted, duration, facts, fitting
from reflectty.drawing.wrap import GUTTER, cells, chop
from reflectty.safety import clean_line
from reflectty.session import NOT_MEASURED, Origin

if TYPE_CHECKING:
    from rich.style import Style

    from reflectty.drawing.paint import Row
    from reflectty.reply import Reply
    from reflectty.session import Said
    from reflectty.tui.parts.part import Scene

TURNS_PER_SECOND = 6
LOADING_SECONDS = 3
"""After this, the model may be on its way into memory."""
STEERING = "stopped: change the thought, it goes on from here"
_LEAST = 12
"""Fewer columns than this are not worth a line of thought."""


class State:
    """What is known of a reply while it comes and afterwards."""

    def __init__(self, model: str, origin: Origin) -> None:
        self.model = clean_line(model, 60)
        self.origin = origin
        self.over = False
        self.steered = False
        """Whether what it thought is being changed right now."""
        self.seconds = 0.0
        self.measured = NOT_MEASURED
        self.answers = False
        """Whether it is answering, and not thinking."""
        self._reply: Reply | None = None

    def follow(self, reply: Reply) -> None:
        self._reply = reply
        self.model = clean_line(reply.model, 60)

    def tick(self, seconds: float, *, answers: bool) -> None:
        self.seconds, self.answers = seconds, answers
        if self._reply:
            self.measured = self._reply.measured

    def end(self, said: Said) -> None:
        self.over, self.measured, self._reply = True, said.measured, None

    @property
    def resumable(self) -> bool:
        """Whether it can go on in its middle, as far as is known."""
        return self._reply is None or self._reply.resumable

    @property
    def begun(self) -> bool:
        return bool(self.measured.thinking_tokens or self.measured.answer_tokens or self.measured.corrections)


def summary(  # noqa: PLR0913 - each says one thing of the line
    state: State, scene: Scene, *, thought: bool, opened: bool, line: str, tail: list[str], hints: bool
) -> Row:
    """Return the line.

    Args:
        state: of the reply.
        scene: where it is drawn.
        thought: whether there is a thinking.
        opened: whether it is open.
        line: the last line of thought, or nothing.
        tail: what else there is to say of it.
        hints: whether to name the keys that apply.
    """
    dim, accent = scene.palette.styles["dim"], scene.palette.styles["accent"]
    dot = f" {scene.palette.glyphs.dot} "
    if state.steered:
        return [(f"{scene.palette.glyphs.steered} {STEERING}", accent + BOLD)]
    row: Row = [_sign(state, scene, thought=thought, opened=opened)]
    if state.origin in ORIGINS:
        row += [(f"{scene.palette.glyphs.steered} {ORIGINS[state.origin]}", accent + BOLD), (dot, dim)]
    room = max(1, scene.columns.prose - cells(plain(row)) + GUTTER)
    for at, fact in enumerate(fitting(_facts(state), room, len(dot))):
        row += [(dot, dim)] if at else []
        row.append((fact.text, scene.palette.styles["correction"] + BOLD if fact.strong else dim))
    if line:
        row = _with_line(row, line, dot, scene)
    return _with_tail(row, [*tail, *(_hints(state, scene, thought=thought, opened=opened) if hints else ())], scene)


def _sign(state: State, scene: Scene, *, thought: bool, opened: bool) -> tuple[str, Style]:
    glyphs, styles = scene.palette.glyphs, scene.palette.styles
    if not state.over and not (state.answers and thought):
        turn = int(state.seconds * TURNS_PER_SECOND) % len(glyphs.spinner)
        return (glyphs.spinner[turn] + " ", styles["accent"])
    sign = (glyphs.opened if opened else glyphs.folded) if thought else " "
    return (sign + " ", styles["dim"])


def _facts(state: State) -> tuple[Fact, ...]:
    if state.over or state.answers:
        return tuple(fact for fact in facts(state.measured) if "tok/s" not in fact.text)
    if not state.begun:
        waited = f"waiting for {state.model} · {duration(int(state.seconds))}"
        late = " · it may still be loading" if state.seconds >= LOADING_SECONDS else ""
        return (Fact(waited, 0), *((Fact(late.removeprefix(" · "), 1),) if late else ()))
    said, corrections = state.measured.thinking_tokens, state.measured.corrections
    found = (
        Fact(f"thinking {duration(int(state.seconds))}", 0),
        Fact(counted(said, "token") if said else "", 2),
        Fact(counted(corrections, "correction") if corrections else "", 1, strong=True),
    )
    return tuple(fact for fact in found if fact.text)


def _with_line(row: Row, line: str, dot: str, scene: Scene) -> Row:
    room = scene.width - cells(plain(row)) - len(dot)
    if room < _LEAST:
        return row
    cut = chop(line, room)
    more = scene.palette.glyphs.more
    shown = line if cut == len(line) else line[: chop(line, room - cells(more))] + more
    return [*row, (dot, scene.palette.styles["faint"]), (shown, scene.palette.styles["thinking"])]


def _with_tail(row: Row, tail: list[str], scene: Scene) -> Row:
    """Add what still fits, from the left."""
    used = cells(plain(row))
    for text in tail:
        if used + 3 + cells(text) > scene.width:
            break
        row = [*row, (f"   {text}" if used == cells(plain(row)) else f"  {text}", scene.palette.styles["faint"])]
        used = cells(plain(row))
    return row


def _hints(state: State, scene: Scene, *, thought: bool, opened: bool) -> list[str]:
    steerable = state.begun and not state.answers and state.resumable
    wanted = {
        "steer": ("steer", not state.over and steerable),
        "conclude": ("conclude", not state.over and steerable),
        "cancel": ("stop", not state.over),
        "next_correction": ("next", state.over and state.measured.corrections > 0),
        "toggle_thinking": ("fold" if opened else "open", state.over and thought),
    }
    return [f"{scene.key(name)} {word}" for name, (word, here) in wanted.items() if here and scene.key(name)]
