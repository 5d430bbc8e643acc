"""Lists, pulls, creates, copies, loads and removes the models on an Ollama server."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Final, Self, cast

from reflectty.core.errors import IncompleteError, ModelMissingError, ReflecttyError, RefusedError
from reflectty.core.messages import Request, Timeouts
from reflectty.core.model_names import checked_name, is_same_model, remote_host_of
from reflectty.engines import EngineName
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
    from reflectty.engines.ollama import OllamaEngine


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

LONGEST_SILENCE: Final = 900.0
"""Seconds that a server may say nothing."""


def open_model_library(
    host: str = "", *, engine: str = EngineName.OLLAMA, api_key: str = "", timeouts: Timeouts | None = None
) -> ModelLibrary:
    """Return the library, to be used in `async with`, for a value of OLLAMA_HOST or `--host`, or the built-in model's.

    Raises:
        UsageError: the host, or the proxy settings of the environment, cannot be used.
    """
    limits = extend_timeouts(timeouts or Timeouts())
    # asyncio and httpx cost as much as the rest of a command: errors in its arguments do not pay for them.
    from reflectty.engines.hosts import parse_host
    from reflectty.engines.ollama import OllamaEngine

    if engine == EngineName.EMBEDDED:
        return ModelLibrary(open_embedded(limits))
    return ModelLibrary(OllamaEngine(parse_host(host), api_key=api_key, timeouts=limits))


def extend_timeouts(timeouts: Timeouts) -> Timeouts:
    """Return time limits for a server that is silent while it checks the digest of a large model."""
    return timeouts._replace(idle=max(timeouts.idle, LONGEST_SILENCE))


MOST_REQUESTS: Final = 8
"""How many models a server is asked about at a time."""
SUCCESS: Final = "success"


class ModelLibrary:
    """The models on the server of an engine."""

    def __init__(self, engine: OllamaEngine) -> None:
        self.engine = engine
        """By it a model is asked a question."""
        self._open_client: AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self.engine.aclose()

    # Looking

    async def list_installed(self) -> tuple[InstalledModel, ...]:
        """Return the models that are there, the latest changed first, each with what the server says of it alone."""
        models, running = await asyncio.gather(self.engine.models(), self.engine.running_models())
        gate = asyncio.Semaphore(MOST_REQUESTS)
        whole = await asyncio.gather(*(self._add_details(model, gate) for model in models))
        latest = sorted(whole, key=lambda model: model.modified_at, reverse=True)
        return tuple(installed_model_of(model, running, whole) for model in latest)

    async def list_loaded(self) -> tuple[RunningModel, ...]:
        """Return the models that the server holds in memory."""
        return await self.engine.running_models()

    async def show(self, name: str) -> InstalledModel:
        """Return all that is known of a model.

        Raises:
            ModelMissingError: it is not installed.
        """
        model = await self.engine.show(checked_name(name))
        listed, running = await asyncio.gather(self.engine.models(), self.engine.running_models())
        known = next((one for one in listed if is_same_model(one.name, name)), model)
        return InstalledModel(_merge_answers(known, model), await find_running_by_files(self.engine, model, running))

    async def find(self, name: str) -> InstalledModel:
        """Return a model as it is listed: one that is broken is so as well, though nothing can be shown of it.

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
        """Whether a model of that name is installed."""
        try:
            await self.engine.show(checked_name(name))
        except ModelMissingError:
            return False
        return True

    async def digest_of(self, name: str) -> str:
        """Return which version of a model is installed, or nothing."""
        return next((one.digest for one in await self.engine.models() if is_same_model(one.name, name)), "")

    async def _add_details(self, listed: Model, gate: asyncio.Semaphore) -> Model:
        """Return a listed model with its template and system prompt; as listed, where the server fails on it alone."""
        async with gate:
            try:
                return _merge_answers(listed, await self.engine.show(listed.name))
            except ReflecttyError:
                return listed

    # Changing

    def pull(self, name: str, *, insecure: bool = False) -> AsyncGenerator[ProgressUpdate, None]:
        """Yield what the server says while it fetches a model; closing the generator stops it, what came is kept.

        Args:
            name: the model, as the registry calls it.
            insecure: whether the server may speak plain http to the registry.

        Raises:
            ModelMissingError: the registry has no such model.
            IncompleteError: the pull was cut.
        """

        async def begun() -> AsyncIterator[ProgressResponse]:
            return await self._client.pull(checked_name(name), insecure=insecure, stream=True)

        return _progress(begun, lambda error: pull_error_of(error, name), RESUME_PULL_HINT)

    def create(self, variant: ModelVariant) -> AsyncGenerator[ProgressUpdate, None]:
        """Yield what the server says while it makes a model of an installed one; one of that name is replaced.

        Raises:
            ModelMissingError: the source is not installed.
            IncompleteError: it was cut; nothing was made.
        """
        parameters = {key: list(value) if isinstance(value, tuple) else value for key, value in variant.parameters}

        async def begun() -> AsyncIterator[ProgressResponse]:
            # The server would pull a source that it does not have.
            await self.engine.show(checked_name(variant.source))
            return await self._client.create(
                checked_name(variant.name),
                from_=variant.source,
                system=variant.system or None,
                template=variant.template or None,
                parameters=parameters or None,
                stream=True,
            )

        return _progress(begun, create_error_of, "create it again")

    async def copy(self, source: str, target: str) -> None:
        """Give a model a second name; a model of that name is replaced.

        Raises:
            ModelMissingError: it is not installed.
        """
        await self._client.copy(checked_name(source), checked_name(target))

    async def remove(self, name: str) -> None:
        """Remove a model for good, and unload it before that.

        Ollama (0.32.15 and 0.34.2) keeps one that is removed while it is loaded in memory, under a name that it has no
        more, and with it the files of others.

        Raises:
            ModelMissingError: it is not installed.
        """
        model = checked_name(name)
        # Whether it can be removed is not decided by what is loaded.
        with suppress(ReflecttyError):
            if find_running(model, await self.list_loaded()):
                await self._set_keep_alive(await self.engine.show(model), "0")
        await self._client.delete(model)

    async def load(
        self, name: str, keep_alive: str = "", options: tuple[tuple[str, OptionValue], ...] = ()
    ) -> RunningModel | None:
        """Load a model, and return where it is; None where the server does not keep it.

        Args:
            name: the model.
            keep_alive: a number of seconds or a duration such as `5m`; empty is the server's default.
            options: what questions will be asked with: with others the first one would load it again.
        """
        model = await self.engine.show(checked_name(name))
        await self._set_keep_alive(model, keep_alive, options)
        return await find_running_by_files(self.engine, model, await self.list_loaded())

    async def unload(self, name: str) -> bool:
        """Unload a model, and with it those of the same files; say whether it was loaded."""
        model = await self.engine.show(checked_name(name))
        was = await find_running_by_files(self.engine, model, await self.list_loaded())
        if was is None:
            return False
        await self._set_keep_alive(model, "0")
        return not was.removed or await self._ends(was)

    async def _ends(self, was: RunningModel) -> bool:
        """Whether what is listed under a name that is gone was the model that was unloaded: it ends then, or has."""
        still = find_running(was.name, await self.list_loaded())
        return still is None or still.expires_at != was.expires_at

    async def _set_keep_alive(
        self, model: Model, keep_alive: str, options: tuple[tuple[str, OptionValue], ...] = ()
    ) -> None:
        """Tell the server how long a model is to stay loaded, by a request that asks nothing.

        Raises:
            RefusedError: the server does not run it.
        """
        host = remote_host_of(model)
        if host:
            raise RefusedError(f"{model.name} is a cloud model: {host} runs it, and nothing is loaded here")
        if non_chat_kind_of(model):
            await self._client.embed(model.name, keep_alive=ollama.keep_alive_of(keep_alive) if keep_alive else None)
        else:
            await self.engine.load(Request(model.name, (), options=options, keep_alive=keep_alive, fits_context=True))

    @property
    def _client(self) -> AsyncClient:
        # Who only looks does without the package.
        if self._open_client is None:
            self._open_client = open_client(self.engine)
        return self._open_client


async def _progress(
    begun: Callable[[], Awaitable[AsyncIterator[ProgressResponse]]],
    explained: Callable[[IncompleteError], ReflecttyError],
    hint: str,
) -> AsyncGenerator[ProgressUpdate, None]:
    """Yield a stream of progress to its end, which is a line that says so."""
    status = ""
    try:
        # It is a generator, whatever its type says.
        async with aclosing(cast("AsyncGenerator[ProgressResponse, None]", await begun())) as parts:
            async for part in parts:
                status = part.status or ""
                yield ProgressUpdate(status, part.digest or "", part.total or 0, part.completed or 0)
    except IncompleteError as error:
        raise explained(error) from error
    except ValueError as error:
        # What the package cannot make its own values of.
        raise IncompleteError("the server sent what cannot be read", hint) from error
    if status != SUCCESS:
        raise IncompleteError("the server ended before it was done", hint)


def _merge_answers(listed: Model, shown: Model) -> Model:
    """Return what both answers of a server say of a model."""
    return shown._replace(
        name=listed.name,
        digest=listed.digest,
        size=listed.size,
        modified_at=shown.modified_at or listed.modified_at,
        capabilities=shown.capabilities or listed.capabilities,
        context_length=shown.context_length or listed.context_length,
    )
