"""Helpers for the tests of the live renderer: a reply to draw, a screen to draw it on, and a clock."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import pyte

from reflectty.core.segments import Kind, Segment
from reflectty.core.session import ReplyMetrics
from reflectty.output.live import LiveRenderer
from reflectty.system import theme
from reflectty.system.terminal import Sink, Terminal
from support.safety_checks import LINK

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reflectty.core.segments import Event
    from reflectty.reasoning.reply import Reply

THINKING, REFLECTION, ANSWER = Kind
OURS = re.compile(rf"\x1b\[(?:(\d+)A|A|[JK]|[\d;]*m)|{LINK}")
TALK = [
    Segment(
        THINKING, "Both start with 9, so I compare the decimals.\n\n1. 11 is more than 9.\n2. So 9.11 is larger.", 0
    ),
    Segment(REFLECTION, "I must compare the same number of digits: 9.9 is 9.90.", 1),
    Segment(THINKING, "\n90 against 11: 9.9 is larger.\n", 2),
    Segment(
        ANSWER,
        "**9.9** is larger.\n\n- 9.90 has `90`\n- 9.11 has `11`\n\n```python\nprint(9.9 > 9.11)  # True\n```\n"
        "\n| a | b |\n|---|---|\n| 1 | 2 |\n\n你好\uff0c世界。 Café 👍 done\n",
        3,
    ),
]


MEASURED = ReplyMetrics(
    thinking_tokens=64, answer_tokens=120, corrections=1, thinking_ms=2_400.0, total_ms=5_000.0, tokens_per_second=41.2
)


@dataclass
class FakeReply:
    """The parts of a reply that a renderer reads."""

    metrics: ReplyMetrics
    model: str
    repeats_itself: bool = False
    resumable: bool = True


def reply(model: str = "reflection:70b", **values: Any) -> Reply:
    own = {name: values.pop(name) for name in ("repeats_itself", "resumable") if name in values}
    return cast("Reply", FakeReply(MEASURED._replace(**values), model, **own))


class Screen(io.StringIO):
    """A terminal: shows the text written to it, scrolled rows included."""

    def __init__(self, width: int = 80, height: int = 24) -> None:
        super().__init__()
        self.screen = pyte.HistoryScreen(width, height, history=100_000)
        self.stream = pyte.Stream(self.screen)

    def write(self, text: str) -> int:
        self.stream.feed(text.replace("\n", "\r\n"))
        return super().write(text)

    @property
    def rows(self) -> list[str]:
        scrolled = ["".join(row[at].data for at in range(self.screen.columns)) for row in self.screen.history.top]
        return "\n".join(row.rstrip() for row in (*scrolled, *self.screen.display)).rstrip("\n").split("\n")


class Stage:
    """A renderer on one screen that is both stdout and stderr, with a clock that only tests move."""

    def __init__(
        self, width: int = 80, colours: int = 256, look: theme.Theme = theme.TERMINAL_THEME, **wishes: Any
    ) -> None:
        self.screen = Screen(width)
        self.now = 0.0
        sink = Sink(self.screen, tty=True, color_count=colours, unicode=wishes.pop("unicode", True))
        self.terminal = Terminal(
            None, stdin_tty=False, out=sink, err=sink, width=width, can_redraw=wishes.pop("motion", True)
        )
        self.live = LiveRenderer(self.terminal, look, clock=lambda: self.now, **wishes)

    def play(self, events: Iterable[Event], **values: Any) -> list[str]:
        self.live.start(reply(**values))
        for event in events:
            self.now += 0.06
            self.live.show(event)
        self.live.end(reply(**values))
        self.live.stop()
        return self.screen.rows


def cut(events: Iterable[Segment], size: int) -> list[Segment]:
    """Cut segments as a server would send them."""
    return [
        event._replace(text=event.text[at : at + size]) for event in events for at in range(0, len(event.text), size)
    ]
