"""Colors in numbers: how far apart two look, their contrast, and a theme in the 256 colors of a terminal.

Grays stay gray: by plain nearness the dark blue-grays of a panel become navy or black.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from reflectty.system.theme import COLOR_ROLES, TERMINAL_THEME

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.system.theme import Colors, Theme

Rgb = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""
Lab = tuple[float, float, float]
"""CIELAB under D65: lightness 0 to 100, green to red, blue to yellow."""

INDEXED = 256
"""The number of colors of a terminal that takes their numbers but no shades of one's own."""
MIN_CONTRAST = 4.5
"""The least contrast of text (WCAG 2.2, level AA)."""
_MIN_BOLD_CONTRAST = 2.5
"""The least contrast of the chosen row, which is bold."""
GROUND_ROLES = ("background", "panel", "line")
TEXT_ROLES = ("text", "dim", "faint", "you", "thinking", "correction", "answer", "good", "accent", "error")

_CUBE_LEVELS = (0, 95, 135, 175, 215, 255)
_FIRST_CUBE, _FIRST_GRAY = 16, 232
_MAX_GRAY_CHROMA = 16.0
"""Below this distance from gray, a color counts as gray: a cube color nearby would tint it."""
_GRAYS = (16, 231, *range(_FIRST_GRAY, 256))
_LINEAR_UP_TO = 0.04045
_D65 = (0.95047, 1.0, 1.08883)


@cache
def palette_256() -> dict[int, Rgb]:
    """The colors 16 to 255 of xterm, which terminals do not let users change: a cube of 6 levels, and 24 grays."""
    levels = _CUBE_LEVELS
    cube = ((red, green, blue) for red in levels for green in levels for blue in levels)
    grays = ((8 + 10 * step,) * 3 for step in range(24))
    return dict((*enumerate(cube, _FIRST_CUBE), *enumerate(grays, _FIRST_GRAY)))


def linear_of(channel: int) -> float:
    """The light of an sRGB channel, 0 to 1 (IEC 61966-2-1)."""
    share = channel / 255
    return share / 12.92 if share <= _LINEAR_UP_TO else ((share + 0.055) / 1.055) ** 2.4


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of two colors, 1 to 21 (WCAG 2.2)."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: Rgb) -> float:
    red, green, blue = map(linear_of, color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def lab_of(color: Rgb) -> Lab:
    """A color in CIELAB, where distances are about as large as they look (CIE 15:2004)."""
    red, green, blue = map(linear_of, color)
    x = 0.4124 * red + 0.3576 * green + 0.1805 * blue
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = 0.0193 * red + 0.1192 * green + 0.9505 * blue
    fx, fy, fz = (_curve(value / white) for value, white in zip((x, y, z), _D65, strict=True))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def chroma_of(lab: Lab) -> float:
    """The distance of a color from gray."""
    return math.hypot(lab[1], lab[2])


def distance_of(one: Lab, other: Lab) -> float:
    """The square of how different a color looks from another (CIE94, for graphics)."""
    chroma = chroma_of(one)
    light, by_chroma = one[0] - other[0], chroma - chroma_of(other)
    by_hue = (one[1] - other[1]) ** 2 + (one[2] - other[2]) ** 2 - by_chroma**2
    return light**2 + (by_chroma / (1 + 0.045 * chroma)) ** 2 + by_hue / (1 + 0.015 * chroma) ** 2


def _curve(share: float) -> float:
    return share ** (1 / 3) if share > 216 / 24389 else (24389 / 27 * share + 16) / 116


@cache
def nearest_256(color: Rgb) -> int:
    """The number of the color of 256 that looks nearest; for what is nearly gray the nearest gray."""
    return _nearest(color, lambda _: True)


def _nearest(color: Rgb, is_fit: Callable[[Rgb], bool]) -> int:
    """The nearest color that is fit, or the nearest one if none is."""
    lab = lab_of(color)
    is_gray = chroma_of(lab) < _MAX_GRAY_CHROMA

    def distance(number: int) -> float:
        other = _labs_256()[number]
        return abs(lab[0] - other[0]) if is_gray else distance_of(lab, other)

    exact = [number for number, other in palette_256().items() if other == color]
    numbers = _GRAYS if is_gray else [number for number, other in palette_256().items() if len(set(other)) > 1]
    candidates = [number for number in (*exact, *numbers) if is_fit(palette_256()[number])]
    return min(candidates or numbers, key=lambda number: (number not in exact, distance(number)))


@cache
def _labs_256() -> dict[int, Lab]:
    return {number: lab_of(color) for number, color in palette_256().items()}


def theme_for(theme: Theme, color_count: int) -> Theme:
    """A theme as a terminal with this many colors can show it.

    With sixteen, whose shades differ from terminal to terminal, a theme in numbers gives way to the terminal's own
    colors: its shades could merge with the background. A theme that names colors of the sixteen stays.
    """
    if color_count > INDEXED:
        return theme
    if color_count == INDEXED:
        return theme_in_256(theme)
    is_named = not any(getattr(theme.colors, role).startswith("#") for role in COLOR_ROLES)
    return theme if is_named else TERMINAL_THEME


@cache
def theme_in_256(theme: Theme) -> Theme:
    """A theme in colors of 256: its grounds stay apart, and its texts readable on them."""
    return replace(theme, colors=_colors_in_256(theme.colors))


def _colors_in_256(colors: Colors) -> Colors:
    found: dict[str, str] = {}
    for role in GROUND_ROLES:
        taken = [rgb_of(code) for code in found.values()]
        found |= _role_in_256(colors, role, lambda other, taken=taken: other not in taken)  # type: ignore[misc]
    grounds = [rgb_of(found[role]) for role in ("background", "panel") if role in found]
    for role in TEXT_ROLES:
        found |= _role_in_256(
            colors, role, lambda other: all(contrast(other, ground) >= MIN_CONTRAST for ground in grounds)
        )
    return replace(colors, **found)


def _role_in_256(colors: Colors, role: str, is_fit: Callable[[Rgb], bool]) -> dict[str, str]:
    """The role with its color of 256; nothing for one of the terminal's own colors."""
    code = getattr(colors, role)
    if not code.startswith("#"):
        return {}
    return {role: "#{:02x}{:02x}{:02x}".format(*palette_256()[_nearest(rgb_of(code), is_fit)])}


def chosen_ground(colors: Colors) -> str:
    """The ground of a chosen row and of selected text: the lines' color, unless texts are unreadable on it."""
    codes = [getattr(colors, role) for role in (*TEXT_ROLES, "line")]
    if not all(code.startswith("#") for code in codes):
        return colors.line
    *texts, line = map(rgb_of, codes)
    return colors.line if all(contrast(text, line) >= _MIN_BOLD_CONTRAST for text in texts) else colors.background


def rgb_of(code: str) -> Rgb:
    """The color of a `#rrggbb`."""
    value = int(code[1:], 16)
    return value >> 16, value >> 8 & 255, value & 255
