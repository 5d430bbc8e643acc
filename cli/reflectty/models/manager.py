"""Lists, pulls, creates, copies, loads and removes the models on an Ollama server."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Final, Self, cast

from reflectty.core.errors import IncompleteError, ModelMissingError, ReflecttyError, RefusedError
from reflectty.core.messages import Request, Timeouts
from reflectty.core.model_names import checked_name, digest_in, is_same_model, remote_host_of
from reflectty.engines import is_built_in
from reflectty.engines.embedded import open_embedded
from reflectty.engines.ollama_client import open_client
from reflectty.models.installed import (
    InstalledModel,
    ModelVariant,
    ProgressUpdate,
    TransferProgress,
    add_reflection_prompt,
    find_running,
    find_running_by_files,
    installed_model_of,
)
from reflectty.models.refusals import RESUME_PULL_HINT, create_error_of, pull_error_of
from reflectty.protocols import ollama
from reflectty.reasoning.modes import non_chat_kind_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from ollama import AsyncClient, ProgressResponse

    from reflectty.core.messages import Model, OptionValue, RunningModel
    from reflectty.engines import ModelServer
    from reflectty.models.fit import Placement, ServerHardware


__all__ = [
    "InstalledModel",
    "ModelVariant",
    "ProgressUpdate",
    "TransferProgress",
    "add_reflection_prompt",
    "checked_name",
    "extend_timeouts",
    "open_model_library",
]

MAX_SILENCE: Final = 900.0
"""Seconds that a server may be silent."""


def open_model_library(
    host: str = "", *, engine: str = "", api_key: str = "", timeouts: Timeouts | None = None
) -> ModelLibrary:
    """The library for an OLLAMA_HOST or `--host` value, or for the built-in model; use it in `async with`.

    Raises:
        UsageError: the host, or the proxy settings of the environment, cannot be used.
    """
    limits = extend_timeouts(timeouts or Timeouts())
    # Importing asyncio and httpx takes as long as the rest of a command: wrong arguments fail before it.
    from reflectty.engines.hosts import parse_host
    from reflectty.engines.ollama import OllamaEngine

    if is_built_in(engine):
        return ModelLibrary(open_embedded(limits), is_built_in=True)
    return ModelLibrary(OllamaEngine(parse_host(host), api_key=api_key, timeouts=limits))


def extend_timeouts(timeouts: Timeouts) -> Timeouts:
    """Raise the idle timeout for a server that is silent while it checks the digest of a large model."""
    return timeouts._replace(idle=max(timeouts.idle, MAX_SILENCE))


MAX_REQUESTS: Final = 8
"""How many models are requested in parallel."""
SUCCESS: Final = "success"


class ModelLibrary:
    """Manages the models on an engine's server; `is_built_in` if that is the built-in model."""

    def __init__(self, engine: ModelServer, *, is_built_in: bool = False) -> None:
        self.engine = engine
        self.is_built_in = is_built_in
        self._open_client: AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self.engine.aclose()

    # Queries

    async def list_installed(self) -> tuple[InstalledModel, ...]:
        """The installed models, the latest changed first, each with its details."""
        models, running = await asyncio.gather(self.engine.models(), self.engine.running_models())
        gate = asyncio.Semaphore(MAX_REQUESTS)
        whole = await asyncio.gather(*(self._add_details(model, gate) for model in models))
        latest = sorted(whole, key=lambda model: model.modified_at, reverse=True)
        found = (installed_model_of(model, running, whole) for model in latest)
        return tuple(one._replace(built_in=self.is_built_in) for one in found)

    async def list_loaded(self) -> tuple[RunningModel, ...]:
        """The models that the server holds in memory."""
        return await self.engine.running_models()

    async def show(self, name: str) -> InstalledModel:
        """A model with all details.

        Raises:
            ModelMissingError: it is not installed.
        """
        model = await self.engine.show(checked_name(name))
        listed, running = await asyncio.gather(self.engine.models(), self.engine.running_models())
        known = next((one for one in listed if is_same_model(one.name, name)), model)
        loaded = await find_running_by_files(self.engine, model, running)
        return InstalledModel(_merge_answers(known, model), loaded, self.is_built_in)

    async def find(self, name: str) -> InstalledModel:
        """A model as listed, without details: works for a broken model as well.

        Raises:
            ModelMissingError: it is not installed.
        """
        checked_name(name)
        listed, running = await asyncio.gather(self.engine.models(), self.engine.running_models())
        known = next((one for one in listed if is_same_model(one.name, name)), None)
        if known is None:
            hint = ollama.missing_hint(name, [one.name for one in listed])
            raise ModelMissingError(f"the model {name} is not installed", hint)
        return installed_model_of(known, running, listed)

    async def is_installed(self, name: str) -> bool:
        """True if a model of that name is installed."""
        try:
            await self.engine.show(checked_name(name))
        except ModelMissingError:
            return False
        return True

    async def fit(self, one: InstalledModel, hardware: ServerHardware, context: int = 0) -> Placement:
        """Estimate where an installed model runs.

        Args:
            one: the model.
            hardware: the server's hardware.
            context: tokens; 0 for the context that the model is or would be loaded with.
        """
        from reflectty.models.estimate import compare_with_running, estimate_memory
        from reflectty.models.fit import default_load, place_on

        machine = hardware.without_loaded_models(await self.list_loaded())
        load = default_load(
            machine,
            context=context or (one.running.context_length if one.running else 0),
            parameters=one.model.parameters,
            environment=hardware.environment,
        )
        estimate = estimate_memory(await self.engine.info(one.name), one.model.size, load, one.model.quantization)
        comparison = compare_with_running(estimate, one.running) if one.running else None
        return place_on(estimate, machine)._replace(comparison=comparison)

    async def digest_of(self, name: str) -> str:
        """The digest of an installed model; empty if it is not installed."""
        return digest_in(await self.engine.models(), name)

    async def _add_details(self, listed: Model, gate: asyncio.Semaphore) -> Model:
        """A listed model with its template and system prompt; unchanged if the server fails to show it."""
        async with gate:
            try:
                return _merge_answers(listed, await self.engine.show(listed.name))
            except ReflecttyError:
                return listed

    # Changes

    def pull(self, name: str, *, insecure: bool = False) -> AsyncGenerator[ProgressUpdate, None]:
        """Pull a model and yield the progress; closing the generator stops the pull, and the server keeps what it has.

        Args:
            name: the model's name in the registry.
            insecure: True if the server may use plain HTTP to the registry.

        Raises:
            ModelMissingError: the registry has no such model.
            IncompleteError: the pull was interrupted.
        """

        async def start() -> AsyncIterator[ProgressResponse]:
            return await self._client.pull(checked_name(name), insecure=insecure, stream=True)

        return _progress(start, lambda error: pull_error_of(error, name), RESUME_PULL_HINT)

    def create(self, variant: ModelVariant) -> AsyncGenerator[ProgressUpdate, None]:
        """Create a variant of an installed model and yield the progress; a model of that name is replaced.

        Raises:
            ModelMissingError: the source is not installed.
            IncompleteError: it was interrupted; nothing was created.
        """
        parameters = {key: list(value) if isinstance(value, tuple) else value for key, value in variant.parameters}

        async def start() -> AsyncIterator[ProgressResponse]:
            # The server would pull a missing source.
            await self.engine.show(checked_name(variant.source))
            return await self._client.create(
                checked_name(variant.name),
                from_=variant.source,
                system=variant.system or None,
                template=variant.template or None,
                parameters=parameters or None,
                stream=True,
            )

        return _progress(start, create_error_of, "create it again")

    async def copy(self, source: str, target: str) -> None:
        """Give a model a second name; a model of that name is replaced.

        Raises:
            ModelMissingError: the source is not installed.
        """
        await self._client.copy(checked_name(source), checked_name(target))

    async def remove(self, name: str) -> None:
        """Unload and delete a model.

        Ollama (0.32.15 and 0.34.2) keeps a loaded model in memory after its deletion, under its former name, and with
        it those of the same files.

        Raises:
            ModelMissingError: it is not installed.
        """
        model = checked_name(name)
        # A failure to unload must not prevent the removal.
        with suppress(ReflecttyError):
            if find_running(model, await self.list_loaded()):
                await self._set_keep_alive(await self.engine.show(model), "0")
        await self._client.delete(model)

    async def load(
        self, name: str, keep_alive: str = "", options: tuple[tuple[str, OptionValue], ...] = ()
    ) -> RunningModel | None:
        """Load a model and return where it is loaded; None if the server does not keep it.

        Args:
            name: the model.
            keep_alive: a number of seconds or a duration such as `5m`; empty is the server's default.
            options: the options of later requests: the first one with others would load it again.
        """
        model = await self.engine.show(checked_name(name))
        await self._set_keep_alive(model, keep_alive, options)
        return await find_running_by_files(self.engine, model, await self.list_loaded())

    async def unload(self, name: str) -> bool:
        """Unload a model and those of the same files; True if it was loaded."""
        model = await self.engine.show(checked_name(name))
        loaded = await find_running_by_files(self.engine, model, await self.list_loaded())
        if loaded is None:
            return False
        await self._set_keep_alive(model, "0")
        return not loaded.removed or await self._has_ended(loaded)

    async def _has_ended(self, loaded: RunningModel) -> bool:
        """True if the model under a removed name was the unloaded one: it is gone, or its expiry changed."""
        still = find_running(loaded.name, await self.list_loaded())
        return still is None or still.expires_at != loaded.expires_at

    async def _set_keep_alive(
        self, model: Model, keep_alive: str, options: tuple[tuple[str, OptionValue], ...] = ()
    ) -> None:
        """Set how long a model stays loaded, by a request without a prompt.

        Raises:
            RefusedError: another host runs the model.
        """
        host = remote_host_of(model)
        if host:
            raise RefusedError(f"{model.name} is a cloud model: it runs on {host}, and nothing is loaded here")
        if non_chat_kind_of(model):
            await self._client.embed(model.name, keep_alive=ollama.keep_alive_of(keep_alive) if keep_alive else None)
        else:
            await self.engine.load(Request(model.name, (), options=options, keep_alive=keep_alive, fits_context=True))

    @property
    def _client(self) -> AsyncClient:
        # Queries work without the ollama package.
        if self._open_client is None:
            self._open_client = open_client(self.engine)
        return self._open_client


async def _progress(
    start: Callable[[], Awaitable[AsyncIterator[ProgressResponse]]],
    error_of: Callable[[IncompleteError], ReflecttyError],
    hint: str,
) -> AsyncGenerator[ProgressUpdate, None]:
    """Yield a stream of progress, and check that it ends with a success line."""
    status = ""
    try:
        # The client returns a generator, whatever its annotation says.
        async with aclosing(cast("AsyncGenerator[ProgressResponse, None]", await start())) as parts:
            async for part in parts:
                status = part.status or ""
                yield ProgressUpdate(status, part.digest or "", part.total or 0, part.completed or 0)
    except IncompleteError as error:
        raise error_of(error) from error
    except ValueError as error:
        # The package cannot parse the server's line.
        raise IncompleteError("the server sent an unreadable response", hint) from error
    if status != SUCCESS:
        raise IncompleteError("the server stopped before it was done", hint)


def _merge_answers(listed: Model, shown: Model) -> Model:
    """Merge the server's listed and detailed answers about a model."""
    return shown._replace(
        name=listed.name,
        digest=listed.digest,
        size=listed.size,
        modified_at=shown.modified_at or listed.modified_at,
        capabilities=shown.capabilities or listed.capabilities,
        context_length=shown.context_length or listed.context_length,
    )
