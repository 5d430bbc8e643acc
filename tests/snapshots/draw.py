"""Draws the README's picture: a real reply of a real server, as the terminal showed it.

PYTHONPATH=tests python tests/snapshots/draw.py > tests/snapshots/ask.svg
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

import real_ollama
from e2e.command import Reflect
from e2e.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH = 74
QUESTION = "Which is larger, 9.11 or 9.9?"
INK = TerminalTheme(
    (17, 19, 26),
    (233, 236, 245),
    [(23, 26, 35), (240, 110, 110), (132, 208, 164), (240, 179, 91), (143, 182, 255), (157, 140, 255)] * 2,
)


def style(char: Any) -> Style:
    hexadecimal = re.fullmatch(r"[0-9a-f]{6}", char.fg)
    colour = f"#{char.fg}" if hexadecimal else None if char.fg == "default" else char.fg
    return Style(color=colour, bold=char.bold, italic=char.italics)


def lines(screen: Screen) -> Iterable[Text]:
    terminal = screen._screen  # noqa: SLF001 - colours are told nowhere else
    for row in range(len(screen.text.split("\n"))):
        line = Text()
        for column in range(WIDTH):
            char = terminal.buffer[row][column]
            line.append(char.data, style(char))
        yield line


def main() -> None:
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    with real_ollama.serve() as server, tempfile.TemporaryDirectory() as home:
        server.create_all()
        reflect = Reflect(Path(home), server.host)
        words = ("-m", "mini-native", QUESTION)
        reflect(*words)
        with Screen(reflect, *words, columns=WIDTH, COLORTERM="truecolor", REFLECTTY_THEME="ink") as screen:
            screen.finish()
            console.print(Text.assemble(("$ ", "#84d0a4"), f'reflect {words[0]} {words[1]} "{QUESTION}"'))
            for line in lines(screen):
                console.print(line, no_wrap=True, overflow="crop")
    # No fonts from elsewhere: the reader's own monospace will do. No blanks at the ends of lines.
    drawn = re.sub(r"@font-face \{[^}]*\}", "", console.export_svg(title="reflect", theme=INK, unique_id="reflect"))
    sys.stdout.write(re.sub(r"[ \t]+$", "", drawn, flags=re.MULTILINE))


if __name__ == "__main__":
    main()
