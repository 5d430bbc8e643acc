"""Actions with what the user has prepared in the settings: profiles and templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty import config
from reflectty.config.profiles import NO_PROFILE
from reflectty.config.templates import template, template_names
from reflectty.errors import UsageError
from reflectty.templates import INPUT, fields_of, fill
from reflectty.tui import standing

if TYPE_CHECKING:
    from reflectty.tui.desk import Desk
    from reflectty.tui.setup import Profiled


class Prepared:
    """Each method is the action of its name; without a word to it, it offers what there is."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._profile = ""
        self._first = desk.setup
        self._away = False

    async def profile(self, name: str) -> None:
        """Ask as a profile says from here on, and the server that it names; `none` is as nothing else says."""
        desk = self._desk
        rows = [(one, one, "") for one in (*config.profile_names(), NO_PROFILE)]
        wanted = name.strip() or await desk.dialogs.choose("Profile", rows, self._profile)
        if not wanted:
            return
        if desk.talk.running:
            raise UsageError("a reply is coming: stop it first")
        profiled = desk.setup.profile(wanted)
        self._profile = wanted
        self._reach(profiled)
        model = profiled.manner.model or desk.conversation.manner.model
        left_out = desk.conversation.manner.left_out
        desk.manner(**profiled.manner._replace(model=model, left_out=left_out, profile=wanted)._asdict())
        named = "no profile" if wanted == NO_PROFILE else f"profile {wanted}"
        desk.note(f"{named}: {model or 'the best model'}, {standing.mode(desk.conversation)}")

    def _reach(self, profiled: Profiled) -> None:
        """Speak with the server that a profile names, or with the first one again."""
        desk, first = self._desk, self._first
        there = profiled if profiled.engine else first
        if profiled.engine or self._away:
            engine, library = there.engine or first.engine, there.library or first.library
            desk.setup = desk.setup._replace(host=there.host, engine=engine, library=library)
            desk.connect()
        self._away = profiled.engine is not None

    async def template(self, text: str) -> None:
        """Put a template into the composer; words behind its name are its input, other fields are left to be filled."""
        desk = self._desk
        name, _, words = text.strip().partition(" ")
        if not name:
            rows = [(one, one, " ".join(fields_of(template(one).text))) for one in template_names()]
            if not rows:
                raise UsageError("there are no templates yet", "reflect templates edit NAME makes one")
            name = await desk.dialogs.choose("Template", rows, None) or ""
        if name:
            found = template(name, "/template").text
            desk.composer.fill(fill(found, {field: f"{{{field}}}" for field in fields_of(found)} | {INPUT: words}))
