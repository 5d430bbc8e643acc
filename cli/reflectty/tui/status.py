"""Computes the status line's facts and the composer's key hints, and polls the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reflectty.core.errors import ReflecttyError, RefusedError
from reflectty.core.model_names import is_same_model
from reflectty.reasoning.modes import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.core.messages import Engine, RunningModel
    from reflectty.tui.conversation import Conversation
    from reflectty.tui.widgets.status import StatusFacts

    Hints = tuple[tuple[str, str], ...]

TIMEOUT_SECONDS = 4.0

STEERING_HINTS: Hints = (("send", "go on"), ("conclude", "answer now"), ("cancel", "leave it"))
EDITING_HINTS: Hints = (("send", "ask as a branch"), ("cancel", "leave it"))
ANSWERING_HINTS: Hints = (("cancel", "stop"), ("send", "queue"), ("steer", "steer"))
IDLE_HINTS: Hints = (("send", "send"), ("newline", "new line"), ("keys", "keys"))


def hints_for(*, steering: bool, editing: bool, running: bool, resumable: bool = True) -> Hints:
    """Return the actions that apply now, the most important first, each with a word for it."""
    if steering:
        return STEERING_HINTS
    if editing:
        return EDITING_HINTS
    answering = ANSWERING_HINTS if resumable else tuple(hint for hint in ANSWERING_HINTS if hint[0] != "steer")
    return answering if running else IDLE_HINTS


def mode_of(conversation: Conversation) -> str:
    """Return the mode; where it is chosen by what the model can, the one that was."""
    wanted, last = conversation.ask_options.mode, conversation.last_reply
    return (last.said.mode if wanted is Mode.AUTO and last and last.said else "") or str(wanted)


def note_warning(engine: Engine, note: Callable[..., None]) -> Engine:
    """Return the engine, and say what could not be used as it was given to it."""
    if engine.warning:
        note(engine.warning, wrong=True)
    return engine


async def introduce_model(engine: Engine, name: str, note: Callable[..., None]) -> str:
    """Return the model that will answer, the one named or the best one, and say what there is to say of it.

    Raises:
        ReflecttyError: nobody knows it, or no model is there.
    """
    from reflectty.chat.model_choice import find_model

    model = await find_model(engine, name, lambda _: None)
    for text in model.notices:
        note(text, wrong=True)
    return model.name


def host_label_of(engine: Engine | None, host: str) -> str:
    """Return where who answers is: at the host, unless the built-in model answers because nobody does there."""
    return "built in" if getattr(engine, "using_fallback", False) else host


async def poll_server(engine: Engine, facts: StatusFacts, last_model: str = "") -> StatusFacts:
    """Return the facts with what the server says now: is it there, where the model runs, how large its context is.

    Args:
        engine: asks the server.
        facts: what is known.
        last_model: the model that answered last: it must be loaded.
    """
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            running = await engine.running_models()
    except RefusedError:
        # Who says no to that question may well answer others.
        return facts._replace(is_reachable=True, gpu=None)
    except (ReflecttyError, TimeoutError):
        return facts._replace(is_reachable=False, gpu=None)
    loaded = _find_loaded(running, facts.model, has_answered=is_same_model(last_model, facts.model))
    context = loaded.context_length if loaded else 0
    return facts._replace(is_reachable=True, context=context or facts.context, gpu=_gpu_share_of(loaded))


def _find_loaded(running: Sequence[RunningModel], model: str, *, has_answered: bool) -> RunningModel | None:
    """Return the model as it is loaded; models of the same weights are listed as the one that was asked first."""
    by_name = next((one for one in running if is_same_model(one.name, model)), None)
    return by_name or (running[0] if has_answered and len(running) == 1 else None)


def _gpu_share_of(loaded: RunningModel | None) -> float | None:
    """Return how much of a loaded model is on a GPU, 0 to 1; None where it is not loaded."""
    return loaded.size_vram / loaded.size if loaded and loaded.size else None
