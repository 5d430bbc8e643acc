"""Runs a Textual app without a terminal: the pilot waits for the event loop, and a style sheet is parsed once.

Textual's own `wait_for_idle` sleeps for 20 ms and takes an idle CPU for the end of the work. A process that is
starved of CPU then looks idle, and an idle one has slept twice for each key.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from textual import app as textual_app
from textual import pilot as textual_pilot
from textual.css.stylesheet import Stylesheet

from support.command import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from textual.app import App
    from textual.css.model import RuleSet
    from textual.pilot import Pilot

Value = TypeVar("Value")

QUIET = 3
"""Idle rounds in a row before the loop counts as idle: a task that was just woken runs in the next round."""
MOST = 20_000
"""Rounds of the event loop before giving up on an app that is never idle."""
_parsed: dict[tuple[object, ...], list[RuleSet]] = {}
"""The rules of each style sheet with each set of variables; parsing is a quarter of the cost of starting a chat."""
_parse = Stylesheet._parse_rules  # noqa: SLF001 - its own cache is one per app


@contextlib.asynccontextmanager
async def piloted(
    app: App[Value], size: tuple[int, int], *, notifications: bool = False
) -> AsyncIterator[Pilot[Value]]:
    """Run an app; waiting for a timer or a thread counts as idle."""

    async def wait_for_idle(*_: float) -> None:
        await until_idle(app)

    with pytest.MonkeyPatch.context() as patch:
        for module in (textual_app, textual_pilot):
            patch.setattr(module, "wait_for_idle", wait_for_idle)
        patch.setattr(Stylesheet, "_parse_rules", _parse_once)
        async with app.run_test(size=size, notifications=notifications) as pilot:
            yield pilot


async def until(pilot: Pilot[Any], condition: Callable[[], object], seen: Callable[[], Iterable[str]]) -> None:
    """Wait until a condition holds; on failure, show what `seen` returns."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "\n".join(("it did not come to that in", *seen()))
        await pilot.pause(0.005)


async def until_idle(app: App[Any]) -> None:
    """Let every message be handled and every changed part of the screen be drawn.

    With animation off, an animated value goes straight to its end; Textual sets it with its next frame.
    """
    ready: Any = asyncio.get_running_loop()._ready  # type: ignore[attr-defined] # noqa: SLF001 - asyncio has no public view of its queue
    quiet = 0
    for _ in range(MOST):
        await asyncio.sleep(0)
        quiet = 0 if ready else quiet + 1
        if quiet < QUIET:
            continue
        # Run at once what Textual delays by some milliseconds: the new size and the next frame.
        if app._resize_timer is not None:  # noqa: SLF001 - nor has Textual of a pending resize
            app._check_resize()  # noqa: SLF001
        elif app.animation_level == "none" and app.animator._animations:  # noqa: SLF001 - nor of running animations
            app.animator()
        elif _is_to_be_drawn(app):
            app.screen._on_timer_update()  # noqa: SLF001 - the pilot does the same
        else:
            return
        quiet = 0


def _is_to_be_drawn(app: App[Any]) -> bool:
    return bool(app.screen_stack) and app.screen._update_timer._active.is_set()  # noqa: SLF001 - Textual has no public flag for it


def _parse_once(sheet: Stylesheet, css: str, *where: Any, **named: Any) -> list[RuleSet]:
    """The rules of a style sheet, parsed once and never changed."""
    key = (css, where, tuple(named.items()), frozenset(sheet._variables.items()))  # noqa: SLF001 - the variables are part of the key
    if key not in _parsed:
        _parsed[key] = _parse(sheet, css, *where, **named)
    return _parsed[key]
