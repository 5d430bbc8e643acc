"""What the chat tells outside its screen, in a real terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reflectty.tui.attention import RESTORE_TITLE, SAVE_TITLE
from support.pty_screen import Screen
from support.scripted_servers import MODEL, answering_server

if TYPE_CHECKING:
    from support.command import Reflect

COMPOSER = "Ask, or / for commands"
QUESTION = b"Why is the sky blue?"
TITLE = b"\x1b]2;Why is the sky blue?\x1b\\"
AWAY, BACK = b"\x1b[O", b"\x1b[I"


def test_the_title_is_that_of_the_session_until_the_end_and_the_end_says_how_to_continue(reflect: Reflect) -> None:
    with answering_server("<output>Rayleigh.</output>") as server, Screen(reflect.at(server.host), *MODEL) as screen:
        assert screen.shows(COMPOSER)
        screen.press(QUESTION + b"\r")
        assert screen.shows("Rayleigh.")
        assert screen.until(lambda _: TITLE in screen.raw)
        screen.press(b"\x11")
        assert screen.finish() == 0
    order = [screen.raw.index(part) for part in (SAVE_TITLE.encode(), TITLE, RESTORE_TITLE.encode())]
    assert order == sorted(order)
    assert b"reflect -c continues this session" in screen.raw[screen.raw.index(RESTORE_TITLE.encode()) :]


def test_a_chat_that_stores_nothing_does_not_offer_to_continue(reflect: Reflect) -> None:
    with Screen(reflect, "--no-store") as screen:
        assert screen.shows(COMPOSER)
        screen.press(b"\x11")
        screen.finish()
        assert "reflect -c" not in screen.text


@pytest.mark.parametrize(("focus", "is_told"), [(AWAY, True), (AWAY + BACK, False), (b"", False)])
def test_a_long_reply_is_announced_while_the_window_has_lost_the_focus(
    reflect: Reflect, focus: bytes, is_told: bool
) -> None:
    config = reflect.home / ".config/reflectty/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("notify_after = 0\n")
    told = b"\x1b]777;notify;reflect;answered after"
    with (
        answering_server("<output>Rayleigh.</output>") as server,
        Screen(reflect.at(server.host), *MODEL, "--no-store", TERM="rxvt-unicode-256color") as screen,
    ):
        assert screen.shows(COMPOSER)
        screen.press(QUESTION + b"\r" + focus)
        assert screen.shows("Rayleigh.")
        assert screen.until(
            lambda text: "Rayleigh" in text and "esc stop" not in text and (told in screen.raw) >= is_told
        )
        screen.press(b"\x11")
        screen.finish()
        assert (told in screen.raw) is is_told
