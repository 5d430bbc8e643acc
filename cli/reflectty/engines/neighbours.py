"""Looks on this machine for a llama-server at the ports where one listens by default; asks nothing else of anybody.

llama-server listens at 8080, and from the version that llama.cpp announced in its pull request 26508 on at 9931. It
names itself in the header `Server` of every answer, a refusal for want of a key included.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.chat import Timeouts
from reflectty.engines.connection import Connection
from reflectty.engines.hosts import parse_host
from reflectty.errors import ReflecttyError

if TYPE_CHECKING:
    from collections.abc import Iterable

PORTS: Final = (8080, 9931)
TIMEOUTS: Final = Timeouts(connect=0.5, first=1.0, idle=1.0)
"""On this machine an answer without a model takes some milliseconds; other programs may hold the port."""
LLAMA_SERVER: Final = "llama.cpp"
WANTS_A_KEY: Final = (401, 403)


class Neighbour(NamedTuple):
    """A llama-server on this machine."""

    host: str
    locked: bool = False
    """Whether it wants a key."""


async def llama_servers(ports: Iterable[int] = PORTS) -> tuple[Neighbour, ...]:
    """Return the llama-servers that answer at ports of this machine; it takes two seconds at most."""
    found = await asyncio.gather(*map(_at, ports))
    return tuple(one for one in found if one)


async def _at(port: int) -> Neighbour | None:
    host = f"127.0.0.1:{port}"
    connection = Connection(parse_host(host), TIMEOUTS)
    try:
        async with connection.opened("GET", "/v1/models") as response:
            if LLAMA_SERVER in response.headers.get("server", ""):
                return Neighbour(host, response.status_code in WANTS_A_KEY)
    except ReflecttyError:
        return None
    finally:
        await connection.aclose()
    return None


def advice(found: Iterable[Neighbour]) -> str:
    """Return how to ask a llama-server that was found: this once, and for good; nothing where there is none."""
    one = next(iter(found), None)
    if one is None:
        return ""
    key = ", which wants a key (REFLECTTY_API_KEY)" if one.locked else ""
    for_good = f"reflect config set engine openai && reflect config set host {one.host}"
    return f"a llama-server answers at {one.host}{key}: --engine openai --host {one.host}, or for good: {for_good}"
