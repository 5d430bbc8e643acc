"""Engine that falls back to the built-in model when the server is unreachable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from reflectty.core.errors import (
    BusyError,
    IncompleteError,
    ModelMissingError,
    ReflecttyError,
    RefusedError,
    UnreachableError,
)
from reflectty.core.messages import Engine
from reflectty.core.model_spec import MINI_NAME, is_mini
from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from reflectty.core.messages import Capacity, Chunk, Model, Request, RunningModel, Vocabulary, Workload

T = TypeVar("T")

NOT_INSTALLED: Final = "the built-in model mini is not installed"


class FallbackRules(NamedTuple):
    """Decisions about the built-in model that callers make; each is called only when needed."""

    is_installed: Callable[[], bool]
    may_stand_in: Callable[[], bool]
    """Whether it may answer when the server is unreachable, even if a question names no model."""
    notices: Callable[[bool], Awaitable[tuple[str, ...]]]
    """Notices before its first reply; the argument is whether it was requested by name."""
    advice: Callable[[], str]
    """Addition to the hint of an unreachable server; often empty."""
    on_reached: Callable[[], None]
    """Called whenever the server has answered."""


class FallbackEngine(Engine):
    """Sends requests to the server, or to the built-in model: for `mini`, or while the server is unreachable.

    Args:
        server: the engine of the configured server.
        builtin: opens the engine of the built-in model when it is needed.
        rules: decisions about the built-in model.
        builtin_only: whether no server is configured: `server` is the engine of the built-in model itself.
    """

    def __init__(
        self, server: Engine, builtin: Callable[[], Engine], rules: FallbackRules, *, builtin_only: bool = False
    ) -> None:
        self.warning = server.warning
        self.manages_models = server.manages_models
        self.reports_memory = server.reports_memory
        self.local = server.local
        self.using_fallback = builtin_only
        self._server = server
        self._open_builtin = builtin
        self._builtin = server if builtin_only else None
        self._rules = rules
        self._builtin_only = builtin_only
        self._notified = False

    async def aclose(self) -> None:
        """Close the engines of the server and the built-in model."""
        await self._server.aclose()
        if self._builtin and not self._builtin_only:
            await self._builtin.aclose()

    async def info(self, model: str) -> Mapping[str, object]:
        """The metadata of a model's file; empty if unavailable."""
        return await self._engine_for(model).info(model)

    def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield the chunks of a reply from the engine that has the model."""
        return self._engine_for(request.model).chat(request)

    def resume(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield what follows the beginning of a reply, from the engine that has the model."""
        return self._engine_for(request.model).resume(request, so_far)

    async def prompt(self, request: Request) -> str:
        """The rendered prompt to continue after; empty if the engine needs none."""
        return await self._engine_for(request.model).prompt(request)

    async def opener(self, request: Request) -> str:
        """The tag that opens the model's thinking, if its server reports it."""
        return await self._engine_for(request.model).opener(request)

    async def show(self, model: str) -> Model:
        """The facts about a model; for `mini` the built-in model's, if the server lacks one or does not answer.

        A server that refuses, as for a wrong key, is not bypassed.

        Raises:
            ModelMissingError: no engine has the model; and what the server's engine raises.
        """
        if not is_mini(model):
            return await self._ask_server(self._server.show(model))
        if self._builtin is None:
            try:
                return await self._ask_server(self._server.show(model))
            except (UnreachableError, ModelMissingError, BusyError, IncompleteError) as error:
                if not self._rules.is_installed():
                    raise _not_installed_error_of(error) from error
                self.using_fallback = not isinstance(error, RefusedError)
        return await self._builtin_model(by_name=True)

    async def models(self) -> tuple[Model, ...]:
        """The models of the server; if it is unreachable and the rules allow it, the built-in model."""
        if self._builtin_only:
            return (await self._builtin_model(by_name=True),)
        try:
            models = await self._ask_server(self._server.models())
        except UnreachableError as error:
            if not self._fall_back():
                raise
            builtin = await self._builtin_model(by_name=False)
            return (builtin._replace(notices=(*builtin.notices, *filter(None, (error.other_server_hint,)))),)
        self.using_fallback = False
        return models

    async def running_models(self) -> tuple[RunningModel, ...]:
        """The loaded models of the server and of the built-in model."""
        models = () if self.using_fallback else await self._ask_server(self._server.running_models())
        return (*models, *await self._builtin.running_models()) if self._builtin else models

    async def version(self) -> str:
        """The version of the server, or of the built-in model in its place."""
        if self.using_fallback and self._builtin:
            return await self._builtin.version()
        try:
            return await self._ask_server(self._server.version())
        except UnreachableError:
            if not self._fall_back():
                raise
            return await self._builtin_engine().version()

    async def capacity(self, model: str) -> Capacity | None:
        """How many requests the model's engine answers at once; None if it does not report it."""
        return await self._engine_for(model).capacity(model)

    async def workload(self) -> Workload | None:
        """The server's running and waiting requests; None if it does not report them."""
        return None if self.using_fallback else await self._server.workload()

    @property
    def software(self) -> str:
        """The name of the server software, if known; often empty."""
        return "" if self.using_fallback else self._server.software

    async def vocabulary(self, model: str) -> Vocabulary:
        """The tokens of a model; empty if unavailable."""
        return await self._engine_for(model).vocabulary(model)

    def _engine_for(self, model: str) -> Engine:
        return self._builtin if self._builtin and is_mini(model) else self._server

    def _fall_back(self) -> bool:
        """Decide whether the built-in model answers in place of an unreachable server."""
        self.using_fallback = self._rules.is_installed() and self._rules.may_stand_in()
        return self.using_fallback

    def _builtin_engine(self) -> Engine:
        self._builtin = self._builtin or self._open_builtin()
        return self._builtin

    async def _builtin_model(self, *, by_name: bool) -> Model:
        """The built-in model, with notices the first time."""
        model = await self._builtin_engine().show(MINI_NAME)
        notices = () if self._notified else await self._rules.notices(by_name)
        self._notified = True
        return model._replace(notices=notices)

    async def _ask_server(self, answer: Awaitable[T]) -> T:
        """Await the server's answer; adds advice to the error of an unreachable server."""
        try:
            result = await answer
        except UnreachableError as error:
            error.hint = _join_hints(error.hint, self._rules.advice())
            raise
        self._rules.on_reached()
        return result


def _join_hints(*hints: str) -> str:
    return "; ".join(filter(None, hints))


def _not_installed_error_of(error: ReflecttyError) -> ReflecttyError:
    """The server's error with the hint how to install the built-in model, which would answer instead.

    A model of the same name that the server could pull is a different one.
    """
    from reflectty.engines.embedded.install import how_to_install

    hint = f"install it with {how_to_install()}"
    if isinstance(error, ModelMissingError):
        return type(error)(f"{NOT_INSTALLED}, and the server has no model of that name", hint)
    return type(error)(f"{NOT_INSTALLED}; {error}", hint)
