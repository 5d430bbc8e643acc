"""Sessions kept in SQLite: what was asked, thought and answered; draws nothing and asks no model."""

from __future__ import annotations

from reflectty.store.opening import open_store
from reflectty.store.store import Store

__all__ = ["Store", "open_store"]
