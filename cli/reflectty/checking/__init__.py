"""Checks everything that a question needs, one thing after another, and says what was found; draws nothing.

A check never raises: what it cannot find out is a finding as well, and no check waits for longer than its time.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from reflectty.checking import builtin, display, keys, loaded, models, proxies, questions, server, sessions, settings
from reflectty.checking.around import Around, Chosen, Known
from reflectty.errors import ReflecttyError, StalledError
from reflectty.finding import Finding, State

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence

    Look = Callable[[Around, Known], Awaitable[Sequence[Finding]]]

__all__ = ["CHECKS", "Around", "Check", "Chosen", "Finding", "Known", "State", "checkup"]


class Check(NamedTuple):
    """One thing to look at."""

    name: str
    doing: str
    """What is done meanwhile, for whoever waits."""
    look: Look
    seconds: float = 10.0
    """How long it may take."""
    needed: bool = False
    """Whether no question is answered where it fails."""


CHECKS = (
    Check("terminal", "looking at the terminal", display.terminal),
    Check("clipboard", "looking for a clipboard", display.clipboard),
    Check("keyboard", "asking the terminal about its keys", keys.keyboard),
    Check("config", "reading the settings", settings.config),
    Check("store", "reading the sessions", sessions.store, 20.0),
    Check("server", "asking the server", server.server, needed=True),
    Check("proxy", "looking for proxies", proxies.proxy),
    Check("built in", "looking for the built-in model", builtin.builtin),
    Check("models", "asking for the models", models.models, 30.0, needed=True),
    Check("model", "asking what the model is", models.model, 30.0, needed=True),
    Check("question", "waiting for an answer", questions.question, 0.0, needed=True),
    Check("tags", "looking for the tags", questions.tags, 60.0),
    Check("GPU", "asking where the model is", loaded.gpu),
    Check("context", "asking for the context", loaded.context),
    Check("parallel", "asking several things at once", questions.parallel, 60.0),
)
"""What can be seen on this machine comes first, and then what a question needs, in the order in which it does."""


async def checkup(
    around: Around, known: Known, checks: Sequence[Check] = CHECKS
) -> AsyncGenerator[Check | Finding, None]:
    """Yield each check when it begins, then what it found; `known.obstacle` says afterwards what is in the way."""
    try:
        for check in checks:
            yield check
            for finding in await _looked(check, around, known):
                yield finding
    finally:
        if known.engine is not None:
            with suppress(ReflecttyError, OSError):
                await known.engine.aclose()


async def _looked(check: Check, around: Around, known: Known) -> Sequence[Finding]:
    patience = check.seconds or _patience(around)
    try:
        async with asyncio.timeout(patience):
            return await check.look(around, known)
    except TimeoutError:
        late = StalledError(f"nothing came of it within {patience:g} s", "ask again when there is less to do")
        return [_failed(check, late, known)]
    except ReflecttyError as error:
        return [_failed(check, error, known)]
    except Exception as error:  # noqa: BLE001 - one check that fails must not stop the others
        found = ReflecttyError(f"internal error: {type(error).__name__}: {error}", "please report it")
        found.__cause__ = error
        return [_failed(check, found, known)]


def _patience(around: Around) -> float:
    """Return how long a whole reply may take: to load the model, and as long again as it may be silent."""
    return around.settings.timeouts.first + around.settings.timeouts.idle


def _failed(check: Check, error: ReflecttyError, known: Known) -> Finding:
    if not check.needed:
        return Finding(check.name, State.UNCHECKED, str(error), error.hint)
    known.hindered(error)
    return Finding(check.name, State.WRONG, str(error), error.hint)
