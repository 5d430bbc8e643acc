"""The server that the settings and the flags name, as an engine or a library; asks it nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty import config
from reflectty.engines import EngineName, open_engine
from reflectty.errors import UsageError

if TYPE_CHECKING:
    from reflectty.chat import Timeouts
    from reflectty.engines.ollama import OllamaEngine
    from reflectty.engines.openai import OpenAIEngine
    from reflectty.library.library import Library


def engine_for(
    settings: config.Settings, host: str = "", timeouts: Timeouts | None = None
) -> OllamaEngine | OpenAIEngine:
    """Return the engine, to be used in `async with`; what the flags name goes before the settings.

    Raises:
        UsageError: the host, the key, or the proxy settings of the environment, cannot be used.
    """
    return open_engine(
        host or settings.host,
        engine=settings.engine,
        api_key=config.api_key(settings),
        timeouts=timeouts or settings.timeouts,
        key_over_http=settings.api_key_over_http,
    )


def library_for(settings: config.Settings, host: str = "", timeouts: Timeouts | None = None) -> Library:
    """Return the models on the server, to be used in `async with`; what the flags name goes before the settings.

    Raises:
        UsageError: it is no Ollama server; and what `engine_for` raises.
    """
    if settings.engine != EngineName.OLLAMA:
        raise UsageError(
            "only an Ollama server lets its models be changed", "this one has those that it was started with"
        )
    from reflectty.library import open_library  # noqa: PLC0415 - not before somebody wants to see the models

    return open_library(host or settings.host, api_key=settings.api_key, timeouts=timeouts or settings.timeouts)
