"""Themes in the chat: changed while it runs, in every number of colors."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from support.chat_app import chatting, store_exchanges
from support.conversations import QUESTION, stored_reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reflectty.core.session import Session
    from reflectty.store import Store
    from support.chat_app import Reader

    Use = Callable[[Reader], Awaitable[None]]

TRUECOLOR = 1 << 24


def stored(store: Store) -> Session:
    return store_exchanges(store, (QUESTION, stored_reply()))


async def nothing(_: Reader) -> None:
    """Leave it as it is."""


async def palette(reader: Reader) -> None:
    await reader.press("ctrl+p")


async def sessions(reader: Reader) -> None:
    await reader.press("ctrl+o")


async def typed(reader: Reader) -> None:
    await reader.press("slash")


async def line_prompt(reader: Reader) -> None:
    await reader.press("ctrl+s")


async def keys(reader: Reader) -> None:
    await reader.press("f1")


STATES: dict[str, Use] = {
    "the transcript": nothing,
    "the palette": palette,
    "the sessions": sessions,
    "the slash menu": typed,
    "a prompt": line_prompt,
    "the keys": keys,
}


def drawn(use: Use, theme: str, colours: int, then: str = "", *, while_open: bool = False) -> list[tuple[str, str]]:
    """Every run of the screen with its style, after a change to another theme in the running chat."""

    async def look(reader: Reader) -> list[tuple[str, str]]:
        await reader.until(lambda: "127.0.0.1" in reader.text)
        if while_open:
            await use(reader)
        if then:
            reader.chat.set_theme(then)
            await reader.settle()
        if not while_open:
            await use(reader)
        return await styled_runs(reader)

    return chatting(look, before=stored, theme=theme, colours=colours, notifications=False)


async def styled_runs(reader: Reader) -> list[tuple[str, str]]:
    """Every run of the screen with its style; the suggested name of a file differs in each session."""
    await reader.settle()
    strips = reader.app.screen._compositor.render_strips()  # noqa: SLF001 - there is no public view of the rows
    return [
        (re.sub(r"\w{6}\.md", "session.md", run.text), str(run.style)) for strip in strips for run in strip.simplify()
    ]


@pytest.mark.parametrize("colours", [TRUECOLOR, 256])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(("first", "then"), [("terminal", "paper"), ("paper", "terminal")])
def test_a_theme_chosen_in_the_running_chat_looks_as_after_a_restart(
    first: str, then: str, state: str, colours: int
) -> None:
    fresh = drawn(STATES[state], then, colours)
    assert drawn(STATES[state], first, colours, then) == fresh
    assert drawn(STATES[state], first, colours, then, while_open=True) == fresh
