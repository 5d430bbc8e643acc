"""The models on the server as the chat knows them: looks at them and does what their screen wishes; draws nothing."""

from __future__ import annotations

import asyncio
import contextlib
import time
from functools import partial
from typing import TYPE_CHECKING

from reflectty.drawing.model import landed
from reflectty.drawing.sizes import size
from reflectty.drawing.summary import Fact, duration
from reflectty.errors import ReflecttyError, UsageError
from reflectty.library import Installed, checked_name
from reflectty.library.values import placed
from reflectty.names import is_same, short
from reflectty.render import models as rendered
from reflectty.render import progress
from reflectty.tui import slash
from reflectty.tui.estimates import Estimates
from reflectty.tui.pulls import STOPPED, Pulls, explained, in_a_word, told_of
from reflectty.tui.screens.models import ModelsScreen, Seen
from reflectty.tui.widgets.model_entries import Coming, Known

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from reflectty.chat import Model, Running
    from reflectty.library.library import Library
    from reflectty.tui.desk import Desk
    from reflectty.tui.pulls import Pull

PATIENCE_SECONDS = 4.0
"""How long a server may take to say what there is."""
ASKING = (Fact("asking the server", 0),)
LINE_SECONDS = 0.5
"""How often the status line tells of pulls."""


class Stock:
    """Keeps the models of one server, for one desk; opens the library when it is made."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._library: Library = desk.setup.library()
        self._pulls = Pulls(self._moved)
        self._screen: ModelsScreen | None = None
        self._seen = Seen(host=desk.setup.host)
        self._listed: tuple[Installed, ...] | None = None
        self._whole: dict[tuple[str, str], Model] = {}
        """What is known of each model that was listed, by its name and digest."""
        self._fit = Estimates(desk, self._library, self._learnt)
        self._busy: dict[str, str] = {}
        self._looking = False
        self._told = 0.0
        self._does: dict[str, Callable[[str], Awaitable[None]]] = {
            "answer": self._answer,
            "ask": self.ask,
            "pull": self.pull,
            "load": self._load,
            "unload": self._unload,
            "copy": self._copy,
            "remove": self._remove,
        }

    async def close(self) -> tuple[str, ...]:
        """Stop what goes on and close the library; return the names of the models whose pull was cut."""
        cut = await self._pulls.close()
        await self._library.aclose()
        return cut

    # The screen

    async def open(self) -> None:
        """Show the screen until it is left."""
        if self._screen is not None:
            return
        desk = self._desk
        keys = next((action.keys for action in desk.actions if action.name == "models"), ())
        self._seen = self._seen._replace(note="", wrong=False)
        self._screen = ModelsScreen(self, keys, unicode=desk.unicode)
        try:
            await desk.screen.app.push_screen_wait(self._screen)
        finally:
            self._screen = None

    def seen(self) -> Seen:
        """Return what there is to show now."""
        models = self._listed
        known = None if models is None else tuple(map(self._known, models))
        return self._seen._replace(models=known, pulls=tuple(map(self._coming, self._pulls.all)))

    def _known(self, one: Installed) -> Known:
        answers = is_same(one.name, self._desk.conversation.manner.model)
        return Known(one.model, one.running, one.told, self._busy.get(one.name, ""), answers)

    def _coming(self, pull: Pull) -> Coming:
        if pull.error:
            return Coming(pull.name, problem=explained(pull.error), wrong=True)
        told = progress.facts(pull.transfer, self._desk.looks.palette.glyphs) if pull.transfer.status else ASKING
        return Coming(pull.name, told, "" if pull.task else STOPPED)

    def _one(self, name: str) -> Installed | None:
        return next((one for one in self._listed or () if one.name == name), None)

    def facts(self, name: str, *, pull: bool) -> tuple[tuple[str, str], ...]:
        """Return what is known of a model or a pull, each thing with its name."""
        if not pull:
            one = self._one(name)
            return rendered.facts(one, time.time(), self._fit.lines(one)) if one else ()
        found = self._pulls.find(name)
        return told_of(found) if found else ()

    def wish(self, what: str, name: str) -> None:
        """Do something with a model or a pull, beside what is going on; what goes wrong is said."""
        self._seen = self._seen._replace(note="", wrong=False)
        if what == "stop":
            self._pulls.stop(name)
        elif what == "forget":
            self._pulls.forget(name)
        else:
            self._desk.run(partial(self._do, what, name))

    async def _do(self, what: str, name: str) -> None:
        try:
            await self._does[what](name)
        except ReflecttyError as error:
            self._say(explained(error), wrong=True)

    def _say(self, text: str, *, wrong: bool = False) -> None:
        """Say something where it is seen: on the screen, or else in the chat."""
        if self._screen is not None:
            self._seen = self._seen._replace(note=text, wrong=wrong)
        else:
            self._desk.note(text, wrong=wrong)

    def _learnt(self) -> None:
        self._seen = self._seen._replace(learnt=self._seen.learnt + 1)

    # Looking

    def look(self) -> None:
        """Look at the server, unless that is under way."""
        if not self._looking:
            self._looking = True
            self._desk.run(self._look)

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                models, running = await asyncio.gather(self._library.engine.models(), self._library.loaded())
            await self._learn(models, running)
        except ReflecttyError as error:
            self._lose(explained(error))
        except TimeoutError:
            self._lose("the server does not answer")
        else:
            self._seen = self._seen._replace(there=True, gone="")
        finally:
            self._looking = False

    def _lose(self, why: str) -> None:
        """Take it that the server is gone; what was seen of it stays in sight."""
        if self._seen.there is not False:
            self._desk.poll()
        self._seen = self._seen._replace(there=False, gone=why)

    async def _learn(self, models: tuple[Model, ...], running: tuple[Running, ...]) -> None:
        """Take over what the server lists, and ask for more where there is something new."""
        self._list(models, running)
        if any((model.name, model.digest) not in self._whole for model in models):
            from reflectty.asking.tags import recalled  # noqa: PLC0415 - not before the first frame

            installed = await self._library.installed()
            self._whole = {(one.name, one.model.digest): recalled(one.model) for one in installed}
            self._list(models, running)
            names = [short(model.name) for model in models]
            self._desk.composer.choices = slash.choices(names, self._desk.looks.names)

    def _list(self, models: tuple[Model, ...], running: tuple[Running, ...]) -> None:
        latest = sorted(models, key=lambda model: model.modified_at, reverse=True)
        known = [self._whole.get((model.name, model.digest), model) for model in latest]
        self._listed = tuple(placed(model, running, known) for model in known)

    # Pulling

    async def ask(self, name: str) -> None:
        """Ask which model to pull, and pull it."""
        wanted = await self._desk.dialogs.line("Pull a model", name, "model, model:tag or user/model:tag")
        if wanted:
            await self.pull(wanted)

    async def pull(self, name: str) -> None:
        """Pull a model beside what is going on, and say when it is there, or what went wrong.

        Raises:
            UsageError: it has no such name, or is being pulled already.
        """
        wanted = checked_name(name)
        if self._screen is None:
            self._desk.note(f"pulling {wanted}: {self._key} shows how far it is")
        before = await self._library.digest(wanted)
        pull = await self._pulls.pull(self._library, wanted)
        if pull.error:
            self._fail(pull, pull.error)
        elif not pull.stopped:
            self._arrive(pull, new=not before or before != await self._library.digest(wanted))

    @property
    def _key(self) -> str:
        return next((action.hint for action in self._desk.actions if action.name == "models"), "")

    def _fail(self, pull: Pull, error: ReflecttyError) -> None:
        if self._screen is None:  # On the screen it stands beside the pull.
            self._desk.note(f"{pull.name} was not pulled: {explained(error)}", wrong=True)

    def _arrive(self, pull: Pull, *, new: bool) -> None:
        """Say that a model is there; where nobody answers yet, it does."""
        fresh = pull.transfer.fresh
        amount = f", {size(fresh)}," if fresh else ""
        pulled = f"pulled {pull.name}{amount} in {duration(pull.transfer.seconds)}"
        there = pulled if new else f"{pull.name} is there, and up to date"
        first = not self._desk.conversation.manner.model
        if first:
            self._desk.manner(model=short(pull.name))
        self._say(f"{there}; it answers from here on" if first else there)
        self.look()

    def _moved(self) -> None:
        """Say in the status line how far the pulls are, now and then."""
        now = time.monotonic()
        coming = self._pulls.coming
        if coming and now - self._told < LINE_SECONDS:
            return
        self._told = now
        status = self._desk.status
        status.facts = status.facts._replace(pulls=in_a_word(coming))

    # Changing

    async def _answer(self, name: str) -> None:
        try:
            await self._desk.do("model", short(checked_name(name)))
        except UsageError as error:
            # The screen is left already.
            self._desk.complain(error)

    async def _load(self, name: str) -> None:
        with self._at_work(name, "loading"):
            manner = self._desk.conversation.manner
            running = await self._library.load(name, manner.keep_alive, manner.options)
        told = f"is loaded: {landed(running)}" if running else "was loaded, and is not kept"
        self._say(f"{short(name)} {told}")

    async def _unload(self, name: str) -> None:
        with self._at_work(name, "unloading"):
            was = await self._library.unload(name)
        self._say(f"{short(name)} {'is unloaded' if was else 'was not loaded'}")

    @contextlib.contextmanager
    def _at_work(self, name: str, what: str) -> Iterator[None]:
        """Say that something is being done with a model, and look afterwards what came of it."""
        if name in self._busy:
            raise UsageError(f"{short(name)} is {self._busy[name]} already")
        self._busy[name] = what
        try:
            yield
        finally:
            del self._busy[name]
            self.look()
            self._desk.poll()

    async def _copy(self, name: str) -> None:
        """Ask for another name, and give the model that as well."""
        wanted = await self._desk.dialogs.line(f"Copy {short(name)} as", "", "it takes no room")
        if not wanted:
            return
        if await self._library.has(wanted):
            raise UsageError(f"there is a model {wanted} already", "choose another name")
        await self._library.copy(name, wanted)
        self._say(f"{short(name)} is {wanted} as well")
        self.look()

    async def _remove(self, name: str) -> None:
        """Ask, and remove a model for good."""
        one = self._one(name)
        if one is None or not await self._desk.dialogs.confirm(self._question(one), "remove it", "keep it"):
            return
        await self._library.remove(name)
        self._listed = tuple(other for other in self._listed or () if other.name != name)
        self._say(f"removed {short(name)}")
        self.look()

    def _question(self, one: Installed) -> str:
        details = (size(one.model.size) if one.model.size else "", "loaded" if one.running else "")
        answers = is_same(one.name, self._desk.conversation.manner.model)
        about = ", ".join(text for text in (*details, "the one that answers here" if answers else "") if text)
        return f"Remove {short(one.name)}{f' ({about})' if about else ''} from the server for good?"
