"""Engine that falls back to the built-in model when the server is unreachable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self, TypeVar

from reflectty.core.errors import (
    BusyError,
    IncompleteError,
    ModelMissingError,
    ReflecttyError,
    RefusedError,
    UnreachableError,
)
from reflectty.core.model_spec import MINI_NAME, is_mini

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from reflectty.core.messages import Capacity, Chunk, Engine, Model, Request, RunningModel, Workload
    from reflectty.reasoning.token_types import Vocabulary

T = TypeVar("T")

NOT_INSTALLED: Final = "mini is the built-in model, which is not installed"


class FallbackRules(NamedTuple):
    """What is decided elsewhere about the built-in model; each is asked only where it comes to that."""

    is_installed: Callable[[], bool]
    may_stand_in: Callable[[], bool]
    """Whether it may answer in place of a server that does not, though a question may have named no model."""
    notices: Callable[[bool], Awaitable[tuple[str, ...]]]
    """What the user is told before it answers, by whether it was asked for."""
    advice: Callable[[], str]
    """What is said beside the hint of a server that does not answer; often nothing."""
    on_reached: Callable[[], None]
    """Told whenever the server has answered."""


class FallbackEngine:
    """Asks the server, and the built-in model for what is its own and the server does not have.

    Args:
        server: the engine of the server that is meant.
        builtin: opens the engine of the built-in model, once that is needed.
        rules: what holds for that model.
        alone: whether no server is meant: `server` is the engine of the built-in model itself.
    """

    def __init__(
        self, server: Engine, builtin: Callable[[], Engine], rules: FallbackRules, *, builtin_only: bool = False
    ) -> None:
        self.warning = server.warning
        self.pulls: bool = getattr(server, "pulls", True)
        """Whether the server fetches models when it is asked to."""
        self.using_fallback = builtin_only
        """Whether no server answers, so that the built-in model does."""
        self._server = server
        self._open_builtin = builtin
        self._builtin = server if builtin_only else None
        self._rules = rules
        self._builtin_only = builtin_only
        self._notified = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close what is open towards the server, and towards the built-in model."""
        await self._server.aclose()
        if self._builtin and not self._builtin_only:
            await self._builtin.aclose()

    @property
    def local(self) -> bool:
        """Whether the server is on this machine, as far as its address tells."""
        return bool(getattr(self._server, "local", False))

    async def info(self, model: str) -> Mapping[str, object]:
        """Return what the file of a model says of its architecture; nothing where nobody tells."""
        return await _call_optional(self._engine_for(model), "info", model) or {}

    def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield the chunks of the reply of whoever has the model."""
        return self._engine_for(request.model).chat(request)

    def resume(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield what follows the beginning of a reply, from whoever has the model."""
        return self._engine_for(request.model).resume(request, so_far)

    async def prompt(self, request: Request) -> str:
        """Return the prompt as whoever has the model renders it, to go on after; nothing where that needs none."""
        return await _call_optional(self._engine_for(request.model), "prompt", request) or ""

    async def opener(self, request: Request) -> str:
        """Return the marker with which the model opens its thinking, where its server tells."""
        return await _call_optional(self._engine_for(request.model), "opener", request) or ""

    async def show(self, model: str) -> Model:
        """Return what is known of a model: of the built-in one where the server has none of that name, or cannot say.

        A server that refuses, for a wrong key say, is not passed over.

        Raises:
            ModelMissingError: nobody has it; and what asking the server raises.
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
        return await self._builtin_model(asked=True)

    async def models(self) -> tuple[Model, ...]:
        """Return the models of the server; where it does not answer and nothing forbids it, the built-in one."""
        if self._builtin_only:
            return (await self._builtin_model(asked=True),)
        try:
            found = await self._ask_server(self._server.models())
        except UnreachableError as error:
            if not self._fall_back():
                raise
            own = await self._builtin_model(asked=False)
            return (own._replace(notices=(*own.notices, *filter(None, (error.other_server_hint,)))),)
        self.using_fallback = False
        return found

    async def running_models(self) -> tuple[RunningModel, ...]:
        """Return the models that are loaded, be it on the server or here."""
        theirs = () if self.using_fallback else await self._ask_server(self._server.running_models())
        return (*theirs, *await self._builtin.running_models()) if self._builtin else theirs

    async def version(self) -> str:
        """Return the version of the server, or of what answers in its place."""
        if self.using_fallback and self._builtin:
            return await self._builtin.version()
        try:
            return await self._ask_server(self._server.version())
        except UnreachableError:
            if not self._fall_back():
                raise
            return await self._builtin_engine().version()

    async def capacity(self, model: str) -> Capacity | None:
        """Return what whoever has a model tells of how many it answers at once; None where nobody knows to ask."""
        found: Capacity | None = await _call_optional(self._engine_for(model), "capacity", model)
        return found

    async def workload(self) -> Workload | None:
        """Return what the server is doing; None where it does not tell."""
        found: Workload | None = None if self.using_fallback else await _call_optional(self._server, "workload")
        return found

    @property
    def kind(self) -> str:
        """What the server is called, where its engine knows kinds; often nothing."""
        return "" if self.using_fallback else str(getattr(self._server, "kind", ""))

    async def vocabulary(self, model: str) -> Vocabulary:
        """Return the tokens of a model; none where nobody tells them."""
        from reflectty.reasoning.token_types import Vocabulary

        tell = getattr(self._engine_for(model), "vocabulary", None)
        found: Vocabulary = await tell(model) if tell else Vocabulary()
        return found

    def _engine_for(self, model: str) -> Engine:
        return self._builtin if self._builtin and is_mini(model) else self._server

    def _fall_back(self) -> bool:
        """Whether the built-in model answers in place of a server that does not."""
        self.using_fallback = self._rules.is_installed() and self._rules.may_stand_in()
        return self.using_fallback

    def _builtin_engine(self) -> Engine:
        self._builtin = self._builtin or self._open_builtin()
        return self._builtin

    async def _builtin_model(self, *, asked: bool) -> Model:
        """Return the built-in model, with what is to be said of it the first time."""
        engine = self._builtin_engine()
        shown, listed = await engine.show(MINI_NAME), await engine.models()
        notices = () if self._notified else await self._rules.notices(asked)
        self._notified = True
        digest = next((one.digest for one in listed), "")
        return shown._replace(digest=digest, notices=notices, grammar="llguidance", sorts_schema_keys=False)

    async def _ask_server(self, answer: Awaitable[T]) -> T:
        """Return what the server answers; of one that is not reached, the error says what else there is."""
        try:
            found = await answer
        except UnreachableError as error:
            error.hint = _join_hints(error.hint, self._rules.advice())
            raise
        self._rules.on_reached()
        return found


async def _call_optional(engine: Engine, method: str, *of: object) -> Any:  # noqa: ANN401 - each method answers something else
    """Return what an engine answers to a method that not every engine has; None where it has none."""
    tell = getattr(engine, method, None)
    return await tell(*of) if tell else None


def _join_hints(*hints: str) -> str:
    return "; ".join(filter(None, hints))


def _not_installed_error_of(error: ReflecttyError) -> ReflecttyError:
    """Return the error of a server that was to answer in its place, with what brings the built-in model.

    What a server could pull by that name is another one.
    """
    from reflectty.engines.embedded.install import how_to_install

    brings_it = f"{how_to_install()} brings it"
    if isinstance(error, ModelMissingError):
        return type(error)(f"{NOT_INSTALLED}, and the server has none of that name", brings_it)
    return type(error)(f"{NOT_INSTALLED}; and {error}", brings_it)
