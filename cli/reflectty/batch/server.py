"""Asks one server of a batch and checks before the start which servers can answer."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from reflectty.batch.records import Outcome
from reflectty.chat.model_choice import find_model
from reflectty.chat.parallel import probe_parallel_slots
from reflectty.chat.request import request_for
from reflectty.chat.run import ask
from reflectty.core.errors import IncompleteError, ModelMissingError, ReflecttyError, StalledError, UnreachableError
from reflectty.core.messages import Capacity
from reflectty.core.model_names import is_same_model
from reflectty.core.model_spec import sampling_defaults_of
from reflectty.reasoning.modes import plan

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from reflectty.batch.scheduler import Scheduler
    from reflectty.chat.parallel import ParallelSlots
    from reflectty.chat.request import Question
    from reflectty.core.messages import Engine, Model, Workload
    from reflectty.core.segments import Event
    from reflectty.reasoning.reply import Reply

    Look = Callable[["Server", str], Awaitable[Model]]


ALIVE_SECONDS: Final = 5.0
"""How long a server may take to say that it is there."""
MAX_MODELS: Final = 256
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

    async def find_model(self, name: str) -> Model:
        """Return what is known of a model; no name stands for the best one that is installed.

        Raises:
            ModelMissingError: it is not installed; and what an engine raises.
        """
        if name not in self._models:
            if len(self._models) >= MAX_MODELS:
                self._models.clear()
            self._models[name] = await find_model(self.engine, name, self._note)
        return self._models[name]

    async def digest_of(self, name: str) -> str:
        """Return which version of a model it has; nothing where it does not tell."""
        try:
            installed = await self.engine.models()
        except ReflecttyError:
            return ""
        return next((model.digest for model in installed if is_same_model(model.name, name)), "")

    def forget_model(self, name: str) -> None:
        """Ask anew for a model that turned out not to be there."""
        self._models.pop(name, None)

    async def answer(self, question: Question) -> Outcome:
        """Ask; return what came of it, an error included."""
        listener = _NoteRenderer(self._note)
        try:
            model = await self.find_model(question.model)
            reply = await ask(self.engine, question, listener, first_time=self._first_time, model=model, patience=0)
        except ReflecttyError as error:
            return Outcome(listener.reply, error, self.name)
        return Outcome(reply, None, self.name)

    def is_deterministic(self, question: Question) -> bool:
        """Whether a question gets the same reply each time: it is sampled from a fixed seed, or not at all."""
        known = self._models.get(question.model)
        given = dict(question.options)
        own = {one.option: one.value for one in sampling_defaults_of(known)} if known else {}
        temperature, seed = (given.get(name, own.get(name)) for name in ("temperature", "seed"))
        return _option_number(temperature) == 0 or _option_number(seed) >= 0

    async def probe_slots(self, question: Question) -> ParallelSlots:
        """Return how many such questions it answers at the same time; its model should be loaded."""
        model = await self.find_model(question.model)
        return await probe_parallel_slots(self.engine, request_for(question, model, plan(model, question.ask_options)))

    async def load_capacity(self) -> Capacity | None:
        """Return what it tells of how many it answers at once; None where its engine knows of no way to ask."""
        tell = getattr(self.engine, "capacity", None)
        model = next((one.name for one in self._models.values()), "")
        try:
            async with asyncio.timeout(ALIVE_SECONDS):
                found: Capacity | None = await tell(model) if tell else None
        except (ReflecttyError, TimeoutError):
            return Capacity()
        return found

    async def load_workload(self) -> Workload | None:
        """Return how many requests it answers, and how many wait there; None where it does not tell."""
        tell = getattr(self.engine, "workload", None)
        try:
            async with asyncio.timeout(ALIVE_SECONDS):
                found: Workload | None = await tell() if tell else None
        except (ReflecttyError, TimeoutError):
            return None
        return found

    async def is_reachable(self) -> bool:
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


def _option_number(value: object) -> float:
    """Return what an option is set to; -1, by which Ollama understands that it is not, where nobody does."""
    try:
        return float(str(value))
    except ValueError:
        return -1.0


class _NoteRenderer:
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


PREFLIGHT_TIMEOUT_SECONDS: Final = 10.0
"""How long one of several servers may take to say what it knows of a model; of a single one, when that is told."""
SILENT: Final = "{server} has sent nothing for {seconds:.0f} s: it is waited for as long as for a reply (--timeout)"


async def check_servers(
    servers: Sequence[Server], scheduler: Scheduler, model: str, note: Callable[[str], None]
) -> str:
    """Return the model that all are to answer with, and note in the roster who can.

    Args:
        servers: who may be asked.
        scheduler: what is known of them, in the same order.
        model: the model that was named; where none was, the best one of the first server that answers.
        note: told who is left out, and why.

    Raises:
        ReflecttyError: nobody can answer; the error of the one that came closest.
    """
    found: list[ReflecttyError | None] = []
    # One that is silent must not keep the others from beginning.
    look = _in_time if len(servers) > 1 else partial(_patiently, note=note)
    if not model:
        model, found = await _choose_model(servers, look)
    found += await asyncio.gather(*(_try_model(server, model, look) for server in servers[len(found) :]))
    errors = [error for error in found if error]
    if len(errors) == len(servers):
        raise min(errors, key=_error_rank)
    for at, error in enumerate(found):
        if error:
            note(_exclude_server(scheduler, at, servers[at].name, model, error))
    able = [server for server, error in zip(servers, found, strict=True) if not error]
    for text in await _version_notes(able, model):
        note(text)
    return model


async def _version_notes(servers: Sequence[Server], model: str) -> tuple[str, ...]:
    """Return what is to be said where a model is not the same one everywhere."""
    if len(servers) == 1:
        return ()
    digests = await asyncio.gather(*(_digest(server, model) for server in servers))
    first = next(((server, digest) for server, digest in zip(servers, digests, strict=True) if digest), None)
    if first is None:
        return ()
    return tuple(
        f"{model} is not the same version on {server.name} as on {first[0].name}; both answer"
        for server, digest in zip(servers, digests, strict=True)
        if digest and digest != first[1]
    )


async def _digest(server: Server, model: str) -> str:
    """Return which version of a model a server has; nothing where it does not tell in time."""
    try:
        async with asyncio.timeout(PREFLIGHT_TIMEOUT_SECONDS):
            return await server.digest_of(model)
    except TimeoutError:
        return ""


async def _choose_model(servers: Sequence[Server], look: Look) -> tuple[str, list[ReflecttyError | None]]:
    """Return the best model of the first server that answers, and how those fared that were asked for it."""
    errors: list[ReflecttyError | None] = []
    for server in servers:
        try:
            model = await look(server, "")
        except ReflecttyError as error:
            errors.append(error)
        else:
            return model.name, [*errors, None]
    return "", errors


async def _try_model(server: Server, model: str, look: Look) -> ReflecttyError | None:
    try:
        await look(server, model)
    except ReflecttyError as error:
        return error
    return None


async def _in_time(server: Server, model: str) -> Model:
    """Return what a server knows of a model.

    Raises:
        StalledError: it says nothing in time.
    """
    try:
        async with asyncio.timeout(PREFLIGHT_TIMEOUT_SECONDS):
            return await server.find_model(model)
    except TimeoutError as error:
        raise StalledError(f"it sent nothing for {PREFLIGHT_TIMEOUT_SECONDS:g} s", "ask again") from error


async def _patiently(server: Server, model: str, note: Callable[[str], None]) -> Model:
    """Return the same, and say what is waited for where it takes its time."""
    text = SILENT.format(server=server.name, seconds=PREFLIGHT_TIMEOUT_SECONDS)
    telling = asyncio.get_running_loop().call_later(PREFLIGHT_TIMEOUT_SECONDS, note, text)
    try:
        return await server.find_model(model)
    finally:
        telling.cancel()


def _error_rank(error: ReflecttyError) -> int:
    """Return how far a server was from answering: one that lacks the model would do with it."""
    kinds = (ModelMissingError, UnreachableError)
    return 0 if isinstance(error, kinds[0]) else 2 if isinstance(error, kinds[1]) else 1


def _exclude_server(scheduler: Scheduler, at: int, name: str, model: str, error: ReflecttyError) -> str:
    """Note that a server cannot answer; return what is to be said of it."""
    place = scheduler.servers[at]
    if isinstance(error, ModelMissingError):
        place.missing_models.add(model)
        return f"{name} does not have {model}, so it is left out"
    if isinstance(error, UnreachableError | IncompleteError):
        place.is_unreachable = True
        return f"{name} does not answer yet: the others begin ({error})"
    place.slots = 0
    return f"{name} is left out: {error}"
