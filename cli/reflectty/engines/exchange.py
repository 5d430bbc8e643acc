"""What a way to a server is: a request out, a response back; and the words for a way that leads nowhere."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from reflectty.errors import IncompleteError, UnreachableError
from reflectty.wire import HOST_HINT, shorten

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping

    from reflectty.engines.hosts import Address

START_HINT: Final = "is `ollama serve` running? Another server is named with --host or OLLAMA_HOST"


@dataclass(frozen=True, slots=True)
class Response:
    """A response of which the body is still to come; `pieces` raises IncompleteError where it breaks off."""

    status: int
    headers: Mapping[str, str]
    """Names are in lower case."""
    pieces: AsyncGenerator[bytes, None]
    aclose: Callable[[], Awaitable[None]]
    """Closes the connection, unless the body was read to its end."""


class Transport(Protocol):
    """A way to one server."""

    async def send(self, method: str, path: str, content: bytes) -> Response:
        """Send a request and wait for the status and headers, whatever they are.

        Raises:
            UnreachableError: nothing there answers in HTTP.
        """
        ...

    async def aclose(self) -> None:
        """Close what is kept between requests."""
        ...


def no_connection(address: Address, error: BaseException) -> UnreachableError:
    return UnreachableError(f"cannot reach {address}: {reason(error)}", START_HINT)


def no_connection_within(address: Address, seconds: float) -> UnreachableError:
    return UnreachableError(f"cannot reach {address}: no connection within {seconds:g} s", START_HINT)


def no_answer(address: Address, error: BaseException) -> UnreachableError:
    return UnreachableError(f"{address} does not answer as an Ollama server: {reason(error)}", HOST_HINT)


def broken() -> IncompleteError:
    return IncompleteError("the connection to the server broke", "ask again")


def reason(error: BaseException) -> str:
    """Return what the operating system says, which is an inner cause, or else what the error says."""
    found = str(error)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        if isinstance(cause, OSError) and cause.strerror:
            found = _strerror(cause) or found
        cause = cause.__cause__ or cause.__context__
    return shorten(found).rstrip(".") or type(error).__name__


def _strerror(error: OSError) -> str | None:
    """Return the text of an errno: asyncio puts another one, with the address, into errors of connecting."""
    connecting = type(error) is OSError or isinstance(error, ConnectionError)
    return os.strerror(error.errno) if connecting and error.errno else error.strerror
