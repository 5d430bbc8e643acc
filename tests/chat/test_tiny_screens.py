from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.chat_app import QUESTION, REPLY, chatting, three_exchanges

if TYPE_CHECKING:
    from support.chat_app import Reader

STATES = {
    "empty": (),
    "words": ("h", "i"),
    "menu": ("slash",),
    "palette": ("ctrl+p",),
    "sessions": ("ctrl+o",),
    "search": ("ctrl+f",),
    "themes": ("f5",),
    "models": ("f6",),
    "choice": ("f3",),
    "keys": ("f1",),
    "steering": ("alt+s",),
    "editing": ("alt+e",),
    "line": ("ctrl+s",),
}


@pytest.mark.parametrize("state", STATES)
def test_chat_survives_any_size_and_comes_back(state: str) -> None:
    async def use(reader: Reader) -> None:
        await reader.press(*STATES[state])
        for width in (6, 5, 4, 3, 2, 1, 3, 4, 80):
            await reader.resize(width, 24 if width > 2 else width)
            assert reader.app.failure is None
        shown = reader.text
        await reader.resize(80, 30)
        assert reader.app.is_running, shown
        await reader.press("escape")

    chatting(use, REPLY, before=three_exchanges if state != "empty" else lambda _: None)


def test_question_can_be_typed_after_a_screen_without_room() -> None:
    async def use(reader: Reader) -> None:
        await reader.resize(3, 3)
        await reader.resize(80, 30)
        await reader.ask(QUESTION)
        assert QUESTION in reader.text

    chatting(use, REPLY)
