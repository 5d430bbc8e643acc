"""Decides whether to look for another server on this machine where the one that is meant does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

USUAL: Final = (":11434", ":8000")

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reflectty.engines.hosts import Address


def looking(address: Address) -> Callable[[], Awaitable[str]] | None:
    """Return what looks for a llama-server on this machine; None where another place was named than the usual one.

    The usual ones are those of Ollama and of vLLM on this machine: nothing is looked for anywhere else.
    """
    return found_here if address.loopback and address.url.endswith(USUAL) and not address.socket_path else None


async def found_here() -> str:
    """Return how to ask a llama-server that answers on this machine; nothing where none does."""
    from reflectty.engines.neighbours import advice, llama_servers  # noqa: PLC0415 - only where nobody answers

    return advice(await llama_servers())
