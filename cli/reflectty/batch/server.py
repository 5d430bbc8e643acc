"""One server that answers lines: asks it, knows its models, and tells whether it is there; schedules nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self

from reflectty.asking import ask, find_model, request_for
from reflectty.batch.records import Outcome
from reflectty.chat import Capacity
from reflectty.errors import IncompleteError, ReflecttyError, UnreachableError
from reflectty.modes import plan
from reflectty.names import is_same
from reflectty.parallel import probe
from reflectty.sampling import defaults

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.asking import Question
    from reflectty.chat import Engine, Model, Workload
    from reflectty.parallel import Parallel
    from reflectty.reply import Reply
    from reflectty.stream import Event

ALIVE_SECONDS: Final = 5.0
"""How long a server may take to say that it is there."""
MOST_MODELS: Final = 256
"""So many models of one server are remembered."""


class Server:
    """A server by its name; what it says of a model is asked once."""

    def __init__(
        self, name: str, engine: Engine, *, note: Callable[[str], None], first_time: Callable[[str], bool]
    ) -> None:
        self.name = name
        self.engine = engine
        self._note = note
        self._first_time = first_time
        self._models: dict[str, Model] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.engine.aclose()

    async def model(self, name: str) -> Model:
        """Return what is known of a model; no name stands for the best one that is installed.

        Raises:
            ModelMissingError: it is not installed; and what an engine raises.
        """
        if name not in self._models:
            if len(self._models) >= MOST_MODELS:
                self._models.clear()
            self._models[name] = await find_model(self.engine, name, self._note)
        return self._models[name]

    async def digest(self, name: str) -> str:
        """Return which version of a model it has; nothing where it does not tell."""
        try:
            installed = await self.engine.models()
        except ReflecttyError:
            return ""
        return next((model.digest for model in installed if is_same(model.name, name)), "")

    def forget(self, name: str) -> None:
        """Ask anew for a model that turned out not to be there."""
        self._models.pop(name, None)

    async def answer(self, question: Question) -> Outcome:
        """Ask; return what came of it, an error included."""
        listener = _Listener(self._note)
        try:
            model = await self.model(question.model)
            reply = await ask(self.engine, question, listener, first_time=self._first_time, model=model, patience=0)
        except ReflecttyError as error:
            return Outcome(listener.reply, error, self.name)
        return Outcome(reply, None, self.name)

    def always_the_same(self, question: Question) -> bool:
        """Whether a question gets the same reply each time: it is sampled from a fixed seed, or not at all."""
        known = self._models.get(question.model)
        given = dict(question.options)
        own = {one.option: one.value for one in defaults(known)} if known else {}
        temperature, seed = (given.get(name, own.get(name)) for name in ("temperature", "seed"))
        return _number(temperature) == 0 or _number(seed) >= 0

    async def at_once(self, question: Question) -> Parallel:
        """Return how many such questions it answers at the same time; its model should be loaded."""
        model = await self.model(question.model)
        return await probe(self.engine, request_for(question, model, plan(model, question.wish)))

    async def capacity(self) -> Capacity | None:
        """Return what it tells of how many it answers at once; None where its engine knows of no way to ask."""
        tell = getattr(self.engine, "capacity", None)
        model = next((one.name for one in self._models.values()), "")
        try:
            async with asyncio.timeout(ALIVE_SECONDS):
                found: Capacity | None = await tell(model) if tell else None
        except (ReflecttyError, TimeoutError):
            return Capacity()
        return found

    async def load(self) -> Workload | None:
        """Return how many requests it answers, and how many wait there; None where it does not tell."""
        tell = getattr(self.engine, "load", None)
        try:
            async with asyncio.timeout(ALIVE_SECONDS):
                found: Workload | None = await tell() if tell else None
        except (ReflecttyError, TimeoutError):
            return None
        return found

    async def is_there(self) -> bool:
        """Whether it answers at all, be it with a refusal: a proxy may leave some of the calls without an answer."""
        for call in (self.engine.version, self.engine.models):
            try:
                async with asyncio.timeout(ALIVE_SECONDS):
                    await call()
            except UnreachableError:
                return False
            except (IncompleteError, TimeoutError):
                continue
            except ReflecttyError:
                return True
            return True
        return False


def _number(value: object) -> float:
    """Return what an option is set to; -1, by which Ollama understands that it is not, where nobody does."""
    try:
        return float(str(value))
    except ValueError:
        return -1.0


class _Listener:
    """Shows nothing of a reply; hands on what is to be said before it begins, as its warnings go into its record."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self.reply: Reply | None = None
        self._note = note

    def start(self, reply: Reply) -> None:
        self.reply = reply

    def tick(self, seconds: float) -> None:
        """Nothing moves."""

    def show(self, event: Event) -> None:
        """Nothing is shown."""

    def note(self, text: str) -> None:
        if self.reply is None:
            self._note(text)

    def end(self, reply: Reply) -> None:
        """The reply is looked at afterwards."""

    def stop(self) -> None:
        """Nothing is left open."""
