"""Records every byte that the chat writes to its terminal, and finds bytes that the screen never writes by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from textual.drivers.headless_driver import HeadlessDriver

from support.chat_app import app_over, chatting
from support.hostile_texts import EVERY, ONE_OF_EACH, text_of
from support.safety_checks import LINK, is_forbidden, terminal_commands

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from textual.driver import Driver

    from reflectty.store import Store
    from reflectty.tui.app import ReflectApp
    from support.chat_app import Reader
    from support.scripted_engine import Script, ScriptedEngine

    Case = dict[str, Any]

MOST = 600
"""Repetitions that are enough of a text that is repeated without end."""
OURS = re.compile(LINK + r"|\x1b\[[\d;]*m|\x1b\[\d+;\d+H|\x1b\[\?2026[hl]|\x1b\]22;[a-z-]+\x07")
"""Everything the screen writes by itself: colors, cursor positions, frames of updates, mouse pointer shapes."""
POINTER = re.compile(r"\x1b\]22;[a-z-]+\x07")
HIDING = re.compile(r"\x1b\[(?:\d+;)*0*(?:5|6|8)(?:;\d+)*m")
COLOURS = re.compile(r"[34]8;(?:2;\d+;\d+;\d+|5;\d+)")
_BEGINNINGS = ("\x1b", "\x1b[", " \x1b")
DRAWN = {"draw", "select_graphic_rendition", "cursor_position", "set_mode", "reset_mode", "linefeed", "carriage_return"}

sweeps = pytest.mark.parametrize(
    "cases",
    [pytest.param(ONE_OF_EACH, id="one of each"), pytest.param(EVERY, id="every", marks=pytest.mark.slow)],
)
"""Parametrizes a test with hostile texts: one of each kind, and all of them where slow tests run."""


class Recorder(HeadlessDriver):
    """A driver that records its output."""

    written: list[str]

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        self.written.append(data)

    def flush(self) -> None:
        """Do nothing: output is recorded at once."""


def recording_app(written: list[str]) -> Callable[..., ReflectApp]:
    """A factory of applications over a driver that writes into a list."""

    def make(engine: ScriptedEngine, store: Store, **values: Any) -> ReflectApp:
        app = app_over(engine, store, **values)

        def build(*_: object, size: tuple[int, int] | None, **__: object) -> Driver:
            driver = Recorder(app, size=size)
            driver.written = written
            return driver

        app._build_driver = build  # type: ignore[method-assign,assignment] # noqa: SLF001 - Textual's seam for other drivers
        return app

    return make


def recording(use: Callable[[Reader, list[str]], Awaitable[list[str]]], *scripts: Script, **values: Any) -> list[str]:
    """Run the chat on a tall screen; `use` gets the list into which its output is written."""
    written: list[str] = []
    return chatting(
        lambda reader: use(reader, written), *scripts, make=recording_app(written), size=(100, 150), **values
    )


def faults(written: str, those: Sequence[Case] = ()) -> list[str]:
    """Forbidden output found while these texts were shown."""
    rest = OURS.sub("", written)
    found = [f"U+{ord(char):04X}" for char in sorted(set(rest)) if is_forbidden(char)]
    found += sorted(terminal_commands(POINTER.sub("", written)) - DRAWN)
    found += HIDING.findall(COLOURS.sub("", written))
    needles = ((case["id"], case.get("needle", "")) for case in those if case["expect"] == "neutralise")
    # A needle that also begins one of our own sequences is looked for in the rest only.
    return found + [
        name for name, needle in needles if needle and needle in (rest if needle in _BEGINNINGS else written)
    ]


async def faults_of_each(
    reader: Reader,
    written: list[str],
    cases: Sequence[Case],
    use: Callable[[list[str]], Awaitable[None]],
    size: int = len(ONE_OF_EACH),
) -> list[str]:
    """Put hostile texts somewhere, `size` at a time; return the forbidden output found."""
    found: list[str] = []
    for at in range(0, len(cases), size):
        those = cases[at : at + size]
        written.clear()
        await use([text_of(case, MOST) for case in those])
        await reader.settle()
        assert written, "nothing was drawn"
        found += [f"{those[0]['id']}…{those[-1]['id']}: {fault}" for fault in faults("".join(written), those)]
    return found
