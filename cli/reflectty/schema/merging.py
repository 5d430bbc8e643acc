"""Joins schemas that must all hold into one that says the same; resolves no reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Json: TypeAlias = Any
"""A value as JSON has it."""
Schema = dict[str, Json]

NOTES: Final = frozenset(
    {
        *("title", "description", "default", "examples", "$comment", "deprecated", "readOnly", "writeOnly"),
        *("contentEncoding", "contentMediaType", "$schema", "$id", "$anchor"),
    }
)
"""Keywords that forbid nothing."""
BRANCHES: Final = ("anyOf", "oneOf")
MOST_BRANCHES: Final = 32


class UnmergedError(Exception):
    """No one schema says the same; the argument is the keyword that stands in the way."""


class NothingError(Exception):
    """Nothing at all fits both."""


def merged(one: Json, other: Json) -> Json:
    """Return the schema of what fits both.

    Raises:
        UnmergedError: it cannot be written as one.
        NothingError: nothing does.
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return _with_bool(one, other)
    found: Schema = dict(one)
    _properties(found, one, other)
    for key, value in other.items():
        if key in ("properties", "additionalProperties"):
            continue
        found[key] = _both(key, found[key], value) if key in found else value
    return found


def _with_bool(one: Json, other: Json) -> Json:
    if one is False or other is False:
        return False
    return other if one is True else one


def _properties(found: Schema, one: Schema, other: Schema) -> None:
    """Join what is said of members: one that only one side names has to fit what the other says of the rest."""
    named = [dict(side.get("properties", {})) for side in (one, other)]
    rest = [side.get("additionalProperties", True) for side in (one, other)]
    if any("patternProperties" in side for side in (one, other)) and any(value not in (True, {}) for value in rest):
        raise UnmergedError("patternProperties")
    if any("properties" in side for side in (one, other)):
        names = dict.fromkeys((*named[0], *named[1]))
        found["properties"] = {name: _part(named[0].get(name, rest[0]), named[1].get(name, rest[1])) for name in names}
    if any("additionalProperties" in side for side in (one, other)):
        found["additionalProperties"] = _part(*rest)


def _part(one: Json, other: Json) -> Json:
    """Return the schema of what a part of a value has to fit; where nothing does, the whole may be without it."""
    try:
        return merged(one, other)
    except NothingError:
        return False


def _both(key: str, one: Json, other: Json) -> Json:
    if one == other or key in NOTES:
        return one
    if key not in _JOINED:
        raise UnmergedError(key)
    return _JOINED[key](one, other)


def _types(one: Json, other: Json) -> Json:
    sides = [set([side] if isinstance(side, str) else side) for side in (one, other)]
    found = sides[0] & sides[1]
    if any("number" in side for side in sides) and any("integer" in side for side in sides):
        found.add("integer")
    found -= {"integer"} if "number" in found else set()
    if not found:
        raise NothingError("type")
    return sorted(found) if len(found) > 1 else found.pop()


def _values(one: list[Json], other: list[Json]) -> list[Json]:
    found = [value for value in one if any(same(value, another) for another in other)]
    if not found:
        raise NothingError("enum")
    return found


def same(one: Json, other: Json) -> bool:
    """Whether two values are one in JSON, where true is no 1."""
    return (
        type(one) is type(other) and bool(one == other)
        if isinstance(one, bool) or isinstance(other, bool)
        else bool(one == other)
    )


def _crossed(one: list[Json], other: list[Json]) -> list[Json]:
    """Return what fits one of each side; what fits nothing at all is left out."""
    if len(one) * len(other) > MOST_BRANCHES:
        raise UnmergedError("anyOf")
    found = []
    for left in one:
        for right in other:
            try:
                found.append(merged(left, right))
            except NothingError:
                continue
    if not found:
        raise NothingError("anyOf")
    return found


_JOINED: Final[Mapping[str, Callable[[Json, Json], Json]]] = {
    "type": _types,
    "required": lambda one, other: list(dict.fromkeys((*one, *other))),
    "enum": _values,
    "items": _part,
    "anyOf": _crossed,
    "uniqueItems": lambda one, other: bool(one or other),
    **dict.fromkeys(("minLength", "minItems", "minimum", "exclusiveMinimum", "minProperties"), max),
    **dict.fromkeys(("maxLength", "maxItems", "maximum", "exclusiveMaximum", "maxProperties"), min),
}
