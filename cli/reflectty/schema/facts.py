"""What can be told of a schema as it stands: what it speaks of, where its references lead, whether parts overlap."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from reflectty.schema.merging import NOTES, Json, NothingError, Schema, UnmergedError, merged

OF: Final = {
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "object": ("properties", "required", "additionalProperties", "patternProperties", "minProperties", "maxProperties"),
}
"""The keywords that speak of values of one type."""


def target_of(whole: Schema, reference: Json) -> Json:
    """Return what a reference into the schema itself leads to; None for any other."""
    if not isinstance(reference, str) or not reference.startswith("#"):
        return None
    if reference[1:2] not in ("", "/"):
        return _anchored(whole, unquote(reference[1:]))
    found: Json = whole
    for token in reference[1:].split("/")[1:]:
        key = unquote(token).replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and key.isdigit() and int(key) < len(found):
            found = found[int(key)]
        elif isinstance(found, dict) and key in found:
            found = found[key]
        else:
            return None
    return found if isinstance(found, dict | bool) else None


def noted(schema: Schema) -> Schema:
    """Return what a schema says that forbids nothing."""
    return {key: value for key, value in schema.items() if key in NOTES and key not in ("$id", "$anchor", "$schema")}


def implied(schema: Schema) -> str:
    """Return the one type that the keywords speak of: another would fit as well, and is not what is meant."""
    kinds = [kind for kind, keys in OF.items() if any(key in schema for key in keys)]
    return kinds[0] if len(kinds) == 1 else ""


def _anchored(schema: Json, name: str) -> Json:
    if isinstance(schema, dict):
        if schema.get("$anchor") == name:
            return schema
        schema = list(schema.values())
    found = (_anchored(one, name) for one in schema) if isinstance(schema, list) else ()
    return next((one for one in found if one is not None), None)


def fits(value: Json, schema: Schema) -> bool:
    """Whether a value fits a schema; one that cannot be looked up lets it pass."""
    import jsonschema_rs  # noqa: PLC0415 - a compiled library that only this option needs

    try:
        return bool(jsonschema_rs.is_valid(schema, value))
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError):
        return True


def apart(branches: list[Json]) -> bool:
    """Whether no value can fit two of them, as far as types and the values of members tell."""
    return all(_differ(one, other) for at, one in enumerate(branches) for other in branches[:at])


def _differ(one: Json, other: Json) -> bool:
    if not isinstance(one, dict) or not isinstance(other, dict):
        return one is False or other is False
    try:
        merged({key: one[key] for key in ("type", "enum", "const") if key in one}, _plain(other))
    except NothingError:
        return True
    except UnmergedError as error:
        return str(error) == "const"
    shared = set(one.get("required", ())) & set(other.get("required", ()))
    members = [(side.get("properties", {}).get(key, {}) for side in (one, other)) for key in shared]
    return any(_differ(*pair) for pair in members)


def _plain(schema: Schema) -> Schema:
    return {key: schema[key] for key in ("type", "enum", "const") if key in schema}
