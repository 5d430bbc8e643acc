"""Sessions kept in SQLite: what was asked, thought and answered; draws nothing and asks no model."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reflectty.store.opening import open_store
    from reflectty.store.store import Store

__all__ = ["Store", "open_store"]


def __getattr__(name: str) -> object:
    """Return what the package offers: who wants only the titles does not load what keeps and searches sessions."""
    if name == "Store":
        from reflectty.store.store import Store  # noqa: PLC0415

        return Store
    if name == "open_store":
        from reflectty.store.opening import open_store  # noqa: PLC0415

        return open_store
    raise AttributeError(name)
