"""Keeps the lines around the transcript true: title, status, hints, and whether the server is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reflectty.errors import ReflecttyError, RefusedError
from reflectty.modes import Mode
from reflectty.tui.keys import shown

if TYPE_CHECKING:
    from reflectty.chat import Engine, Running
    from reflectty.tui.screens.chat import Chat

PATIENCE_SECONDS = 4.0

STEERING = (("send", "go on"), ("conclude", "answer now"), ("cancel", "leave it"))
EDITING = (("send", "ask as a branch"), ("cancel", "leave it"))
ANSWERING = (("cancel", "stop"), ("send", "queue"), ("steer", "steer"))
AT_REST = (("send", "send"), ("newline", "new line"), ("keys", "keys"))


class Standing:
    """Writes what is known into the widgets of a chat."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat
        self._keys = {action.name: shown(action.keys[0]) for action in chat.actions if action.keys}

    def refresh(self) -> None:
        """See that something of it has changed."""
        chat = self._chat
        chat.topline.title = chat.conversation.title
        part = chat.talk.part
        chat.status.facts = chat.status.facts._replace(
            model=part.state.model if part else chat.conversation.manner.model,
            mode=self._mode(),
            used=chat.talk.used,
            speed=chat.talk.speed,
            host=chat.setup.host,
        )
        chat.composer.hints = tuple(f"{self._keys[name]} {word}" for name, word in self._apply() if name in self._keys)
        if chat.exchanges.steering:
            chat.composer.state = "steering"
        else:
            chat.composer.state = "gone" if chat.status.facts.there is False else "quiet"

    def _mode(self) -> str:
        """Return the mode; where it is chosen by what the model can, the one that was."""
        mode, last = self._chat.conversation.manner.mode, self._chat.conversation.last_reply
        return (last.said.mode if mode is Mode.AUTO and last and last.said else "") or str(mode)

    def _apply(self) -> tuple[tuple[str, str], ...]:
        chat = self._chat
        if chat.exchanges.steering:
            return STEERING
        if chat.editing:
            return EDITING
        return ANSWERING if chat.talk.running else AT_REST

    async def look(self, engine: Engine) -> None:
        """Find out whether the server is there, where the model runs, and how large its context is."""
        facts = self._chat.status.facts
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                running = await engine.running()
        except RefusedError:
            # Who says no to that question may well answer others.
            self._chat.status.facts = facts._replace(there=True, gpu=None)
        except (ReflecttyError, TimeoutError):
            self._chat.status.facts = facts._replace(there=False, gpu=None)
        else:
            loaded = next((one for one in running if _same(one.name, facts.model)), None)
            context = loaded.context_length if loaded else 0
            self._chat.status.facts = facts._replace(
                there=True, context=context or facts.context, gpu=_gpu_share(loaded)
            )
        if facts.there is False and self._chat.status.facts.there and not self._chat.conversation.manner.model:
            self._chat.run_worker(self._chat.choose_model())
        self.refresh()


def _same(name: str, other: str) -> bool:
    return name.removesuffix(":latest") == other.removesuffix(":latest")


def _gpu_share(loaded: Running | None) -> float | None:
    """Return how much of a loaded model is on a GPU, 0 to 1; None where it is not loaded."""
    return loaded.size_vram / loaded.size if loaded and loaded.size else None
