from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reflectty.system import assets, theme

if TYPE_CHECKING:
    from collections.abc import Callable

SHIPPED = assets.find_asset_folder("themes")
HEX = [name for name in theme.list_theme_names((SHIPPED,)) if name != "terminal"]
LEAST = {"text": 7.0, "answer": 7.0, "dim": 4.5, "thinking": 4.5, "correction": 4.5, "faint": 3.0}
LEAST |= {"you": 4.5, "good": 4.5, "accent": 4.5, "error": 4.5}
HIGHEST = dict.fromkeys(LEAST, 7.0) | {"text": 15.0, "answer": 15.0, "line": 3.0}
"""The contrast that the theme of the highest contrast reaches."""


def linear(colour: str) -> list[float]:
    """Red, green and blue as amounts of light, from 0 to 1 (WCAG 2)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def oklab(colour: str) -> tuple[float, float, float]:
    """Lightness and the two axes of hue in a perceptually uniform space (Ottosson, 2020)."""
    red, green, blue = linear(colour)
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def is_amber(colour: str) -> bool:
    """Whether a color is vivid and between orange and yellow."""
    _, a, b = oklab(colour)
    return math.hypot(a, b) > 0.05 and 40 <= math.degrees(math.atan2(b, a)) <= 110


@pytest.fixture(name="write")
def _write(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str, name: str = "mine") -> Path:
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def colours_of(name: str) -> dict[str, str]:
    return asdict(theme.load_theme(name, (SHIPPED,)).theme.colors)


def test_these_themes_are_shipped() -> None:
    assert theme.list_theme_names((SHIPPED,)) == ("contrast", "ember", "frost", "ink", "moss", "paper", "terminal")


@pytest.mark.parametrize("ground", ["background", "panel"])
@pytest.mark.parametrize("role", LEAST)
@pytest.mark.parametrize("name", HEX)
def test_every_color_is_readable_on_its_background(name: str, role: str, ground: str) -> None:
    colours = colours_of(name)
    assert contrast(colours[role], colours[ground]) >= LEAST[role]


@pytest.mark.parametrize("ground", ["background", "panel"])
@pytest.mark.parametrize("role", HIGHEST)
def test_contrast_theme_has_the_highest_contrast(role: str, ground: str) -> None:
    colours = colours_of("contrast")
    assert contrast(colours[role], colours[ground]) >= HIGHEST[role]


@pytest.mark.parametrize("other", ["thinking", "answer", "text", "dim", "you", "good", "accent", "error"])
@pytest.mark.parametrize("name", HEX)
def test_correction_color_differs_from_all_others(name: str, other: str) -> None:
    colours = colours_of(name)
    assert math.dist(oklab(colours["correction"]), oklab(colours[other])) >= 0.1


@pytest.mark.parametrize("name", HEX)
def test_only_a_correction_is_amber(name: str) -> None:
    assert [role for role, colour in colours_of(name).items() if is_amber(colour)] == ["correction"]


@pytest.mark.parametrize("name", HEX)
def test_the_answer_stands_out_most_and_thinking_least(name: str) -> None:
    colours = colours_of(name)
    told = [contrast(colours[role], colours["background"]) for role in ("answer", "text", "thinking", "faint")]
    assert told == sorted(told, reverse=True)
    assert told[0] >= 1.5 * told[2]


def test_no_two_themes_share_a_background() -> None:
    grounds = [oklab(colours_of(name)["background"]) for name in HEX]
    assert min(math.dist(one, other) for at, one in enumerate(grounds) for other in grounds[:at]) >= 0.015


@pytest.mark.parametrize("name", HEX)
def test_dark_flag_matches_the_background(name: str) -> None:
    loaded = theme.load_theme(name, (SHIPPED,))
    assert loaded.problem == ""
    assert loaded.theme.name == name
    assert loaded.theme.dark == (luminance(loaded.theme.colors.background) < 0.5)


def test_built_in_theme_matches_its_file() -> None:
    text = (SHIPPED / "terminal.toml").read_text(encoding="utf-8")
    assert theme.load_theme("terminal", (Path("nowhere"),)) == theme.LoadedTheme(theme.TERMINAL_THEME)
    for role, colour in asdict(theme.TERMINAL_THEME.colors).items():
        assert f'{role} = "{colour}"\n' in text


def test_user_theme_overrides_a_shipped_one(write: Callable[..., Path]) -> None:
    text = (SHIPPED / "ink.toml").read_text(encoding="utf-8").replace("#11131a", "#000000")
    loaded = theme.load_theme("ink", (write(text, "ink"), SHIPPED))
    assert loaded.theme.colors.background == "#000000"
    assert loaded.problem == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("colours = [", "mine.toml: "),
        ("", "[colours] is missing"),
        ("colours = 1", "[colours] is missing"),
        ("dark = 1\n[colours]", "dark must be true or false"),
        ("[colours]\ntext = 'red'", "[colours] lacks background, panel"),
    ],
)
def test_a_broken_theme_is_reported_and_replaced(write: Callable[..., Path], text: str, problem: str) -> None:
    loaded = theme.load_theme("mine", (write(text),))
    assert loaded.theme == theme.TERMINAL_THEME
    assert problem in loaded.problem


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ('text = "default"', 'text = "#12345"', "text must be #rrggbb"),
        ('text = "default"', 'text = "puce"', "text must be #rrggbb"),
        ('text = "default"', "text = 7", "text must be #rrggbb"),
        ('text = "default"', 'text = "default"\nhue = "red"', "unknown keys: hue"),
    ],
)
def test_invalid_color_is_named(write: Callable[..., Path], old: str, new: str, problem: str) -> None:
    text = (SHIPPED / "terminal.toml").read_text(encoding="utf-8")
    assert problem in theme.load_theme("mine", (write(text.replace(f"\n{old}", f"\n{new}")),)).problem


def test_broken_user_theme_is_replaced_by_the_shipped_one_and_reported(write: Callable[..., Path]) -> None:
    loaded = theme.load_theme("ink", (write("[colours", "ink"), SHIPPED))
    assert loaded.theme.name == "ink"
    assert "ink.toml" in loaded.problem


@pytest.mark.parametrize("name", ["missing", "../ink", "", "a/b", "/etc/passwd", "."])
def test_unknown_theme_is_reported(name: str) -> None:
    loaded = theme.load_theme(name, (SHIPPED,))
    assert loaded.theme == theme.TERMINAL_THEME
    assert loaded.problem


def test_a_file_that_is_not_text_is_reported(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe")
    assert "mine.toml" in theme.load_theme("mine", (tmp_path,)).problem
