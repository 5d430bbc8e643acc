"""A transport of httpx that answers Ollama's protocol with the built-in model; opens no connection to any server."""

from __future__ import annotations

import json
import time
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

import httpx

import reflectty
from reflectty.engines.embedded import installed, model, protocol
from reflectty.engines.embedded.installing import how_to_install
from reflectty.engines.embedded.places import places
from reflectty.engines.embedded.process import Process
from reflectty.engines.embedded.protocol import RefusalError
from reflectty.errors import ModelMissingError, UnreachableError
from reflectty.mini import NAME, is_mini
from reflectty.wire import decode

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable

    from reflectty.engines.embedded.process import Hold
    from reflectty.wire import Body

OK: Final = 200
KEEP_SECONDS: Final = 300.0
"""How long the model stays loaded after a request that says nothing of it: as long as with Ollama."""
FIXED: Final = "the built-in model cannot be changed, and no other be had beside it"
CHANGES: Final = frozenset({"/api/create", "/api/pull", "/api/push", "/api/delete", "/api/copy"})
ROLES: Final = frozenset({"system", "user", "assistant"})


class EmbeddedTransport(httpx.AsyncBaseTransport):
    """Answers each request with the model in a process of ours, which the first of them starts.

    Args:
        process: the process, or None for the user's own.
        keep: seconds that it stays after a request which says nothing of that.
    """

    def __init__(self, process: Process | None = None, keep: float = KEEP_SECONDS) -> None:
        self._given = process
        self._keep = keep

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the answer as Ollama would give it; what Ollama would not say is raised as ours.

        Raises:
            ReflecttyError: the model is not installed, cannot be started, or ended before it answered.
        """
        try:
            return await self._answered(request.method, request.url.path, request)
        except RefusalError as error:
            return _answer({"error": str(error)}, error.status)

    async def _answered(self, method: str, path: str, request: httpx.Request) -> httpx.Response:
        if path in CHANGES or path.startswith("/api/blobs/"):
            raise RefusalError(404 if method == "HEAD" else 400, FIXED)
        look = {"/api/tags": self._tags, "/api/ps": self._ps, "/api/version": _version}.get(path)
        if look is not None and method == "GET":
            return _answer(look())
        ask = {"/api/chat": self._chat, "/api/generate": self._generate}.get(path)
        if ask is not None and method == "POST":
            return await ask(_asked(request))
        if path == "/api/show" and method == "POST":
            _asked(request)
            return _answer(model.shown(self._process.places))
        known = path in ("/api/chat", "/api/generate", "/api/show") or look is not None
        return httpx.Response(
            405 if known else 404, content=b"405 method not allowed" if known else b"404 page not found"
        )

    @property
    def _process(self) -> Process:
        """The process; found out only when something is asked, so that nothing fails before."""
        if self._given is None:
            if not installed():
                raise UnreachableError("the built-in model is not installed", f"{how_to_install()} brings it")
            self._given = Process(places())
        return self._given

    # What it is

    def _tags(self) -> Body:
        return {"models": [model.listed(self._process.places)]}

    def _ps(self) -> Body:
        process = self._process
        return {"models": [model.running(process.places, process.until)] if process.alive else []}

    # What it says

    async def _chat(self, body: Body) -> httpx.Response:
        messages = _messages(body)
        if body.get("think"):
            raise RefusalError(400, f'"{NAME}" does not support thinking')
        if not messages:
            return await self._load(body, protocol.chat_line)
        prompt = model.prompt(messages)
        if body.get("_debug_render_only"):
            return _answer(protocol.chat_line("") | {"_debug_info": {"rendered_template": prompt}})
        return await self._reply(body, prompt, protocol.chat_line)

    async def _generate(self, body: Body) -> httpx.Response:
        given = body.get("prompt") or ""
        if not isinstance(given, str):
            raise RefusalError(400, "prompt must be of type string")
        if body.get("images"):
            raise RefusalError(400, "this model does not support images")
        if not given:
            return await self._load(body, protocol.generate_line)
        messages: list[Body] = [{"role": "system", "content": body.get("system")}, {"role": "user", "content": given}]
        return await self._reply(body, given if body.get("raw") else model.prompt(messages), protocol.generate_line)

    async def _load(self, body: Body, line: Callable[[str], Body]) -> httpx.Response:
        """Load the model, or let it go, as a request does that asks nothing."""
        keep = protocol.keep_alive(body, self._keep)
        if not keep:
            await self._process.ended()
            return _answer(line("") | {"done": True, "done_reason": "unload"})
        hold = await self._process.hold(keep)
        try:
            await (await self._process.answer("GET", "/health")).aclose()
        finally:
            hold.close()
        return _answer(line("") | {"done": True, "done_reason": "load"})

    async def _reply(self, body: Body, prompt: str, line: Callable[[str], Body]) -> httpx.Response:
        asked, keep = protocol.completion(body, prompt), protocol.keep_alive(body, self._keep)
        began = time.monotonic()
        hold = await self._process.hold(keep)
        try:
            response = await self._process.answer("POST", "/completion", asked)
            reply = _Reply(response, hold, protocol.Translation(line, began, time.monotonic()))
        except BaseException:
            hold.close()
            raise
        try:
            if response.status_code != OK:
                raise protocol.refusal(response.status_code, await response.aread())  # noqa: TRY301 - it is closed below
            if body.get("stream", True):
                return httpx.Response(OK, stream=reply)
            return _answer(protocol.whole([item async for item in reply.objects()]))
        except BaseException:
            await reply.aclose()
            raise


class _Reply(httpx.AsyncByteStream):
    """A reply as it comes: closing it closes the connection to the process, which stops the model."""

    def __init__(self, response: httpx.Response, hold: Hold, translation: protocol.Translation) -> None:
        self._response = response
        self._hold = hold
        self._translation = translation

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
                for item in self._translation.feed(piece):
                    yield item
        except httpx.HTTPError:
            self._translation.close()
        self._translation.close()
        await self.aclose()

    async def aclose(self) -> None:
        await self._response.aclose()
        self._hold.close()


def _answer(body: Body, status: int = OK) -> httpx.Response:
    return httpx.Response(
        status, content=json.dumps(body).encode("ascii"), headers={"Content-Type": "application/json"}
    )


def _version() -> Body:
    return {"version": reflectty.__version__}


def _asked(request: httpx.Request) -> Body:
    """Return the body of a request for the built-in model.

    Raises:
        RefusalError: it is no JSON.
        ModelMissingError: it is for another one.
    """
    try:
        body = decode(request.content)
    except ValueError as error:
        raise RefusalError(400, f"the request is {error}") from error
    name: Any = body.get("model") or body.get("name")
    if not (isinstance(name, str) and is_mini(name)):
        message = f"the model {name} is not installed: there is no server, only the built-in model {NAME}"
        raise ModelMissingError(message, f"ask {NAME}, or name a server with --host")
    return body


def _messages(body: Body) -> list[Body]:
    messages = body.get("messages") or []
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise RefusalError(400, "messages must be of type array of objects")
    if any(message.get("images") for message in messages):
        raise RefusalError(400, "this model does not support images")
    if body.get("tools"):
        raise RefusalError(400, f'"{NAME}" does not support tools')
    if any(message.get("role") not in ROLES for message in messages):
        raise RefusalError(400, "the role of a message must be system, user or assistant")
    return messages
