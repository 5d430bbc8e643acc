"""Checks values against the JSON Schemas in the package, down to the last key."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

import reflectty

FOLDER = Path(reflectty.__file__).parent / "schemas"
NAMES = tuple(sorted(path.stem for path in FOLDER.glob("*.json")))
_BASE = "file:///schemas/"


def schema(name: str) -> dict[str, Any]:
    """A schema as it is in its file."""
    return dict(json.loads((FOLDER / f"{name}.json").read_text("utf-8")))


def check(name: str, value: object) -> None:
    """Fail where a value does not fit; keys that are not described are allowed, as in the contract."""
    _validator(name, closed=False).validate(value)


def check_described(name: str, value: object) -> None:
    """Fail where a value does not fit, or has a key that the schema does not describe."""
    _validator(name, closed=True).validate(value)


@cache
def _validator(name: str, *, closed: bool) -> jsonschema_rs.Draft202012Validator:
    found = {one: _closed(schema(one)) if closed else schema(one) for one in NAMES}
    registry = jsonschema_rs.Registry([(f"{_BASE}{one}.json", found[one]) for one in NAMES])
    return jsonschema_rs.Draft202012Validator({"$ref": f"{_BASE}{name}.json"}, registry=registry)


def _closed(part: Any) -> Any:
    """A schema whose objects have no other members than those described."""
    if isinstance(part, list):
        return [_closed(one) for one in part]
    if not isinstance(part, dict):
        return part
    ends = {"additionalProperties": False} if part.get("type") == "object" and "properties" in part else {}
    return {**ends, **{key: _closed(value) for key, value in part.items()}}
