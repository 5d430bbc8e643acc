"""A library and a scripted server for the tests of its calls."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, TypeVar

from reflectty.models.manager import open_model_library
from support.fake_server import Answer, FakeServer, show, tags, whole

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from reflectty.models.installed import ProgressUpdate
    from reflectty.models.manager import ModelLibrary
    from support.fake_server import Route

T = TypeVar("T")

LAYER = "sha256:" + "1" * 64
NOTHING_LOADED = whole({"models": []})
SUCCESS = b'{"status":"success"}\n'
EMPTY = Answer([], headers={"Content-Length": "0"})
LOADED = whole({"models": [{"name": "m:latest", "size": 10, "size_vram": 5, "context_length": 4096}]})


def routes(**more: Route) -> dict[str, Route]:
    """A server with the model `m`; a keyword is the last word of a path."""
    given: dict[str, Route] = {"tags": tags("m:latest"), "show": show(), "ps": NOTHING_LOADED, **more}
    return {f"/api/{name}": route for name, route in given.items()}


def using(host: str, work: Callable[[ModelLibrary], Awaitable[T]]) -> T:
    async def main() -> T:
        async with open_model_library(host) as library:
            return await work(library)

    return asyncio.run(main())


async def every(progress: AsyncGenerator[ProgressUpdate, None]) -> list[ProgressUpdate]:
    async with aclosing(progress):
        return [part async for part in progress]


def pulled(answer: Answer, name: str = "m") -> list[ProgressUpdate]:
    with FakeServer(routes(pull=answer)) as server:
        return using(server.host, lambda library: every(library.pull(name)))
