"""Reads a reply written by `--json`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.command import Result


def read(result: Result) -> dict[str, Any]:
    """The object on stdout."""
    return dict(json.loads(result.out))


def kinds(value: dict[str, Any]) -> list[str]:
    """The kind of each segment of the reply."""
    return [segment["kind"] for segment in value["segments"]]
