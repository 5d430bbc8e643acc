"""Finds a llama-server on this machine when the configured server does not answer.

llama-server listens at 8080, and from the version that llama.cpp announced in its pull request 26508 on at 9931. It
names itself in the header `Server` of every answer, a refusal for want of a key included.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, NamedTuple

from reflectty.core.errors import ReflecttyError
from reflectty.core.messages import Timeouts
from reflectty.engines.connection import Connection
from reflectty.engines.hosts import parse_host

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from reflectty.engines.hosts import Address


DEFAULT_PORTS: Final = (":11434", ":8000")


def server_finder_for(address: Address) -> Callable[[], Awaitable[str]] | None:
    """Return what looks for a llama-server on this machine; None where another place was named than the usual one.

    The usual ones are those of Ollama and of vLLM on this machine: nothing is looked for anywhere else.
    """
    return (
        find_other_server_hint
        if address.loopback and address.url.endswith(DEFAULT_PORTS) and not address.socket_path
        else None
    )


async def find_other_server_hint() -> str:
    """Return how to ask a llama-server that answers on this machine; nothing where none does."""
    return llama_server_hint_of(await find_llama_servers())


LLAMA_SERVER_PORTS: Final = (8080, 9931)
PROBE_TIMEOUTS: Final = Timeouts(connect=0.5, first=1.0, idle=1.0)
"""On this machine an answer without a model takes some milliseconds; other programs may hold the port."""
LLAMA_SERVER: Final = "llama.cpp"
KEY_STATUSES: Final = (401, 403)


class LlamaServer(NamedTuple):
    """A llama-server on this machine."""

    host: str
    needs_key: bool = False
    """Whether it wants a key."""


async def find_llama_servers(ports: Iterable[int] = LLAMA_SERVER_PORTS) -> tuple[LlamaServer, ...]:
    """Return the llama-servers that answer at ports of this machine; it takes two seconds at most."""
    found = await asyncio.gather(*map(_find_at_port, ports))
    return tuple(one for one in found if one)


async def _find_at_port(port: int) -> LlamaServer | None:
    host = f"127.0.0.1:{port}"
    connection = Connection(parse_host(host), PROBE_TIMEOUTS)
    try:
        async with connection.request("GET", "/v1/models") as response:
            if LLAMA_SERVER in response.headers.get("server", ""):
                return LlamaServer(host, response.status_code in KEY_STATUSES)
    except ReflecttyError:
        return None
    finally:
        await connection.aclose()
    return None


def llama_server_hint_of(found: Iterable[LlamaServer]) -> str:
    """Return how to ask a llama-server that was found: this once, and for good; nothing where there is none."""
    one = next(iter(found), None)
    if one is None:
        return ""
    key = ", which wants a key (REFLECTTY_API_KEY)" if one.needs_key else ""
    for_good = f"reflect config set engine openai && reflect config set host {one.host}"
    return f"a llama-server answers at {one.host}{key}: --engine openai --host {one.host}, or for good: {for_good}"
