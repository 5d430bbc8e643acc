"""Library: the models on one server. What is only looked at comes through the engine, what changes it by `ollama`."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING, Final, Self, cast

from reflectty import wire
from reflectty.chat import Request
from reflectty.cloud import elsewhere
from reflectty.errors import IncompleteError, ModelMissingError, ReflecttyError, RefusedError
from reflectty.library.client import open_client
from reflectty.library.failures import KEPT_HINT, of_create, of_pull
from reflectty.library.sharing import loaded_with
from reflectty.library.values import Installed, Progress, loaded_as, placed
from reflectty.modes import unable
from reflectty.names import checked_name, is_same

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable

    from ollama import AsyncClient, ProgressResponse

    from reflectty.chat import Model, OptionValue, Running
    from reflectty.engines.ollama import OllamaEngine
    from reflectty.library.values import Variant

AT_ONCE: Final = 8
"""How many models a server is asked about at a time."""
SUCCESS: Final = "success"


class Library:
    """The models on the server of an engine."""

    def __init__(self, engine: OllamaEngine) -> None:
        self.engine = engine
        """By it a model is asked a question."""
        self._opened: AsyncClient | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self.engine.aclose()

    # Looking

    async def installed(self) -> tuple[Installed, ...]:
        """Return the models that are there, the latest changed first, each with what the server says of it alone."""
        models, running = await asyncio.gather(self.engine.models(), self.engine.running())
        gate = asyncio.Semaphore(AT_ONCE)
        whole = await asyncio.gather(*(self._whole(model, gate) for model in models))
        latest = sorted(whole, key=lambda model: model.modified_at, reverse=True)
        return tuple(placed(model, running, whole) for model in latest)

    async def loaded(self) -> tuple[Running, ...]:
        """Return the models that the server holds in memory."""
        return await self.engine.running()

    async def show(self, name: str) -> Installed:
        """Return all that is known of a model.

        Raises:
            ModelMissingError: it is not installed.
        """
        model = await self.engine.show(checked_name(name))
        listed, running = await asyncio.gather(self.engine.models(), self.engine.running())
        known = next((one for one in listed if is_same(one.name, name)), model)
        return Installed(_joined(known, model), await loaded_with(self.engine, model, running))

    async def find(self, name: str) -> Installed:
        """Return a model as it is listed: one that is broken is so as well, though nothing can be shown of it.

        Raises:
            ModelMissingError: it is not installed.
        """
        checked_name(name)
        listed, running = await asyncio.gather(self.engine.models(), self.engine.running())
        known = next((one for one in listed if is_same(one.name, name)), None)
        if known is None:
            hint = wire.missing_hint(name, [one.name for one in listed])
            raise ModelMissingError(f"the model {name} is not installed", hint)
        return placed(known, running, listed)

    async def has(self, name: str) -> bool:
        """Whether a model of that name is installed."""
        try:
            await self.engine.show(checked_name(name))
        except ModelMissingError:
            return False
        return True

    async def digest(self, name: str) -> str:
        """Return which version of a model is installed, or nothing."""
        return next((one.digest for one in await self.engine.models() if is_same(one.name, name)), "")

    async def _whole(self, listed: Model, gate: asyncio.Semaphore) -> Model:
        """Return a listed model with its template and system prompt; as listed, where the server fails on it alone."""
        async with gate:
            try:
                return _joined(listed, await self.engine.show(listed.name))
            except ReflecttyError:
                return listed

    # Changing

    def pull(self, name: str, *, insecure: bool = False) -> AsyncGenerator[Progress, None]:
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

        return _progress(begun, lambda error: of_pull(error, name), KEPT_HINT)

    def create(self, variant: Variant) -> AsyncGenerator[Progress, None]:
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

        return _progress(begun, of_create, "create it again")

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
            if loaded_as(model, await self.loaded()):
                await self._keep(await self.engine.show(model), "0")
        await self._client.delete(model)

    async def load(
        self, name: str, keep_alive: str = "", options: tuple[tuple[str, OptionValue], ...] = ()
    ) -> Running | None:
        """Load a model, and return where it is; None where the server does not keep it.

        Args:
            name: the model.
            keep_alive: a number of seconds or a duration such as `5m`; empty is the server's default.
            options: what questions will be asked with: with others the first one would load it again.
        """
        model = await self.engine.show(checked_name(name))
        await self._keep(model, keep_alive, options)
        return await loaded_with(self.engine, model, await self.loaded())

    async def unload(self, name: str) -> bool:
        """Unload a model, and with it those of the same files; say whether it was loaded."""
        model = await self.engine.show(checked_name(name))
        was = await loaded_with(self.engine, model, await self.loaded())
        if was is None:
            return False
        await self._keep(model, "0")
        return not was.removed or await self._ends(was)

    async def _ends(self, was: Running) -> bool:
        """Whether what is listed under a name that is gone was the model that was unloaded: it ends then, or has."""
        still = loaded_as(was.name, await self.loaded())
        return still is None or still.expires_at != was.expires_at

    async def _keep(self, model: Model, keep_alive: str, options: tuple[tuple[str, OptionValue], ...] = ()) -> None:
        """Tell the server how long a model is to stay loaded, by a request that asks nothing.

        Raises:
            RefusedError: the server does not run it.
        """
        host = elsewhere(model)
        if host:
            raise RefusedError(f"{model.name} is a cloud model: {host} runs it, and nothing is loaded here")
        if unable(model):
            await self._client.embed(model.name, keep_alive=wire.keep_alive(keep_alive) if keep_alive else None)
        else:
            await self.engine.load(Request(model.name, (), options=options, keep_alive=keep_alive, fits=True))

    @property
    def _client(self) -> AsyncClient:
        # Who only looks does without the package.
        if self._opened is None:
            self._opened = open_client(self.engine)
        return self._opened


async def _progress(
    begun: Callable[[], Awaitable[AsyncIterator[ProgressResponse]]],
    explained: Callable[[IncompleteError], ReflecttyError],
    hint: str,
) -> AsyncGenerator[Progress, None]:
    """Yield a stream of progress to its end, which is a line that says so."""
    status = ""
    try:
        # It is a generator, whatever its type says.
        async with aclosing(cast("AsyncGenerator[ProgressResponse, None]", await begun())) as parts:
            async for part in parts:
                status = part.status or ""
                yield Progress(status, part.digest or "", part.total or 0, part.completed or 0)
    except IncompleteError as error:
        raise explained(error) from error
    except ValueError as error:
        # What the package cannot make its own values of.
        raise IncompleteError("the server sent what cannot be read", hint) from error
    if status != SUCCESS:
        raise IncompleteError("the server ended before it was done", hint)


def _joined(listed: Model, shown: Model) -> Model:
    """Return what both answers of a server say of a model."""
    return shown._replace(
        name=listed.name,
        digest=listed.digest,
        size=listed.size,
        modified_at=shown.modified_at or listed.modified_at,
        capabilities=shown.capabilities or listed.capabilities,
        context_length=shown.context_length or listed.context_length,
    )
