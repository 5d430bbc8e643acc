"""Creates the engine for a server."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from reflectty.core.messages import Engine, Timeouts
    from reflectty.engines.embedded.engine import EmbeddedEngine
    from reflectty.engines.hosts import Address
    from reflectty.engines.ollama import OllamaEngine

    ModelServer = OllamaEngine | EmbeddedEngine
    """An engine that loads, installs and removes models, or refuses to."""

VLLM_PORT: Final = 8000
"""Default port of an OpenAI-compatible server: vLLM's own."""


class EngineName(StrEnum):
    """Kinds of engines."""

    OLLAMA = "ollama"
    OPENAI = "openai"
    EMBEDDED = "embedded"
    """The built-in model, in our own process: there is no server, and the host has no effect."""


def is_built_in(engine: str) -> bool:
    """Whether an engine is the built-in model."""
    return engine == EngineName.EMBEDDED


def manages_models(engine: str) -> bool:
    """Whether the servers of an engine install and remove models, as `Engine.manages_models` says."""
    return engine != EngineName.OPENAI


def open_engine(  # noqa: PLR0913 - each is a separate setting of the connection
    host: str = "",
    *,
    engine: str = EngineName.OLLAMA,
    api_key: str = "",
    timeouts: Timeouts | None = None,
    key_over_http: bool = False,
    remembered_models: tuple[Callable[[str], bool], Callable[[str], object]] | None = None,
) -> Engine:
    """Create the engine for a value of OLLAMA_HOST or `--host`, to be used in `async with`.

    Args:
        host: the server's address; for an OpenAI-compatible one with or without `/v1` at its end.
        engine: a value of EngineName.
        api_key: the server's key; sent only over a confidential connection.
        timeouts: how long to wait.
        key_over_http: whether an OpenAI-compatible server gets the key over any connection.
        remembered_models: whether a model of such a server has sent thinking in a field; and how to store one.

    Raises:
        UsageError: the host, the key or the proxy settings of the environment cannot be used.
    """
    if is_built_in(engine):
        from reflectty.engines.embedded import open_embedded

        return open_embedded(timeouts)
    address = address_of(host, engine, key_over_http=key_over_http)
    # asyncio alone costs as much as the rest of a command, so only commands that ask a model import it.
    if not manages_models(engine):
        from reflectty.engines.openai import OpenAIEngine, ThinkingModels

        remembered = ThinkingModels(*remembered_models) if remembered_models else None
        return OpenAIEngine(address, timeouts=timeouts, api_key=api_key, remembered_models=remembered)
    from reflectty.engines.ollama import OllamaEngine

    return OllamaEngine(address, timeouts=timeouts, api_key=api_key)


def address_of(host: str, engine: str = EngineName.OLLAMA, *, key_over_http: bool = False) -> Address:
    """The address of a server, as `open_engine` reads it.

    Raises:
        UsageError: the host or the proxy settings of the environment cannot be used.
    """
    from reflectty.engines.hosts import BUILT_IN_ADDRESS, parse_host

    if is_built_in(engine):
        return BUILT_IN_ADDRESS
    if not manages_models(engine):
        return parse_host(host, VLLM_PORT).with_api_path("/v1", trusted=key_over_http)
    return parse_host(host)
