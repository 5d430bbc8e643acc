"""A reply as `--json` writes it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.command import Result


def read(result: Result) -> dict[str, Any]:
    """Return the object that stdout is."""
    return dict(json.loads(result.out))


def kinds(value: dict[str, Any]) -> list[str]:
    """Return what kind each segment of the reply is."""
    return [segment["kind"] for segment in value["segments"]]
