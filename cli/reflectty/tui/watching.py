"""Looks after the server: whether it is there, which model it has loaded, how large its context is; asks it nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reflectty.errors import ReflecttyError

if TYPE_CHECKING:
    from reflectty.chat import Engine, Running
    from reflectty.tui.widgets.status import Facts

PATIENCE_SECONDS = 4.0


async def look(engine: Engine, facts: Facts) -> Facts:
    """Return what the status line says, with what the server says now."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            running = await engine.running()
    except (ReflecttyError, TimeoutError):
        return facts._replace(there=False, gpu=None)
    loaded = next((one for one in running if _same(one.name, facts.model)), None)
    context = loaded.context_length if loaded else 0
    return facts._replace(there=True, context=context or facts.context, gpu=_share(loaded))


def _same(name: str, other: str) -> bool:
    return name.removesuffix(":latest") == other.removesuffix(":latest")


def _share(loaded: Running | None) -> float | None:
    """Return how much of a loaded model is on a GPU, 0 to 1; None where it is not loaded."""
    return loaded.size_vram / loaded.size if loaded and loaded.size else None
