"""Draws the main states of the chat in many looks and sizes, to be looked at; nothing compares these pictures.

    PYTHONPATH=tests python tests/snapshots/looks.py FOLDER [PATTERN]

Writes FOLDER/STATE-LOOK-COLUMNSxROWS.svg, and PNG where cairosvg is installed. PATTERN is part of such a name, with `*`.
"""

from __future__ import annotations

import io
import re
import sys
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from chat.test_snapshots import held, models, nothing, steering, stored, wrong
from reflectty.reasoning.modes import AskOptions
from support.chat_app import IN_THOUGHT, chatting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from support.chat_app import Reader

    Use = Callable[[Reader], Awaitable[None]]

Rgb = tuple[int, int, int]
SIZES = ((80, 24), (120, 40), (200, 50))
TRUECOLOR = 1 << 24


def _colors(text: str) -> list[Rgb]:
    return [(int(word[:2], 16), int(word[2:4], 16), int(word[4:], 16)) for word in text.split()]


# The colors of Tango, as VTE and others have them: eight normal ones and eight bright ones.
_TANGO = _colors(
    "2e3436 cc0000 4e9a06 c4a000 3465a4 75507b 06989a d3d7cf 555753 ef2929 8ae234 fce94f 729fcf ad7fa8 34e2e2 eeeeec"
)
ON_BLACK = TerminalTheme((0, 0, 0), (211, 215, 207), _TANGO[:8], _TANGO[8:])
ON_WHITE = TerminalTheme((255, 255, 255), (46, 52, 54), _TANGO[:8], _TANGO[8:])


@dataclass(frozen=True)
class Look:
    """A theme on a terminal."""

    theme: str
    colours: int = TRUECOLOR
    palette: TerminalTheme = ON_BLACK


LOOKS = {
    "ink": Look("ink"),
    "paper": Look("paper"),
    "ink256": Look("ink", 256),
    "paper256": Look("paper", 256),
    "black": Look("terminal"),
    "white": Look("terminal", palette=ON_WHITE),
}


def _pressing(*keys: str) -> Use:
    async def press(reader: Reader) -> None:
        await reader.press(*keys)

    return press


async def _themes(reader: Reader) -> None:
    await reader.press("f5")
    await reader.shows("paper", "esc cancel")


STATES: dict[str, Use] = {
    "stored": nothing,
    "thinking": held,
    "steering": steering,
    "slash": _pressing("slash"),
    "palette": _pressing("ctrl+p"),
    "sessions": _pressing("ctrl+o"),
    "keys": _pressing("f1"),
    "themes": _themes,
    "save": _pressing("ctrl+s"),
    "models": models,
    "wrong": wrong,
}


def picture(use: Use, look: Look, size: tuple[int, int]) -> str:
    """A state of the chat as SVG."""

    async def draw(reader: Reader) -> str:
        await use(reader)
        await reader.settle()
        screen, (width, height) = reader.app.screen, size
        console = Console(
            record=True, width=width, height=height, file=io.StringIO(), force_terminal=True, color_system="truecolor"
        )
        beneath = reader.app._background_screens  # noqa: SLF001 - as Textual's own export does
        console.print(screen._compositor.render_update(full=True, screen_stack=beneath, simplify=True))  # noqa: SLF001
        return console.export_svg(title=f"{look.theme}", theme=look.palette, unique_id="looks")

    return chatting(
        draw,
        IN_THOUGHT,
        before=(lambda _: None) if use in (held, steering) else stored,
        size=size,
        theme=look.theme,
        colours=look.colours,
        manner=AskOptions(model="reflection"),
        notifications=False,
    )


def save(path: Path, svg: str) -> None:
    svg = re.sub(r"@font-face \{[^}]*\}", "", svg).replace("Fira Code", "DejaVu Sans Mono")
    path.write_text(svg, encoding="utf-8")
    if find_spec("cairosvg"):
        import cairosvg  # type: ignore[import-not-found,import-untyped,unused-ignore]

        cairosvg.svg2png(bytestring=svg.encode(), write_to=str(path.with_suffix(".png")), output_width=1400)


def main() -> None:
    folder, pattern = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else ""
    folder.mkdir(parents=True, exist_ok=True)
    for state, use in STATES.items():
        for name, look in LOOKS.items():
            for size in SIZES:
                path = folder / f"{state}-{name}-{size[0]}x{size[1]}.svg"
                if fnmatch(path.stem, f"*{pattern}*"):
                    save(path, picture(use, look, size))


if __name__ == "__main__":
    main()
