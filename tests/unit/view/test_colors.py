"""Colors of themes: readable on their own grounds, in all colors and in 256."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, NamedTuple

import pytest
from rich.color import Color

from reflectty.system import assets, theme
from reflectty.system.terminal import TRUECOLOR, Sink
from reflectty.system.theme import Colors, Theme
from reflectty.view.colors import TEXT_ROLES, chosen_ground, contrast, nearest_256, palette_256, rgb_of, theme_for
from reflectty.view.rows import palette_for

if TYPE_CHECKING:
    from rich.style import Style

FOLDERS = (assets.find_asset_folder("themes"),)
NUMBERED = [name for name in theme.list_theme_names(FOLDERS) if name != "terminal"]


def look(name: str, colours: int) -> Colors:
    loaded = theme.load_theme(name, FOLDERS)
    assert not loaded.problem
    return theme_for(loaded.theme, colours).colors


@pytest.mark.parametrize("colours", [TRUECOLOR, 256])
@pytest.mark.parametrize("role", TEXT_ROLES)
@pytest.mark.parametrize("name", NUMBERED)
def test_every_text_of_a_theme_has_a_contrast_of_4_5_on_its_grounds(name: str, role: str, colours: int) -> None:
    shown = look(name, colours)
    for ground in (shown.background, shown.panel):
        assert contrast(rgb_of(getattr(shown, role)), rgb_of(ground)) >= 4.5


@pytest.mark.parametrize("colours", [TRUECOLOR, 256])
@pytest.mark.parametrize("name", NUMBERED)
def test_bold_text_of_the_chosen_row_has_a_contrast_of_3(name: str, colours: int) -> None:
    shown = look(name, colours)
    for role in ("text", "you", "accent", "correction", "good", "error"):
        assert contrast(rgb_of(getattr(shown, role)), rgb_of(chosen_ground(shown))) >= 3


@pytest.mark.parametrize("name", NUMBERED)
def test_grounds_are_different_grays_in_256_colors(name: str) -> None:
    shown = look(name, 256)
    numbers = [nearest_256(rgb_of(code)) for code in (shown.background, shown.panel, shown.line)]
    assert len(set(numbers)) == 3
    assert set(numbers) <= {16, 231, *range(232, 256)}


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("#11131a", 233),
        ("#171a23", 234),
        ("#262b38", 236),
        ("#ffffff", 231),
        ("#000000", 16),
        ("#f0b35b", 215),
        ("#9d8cff", 141),
        ("#ff0000", 196),
    ],
)
def test_colors_become_the_nearest_of_256_and_grays_stay_gray(code: str, number: int) -> None:
    assert nearest_256(rgb_of(code)) == number


def test_each_of_the_256_colors_stays_itself() -> None:
    for number, color in palette_256().items():
        assert palette_256()[nearest_256(color)] == color, number


def test_numbers_are_those_of_the_terminal() -> None:
    for number, color in palette_256().items():
        assert tuple(Color.from_ansi(number).get_truecolor()) == color


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#ff0000", "#ffffff", 4.0)],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(rgb_of(one), rgb_of(other)) == pytest.approx(ratio, abs=0.005)


def test_a_palette_of_256_colors_sends_numbers() -> None:
    loaded = theme.load_theme("ink", FOLDERS).theme
    palette = palette_for(loaded, Sink(io.StringIO(), tty=True, color_count=256), can_redraw=True)
    assert palette.paint([("x", palette.styles["line"] + palette.background)]) == "\x1b[38;5;236;48;5;233mx\x1b[0m"


class Terminal(NamedTuple):
    """A palette as it is shipped: the sixteen colors, the text and its ground."""

    colors: str
    text: str
    ground: str


XTERM = (
    "000000 cd0000 00cd00 cdcd00 0000ee cd00cd 00cdcd e5e5e5 7f7f7f ff0000 00ff00 ffff00 5c5cff ff00ff 00ffff ffffff"
)
VGA = "000000 aa0000 00aa00 aa5500 0000aa aa00aa 00aaaa aaaaaa 555555 ff5555 55ff55 ffff55 5555ff ff55ff 55ffff ffffff"
SOLARIZED = (
    "073642 dc322f 859900 b58900 268bd2 d33682 2aa198 eee8d5 002b36 cb4b16 586e75 657b83 839496 6c71c4 93a1a1 fdf6e3"
)
TANGO = (
    "2e3436 cc0000 4e9a06 c4a000 3465a4 75507b 06989a d3d7cf 555753 ef2929 8ae234 fce94f 729fcf ad7fa8 34e2e2 eeeeec"
)
BASIC = (
    "000000 990000 00a600 999900 0000b2 b200b2 00a6b2 bfbfbf 666666 e50000 00d900 e5e500 0000ff e500e5 00e5e5 e5e5e5"
)
CODE_DARK = (
    "000000 cd3131 0dbc79 e5e510 2472c8 bc3fbc 11a8cd e5e5e5 666666 f14c4c 23d18b f5f543 3b8eea d670d6 29b8db e5e5e5"
)
CODE_LIGHT = (
    "000000 cd3131 107c10 949800 0451a5 bc05bc 0598bc 555555 666666 cd3131 14ce14 b5ba00 0451a5 bc05bc 0598bc a5a5a5"
)
CAMPBELL = (
    "0c0c0c c50f1f 13a10e c19c00 0037da 881798 3a96dd cccccc 767676 e74856 16c60c f9f1a5 3b78ff b4009e 61d6d6 f2f2f2"
)
TERMINALS = {
    "xterm on black": Terminal(XTERM, "e5e5e5", "000000"),
    "xterm on white": Terminal(XTERM, "000000", "ffffff"),
    "VGA": Terminal(VGA, "aaaaaa", "000000"),
    "Solarized dark": Terminal(SOLARIZED, "839496", "002b36"),
    "Solarized light": Terminal(SOLARIZED, "657b83", "fdf6e3"),
    "Tango on black": Terminal(TANGO, "d3d7cf", "000000"),
    "Tango on white": Terminal(TANGO, "2e3436", "ffffff"),
    "macOS Basic": Terminal(BASIC, "000000", "ffffff"),
    "macOS Pro": Terminal(BASIC, "f2f2f2", "000000"),
    "VS Code dark": Terminal(CODE_DARK, "cccccc", "1e1e1e"),
    "VS Code light": Terminal(CODE_LIGHT, "333333", "ffffff"),
    "Campbell": Terminal(CAMPBELL, "cccccc", "0c0c0c"),
    "Campbell on white": Terminal(CAMPBELL, "0c0c0c", "ffffff"),
}


def readable(style: Style, terminal: Terminal) -> bool:
    """Whether text stands out by a color of enough contrast, or else by its weight or reversed."""
    palette = [rgb_of(f"#{code}") for code in terminal.colors.split()]
    number = style.color.number if style.color else None
    front = rgb_of(f"#{terminal.text}") if number is None else palette[number]
    # Where a palette's own text is fainter, as Solarized's, nothing of the terminal's is easier to read.
    wanted = min(4.5, contrast(rgb_of(f"#{terminal.text}"), rgb_of(f"#{terminal.ground}")))
    return contrast(front, rgb_of(f"#{terminal.ground}")) >= wanted or bool(style.reverse)


@pytest.mark.parametrize("colours", [TRUECOLOR, 256, 16])
@pytest.mark.parametrize("name", TERMINALS)
def test_texts_in_the_terminals_own_colors_are_readable_in_every_palette(name: str, colours: int) -> None:
    palette = palette_for(theme.TERMINAL_THEME, Sink(io.StringIO(), tty=True, color_count=colours), can_redraw=True)
    plain = ("answer", "text", "thinking", "dim", "faint")
    shown = [*(palette.styles[role] for role in plain), *map(palette.words, ("correction", "error", "accent"))]
    assert all(readable(style, TERMINALS[name]) for style in (*shown, palette.mark("correction")))


def test_corrections_in_the_terminals_own_colors_are_told_apart_by_weight() -> None:
    palette = palette_for(theme.TERMINAL_THEME, Sink(io.StringIO(), tty=True, color_count=16), can_redraw=True)
    assert palette.words("correction").bold
    assert palette.mark("correction").reverse
    assert not palette.styles["thinking"].bold


def test_corrections_of_a_theme_have_its_color() -> None:
    loaded = theme.load_theme("ink", FOLDERS).theme
    palette = palette_for(loaded, Sink(io.StringIO(), tty=True, color_count=TRUECOLOR), can_redraw=True)
    assert palette.words("correction") == palette.styles["correction"]
    assert not palette.mark("correction").reverse


NAMED = Theme("named", dark=True, colors=Colors(background="black", text="bright_white"))


def test_sixteen_colors_show_a_theme_that_names_them_and_the_terminals_own_instead_of_numbers() -> None:
    assert theme_for(NAMED, 16) == NAMED
    assert theme_for(theme.load_theme("ink", FOLDERS).theme, 16) == theme.TERMINAL_THEME
