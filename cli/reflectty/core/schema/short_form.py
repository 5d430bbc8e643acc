"""The short form of a schema, `name, age int, tags [str]`, as a JSON Schema."""

from __future__ import annotations

import re
from typing import Any

_TYPES = {
    "str": "string",
    "string": "string",
    "int": "integer",
    "integer": "integer",
    "float": "number",
    "number": "number",
    "bool": "boolean",
    "boolean": "boolean",
}
_FIELD = re.compile(
    r"(?P<name>[A-Za-z_][\w-]*)(?:\s+(?P<list>\[)?\s*(?P<type>\w+)\s*(?(list)\]))?(?:\s*:\s*(?P<about>.+))?", re.DOTALL
)


def expand_short_form(text: str) -> dict[str, Any] | None:
    """Expand fields to the schema of an object that has them all and no others.

    A field is a name, a type (text without one; in brackets a list) and after a colon its description; commas separate
    fields, or line breaks where descriptions have commas.

    Returns:
        The schema; None if the text is not of this form.
    """
    parts = [part.strip() for part in text.split("\n" if "\n" in text.strip() else ",")]
    properties: dict[str, Any] = {}
    for part in filter(None, (part.rstrip(",") for part in parts)):
        field = _FIELD.fullmatch(part)
        kind = _TYPES.get(field["type"] or "str") if field else None
        if field is None or kind is None or field["name"] in properties:
            return None
        value: dict[str, Any] = {"type": kind}
        value = {"type": "array", "items": value} if field["list"] else value
        properties[field["name"]] = {**value, "description": field["about"]} if field["about"] else value
    if not properties:
        return None
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
