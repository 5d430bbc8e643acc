"""Draws the README's pictures: real replies of a real server, on a real terminal screen.

    PYTHONPATH=tests python tests/snapshots/draw.py [ask|chat|steer|tree|moving]...

Each picture is written beside this file as SVG, and as PNG where cairosvg is installed; `moving` is an SVG that shows one
frame after the other.
"""

from __future__ import annotations

import io
import re
import sys
import tempfile
import time
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from support import real_ollama
from support.command import Reflect
from support.pty_screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HERE = Path(__file__).parent
MODEL = ("-m", "mini", "--mode", "native")
LARGER = "Which is larger, 9.11 or 9.9?"
AGAIN = "Which is larger, 2.5 or 2.14?"
COUNTED = "How many letters r are in strawberry?"
SETTLED_SECONDS = 1.0
MOVING_ROWS = 11
FRAME_SECONDS = 0.2
LAST_SECONDS = 5.0
INK = TerminalTheme(
    (17, 19, 26),
    (233, 236, 245),
    [(23, 26, 35), (240, 110, 110), (132, 208, 164), (240, 179, 91), (143, 182, 255), (157, 140, 255)] * 2,
)


def style(char: Any) -> Style:
    front, back = (_colour(char.fg), _colour(char.bg))
    return Style(color=front, bgcolor=back, bold=char.bold, italic=char.italics, reverse=char.reverse)


def _colour(name: str) -> str | None:
    if re.fullmatch(r"[0-9a-f]{6}", name):
        return f"#{name}"
    return None if name == "default" else name


def lines(screen: Screen, columns: int, rows: int) -> Iterable[Text]:
    terminal = screen._screen  # noqa: SLF001 - there is no public view of the colors
    for row in range(rows):
        chars = [terminal.buffer[row][column] for column in range(columns)]
        runs = groupby(chars, style)
        yield Text.assemble(*(("".join(char.data for char in run), look) for look, run in runs))


def ask(reflect: Reflect) -> Console:
    """One question, and its output."""
    columns, words = 74, ("-m", "mini-native", LARGER)
    console = _console(columns)
    reflect(*words)
    with Screen(reflect, *words, columns=columns, COLORTERM="truecolor", REFLECTTY_THEME="ink") as screen:
        screen.finish()
        console.print(Text.assemble(("$ ", "#84d0a4"), f'reflect {words[0]} {words[1]} "{LARGER}"'))
        _print(console, lines(screen, columns, len(screen.text.split("\n"))))
    return console


def moving(reflect: Reflect) -> list[Console]:
    """One question as it is answered, frame by frame."""
    columns, words = 74, ("-m", "mini-native", LARGER)
    reflect(*words)
    frames: list[Console] = []
    seen = ""
    with Screen(
        reflect, *words, columns=columns, rows=MOVING_ROWS, COLORTERM="truecolor", REFLECTTY_THEME="ink"
    ) as screen:
        while screen.process.poll() is None or seen != screen.text:
            if screen.text != seen:
                seen = screen.text
                console = _console(columns)
                console.print(Text.assemble(("$ ", "#84d0a4"), f'reflect {words[0]} {words[1]} "{LARGER}"'))
                _print(console, lines(screen, columns, MOVING_ROWS))
                frames.append(console)
            time.sleep(FRAME_SECONDS / 4)
    return frames


def chat(reflect: Reflect) -> Console:
    """Two questions in the chat."""

    def talk(screen: Screen) -> None:
        _ask(screen, LARGER)
        _ask(screen, AGAIN)

    return _chatting(reflect, talk, rows=27)


def steer(reflect: Reflect) -> Console:
    """A thought that is open for editing."""

    def talk(screen: Screen) -> None:
        _ask(screen, COUNTED)
        screen.press(b"\x1bs")
        assert screen.shows("edit the thinking")
        screen.press(b"\nSo I count them once more, from the end")

    return _chatting(reflect, talk, rows=36)


def tree(reflect: Reflect) -> Console:
    """The tree of a session: a reply that was regenerated, one that was steered, and a question that was edited."""

    def talk(screen: Screen) -> None:
        _ask(screen, LARGER)
        _await_reply(screen, b"\x1br")
        screen.press(b"\x1bs")
        assert screen.shows("edit the thinking")
        _await_reply(screen, b"\nSo I compare the decimals digit by digit.\r")
        screen.press(b"\x1be")
        assert screen.shows("resend as a new branch")
        _await_reply(screen, b"\x15" + AGAIN.encode() + b"\r")
        _await_reply(screen, b"\x1br")
        screen.press(b"\x14")
        assert screen.shows("enter open")

    return _chatting(reflect, talk, rows=18)


def _chatting(reflect: Reflect, talk: Callable[[Screen], None], columns: int = 92, rows: int = 28) -> Console:
    console = _console(columns)
    with Screen(
        reflect, *MODEL, "--no-store", columns=columns, rows=rows, COLORTERM="truecolor", REFLECTTY_THEME="ink"
    ) as screen:
        assert screen.shows("Ask, or / for commands")
        talk(screen)
        # Wait for the last frame, and for the look at the server after it.
        time.sleep(6)
        _print(console, lines(screen, columns, rows))
        screen.press(b"\x11")
    return console


def _ask(screen: Screen, question: str) -> None:
    _await_reply(screen, f"{question}\r".encode())


def _await_reply(screen: Screen, keys: bytes) -> None:
    """Press keys that begin a reply, and wait for its end."""
    screen.press(keys)
    assert screen.shows("queue")
    assert screen.until(lambda text: "enter send" in text and "stop" not in text)
    time.sleep(SETTLED_SECONDS)


def _console(columns: int) -> Console:
    return Console(record=True, width=columns, file=io.StringIO(), force_terminal=True, color_system="truecolor")


def _print(console: Console, drawn: Iterable[Text]) -> None:
    for line in drawn:
        console.print(line, no_wrap=True, overflow="crop")


def _svg_of(console: Console, name: str = "reflect") -> str:
    # Use no external fonts: the reader's own monospace will do. Remove blanks at the ends of lines.
    drawn = re.sub(r"@font-face \{[^}]*\}", "", console.export_svg(title="reflect", theme=INK, unique_id=name))
    return re.sub(r"[ \t]+$", "", drawn, flags=re.MULTILINE)


def save_moving(name: str, frames: list[Console]) -> None:
    """Save frames as one SVG, each hidden but in its time; the last one stays for a while."""
    pictures = [_svg_of(console, f"f{number}") for number, console in enumerate(frames)]
    seconds = [FRAME_SECONDS] * (len(frames) - 1) + [LAST_SECONDS]
    whole, start, styles = sum(seconds), 0.0, []
    for number, length in enumerate(seconds):
        begin, end = 100 * start / whole, 100 * (start + length) / whole
        styles.append(
            f"@keyframes k{number} {{ 0%, {begin:.2f}% {{ visibility: hidden }}"
            f" {begin:.2f}%, {end:.2f}% {{ visibility: visible }} {end:.2f}%, 100% {{ visibility: hidden }} }}"
            f" .k{number} {{ visibility: hidden; animation: k{number} {whole:.2f}s step-end infinite }}"
        )
        start += length
    size = re.search(r'viewBox="[^"]*"', pictures[-1])
    assert size
    bodies = "\n".join(f'<g class="k{number}">{picture}</g>' for number, picture in enumerate(pictures))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size[0]}><style>{" ".join(styles)}</style>'
    (HERE / f"{name}.svg").write_text(f"{head}\n{bodies}\n</svg>\n", encoding="utf-8")


def save(name: str, console: Console) -> None:
    drawn = _svg_of(console)
    (HERE / f"{name}.svg").write_text(drawn, encoding="utf-8")
    if find_spec("cairosvg"):
        import cairosvg  # type: ignore[import-not-found,import-untyped,unused-ignore]

        plain = drawn.replace("Fira Code", "DejaVu Sans Mono")
        cairosvg.svg2png(bytestring=plain.encode(), write_to=str(HERE / f"{name}.png"), output_width=1200)


def main() -> None:
    pictures = {"ask": ask, "chat": chat, "steer": steer, "tree": tree}
    with real_ollama.serve() as server, tempfile.TemporaryDirectory() as home:
        server.create_all()
        for name in sys.argv[1:] or (*pictures, "moving"):
            reflect = Reflect(Path(home), server.host)
            if name == "moving":
                save_moving(name, moving(reflect))
            else:
                save(name, pictures[name](reflect))


if __name__ == "__main__":
    main()
