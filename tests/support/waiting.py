"""Waits for an event or a state, with the patience that the busiest machine needs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

PATIENCE = 600.0
"""Seconds that a very busy machine gets for what usually takes a fraction of one."""


def until(condition: Callable[[], object], patience: float = PATIENCE) -> bool:
    """Wait until a condition holds; return whether it held in time."""
    end = time.monotonic() + patience
    # A condition may hold for a moment only: check it at once.
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(0.02)
    return True


def until_changed(changed: threading.Condition, condition: Callable[[], object], patience: float = PATIENCE) -> bool:
    """Wait until a condition holds, checking it whenever another thread reports a change."""
    end = time.monotonic() + patience
    with changed:
        while not condition():
            if (left := end - time.monotonic()) <= 0:
                return False
            # Some conditions depend on more than the other thread.
            changed.wait(min(left, 0.1))
        return True
