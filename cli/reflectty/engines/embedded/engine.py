"""Engine for the built-in model: starts its process, or attaches to a running one, and speaks llama.cpp's protocol."""

from __future__ import annotations

from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING, Final, NoReturn

import reflectty
from reflectty.core.errors import ModelMissingError, RefusedError, UnreachableError
from reflectty.core.messages import Engine, Timeouts
from reflectty.core.model_spec import MINI_NAME, is_mini
from reflectty.engines.connection import Connection, ServerProfile
from reflectty.engines.embedded import is_installed, protocol
from reflectty.engines.embedded.install import how_to_install
from reflectty.engines.embedded.model import INFO, mini_model, render_prompt, running_model
from reflectty.engines.embedded.runtime_files import find_paths
from reflectty.engines.embedded.server_process import ServerProcess
from reflectty.engines.hosts import BUILT_IN_ADDRESS
from reflectty.engines.server_client import ServerClient, WireProtocol
from reflectty.protocols.ollama import continue_prompt, missing_hint

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Mapping

    from reflectty.core.messages import Chunk, Model, Request, RunningModel
    from reflectty.core.model_spec import ModelSpec
    from reflectty.protocols.decoding import Body

KEEP_SECONDS: Final = 300.0
"""Seconds that the model stays loaded after a request without `keep_alive`, as with Ollama."""
UNCHANGEABLE_MESSAGE: Final = "the engine embedded is the built-in model, which cannot be changed"
SERVER_HINT: Final = "other models require a server: reflect config set engine ollama"
PROFILE: Final = ServerProfile(
    label="the built-in model",
    busy_statuses=frozenset(),
    cut_message=protocol.CUT_MESSAGE,
    cut_hint=protocol.AGAIN_HINT,
)
PROTOCOL: Final = WireProtocol(protocol.CompletionDecoder, protocol.refusal_error_of, missing_hint, PROFILE)


class EmbeddedEngine(Engine):
    """Answers requests with the model in our own process, which the first request starts.

    Args:
        timeouts: how long to wait.
        process: the process; None for the user's own.
        keep: seconds that it stays after a request without `keep_alive`.
    """

    local = True

    def __init__(
        self, timeouts: Timeouts | None = None, process: ServerProcess | None = None, keep: float = KEEP_SECONDS
    ) -> None:
        self._timeouts = timeouts or Timeouts()
        self._cached_process = process
        self._keep = keep
        self._open_client: ServerClient | None = None

    async def aclose(self) -> None:
        """Close the connections; the process stays."""
        if self._open_client:
            await self._open_client.aclose()

    @property
    def _process(self) -> ServerProcess:
        """The process, looked up at the first request, so that creating the engine never fails."""
        if self._cached_process is None:
            if not is_installed():
                raise UnreachableError("the built-in model is not installed", f"install it with {how_to_install()}")
            self._cached_process = ServerProcess(find_paths())
        return self._cached_process

    @property
    def _client(self) -> ServerClient:
        if self._open_client is None:
            connection = Connection(BUILT_IN_ADDRESS, self._timeouts, transport=self._process, profile=PROFILE)
            self._open_client = ServerClient(connection, PROTOCOL, self.models)
        return self._open_client

    # Replies

    def chat(self, request: Request) -> AsyncGenerator[Chunk, None]:
        """Yield the reply's chunks; closing the generator closes the connection, which stops the model.

        Raises:
            ModelMissingError: the request is for another model.
            UnreachableError: the model is not installed, or cannot be started.
            RefusedError: the model cannot do what is requested.
            IncompleteError: the reply was cut, or stalled.
        """
        return self._stream_reply(request, render_prompt(request.messages))

    def resume(self, request: Request, so_far: str) -> AsyncGenerator[Chunk, None]:
        """Yield what follows `so_far`, as content with its tags; raises what `chat` raises."""
        return self._stream_reply(request, continue_prompt(render_prompt(request.messages), so_far))

    async def _stream_reply(self, request: Request, prompt: str) -> AsyncGenerator[Chunk, None]:
        _refuse_unsupported(request)
        body = protocol.encode(request, prompt)
        async with (
            self._leased(request),
            aclosing(self._client.stream_reply("/completion", body, request.model)) as chunks,
        ):
            async for chunk in chunks:
                yield chunk

    @asynccontextmanager
    async def _leased(self, request: Request) -> AsyncIterator[None]:
        """Keep the process alive during a request, and after it for its `keep_alive`."""
        lease = await self._process.lease(protocol.seconds_of(request.keep_alive, self._keep))
        try:
            yield
        finally:
            lease.close()

    async def load(self, request: Request) -> None:
        """Start the process, or end it if `keep_alive` is 0; asks no question."""
        _require_mini(request.model)
        if not protocol.seconds_of(request.keep_alive, self._keep):
            await self._process.stop()
            return
        async with self._leased(request):
            await self._client.request_object("GET", "/health")

    # Facts

    async def show(self, model: str) -> Model:
        """The facts about the model.

        Raises:
            ModelMissingError: the name is that of another model.
        """
        _require_mini(model)
        return mini_model(self._process.paths, model)

    async def models(self) -> tuple[Model, ...]:
        """The built-in model."""
        return (mini_model(self._process.paths),)

    async def running_models(self) -> tuple[RunningModel, ...]:
        """The built-in model while its process runs."""
        process = self._process
        return (running_model(process.paths, process.expires_at),) if process.is_alive else ()

    async def version(self) -> str:
        """The version of this program."""
        return reflectty.__version__

    async def info(self, model: str) -> Mapping[str, object]:
        """The metadata of the model's file, without the long arrays."""
        _require_mini(model)
        return INFO

    # Changes, which the built-in model refuses

    async def model_spec(self, _model: str) -> ModelSpec:
        _refuse_change()

    async def has_blob(self, _digest: str) -> bool:
        _refuse_change()

    async def send_blob(self, _digest: str, _size: int, _pieces: AsyncIterable[bytes]) -> None:
        _refuse_change()

    async def create(self, _body: Body) -> None:
        _refuse_change()

    def stream_objects(
        self, _method: str, _path: str, _body: Body | None = None, _model: str = ""
    ) -> AsyncGenerator[Body, None]:
        _refuse_change()


def _refuse_change() -> NoReturn:
    raise RefusedError(UNCHANGEABLE_MESSAGE, SERVER_HINT)


def _require_mini(name: str) -> None:
    if not is_mini(name):
        message = (
            f"the model {name} is not installed: without a server, only the built-in model {MINI_NAME} is available"
        )
        raise ModelMissingError(message, f"use -m {MINI_NAME}, or --engine ollama for a server")


def _refuse_unsupported(request: Request) -> None:
    _require_mini(request.model)
    if request.think:
        hint = "this model's thinking cannot be switched: omit the mode or effort"
        raise RefusedError(f'the server refused: "{MINI_NAME}" does not support thinking', hint)
    if any(message.images for message in request.messages):
        raise RefusedError("the server refused: this model does not support images")
