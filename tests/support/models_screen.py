"""Drives the screen of models in the chat."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty.tui.widgets.field import Field
from support.model_server import GB, model

if TYPE_CHECKING:
    from support.chat_app import Reader

WIDE = (130, 34)
QWEN = model("qwen3:8b", int(5.2 * GB), "8.2B", "Q4_K_M", "thinking", "tools")


async def opened(reader: Reader) -> None:
    await reader.press("f6")
    await reader.shows("deepseek-r1:14b", "thinking, tools")


async def pulling(reader: Reader, name: str = "qwen3:8b", done: int = 0) -> None:
    """Start pulling a model from the screen, until the server has the request."""
    asked = len(reader.server.calls("pull"))
    await reader.press("ctrl+p")
    await reader.shows("Pull a model")
    await _filled(reader, name)
    await reader.press("enter")
    await reader.until(lambda: len(reader.server.calls("pull")) > asked)
    if done:
        reader.server.pulling(name).fetch(done)
        await reader.shows(f"{done // GB}.0 GB of 5.2 GB")


def shown_keys(reader: Reader) -> str:
    """The keys that the lowest rows show."""
    return " ".join(" ".join(reader.rows()[-4:]).split())


async def _filled(reader: Reader, name: str) -> None:
    """Put a name into the field at once: typing it would draw the whole screen for each key."""
    reader.app.screen.query_one(Field).value = name
    await reader.settle()


async def chosen(reader: Reader, name: str) -> None:
    await _filled(reader, name)
    await reader.until(lambda: re.search(rf"› (◐ |! |  )?{re.escape(name)}", reader.text))
