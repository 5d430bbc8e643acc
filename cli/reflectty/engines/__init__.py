"""Makes the engine for a server; what that engine needs is imported only then."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reflectty.chat import Timeouts
    from reflectty.engines.ollama import OllamaEngine


def open_engine(host: str = "", *, api_key: str = "", timeouts: Timeouts | None = None) -> OllamaEngine:
    """Return the engine, to be used in `async with`, for a value of OLLAMA_HOST or `--host`.

    Raises:
        UsageError: the host, or the proxy settings of the environment, cannot be used.
    """
    # asyncio alone costs as much as the rest of a command: one that asks no model does not pay for it.
    from reflectty.engines.hosts import parse_host  # noqa: PLC0415
    from reflectty.engines.ollama import OllamaEngine  # noqa: PLC0415

    return OllamaEngine(parse_host(host), timeouts=timeouts, api_key=api_key)
