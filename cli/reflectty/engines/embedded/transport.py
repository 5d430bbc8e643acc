"""An httpx transport that answers Ollama's protocol with the built-in model."""

from __future__ import annotations

import json
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

import httpx

import reflectty
from reflectty.core.errors import ModelMissingError, UnreachableError
from reflectty.core.model_spec import MINI_NAME, is_mini
from reflectty.engines.embedded import is_installed, model, protocol
from reflectty.engines.embedded.install import how_to_install
from reflectty.engines.embedded.protocol import ApiError
from reflectty.engines.embedded.runtime_files import find_paths
from reflectty.engines.embedded.server_process import ServerProcess
from reflectty.protocols.ollama import decode

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from reflectty.engines.embedded.server_process import ProcessLease
    from reflectty.protocols.ollama import Body

OK: Final = 200
KEEP_SECONDS: Final = 300.0
"""Seconds that the model stays loaded after a request without `keep_alive`, as with Ollama."""
UNCHANGEABLE_MESSAGE: Final = "the built-in model cannot be changed, and other models require a server"
CHANGING_PATHS: Final = frozenset({"/api/create", "/api/pull", "/api/push", "/api/delete", "/api/copy"})
ROLES: Final = frozenset({"system", "user", "assistant"})


class EmbeddedTransport(httpx.AsyncBaseTransport):
    """Answers requests with the model in our own process, which the first request starts.

    Args:
        process: the process; None for the user's own.
        keep: seconds that it stays after a request without `keep_alive`.
    """

    def __init__(self, process: ServerProcess | None = None, keep: float = KEEP_SECONDS) -> None:
        self._known_process = process
        self._keep = keep

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer as Ollama would; errors that Ollama does not have are raised as ours.

        Raises:
            ReflecttyError: the model is not installed, cannot be started, or ended before it answered.
        """
        try:
            return await self._route(request.method, request.url.path, request)
        except ApiError as error:
            return _json_response({"error": str(error)}, error.status)

    async def _route(self, method: str, path: str, request: httpx.Request) -> httpx.Response:
        if path in CHANGING_PATHS or path.startswith("/api/blobs/"):
            raise ApiError(404 if method == "HEAD" else 400, UNCHANGEABLE_MESSAGE)
        look = {"/api/tags": self._tags, "/api/ps": self._ps, "/api/version": _version}.get(path)
        if look is not None and method == "GET":
            return _json_response(look())
        ask = {"/api/chat": self._chat, "/api/generate": self._generate}.get(path)
        if ask is not None and method == "POST":
            return await ask(_require_body(request))
        if path == "/api/show" and method == "POST":
            _require_body(request)
            return _json_response(model.show_answer_of(self._process.paths))
        known = path in ("/api/chat", "/api/generate", "/api/show") or look is not None
        return httpx.Response(
            405 if known else 404, content=b"405 method not allowed" if known else b"404 page not found"
        )

    @property
    def _process(self) -> ServerProcess:
        """The process, looked up at the first request, so that nothing fails before."""
        if self._known_process is None:
            if not is_installed():
                raise UnreachableError("the built-in model is not installed", f"install it with {how_to_install()}")
            self._known_process = ServerProcess(find_paths())
        return self._known_process

    # Facts about the model

    def _tags(self) -> Body:
        return {"models": [model.tags_entry_of(self._process.paths)]}

    def _ps(self) -> Body:
        process = self._process
        return {"models": [model.ps_entry_of(process.paths, process.expires_at)] if process.is_alive else []}

    # Replies

    async def _chat(self, body: Body) -> httpx.Response:
        messages = _messages(body)
        if body.get("think"):
            raise ApiError(400, f'"{MINI_NAME}" does not support thinking')
        if not messages:
            return await self._load(body, protocol.chat_line)
        prompt = model.render_prompt(messages)
        if body.get("_debug_render_only"):
            return _json_response(protocol.chat_line("") | {"_debug_info": {"rendered_template": prompt}})
        return await self._reply(body, prompt, protocol.chat_line)

    async def _generate(self, body: Body) -> httpx.Response:
        given = body.get("prompt") or ""
        if not isinstance(given, str):
            raise ApiError(400, "prompt must be of type string")
        if body.get("images"):
            raise ApiError(400, "this model does not support images")
        if not given:
            return await self._load(body, protocol.generate_line)
        messages: list[Body] = [{"role": "system", "content": body.get("system")}, {"role": "user", "content": given}]
        return await self._reply(
            body, given if body.get("raw") else model.render_prompt(messages), protocol.generate_line
        )

    async def _load(self, body: Body, line: Callable[[str], Body]) -> httpx.Response:
        """Load the model, or unload it, for a request without a question."""
        keep = protocol.keep_alive_seconds_of(body, self._keep)
        if not keep:
            await self._process.stop()
            return _json_response(line("") | {"done": True, "done_reason": "unload"})
        hold = await self._process.lease(keep)
        try:
            await (await self._process.request("GET", "/health")).aclose()
        finally:
            hold.close()
        return _json_response(line("") | {"done": True, "done_reason": "load"})

    async def _reply(self, body: Body, prompt: str, line: Callable[[str], Body]) -> httpx.Response:
        asked, keep = protocol.completion_body_of(body, prompt), protocol.keep_alive_seconds_of(body, self._keep)
        began = time.monotonic()
        hold = await self._process.lease(keep)
        try:
            response = await self._process.request("POST", "/completion", asked)
            reply = _ReplyStream(response, hold, protocol.StreamTranslator(line, began, time.monotonic()))
        except BaseException:
            hold.close()
            raise
        try:
            if response.status_code != OK:
                raise protocol.refusal_error_of(response.status_code, await response.aread())  # noqa: TRY301 - the reply is closed below
            if body.get("stream", True):
                return httpx.Response(OK, stream=reply)
            return _json_response(protocol.join_lines([item async for item in reply.objects()]))
        except BaseException:
            await reply.aclose()
            raise


class _ReplyStream(httpx.AsyncByteStream):
    """A reply as it arrives: closing it closes the connection to the process, which stops the model."""

    def __init__(self, response: httpx.Response, hold: ProcessLease, translation: protocol.StreamTranslator) -> None:
        self._response = response
        self._lease = hold
        self._translator = translation

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async with aclosing(self.objects()) as objects:
            async for item in objects:
                yield json.dumps(item).encode("ascii") + b"\n"

    async def objects(self) -> AsyncGenerator[Body, None]:
        """Yield the objects of the lines.

        Raises:
            IncompleteError: the process ended before the reply did.
        """
        try:
            async for piece in self._response.aiter_raw():
                for item in self._translator.feed(piece):
                    yield item
        except httpx.HTTPError:
            self._translator.close()
        self._translator.close()
        await self.aclose()

    async def aclose(self) -> None:
        await self._response.aclose()
        self._lease.close()


def _json_response(body: Body, status: int = OK) -> httpx.Response:
    return httpx.Response(
        status, content=json.dumps(body).encode("ascii"), headers={"Content-Type": "application/json"}
    )


def _version() -> Body:
    return {"version": reflectty.__version__}


def _require_body(request: httpx.Request) -> Body:
    """The body of a request for the built-in model.

    Raises:
        ApiError: the body is not JSON.
        ModelMissingError: the request is for another model.
    """
    try:
        body = decode(request.content)
    except ValueError as error:
        raise ApiError(400, f"the request contains {error}") from error
    name: Any = body.get("model") or body.get("name")
    if not (isinstance(name, str) and is_mini(name)):
        message = (
            f"the model {name} is not installed: without a server, only the built-in model {MINI_NAME} is available"
        )
        raise ModelMissingError(message, f"use -m {MINI_NAME}, or --engine ollama for a server")
    return body


def _messages(body: Body) -> list[Body]:
    messages = body.get("messages") or []
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise ApiError(400, "messages must be of type array of objects")
    if any(message.get("images") for message in messages):
        raise ApiError(400, "this model does not support images")
    if body.get("tools"):
        raise ApiError(400, f'"{MINI_NAME}" does not support tools')
    if any(message.get("role") not in ROLES for message in messages):
        raise ApiError(400, "the role of a message must be system, user or assistant")
    return messages
