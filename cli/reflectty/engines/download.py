"""Downloads a public file over HTTP, without a redirect, piece by piece."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reflectty.core.errors import RefusedError
from reflectty.core.messages import Timeouts
from reflectty.engines.connection import Connection, ServerProfile
from reflectty.engines.hosts import parse_host
from reflectty.engines.server_client import OK

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

TIMEOUTS: Final = Timeouts(connect=10.0, first=60.0, idle=60.0)
_OFFLINE: Final = "check the network connection, or HTTPS_PROXY if there is a proxy"
_PROFILE: Final = ServerProfile(
    label="a web server",
    start_hint=_OFFLINE,
    host_hint=_OFFLINE,
    host_names="",
    cut_message="the download was cut off",
    cut_hint="try again",
    redirect_rule="downloads are never redirected",
)


async def download(address: str, limit: int) -> AsyncGenerator[bytes, None]:
    """Yield the pieces of a file.

    Args:
        address: its URL, http or https.
        limit: the largest size in bytes.

    Raises:
        UnreachableError: no server answers there.
        RefusedError: the server does not have it, redirects, or sends more than `limit` bytes.
        IncompleteError: the connection broke, or nothing came in time.
    """
    parts = urlsplit(address)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    connection = Connection(parse_host(f"{parts.scheme}://{parts.netloc}"), TIMEOUTS, profile=_PROFILE)
    size = 0
    try:
        async with connection.request("GET", target) as response, aclosing(connection.pieces(response)) as pieces:
            if response.status_code != OK:
                raise RefusedError(
                    f"{parts.netloc} answered {response.status_code} for {parts.path}", "try again later"
                )
            async for piece in pieces:
                size += len(piece)
                if size > limit:
                    raise RefusedError(
                        f"{parts.netloc} sent more than {limit:,} bytes", "the file is not the expected one"
                    )
                yield piece
    finally:
        await connection.aclose()
