"""What the lines around the transcript say: which keys apply, in which mode is asked, whether the server is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reflectty.errors import ReflecttyError, RefusedError
from reflectty.modes import Mode
from reflectty.names import is_same

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.chat import Engine, Running
    from reflectty.tui.conversation import Conversation
    from reflectty.tui.widgets.status import Facts

    Hints = tuple[tuple[str, str], ...]

PATIENCE_SECONDS = 4.0

STEERING: Hints = (("send", "go on"), ("conclude", "answer now"), ("cancel", "leave it"))
EDITING: Hints = (("send", "ask as a branch"), ("cancel", "leave it"))
ANSWERING: Hints = (("cancel", "stop"), ("send", "queue"), ("steer", "steer"))
AT_REST: Hints = (("send", "send"), ("newline", "new line"), ("keys", "keys"))


def applying(*, steering: bool, editing: bool, running: bool, resumable: bool = True) -> Hints:
    """Return the actions that apply now, the most important first, each with a word for it."""
    if steering:
        return STEERING
    if editing:
        return EDITING
    answering = ANSWERING if resumable else tuple(hint for hint in ANSWERING if hint[0] != "steer")
    return answering if running else AT_REST


def mode(conversation: Conversation) -> str:
    """Return the mode; where it is chosen by what the model can, the one that was."""
    wanted, last = conversation.manner.mode, conversation.last_reply
    return (last.said.mode if wanted is Mode.AUTO and last and last.said else "") or str(wanted)


def warned(engine: Engine, note: Callable[..., None]) -> Engine:
    """Return the engine, and say what could not be used as it was given to it."""
    if engine.warning:
        note(engine.warning, wrong=True)
    return engine


async def introduced(engine: Engine, name: str, note: Callable[..., None]) -> str:
    """Return the model that will answer, the one named or the best one, and say what there is to say of it.

    Raises:
        ReflecttyError: nobody knows it, or no model is there.
    """
    from reflectty.asking import find_model  # noqa: PLC0415 - not before the first frame

    model = await find_model(engine, name, lambda _: None)
    for text in model.notices:
        note(text, wrong=True)
    return model.name


def place(engine: Engine | None, host: str) -> str:
    """Return where who answers is: at the host, unless the built-in model answers because nobody does there."""
    return "built in" if getattr(engine, "away", False) else host


async def look(engine: Engine, facts: Facts, answered: str = "") -> Facts:
    """Return the facts with what the server says now: is it there, where the model runs, how large its context is.

    Args:
        engine: asks the server.
        facts: what is known.
        answered: the model that answered last: it must be loaded.
    """
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            running = await engine.running()
    except RefusedError:
        # Who says no to that question may well answer others.
        return facts._replace(there=True, gpu=None)
    except (ReflecttyError, TimeoutError):
        return facts._replace(there=False, gpu=None)
    loaded = _loaded(running, facts.model, answers=is_same(answered, facts.model))
    context = loaded.context_length if loaded else 0
    return facts._replace(there=True, context=context or facts.context, gpu=_gpu_share(loaded))


def _loaded(running: Sequence[Running], model: str, *, answers: bool) -> Running | None:
    """Return the model as it is loaded; models of the same weights are listed as the one that was asked first."""
    by_name = next((one for one in running if is_same(one.name, model)), None)
    return by_name or (running[0] if answers and len(running) == 1 else None)


def _gpu_share(loaded: Running | None) -> float | None:
    """Return how much of a loaded model is on a GPU, 0 to 1; None where it is not loaded."""
    return loaded.size_vram / loaded.size if loaded and loaded.size else None
