"""The models on a server: what is there, what runs where, and how that is changed; draws nothing, asks no question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.chat import Timeouts
from reflectty.engines import EngineName
from reflectty.engines.embedded import open_embedded
from reflectty.library.transfer import Transfer
from reflectty.library.values import Installed, Progress, Variant, reflecting
from reflectty.names import checked_name

if TYPE_CHECKING:
    from reflectty.library.library import Library

__all__ = ["Installed", "Progress", "Transfer", "Variant", "checked_name", "open_library", "patient", "reflecting"]

LONGEST_SILENCE: Final = 900.0
"""Seconds that a server may say nothing."""


def open_library(
    host: str = "", *, engine: str = EngineName.OLLAMA, api_key: str = "", timeouts: Timeouts | None = None
) -> Library:
    """Return the library, to be used in `async with`, for a value of OLLAMA_HOST or `--host`, or the built-in model's.

    Raises:
        UsageError: the host, or the proxy settings of the environment, cannot be used.
    """
    limits = patient(timeouts or Timeouts())
    # asyncio and httpx cost as much as the rest of a command: errors in its arguments do not pay for them.
    from reflectty.engines.hosts import parse_host  # noqa: PLC0415
    from reflectty.engines.ollama import OllamaEngine  # noqa: PLC0415
    from reflectty.library.library import Library  # noqa: PLC0415

    if engine == EngineName.EMBEDDED:
        return Library(open_embedded(limits))
    return Library(OllamaEngine(parse_host(host), api_key=api_key, timeouts=limits))


def patient(timeouts: Timeouts) -> Timeouts:
    """Return time limits for a server that is silent while it checks the digest of a large model."""
    return timeouts._replace(idle=max(timeouts.idle, LONGEST_SILENCE))
