"""The way of a key to the engine, traced: a function that only passes the question on makes it longer."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import reflectty
from support.chat_app import in_a_chat
from support.scripted_engine import cut

if TYPE_CHECKING:
    from types import FrameType

    from support.chat_app import Reader

PACKAGE = str(Path(reflectty.__file__).parent)
MOST = 10
"""Functions of the package from the handler of the key to the first step of the engine."""


class CallTracer:
    """Follows calls across messages and tasks: each goes on where it was posted or created."""

    def __init__(self) -> None:
        self.path: tuple[str, ...] = ()
        """The functions of the package that led to the engine's `chat`."""
        self._sources: dict[int, tuple[object, tuple[str, ...]]] = {}
        """Each task and message by its id, and the functions that led to it."""

    def __call__(self, frame: FrameType, event: str, value: Any) -> None:
        name, file = frame.f_code.co_name, frame.f_code.co_filename
        if event == "call" and name == "post_message" and "textual" in file:
            message = frame.f_locals["message"]
            self._sources.setdefault(id(message), (message, self._path_to(frame.f_back)))
        elif event == "return" and name == "create_task" and "asyncio" in file and value is not None:
            self._sources[id(value)] = value, self._path_to(frame.f_back)
        elif event == "call" and name == "_play" and file.endswith("scripted_engine.py"):
            self.path = self._path_to(frame)

    def _path_to(self, frame: FrameType | None) -> tuple[str, ...]:
        found: tuple[str, ...] = ()
        while frame is not None:
            if frame.f_code.co_filename.startswith(PACKAGE):
                found = (frame.f_code.co_qualname, *found)
            message = frame.f_locals.get("message") if frame.f_code.co_name == "_dispatch_message" else None
            if id(message) in self._sources:
                return self._sources[id(message)][1] + found
            frame = frame.f_back
        return self._sources.get(id(asyncio.current_task()), (None, ()))[1] + found


@in_a_chat(cut("Because."))
async def test_key_reaches_the_engine_through_few_functions(reader: Reader) -> None:
    tracer = CallTracer()
    await reader.write("Why?")
    sys.setprofile(tracer)
    try:
        await reader.pilot.press("enter")
        await reader.until(lambda: tracer.path)
    finally:
        sys.setprofile(None)
    await reader.at_rest()

    assert tracer.path[0] == "Composer._on_key"
    assert len(tracer.path) <= MOST, "\n".join(tracer.path)
