"""The chat asks the terminal for its background, and takes a dark or a light theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from reflectty.system.background import QUESTION
from support.pty_screen import Screen

if TYPE_CHECKING:
    from support.command import Reflect

ASKED = QUESTION.encode()
FENCE = b"\x1b[?62;22c"
TRUECOLOR: dict[str, Any] = {"COLORTERM": "truecolor"}
INK, PAPER = b"48;2;17;19;26", b"48;2;250;248;243"
COMPOSER = "Ask, or / for commands"


def opened(screen: Screen, answer: bytes) -> bool:
    """Answer once asked; whether the chat then shows its composer with nothing in it."""
    assert screen.until(lambda _: ASKED in screen.raw)
    screen.press(answer)
    return screen.shows(COMPOSER) and "rgb" not in screen.text


@pytest.mark.parametrize(
    ("answer", "ground"),
    [
        (b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\" + FENCE, INK),
        (b"\x1b]11;rgb:ffff/ffff/ffff\x07" + FENCE, PAPER),
        (b"\x1b]11;rgba:ff/ff/ff/ff\x1b\\" + FENCE, PAPER),
    ],
)
def test_the_theme_is_that_of_the_background(reflect: Reflect, answer: bytes, ground: bytes) -> None:
    with Screen(reflect, "--no-store", **TRUECOLOR) as screen:
        assert opened(screen, answer)
        assert ground in screen.raw
        assert (INK if ground is PAPER else PAPER) not in screen.raw
        screen.press(b"\x11")


def test_a_terminal_that_does_not_know_the_question_keeps_its_own_colors(reflect: Reflect) -> None:
    with Screen(reflect, "--no-store", **TRUECOLOR) as screen:
        assert opened(screen, FENCE)
        assert INK not in screen.raw
        assert PAPER not in screen.raw
        screen.press(b"\x11")


def test_the_variable_is_used_if_the_terminal_does_not_say(reflect: Reflect) -> None:
    with Screen(reflect, "--no-store", COLORFGBG="0;15", **TRUECOLOR) as screen:
        assert opened(screen, FENCE)
        assert PAPER in screen.raw
        screen.press(b"\x11")


def test_a_late_answer_changes_the_theme_and_types_nothing(reflect: Reflect) -> None:
    with Screen(reflect, "--no-store", **TRUECOLOR) as screen:
        assert screen.shows(COMPOSER)
        screen.press(b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\" + FENCE)
        assert screen.until(lambda _: PAPER in screen.raw)
        assert screen.shows(COMPOSER)
        screen.press(b"\x11")


def test_what_is_typed_meanwhile_is_in_the_composer(reflect: Reflect) -> None:
    with Screen(reflect, "--no-store", **TRUECOLOR) as screen:
        assert screen.until(lambda _: ASKED in screen.raw)
        screen.press(b"early \x1b]11;rgb:0000/0000/0000\x1b\\bird" + FENCE)
        assert screen.shows("early bird")
        assert "rgb" not in screen.text
        screen.press(b"\x03\x11")


@pytest.mark.parametrize(
    "variables",
    [
        {"NO_COLOR": "1"},
        {"TERM": "xterm"},
        {"REFLECTTY_THEME": "terminal", "COLORTERM": "truecolor"},
    ],
)
def test_nothing_is_asked_if_the_answer_would_change_nothing(reflect: Reflect, variables: dict[str, Any]) -> None:
    with Screen(reflect, "--no-store", **variables) as screen:
        assert screen.shows(COMPOSER)
        assert b"\x1b]11;" not in screen.raw
        screen.press(b"\x11")


def test_a_question_asked_once_asks_the_terminal_nothing(reflect: Reflect) -> None:
    with Screen(reflect, "-m", "none", "x", **TRUECOLOR) as screen:
        screen.finish()
        assert b"\x1b]11;" not in screen.raw
