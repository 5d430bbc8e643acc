"""Finds a llama-server on this machine when the configured server does not answer.

llama-server listens on port 8080, and on 9931 from the version announced in llama.cpp's pull request 26508. It names
itself in the `Server` header of every response, including the refusal of a missing key.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import ReflecttyError
from reflectty.core.messages import Timeouts
from reflectty.core.named_tuple import NamedTuple
from reflectty.engines.connection import Connection
from reflectty.engines.hosts import parse_host

if TYPE_CHECKING:
    from collections.abc import Iterable


async def find_other_server_hint() -> str:
    """The hint how to use a llama-server on this machine; empty if there is none."""
    return llama_server_hint_of(await find_llama_servers())


LLAMA_SERVER_PORTS: Final = (8080, 9931)
PROBE_TIMEOUTS: Final = Timeouts(connect=0.5, first=1.0, idle=1.0)
"""On this machine a response without a model takes some milliseconds; other programs may hold the port."""
LLAMA_SERVER: Final = "llama.cpp"
KEY_STATUSES: Final = (401, 403)


class LlamaServer(NamedTuple):
    """A llama-server on this machine."""

    host: str
    needs_key: bool = False


async def find_llama_servers(ports: Iterable[int] = LLAMA_SERVER_PORTS) -> tuple[LlamaServer, ...]:
    """The llama-servers at ports of this machine; takes at most two seconds."""
    servers = await asyncio.gather(*map(_find_at_port, ports))
    return tuple(server for server in servers if server)


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


def llama_server_hint_of(servers: Iterable[LlamaServer]) -> str:
    """The hint how to use the first server, once or permanently; empty if there is none."""
    server = next(iter(servers), None)
    if server is None:
        return ""
    key = " (requires a key: REFLECTTY_API_KEY)" if server.needs_key else ""
    commands = f"reflect config set engine openai && reflect config set host {server.host}"
    return (
        f"a llama-server responds at {server.host}{key}: use --engine openai --host {server.host}, "
        f"or permanently: {commands}"
    )
