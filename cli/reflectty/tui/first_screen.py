"""Fills the first screen of an empty session: the model, what is missing, the latest sessions and the keys."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from reflectty.core.errors import ReflecttyError
from reflectty.core.model_names import short_name_of
from reflectty.core.model_spec import MINI_NOTICE
from reflectty.tui.sessions.welcome import KEYS, MAX_SESSIONS
from reflectty.view.parts import NotePart, to_chat_wording

if TYPE_CHECKING:
    from reflectty.tui.controller import ChatController


class FirstScreen:
    """Decides when the first screen is shown, and what stands on it."""

    def __init__(self, controller: ChatController) -> None:
        self._controller = controller
        self._widget = controller.welcome

    def note(self, text: str, *, wrong: bool = True) -> None:
        """Show what is missing on the first screen while that is shown, terms of use as a note, else an error."""
        if MINI_NOTICE in text:
            self._controller.note(text)
        elif self._widget.display:
            facts, text = self._widget.facts, to_chat_wording(text)
            self._widget.facts = facts._replace(remarks=tuple(dict.fromkeys((*facts.remarks, text))))
        else:
            self._controller.note(text, wrong=wrong)

    def refresh(self) -> None:
        """Show the first screen if the session is empty, with the latest sessions when it appears; else hide it."""
        controller = self._controller
        shown = all(isinstance(part, NotePart) for part in controller.transcript.parts)
        facts = self._widget.facts
        # The first frame does not wait for the sessions.
        if shown and controller.turns.engine_settled.is_set() and not (self._widget.display and facts.now):
            with contextlib.suppress(ReflecttyError):
                facts = facts._replace(sessions=controller.conversation.store.sessions(MAX_SESSIONS))
            facts = facts._replace(now=time.time())
        self._widget.display = shown
        if shown:
            known = controller.status.facts
            model = short_name_of(known.model, whole=known.ids)
            engine = controller.turns.engine
            place = known.host if engine and engine.using_fallback else f"on {known.host}"
            keys = tuple(
                f"{controller.key_labels[name]} {word}" for name, word in KEYS if name in controller.key_labels
            )
            self._widget.facts = facts._replace(model=f"{model} {place}" if model else "", keys=keys)
