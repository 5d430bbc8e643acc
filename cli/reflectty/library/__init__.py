"""The models on a server: what is there, what runs where, and how that is changed; draws nothing, asks no question."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reflectty.chat import Timeouts
from reflectty.library.names import checked_name
from reflectty.library.transfer import Transfer
from reflectty.library.values import Installed, Progress, Variant, reflecting

if TYPE_CHECKING:
    from reflectty.library.library import Library

__all__ = ["Installed", "Progress", "Transfer", "Variant", "checked_name", "open_library", "patient", "reflecting"]

LONGEST_SILENCE: Final = 900.0
"""Seconds that a server may say nothing."""


def open_library(host: str = "", *, api_key: str = "", timeouts: Timeouts | None = None) -> Library:
    """Return the library, to be used in `async with`, for a value of OLLAMA_HOST or `--host`.

    Raises:
        UsageError: the host, or the proxy settings of the environment, cannot be used.
    """
    # asyncio and httpx cost as much as the rest of a command: errors in its arguments do not pay for them.
    from reflectty.engines import open_engine  # noqa: PLC0415
    from reflectty.library.library import Library  # noqa: PLC0415

    return Library(open_engine(host, api_key=api_key, timeouts=patient(timeouts or Timeouts())))


def patient(timeouts: Timeouts) -> Timeouts:
    """Return time limits for a server that is silent while it checks the digest of a large model."""
    return timeouts._replace(idle=max(timeouts.idle, LONGEST_SILENCE))
