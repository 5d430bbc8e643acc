"""The server that the settings and the flags name, as an engine; asks it nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty import config
from reflectty.engines import open_engine

if TYPE_CHECKING:
    from reflectty.chat import Timeouts
    from reflectty.engines.ollama import OllamaEngine
    from reflectty.engines.openai import OpenAIEngine


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
