"""Waits for an event or a state, as long as the busiest machine may need."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

PATIENCE = 600.0
"""Seconds that a very busy machine gets for what should take a fraction of one."""


def until(condition: Callable[[], object], patience: float = PATIENCE) -> bool:
    """Wait until a condition holds, and say whether it came to hold."""
    end = time.monotonic() + patience
    # What held may not hold any more: it is looked at once.
    while not condition():
        if time.monotonic() >= end:
            return False
        time.sleep(0.02)
    return True


def until_changed(changed: threading.Condition, condition: Callable[[], object], patience: float = PATIENCE) -> bool:
    """Wait until a condition holds that is looked at whenever another thread says that something has changed."""
    end = time.monotonic() + patience
    with changed:
        while not condition():
            if (left := end - time.monotonic()) <= 0:
                return False
            # Some conditions are not about what the other thread changes.
            changed.wait(min(left, 0.1))
        return True
