"""Stores sessions in SQLite."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reflectty.store.open import open_store
    from reflectty.store.store import Store

__all__ = ["Store", "open_store"]


def __getattr__(name: str) -> object:
    """Return what the package offers: who wants only the titles does not load what keeps and searches sessions."""
    if name == "Store":
        from reflectty.store.store import Store

        return Store
    if name == "open_store":
        from reflectty.store.open import open_store

        return open_store
    raise AttributeError(name)
