r"""Rewrites a schema into one that llama.cpp's grammars hold to: every answer that they let through still fits it.

Read in llama.cpp's common/json-schema-to-grammar.cpp, and seen with llama-server b10970 and Ollama 0.34.2. Of the
keywords at one place it looks at the first of `$ref`, `oneOf`/`anyOf`, a list of types, `const`, `enum`, `properties`
and `additionalProperties`, `allOf`, `items`/`prefixItems`, `pattern`, `format`, lengths, bounds, and drops the others.
`$ref: "#"` and a schema `true` are refused, `{}` means an object, `allOf` of anything but members or values means an
object without any. Members come with the required ones first, each group in its order; but where Ollama hands the chat
to llama.cpp to be rendered (a Jinja template), those of `properties` come alphabetically. An `allOf` of one member each
keeps its order everywhere.
"""

from __future__ import annotations

import math
from typing import Final

from reflectty.schema.facts import OF, apart, fits, implied, noted, target_of
from reflectty.schema.merging import BRANCHES, NOTES, Json, NothingError, Schema, UnmergedError, merged
from reflectty.schema.patterns import rewritten

ANYTHING: Final = {"type": ["object", "array", "string", "number", "boolean", "null"]}
_ASIDE: Final = NOTES | {"$defs", "definitions"}
_FORMATS: Final = frozenset({"date", "time", "date-time", "uuid", *(f"uuid{number}" for number in range(1, 6))})
_LARGEST: Final = 10**16 - 1
"""An integer has at most 16 digits there, and bounds are numbers of 64 bits."""
_LONGEST_CONST: Final = 1 << 63
_NEVER: Final = ("not", "if", "then", "else", "unevaluatedItems", "unevaluatedProperties", "dependentSchemas")
_NEVER_OF: Final = {
    "object": ("propertyNames", "dependentRequired", "dependencies"),
    "array": ("contains", "minContains", "maxContains", "additionalItems"),
}
_DEFS: Final = ("$defs", "definitions")
ORDER: Final = "the order of keys"


class Rewriter:
    """Rewrites one schema; `unheld` names what the grammar does not hold to."""

    def __init__(self, schema: Schema, *, sorts: bool = False, asserts_formats: bool = False) -> None:
        """Begin.

        Args:
            schema: the whole, in which references are looked up.
            sorts: whether the members of `properties` arrive in alphabetical order.
            asserts_formats: whether a format is more than a note, as it is up to draft 7.
        """
        self.unheld: dict[str, None] = {}
        self._whole = schema
        self._sorts = sorts
        self._asserts = asserts_formats
        self._names: dict[str, str] = {}
        self._defs: Schema = {}

    def whole(self) -> Json:
        """Return the schema to send.

        Raises:
            NothingError: nothing fits it.
        """
        found = self._node(self._whole, ("#",))
        if found is False:
            raise NothingError
        if "$ref" in found:
            # Beside a reference at the top those within the definitions would not be looked up.
            found = self._defs[found["$ref"].rpartition("/")[2]]
        return {**found, "$defs": self._defs} if self._defs else found

    def _drop(self, *names: str) -> None:
        self.unheld.update(dict.fromkeys(names))

    def _node(self, schema: Json, inside: tuple[str, ...] = ()) -> Json:
        if schema is False:
            return False
        flat = self._flat({} if schema is True else schema, inside)
        if "$ref" in flat:
            return self._reference(flat)
        branches = next((key for key in BRANCHES if key in flat), None)
        if branches:
            return self._union(flat, branches)
        self._drop(*(key for key in _NEVER if key in flat and key not in ("then", "else")))
        return self._plain({key: value for key, value in flat.items() if key not in _NEVER})

    def _part(self, schema: Json, inside: tuple[str, ...] = ()) -> Json:
        """Return the schema of a part of a value, or of one way among others; false where nothing fits that."""
        try:
            return self._node(schema, inside)
        except NothingError:
            return False

    def _plain(self, flat: Schema) -> Schema:
        """Return a schema of values or of types."""
        if "const" in flat or "enum" in flat:
            return self._values(flat)
        types = flat.get("type") or implied(flat)
        if isinstance(types, list) and any(key in flat for keys in OF.values() for key in keys):
            return {"anyOf": [self._typed({**flat, "type": kind}, kind) for kind in types]}
        if isinstance(types, str) and types:
            return self._typed(flat, types)
        if any(key in flat for keys in OF.values() for key in keys):
            self._drop(*(key for keys in OF.values() for key in keys if key in flat))
        return noted(flat) | ({"type": types} if isinstance(types, list) else ANYTHING)

    # References, and what must all hold

    def _flat(self, schema: Schema, inside: tuple[str, ...]) -> Schema:
        """Return a schema without `allOf` and without anything beside a reference or branches."""
        schema = {key: value for key, value in schema.items() if key not in _DEFS}
        parts = list(schema.pop("allOf", ()))
        beside = any(key not in _ASIDE and key != "$ref" for key in schema) or parts
        if "$ref" in schema and beside:
            parts.insert(0, {"$ref": schema.pop("$ref")})
        found = schema
        for part in parts:
            found = self._joined(found, self._inlined(part, inside))
        branches = next((key for key in BRANCHES if key in found), None)
        if branches and any(key not in _ASIDE and key != branches for key in found):
            return self._spread(found, branches, inside)
        return found

    def _inlined(self, schema: Json, inside: tuple[str, ...]) -> Json:
        """Return a schema without a reference at its top; one that leads back to itself is let go of."""
        if not isinstance(schema, dict):
            return schema
        reference = schema.get("$ref")
        if reference is None:
            return self._flat(schema, inside)
        target = target_of(self._whole, reference)
        if reference in inside or target is None:
            self._drop("$ref")
            return True
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        found = self._inlined(target, (*inside, reference))
        return self._joined(found, self._flat(rest, inside)) if rest else found

    def _joined(self, one: Json, other: Json) -> Json:
        try:
            found = merged(one, other)
        except UnmergedError as error:
            self._drop(str(error))
            return one
        if found is False:
            raise NothingError
        return found if isinstance(found, dict) else {}

    def _spread(self, schema: Schema, branches: str, inside: tuple[str, ...]) -> Schema:
        """Return branches that have each what stands beside them, which means the same."""
        rest = {key: value for key, value in schema.items() if key != branches and key not in _ASIDE}
        found = []
        for branch in schema[branches]:
            try:
                found.append(self._joined(self._inlined(branch, inside), rest))
            except NothingError:
                continue
        if not found:
            raise NothingError
        return {branches: found}

    def _reference(self, schema: Schema) -> Schema:
        reference = schema["$ref"]
        target = target_of(self._whole, reference)
        if target is None:
            self._drop("$ref")
            return dict(ANYTHING)
        if reference not in self._names:
            name = self._names[reference] = self._free_name(reference)
            self._defs[name] = {}
            found = self._part(target, (reference,))
            self._defs[name] = {"enum": []} if found is False else found
        return {"$ref": f"#/$defs/{self._names[reference]}"}

    def _free_name(self, reference: str) -> str:
        last = "".join(char for char in reference.rpartition("/")[2] if char.isalnum() or char in "_-") or "whole"
        return last if last not in self._defs else f"{last}-{len(self._defs)}"

    # One kind of value

    def _union(self, schema: Schema, branches: str) -> Schema:
        if branches == "oneOf" and not apart(schema["oneOf"]):
            self._drop("oneOf")
        found = [one for one in map(self._part, schema[branches]) if one is not False]
        if not found:
            raise NothingError
        return noted(schema) | {branches: found}

    def _values(self, schema: Schema) -> Schema:
        values = [schema["const"]] if "const" in schema else schema["enum"]
        rest = {key: value for key, value in schema.items() if key not in ("enum", "const", *_ASIDE)}
        if "const" in schema and "enum" in schema:
            rest["enum"] = schema["enum"]
        fitting = [value for value in values if fits(value, rest)] if rest else values
        if not fitting:
            raise NothingError
        if any(isinstance(value, int) and abs(value) > _LONGEST_CONST for value in fitting):
            self._drop("const" if "const" in schema else "enum")
            return {"type": "integer"} if all(type(value) is int for value in fitting) else dict(ANYTHING)
        key = "const" if "const" in schema else "enum"
        return noted(schema) | {key: fitting[0] if key == "const" else fitting}

    def _typed(self, schema: Schema, kind: str) -> Schema:
        own = OF.get("number" if kind == "integer" else kind, ())
        never = [key for key in _NEVER_OF.get(kind, ()) if key in schema]
        self._drop(*never)
        given = {key: schema[key] for key in own if key in schema and key not in never}
        rewrite = {"string": self._string, "number": self._number, "integer": self._integer}
        rewrite |= {"array": self._array, "object": self._object}
        return noted(schema) | {"type": kind} | (rewrite[kind](given) if kind in rewrite else {})

    def _string(self, given: Schema) -> Schema:
        lengths: Schema = {key: given[key] for key in ("minLength", "maxLength") if key in given}
        pattern = rewritten(given["pattern"]) if "pattern" in given else ""
        known = given.get("format") in _FORMATS
        if "pattern" in given and not pattern:
            self._drop("pattern")
        if "format" in given and self._asserts and (pattern or not known):
            self._drop("format")
        if pattern or known:
            self._drop(*lengths)
            return {"pattern": pattern} if pattern else {"format": given["format"]}
        return lengths

    def _number(self, given: Schema) -> Schema:
        self._drop(*given)
        return {}

    def _integer(self, given: Schema) -> Schema:
        least = [math.ceil(given["minimum"])] if "minimum" in given else []
        least += [math.floor(given["exclusiveMinimum"]) + 1] if "exclusiveMinimum" in given else []
        most = [math.floor(given["maximum"])] if "maximum" in given else []
        most += [math.ceil(given["exclusiveMaximum"]) - 1] if "exclusiveMaximum" in given else []
        found = ({"minimum": max(least)} if least else {}) | ({"maximum": min(most)} if most else {})
        if least and most and max(least) > min(most):
            raise NothingError
        if given.get("multipleOf", 1) != 1:
            self._drop("multipleOf")
        long = [key for key, bound in found.items() if abs(bound) > _LARGEST]
        self._drop(*long)
        return {key: bound for key, bound in found.items() if key not in long}

    def _array(self, given: Schema) -> Schema:
        counts: Schema = {key: given[key] for key in ("minItems", "maxItems") if key in given}
        if given.get("uniqueItems") and given.get("maxItems", 2) > 1:
            self._drop("uniqueItems")
        places = given.get("prefixItems") or (given["items"] if isinstance(given.get("items"), list) else None)
        if places is not None:
            if not counts.get("minItems", 0) <= len(places) <= counts.get("maxItems", len(places)):
                self._drop(*counts)
            found = [self._part(place) for place in places]
            if False in found:
                self._drop("items" if "items" in given and "prefixItems" not in given else "prefixItems")
            return {"prefixItems": [place or dict(ANYTHING) for place in found]}
        items = self._part(given.get("items", True))
        if items is False:
            return {"items": dict(ANYTHING), "maxItems": 0}
        return {"items": items, **counts} if counts or "items" in given else {}

    def _object(self, given: Schema) -> Schema:
        rest = self._rest(given)
        named = {key: self._part(value) for key, value in given.get("properties", {}).items()}
        required = list(given.get("required", ()))
        for key in required:
            named.setdefault(key, rest if isinstance(rest, dict) else dict(ANYTHING))
        if any(named[key] is False for key in required):
            raise NothingError
        able = {key: value for key, value in named.items() if value is not False}
        # An object is open where others may come, or where none is named.
        if len(able) < len(named) and (rest or (rest is None and not able)):
            self._drop("properties")
        named = able
        self._counts(given, required, named, rest)
        if not named:
            return {} if rest in (None, True) else {"additionalProperties": rest}
        if rest is None and not given.get("properties"):
            rest = True
        return self._members(named, required, rest)

    def _members(self, named: Schema, required: list[str], rest: Json) -> Schema:
        """Return what keeps the members in their order, wherever they are sorted on the way."""
        first = [key for key in named if key in required]
        later = [key for key in named if key not in required]
        if self._sorts and (first != sorted(first) or later != sorted(later)):
            if not rest:
                parts: list[Json] = [{"properties": {key: named[key]}} for key in first]
                parts += [{"anyOf": [{"properties": {key: named[key]}} for key in later]}] if later else []
                return {"allOf": parts}
            self._drop(ORDER)
        found: Schema = {"properties": named} | ({"required": required} if required else {})
        return found if rest is None else {**found, "additionalProperties": rest}

    def _rest(self, given: Schema) -> Json:
        """Return what other members must fit; None where nothing is said of them."""
        rest = given.get("additionalProperties")
        patterns = given.get("patternProperties")
        if patterns:
            self._drop("patternProperties")
            if rest is False:
                # With `false` no member at all would be let through.
                return {"anyOf": [self._part(value) or dict(ANYTHING) for value in patterns.values()]}
        if isinstance(rest, dict):
            found = self._part(rest)
            return True if found == ANYTHING else found
        return rest

    def _counts(self, given: Schema, required: list[str], named: Schema, rest: Json) -> None:
        if given.get("minProperties", 0) > len(required):
            self._drop("minProperties")
        if given.get("maxProperties", len(named)) < len(named) or (rest and "maxProperties" in given):
            self._drop("maxProperties")
