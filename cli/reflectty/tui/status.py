"""Computes the status line's facts and the composer's key hints, and polls the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reflectty.config.load import NO_PROFILE
from reflectty.core.errors import ReflecttyError, RefusedError
from reflectty.core.model_names import is_same_model
from reflectty.reasoning.modes import AskOptions, Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reflectty.core.messages import Engine, RunningModel
    from reflectty.tui.controller import ChatController
    from reflectty.tui.conversation import Conversation
    from reflectty.tui.turns import TurnQueue
    from reflectty.tui.widgets.status import StatusFacts

    Hints = tuple[tuple[str, str], ...]

TIMEOUT_SECONDS = 4.0

STEERING_HINTS: Hints = (("send", "continue"), ("conclude", "answer now"), ("cancel", "cancel"))
EDITING_HINTS: Hints = (("send", "resend as a new branch"), ("cancel", "cancel"))
LOOPING_HINTS: Hints = (("conclude", "answer now"), ("cancel", "stop"), ("send", "queue"))
ANSWERING_HINTS: Hints = (("cancel", "stop"), ("send", "queue"), ("steer", "steer"))
FINDING_HINTS: Hints = (("next_correction", "next"), ("previous_correction", "previous"), ("cancel", "end"))
PROBING_HINTS: Hints = (("cancel", "stop probing"), ("send", "send"))
SELECTED_HINTS: Hints = (("interrupt", "copy the selection"),)
QUEUED_HINTS: Hints = (("cancel", "withdraw"), ("interrupt", "stop"), ("send", "queue"))
IDLE_HINTS: Hints = (("send", "send"), ("newline", "new line"), ("keys", "keys"))


def composer_hints(controller: ChatController) -> tuple[str, ...]:
    """The keys that apply now, most important first, each with a label, after the position of a search."""
    if controller.sessions.is_focused:
        return ()
    key, hints = controller.transcript.scene.key, hints_for(controller)
    position = (controller.finder.position,) if hints == FINDING_HINTS else ()
    return (*position, *(f"{key(name)} {word}" for name, word in hints if key(name)))


def hints_for(controller: ChatController) -> Hints:
    """The actions that apply now, most important first, each with a label."""
    turns = controller.turns
    states = (
        (bool(controller.selections), SELECTED_HINTS),
        (turns.is_steering, STEERING_HINTS),
        (controller.submissions.edited_question is not None, EDITING_HINTS),
        (controller.cursor.message is not None, controller.cursor.hints),
        (controller.finder.is_active, FINDING_HINTS),
        (controller.prober.is_running and turns.current is None, PROBING_HINTS),
        (turns.current is None, (*_hints_after(turns), *IDLE_HINTS)),
        (turns.can_end_loop, LOOPING_HINTS),
        (bool(turns.queue), QUEUED_HINTS),
    )
    answering = tuple(hint for hint in ANSWERING_HINTS if hint[0] != "steer" or turns.can_steer)
    return next((hints for applies, hints in states if applies), answering)


def _hints_after(turns: TurnQueue) -> Hints:
    """What goes on after a last reply that is not complete."""
    replies = turns.parts.replies
    if not replies or not replies[-1].state.is_cut:
        return ()
    return (("continue", "continue") if replies[-1].state.has_text else ("regenerate", "ask again"),)


def mode_of(conversation: Conversation) -> str:
    """The mode; for `auto` the mode of the last reply."""
    wanted, last = conversation.ask_options.mode, conversation.last_reply
    return (last.said.mode if wanted is Mode.AUTO and last and last.said else "") or str(wanted)


def note_warning(engine: Engine, note: Callable[..., None]) -> Engine:
    """Note what the engine could not use of its settings, and return it."""
    if engine.warning:
        note(engine.warning, wrong=True)
    return engine


async def introduce_model(engine: Engine, name: str, note: Callable[..., None]) -> str:
    """Find the model that will reply, the named or the best one, and note its notices.

    Raises:
        ReflecttyError: the model is unknown, or none is installed.
    """
    from reflectty.chat.model_choice import find_model

    model = await find_model(engine, AskOptions(model=name), lambda _: None)
    for text in model.notices:
        note(text, wrong=True)
    return model.name


def host_label_of(engine: Engine | None, host: str) -> str:
    """The host, or that the built-in model replies because the host is unreachable."""
    return "built in" if engine and engine.using_fallback else host.removeprefix("http://")


def changes_of(conversation: Conversation) -> tuple[str, ...]:
    """What changes the answers besides model and mode, each in a word or two."""
    asked, profile = conversation.ask_options, conversation.settings.profile
    options = [f"{key}={value}" for key, value in asked.options]
    found = (
        profile if profile != NO_PROFILE else "",
        f"effort {asked.effort}" if asked.effort else "",
        f"budget {asked.budget}" if asked.budget and asked.budget.is_limited else "",
        "until settled" if asked.until_settled else "",
        f"{asked.samples} samples" if asked.samples > 1 else "",
        "verified" if asked.verify else "",
        "system prompt" if asked.system else "",
        options[0] if len(options) == 1 else f"{len(options)} options" if options else "",
    )
    return tuple(filter(None, found))


async def poll_server(engine: Engine, facts: StatusFacts, last_model: str = "") -> StatusFacts:
    """Update the facts from the server: whether it answers, where the model runs, and the context length.

    Args:
        engine: the engine of the server.
        facts: the facts so far.
        last_model: the model of the last reply, which must be loaded.
    """
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            running = await engine.running_models()
    except RefusedError:
        # A server that refuses this request may accept others.
        return facts._replace(is_reachable=True, gpu=None)
    except (ReflecttyError, TimeoutError):
        return facts._replace(is_reachable=False, gpu=None)
    loaded = _find_loaded(running, facts.model, has_answered=is_same_model(last_model, facts.model))
    context = loaded.context_length if loaded else 0
    return facts._replace(is_reachable=True, context=context or facts.context, gpu=_gpu_share_of(loaded))


def _find_loaded(running: Sequence[RunningModel], model: str, *, has_answered: bool) -> RunningModel | None:
    """Find the loaded model; models with the same weights are listed under the name that was used first."""
    by_name = next((one for one in running if is_same_model(one.name, model)), None)
    return by_name or (running[0] if has_answered and len(running) == 1 else None)


def _gpu_share_of(loaded: RunningModel | None) -> float | None:
    """The share of a loaded model on the GPU, 0 to 1; None if it is not loaded."""
    return loaded.size_vram / loaded.size if loaded and loaded.size else None
