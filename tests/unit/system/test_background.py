"""What the terminal answers about its background."""

from __future__ import annotations

import pytest

from reflectty.system.background import Answer, is_dark_color, is_dark_hint, parse_answer

DARK, LIGHT = "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\", "\x1b]11;rgb:ffff/ffff/ffff\x07"
FENCE = "\x1b[?62;22c"


@pytest.mark.parametrize(
    ("read", "answer"),
    [
        ("", Answer()),
        (FENCE, Answer()),
        (DARK + FENCE, Answer(is_dark=True)),
        (LIGHT + FENCE, Answer(is_dark=False)),
        ("a" + DARK + "b\r" + FENCE + "\x1b[A", Answer(is_dark=True, typed="ab\r\x1b[A")),
        ("\x1b]11;red\x07" + FENCE, Answer()),
        ("\x1b]10;rgb:ffff/ffff/ffff\x07" + DARK, Answer(is_dark=True)),
        ("typed only", Answer(typed="typed only")),
    ],
)
def test_replies_are_told_from_what_is_typed(read: str, answer: Answer) -> None:
    assert parse_answer(read) == answer


@pytest.mark.parametrize(
    ("color", "is_dark"),
    [
        ("rgb:0000/0000/0000", True),
        ("rgb:0/2b/36", True),
        ("rgb:fd/f6/e3", False),
        ("rgb:fff/fff/fff", False),
        ("rgba:0000/0000/0000/ffff", True),
        ("#000000", None),
        ("rgb:0000/0000", None),
        ("", None),
    ],
)
def test_a_color_is_dark_or_light(color: str, is_dark: bool | None) -> None:
    assert is_dark_color(color) is is_dark


@pytest.mark.parametrize(
    ("value", "is_dark"),
    [("15;0", True), ("0;15", False), ("0;default;15", False), ("12;8", True), ("0;7", False)]
    + [(value, None) for value in ("", "15;default", "default;default", "0;16", "0;-1", "0;²")],
)
def test_the_variable_names_a_dark_or_a_light_background(value: str, is_dark: bool | None) -> None:
    assert is_dark_hint(value) is is_dark
