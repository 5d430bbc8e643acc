"""Asks one server of a batch and checks before the start which servers can answer."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from reflectty.batch.records import Outcome
from reflectty.chat.model_choice import find_model
from reflectty.chat.run import ask
from reflectty.chat.trial import probe_parallel_slots
from reflectty.core.errors import IncompleteError, ModelMissingError, ReflecttyError, StalledError, UnreachableError
from reflectty.core.messages import Capacity
from reflectty.core.model_names import digest_in
from reflectty.core.model_spec import sampling_defaults_of
from reflectty.output import SilentRenderer
from reflectty.reasoning.modes import AskOptions

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from reflectty.batch.scheduler import Scheduler
    from reflectty.chat.request import Question
    from reflectty.chat.trial import ParallelSlots
    from reflectty.core.messages import Engine, Model, Workload
    from reflectty.reasoning.reply import Reply

    Look = Callable[["Server", str], Awaitable[Model]]


ALIVE_SECONDS: Final = 5.0
"""Timeout of the requests that check a server's state."""
MAX_MODELS: Final = 256
"""Models of one server that are cached."""


class Server:
    """A named server with its engine and a cache of its models."""

    def __init__(
        self, name: str, engine: Engine, *, note: Callable[[str], None], first_time: Callable[[str], bool]
    ) -> None:
        self.name = name
        self.engine = engine
        self._note = note
        self._first_time = first_time
        self._models: dict[str, Model] = {}
        self._digests: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.engine.aclose()

    async def find_model(self, name: str) -> Model:
        """Look up a model, cached; an empty name picks the best installed one.

        Raises:
            ModelMissingError: the model is not installed; other errors of the engine pass through.
        """
        if name not in self._models:
            if len(self._models) >= MAX_MODELS:
                self._models.clear()
            found = await find_model(self.engine, AskOptions(model=name), self._note)
            # The lines ask it by its name, and their first reply has its notices.
            self._models[name] = self._models[found.name] = found
        return self._models[name]

    async def digest_of(self, name: str) -> str:
        """The digest of a model on this server; empty if unknown."""
        try:
            installed = await self.engine.models()
        except ReflecttyError:
            return ""
        return digest_in(installed, name)

    async def _find_model_to_ask(self, ask_options: AskOptions) -> Model:
        """Look up the model of a line, with its digest if evidence on it is to be checked; both are cached."""
        model = await self.find_model(ask_options.model)
        evidence = ask_options.evidence_for(model.name)
        if evidence is None or not evidence.digest or model.digest:
            return model
        if model.name not in self._digests:
            self._digests[model.name] = await self.digest_of(model.name)
        return model._replace(digest=self._digests[model.name])

    def forget_model(self, name: str) -> None:
        """Remove a model that proved missing from the cache."""
        self._models.pop(name, None)

    async def answer(self, question: Question) -> Outcome:
        """Ask a question; an error becomes part of the outcome."""
        listener = SilentRenderer(self._note)
        try:
            model = await self._find_model_to_ask(question.ask_options)
            reply = await self._ask(question, listener, model)
        except ReflecttyError as error:
            return Outcome(listener.reply, error, self.name)
        return Outcome(reply, None, self.name)

    async def _ask(self, question: Question, listener: SilentRenderer, model: Model) -> Reply:
        if question.asks_once:
            return await ask(self.engine, question, listener, first_time=self._first_time, model=model, patience=0)
        from reflectty.chat.ways import Stage, ask_in_its_way

        return await ask_in_its_way(
            self.engine,
            question._replace(announce=False),
            Stage(listener),
            first_time=self._first_time,
            model=model,
            patience=0,
        )

    def is_deterministic(self, question: Question) -> bool:
        """True if a question gets the same reply each time: with a fixed seed or a temperature of 0."""
        model = self._models.get(question.ask_options.model)
        options = dict(question.ask_options.options)
        defaults = {one.option: one.value for one in sampling_defaults_of(model)} if model else {}
        temperature, seed = (options.get(name, defaults.get(name)) for name in ("temperature", "seed"))
        return _option_number(temperature) == 0 or _option_number(seed) >= 0

    async def probe_slots(self, question: Question) -> ParallelSlots:
        """Probe how many such questions the server answers in parallel; the model should be loaded."""
        model = await self.find_model(question.ask_options.model)
        return await probe_parallel_slots(self.engine, question, model)

    async def load_capacity(self) -> Capacity | None:
        """The capacity that the server reports; None if its kind never does."""
        model = next((one.name for one in self._models.values()), "")
        try:
            async with asyncio.timeout(ALIVE_SECONDS):
                return await self.engine.capacity(model)
        except (ReflecttyError, TimeoutError):
            return Capacity()

    async def load_workload(self) -> Workload | None:
        """The running and waiting requests that the server reports; None if it does not."""
        try:
            async with asyncio.timeout(ALIVE_SECONDS):
                return await self.engine.workload()
        except (ReflecttyError, TimeoutError):
            return None

    async def is_reachable(self) -> bool:
        """True if the server answers either request, even with a refusal; a proxy may leave one unanswered."""
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
    """The number that an option is set to; -1 if none, which means unset to Ollama."""
    try:
        return float(str(value))
    except ValueError:
        return -1.0


PREFLIGHT_TIMEOUT_SECONDS: Final = 10.0
"""Timeout for a model lookup with several servers; with a single one, the time until a note."""
SILENT: Final = "{server} has not responded for {seconds:.0f} s: still waiting (--timeout sets the limit)"


async def check_servers(
    servers: Sequence[Server], scheduler: Scheduler, model: str, note: Callable[[str], None]
) -> str:
    """Determine the model for all servers and mark in the scheduler which servers can answer.

    Args:
        servers: the servers of the batch.
        scheduler: holds their state, in the same order.
        model: the named model; empty picks the best one of the first server that answers.
        note: called for each excluded server with the reason.

    Raises:
        ReflecttyError: no server can answer; the error of the one closest to answering.
    """
    found: list[ReflecttyError | None] = []
    # A silent server must not delay the others.
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
    usable = [server for server, error in zip(servers, found, strict=True) if not error]
    for text in await _version_notes(usable, model):
        note(text)
    return model


async def _version_notes(servers: Sequence[Server], model: str) -> tuple[str, ...]:
    """Notes on servers whose version of the model differs from the first."""
    if len(servers) == 1:
        return ()
    digests = await asyncio.gather(*(_digest(server, model) for server in servers))
    first = next(((server, digest) for server, digest in zip(servers, digests, strict=True) if digest), None)
    if first is None:
        return ()
    return tuple(
        f"{model} is a different version on {server.name} than on {first[0].name}; both are used"
        for server, digest in zip(servers, digests, strict=True)
        if digest and digest != first[1]
    )


async def _digest(server: Server, model: str) -> str:
    """The digest of a model on a server; empty if unknown or after a timeout."""
    try:
        async with asyncio.timeout(PREFLIGHT_TIMEOUT_SECONDS):
            return await server.digest_of(model)
    except TimeoutError:
        return ""


async def _choose_model(servers: Sequence[Server], look: Look) -> tuple[str, list[ReflecttyError | None]]:
    """The best model of the first server that answers, and the error (or None) of each server asked."""
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
    """Look up a model within `PREFLIGHT_TIMEOUT_SECONDS`.

    Raises:
        StalledError: the server does not answer in time.
    """
    try:
        async with asyncio.timeout(PREFLIGHT_TIMEOUT_SECONDS):
            return await server.find_model(model)
    except TimeoutError as error:
        raise StalledError(f"no response within {PREFLIGHT_TIMEOUT_SECONDS:g} s", "try again") from error


async def _patiently(server: Server, model: str, note: Callable[[str], None]) -> Model:
    """Look up a model without this timeout, but with a note once it has passed."""
    text = SILENT.format(server=server.name, seconds=PREFLIGHT_TIMEOUT_SECONDS)
    timer = asyncio.get_running_loop().call_later(PREFLIGHT_TIMEOUT_SECONDS, note, text)
    try:
        return await server.find_model(model)
    finally:
        timer.cancel()


def _error_rank(error: ReflecttyError) -> int:
    """How far a server was from answering: a missing model is closest, an unreachable server farthest."""
    kinds = (ModelMissingError, UnreachableError)
    return 0 if isinstance(error, kinds[0]) else 2 if isinstance(error, kinds[1]) else 1


def _exclude_server(scheduler: Scheduler, at: int, name: str, model: str, error: ReflecttyError) -> str:
    """Mark a server as unable to answer and return the note about it."""
    state = scheduler.servers[at]
    if isinstance(error, ModelMissingError):
        state.missing_models.add(model)
        return f"{name} does not have {model}: skipping it"
    if isinstance(error, UnreachableError | IncompleteError):
        state.is_unreachable = True
        return f"{name} is not responding yet: starting without it ({error})"
    state.slots = 0
    return f"skipping {name}: {error}"
