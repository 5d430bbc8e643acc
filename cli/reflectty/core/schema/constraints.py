"""Merges schemas that must hold together, and resolves references, types and overlaps within a schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


Json: TypeAlias = Any
"""A JSON value."""
SchemaObject = dict[str, Json]

ANNOTATIONS: Final = frozenset(
    {
        *("title", "description", "default", "examples", "$comment", "deprecated", "readOnly", "writeOnly"),
        *("contentEncoding", "contentMediaType", "$schema", "$id", "$anchor"),
    }
)
"""Keywords that constrain nothing."""
BRANCH_KEYWORDS: Final = ("anyOf", "oneOf")
MAX_BRANCHES: Final = 32


class UnmergeableError(Exception):
    """No single schema expresses both; the argument is the keyword that prevents it."""


class NothingFitsError(Exception):
    """No value fits both schemas."""


def merge_schemas(one: Json, other: Json) -> Json:
    """The schema of the values that fit both.

    Raises:
        UnmergeableError: it cannot be written as one schema.
        NothingFitsError: no value fits both.
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return _merge_with_bool(one, other)
    merged: SchemaObject = dict(one)
    _merge_properties(merged, one, other)
    for key, value in other.items():
        if key in ("properties", "additionalProperties"):
            continue
        merged[key] = _merge_keyword(key, merged[key], value) if key in merged else value
    return merged


def _merge_with_bool(one: Json, other: Json) -> Json:
    if one is False or other is False:
        return False
    return other if one is True else one


def _merge_properties(merged: SchemaObject, one: SchemaObject, other: SchemaObject) -> None:
    """Merge the member schemas: a member named on one side only must fit the other side's additionalProperties."""
    named = [dict(side.get("properties", {})) for side in (one, other)]
    rest = [side.get("additionalProperties", True) for side in (one, other)]
    if any("patternProperties" in side for side in (one, other)) and any(value not in (True, {}) for value in rest):
        raise UnmergeableError("patternProperties")
    if any("properties" in side for side in (one, other)):
        names = dict.fromkeys((*named[0], *named[1]))
        merged["properties"] = {
            name: _merge_parts(named[0].get(name, rest[0]), named[1].get(name, rest[1])) for name in names
        }
    if any("additionalProperties" in side for side in (one, other)):
        merged["additionalProperties"] = _merge_parts(*rest)


def _merge_parts(one: Json, other: Json) -> Json:
    """Merge the schemas of one part of a value; False if nothing fits, since the whole may omit that part."""
    try:
        return merge_schemas(one, other)
    except NothingFitsError:
        return False


def _merge_keyword(key: str, one: Json, other: Json) -> Json:
    if one == other or key in ANNOTATIONS:
        return one
    if key not in _MERGERS:
        raise UnmergeableError(key)
    return _MERGERS[key](one, other)


def _merge_types(one: Json, other: Json) -> Json:
    sides = [set([side] if isinstance(side, str) else side) for side in (one, other)]
    types = sides[0] & sides[1]
    if any("number" in side for side in sides) and any("integer" in side for side in sides):
        types.add("integer")
    types -= {"integer"} if "number" in types else set()
    if not types:
        raise NothingFitsError("type")
    return sorted(types) if len(types) > 1 else types.pop()


def _merge_values(one: list[Json], other: list[Json]) -> list[Json]:
    common = [value for value in one if any(is_same_value(value, another) for another in other)]
    if not common:
        raise NothingFitsError("enum")
    return common


def is_same_value(one: Json, other: Json) -> bool:
    """Whether two values are equal in JSON, where true is not 1."""
    return (
        type(one) is type(other) and bool(one == other)
        if isinstance(one, bool) or isinstance(other, bool)
        else bool(one == other)
    )


def _merge_branches(one: list[Json], other: list[Json]) -> list[Json]:
    """The merged pairs of branches, without those that nothing fits."""
    if len(one) * len(other) > MAX_BRANCHES:
        raise UnmergeableError("anyOf")
    merged = []
    for left in one:
        for right in other:
            try:
                merged.append(merge_schemas(left, right))
            except NothingFitsError:
                continue
    if not merged:
        raise NothingFitsError("anyOf")
    return merged


_MERGERS: Final[Mapping[str, Callable[[Json, Json], Json]]] = {
    "type": _merge_types,
    "required": lambda one, other: list(dict.fromkeys((*one, *other))),
    "enum": _merge_values,
    "items": _merge_parts,
    "anyOf": _merge_branches,
    "uniqueItems": lambda one, other: bool(one or other),
    **dict.fromkeys(("minLength", "minItems", "minimum", "exclusiveMinimum", "minProperties"), max),
    **dict.fromkeys(("maxLength", "maxItems", "maximum", "exclusiveMaximum", "maxProperties"), min),
}

KEYWORDS_BY_TYPE: Final = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "object": ("properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties"),
}
"""The keywords that apply to values of one type only."""


def target_of(root: SchemaObject, reference: Json) -> Json:
    """Resolve a reference within the schema; None for any other."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    if reference[1:2] not in ("", "/"):
        return _find_anchor(root, unquote(reference[1:]))
    target: Json = root
    for token in reference[1:].split("/")[1:]:
        key = unquote(token).replace("~1", "/").replace("~0", "~")
        if isinstance(target, list) and key.isdigit() and int(key) < len(target):
            target = target[int(key)]
        elif isinstance(target, dict) and key in target:
            target = target[key]
        else:
            return None
    return target if isinstance(target, dict | bool) else None


def annotations_of(schema: SchemaObject) -> SchemaObject:
    """The annotations of a schema, which constrain nothing."""
    return {
        key: value for key, value in schema.items() if key in ANNOTATIONS and key not in ("$id", "$anchor", "$schema")
    }


def implied_type_of(schema: SchemaObject) -> str:
    """The one type that the keywords apply to, or ""; strictly other types fit too, but are not intended."""
    kinds = [kind for kind, keys in KEYWORDS_BY_TYPE.items() if any(key in schema for key in keys)]
    return kinds[0] if len(kinds) == 1 else ""


def _find_anchor(schema: Json, name: str) -> Json:
    if isinstance(schema, dict):
        if schema.get("$anchor") == name:
            return schema
        schema = list(schema.values())
    matches = (_find_anchor(one, name) for one in schema) if isinstance(schema, list) else ()
    return next((one for one in matches if one is not None), None)


def fits_schema(value: Json, schema: SchemaObject) -> bool:
    """Whether a value fits a schema; True if the schema cannot be evaluated."""
    import jsonschema_rs

    try:
        return bool(jsonschema_rs.is_valid(schema, value))
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
        return True


def are_disjoint(branches: list[Json]) -> bool:
    """Whether no value can fit two of the branches, judged by types and member values."""
    return all(_differ(one, other) for at, one in enumerate(branches) for other in branches[:at])


def _differ(one: Json, other: Json) -> bool:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return one is False or other is False
    try:
        merge_schemas({key: one[key] for key in ("type", "enum", "const") if key in one}, _type_keywords_of(other))
    except NothingFitsError:
        return True
    except UnmergeableError as error:
        return str(error) == "const"
    shared = set(one.get("required", ())) & set(other.get("required", ()))
    members = [(side.get("properties", {}).get(key, {}) for side in (one, other)) for key in shared]
    return any(_differ(*pair) for pair in members)


def _type_keywords_of(schema: SchemaObject) -> SchemaObject:
    return {key: schema[key] for key in ("type", "enum", "const") if key in schema}
