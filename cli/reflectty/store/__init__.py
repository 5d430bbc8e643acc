"""Stores sessions in SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reflectty.store.open import open_saved, open_store
    from reflectty.store.store import Store

__all__ = ["Store", "open_saved", "open_store"]


def __getattr__(name: str) -> object:
    """Import exported names on first use, so that listing titles does not load the whole store."""
    if name == "Store":
        from reflectty.store.store import Store

        return Store
    if name in ("open_saved", "open_store"):
        from reflectty.store import open as opening

        return getattr(opening, name)
    raise AttributeError(name)
