r"""Rewrites a schema into the form that a server's grammar can enforce, and lists what it cannot.

Read in llama.cpp's common/json-schema-to-grammar.cpp, and observed with llama-server b10970 and Ollama 0.34.2. Of the
keywords of one schema it uses the first of `$ref`, `oneOf`/`anyOf`, a list of types, `const`, `enum`, `properties` and
`additionalProperties`, `allOf`, `items`/`prefixItems`, `pattern`, `format`, lengths, bounds, and drops the others. It
rejects `$ref: "#"` and a schema `true`; `{}` means an object, `allOf` of anything but members or values means an object
without any. It emits the required members first, each group in its order; but where Ollama leaves the rendering of the
chat to llama.cpp (a Jinja template), those of `properties` are in alphabetical order. An `allOf` of one member each
keeps its order everywhere.

| server | what enforces a schema |
|---|---|
| Ollama, llama-server | llama.cpp's converter (common/json-schema-to-grammar.cpp): see `SchemaRewriter` |
| the built-in model | llguidance, built into xllamacpp, in lenient mode: it knows `allOf` and `\d` |
| vLLM, SGLang and others | xgrammar or what they are started with: the schema is sent unchanged |

Every answer is finally checked against the user's own schema.
"""

from __future__ import annotations

import json
import math
from enum import StrEnum
from typing import Final

from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.schema.constraints import (
    ANNOTATIONS,
    BRANCH_KEYWORDS,
    KEYWORDS_BY_TYPE,
    Json,
    NothingFitsError,
    SchemaObject,
    UnmergeableError,
    annotations_of,
    are_disjoint,
    fits_schema,
    implied_type_of,
    merge_schemas,
    target_of,
)
from reflectty.core.schema.patterns import rewrite_pattern

ANYTHING: Final = {"type": ["object", "array", "string", "number", "boolean", "null"]}
_NON_CONSTRAINTS: Final = ANNOTATIONS | {"$defs", "definitions"}
_FORMATS: Final = frozenset({"date", "time", "date-time", "uuid", *(f"uuid{number}" for number in range(1, 6))})
_MAX_INTEGER: Final = 10**16 - 1
"""llama.cpp's integers have at most 16 digits, and its bounds are 64-bit numbers."""
_MAX_CONST: Final = 1 << 63
_UNSUPPORTED: Final = ("not", "if", "then", "else", "unevaluatedItems", "unevaluatedProperties", "dependentSchemas")
_UNSUPPORTED_BY_TYPE: Final = {
    "object": ("propertyNames", "dependentRequired", "dependencies"),
    "array": ("contains", "minContains", "maxContains", "additionalItems"),
}
_DEFINITION_KEYWORDS: Final = ("$defs", "definitions")
KEY_ORDER: Final = "key order"


class SchemaRewriter:
    """Rewrites one schema; `unenforced` names what the grammar does not enforce."""

    def __init__(self, schema: SchemaObject, *, sorts_keys: bool = False, asserts_formats: bool = False) -> None:
        """Prepare to rewrite a schema.

        Args:
            schema: the whole schema, in which references are resolved.
            sorts_keys: whether the members of `properties` arrive in alphabetical order.
            asserts_formats: whether `format` constrains values, as it does up to draft 7.
        """
        self.unenforced: dict[str, None] = {}
        self._root = schema
        self._sorts_keys = sorts_keys
        self._asserts_formats = asserts_formats
        self._definition_names: dict[str, str] = {}
        self._defs: SchemaObject = {}

    def rewrite(self) -> Json:
        """The schema to send.

        Raises:
            NothingFitsError: nothing fits it.
        """
        rewritten = self._node(self._root, ("#",))
        if rewritten is False:
            raise NothingFitsError
        if "$ref" in rewritten:
            # Next to a `$ref` at the top, references within the definitions would not be resolved.
            rewritten = self._defs[rewritten["$ref"].rpartition("/")[2]]
        return {**rewritten, "$defs": self._defs} if self._defs else rewritten

    def _note_unenforced(self, *names: str) -> None:
        self.unenforced.update(dict.fromkeys(names))

    def _node(self, schema: Json, inside: tuple[str, ...] = ()) -> Json:
        if schema is False:
            return False
        flat = self._flatten({} if schema is True else schema, inside)
        if "$ref" in flat:
            return self._reference(flat)
        branches = next((key for key in BRANCH_KEYWORDS if key in flat), None)
        if branches:
            return self._union(flat, branches)
        self._note_unenforced(*(key for key in _UNSUPPORTED if key in flat and key not in ("then", "else")))
        return self._rewrite_plain({key: value for key, value in flat.items() if key not in _UNSUPPORTED})

    def _rewrite_part(self, schema: Json, inside: tuple[str, ...] = ()) -> Json:
        """Rewrite the schema of a part of a value, or of one branch; False if nothing fits it."""
        try:
            return self._node(schema, inside)
        except NothingFitsError:
            return False

    def _rewrite_plain(self, flat: SchemaObject) -> SchemaObject:
        """Rewrite a schema of values or of types."""
        if "const" in flat or "enum" in flat:
            return self._values(flat)
        types = flat.get("type") or implied_type_of(flat)
        if isinstance(types, list) and any(key in flat for keys in KEYWORDS_BY_TYPE.values() for key in keys):
            return {"anyOf": [self._rewrite_typed({**flat, "type": kind}, kind) for kind in types]}
        if isinstance(types, str) and types:
            return self._rewrite_typed(flat, types)
        if any(key in flat for keys in KEYWORDS_BY_TYPE.values() for key in keys):
            self._note_unenforced(*(key for keys in KEYWORDS_BY_TYPE.values() for key in keys if key in flat))
        return annotations_of(flat) | ({"type": types} if isinstance(types, list) else ANYTHING)

    # References and conjunctions

    def _flatten(self, schema: SchemaObject, inside: tuple[str, ...]) -> SchemaObject:
        """Merge `allOf`, and everything next to a reference or branches, into one schema."""
        schema = {key: value for key, value in schema.items() if key not in _DEFINITION_KEYWORDS}
        parts = list(schema.pop("allOf", ()))
        has_siblings = any(key not in _NON_CONSTRAINTS and key != "$ref" for key in schema) or parts
        if "$ref" in schema and has_siblings:
            parts.insert(0, {"$ref": schema.pop("$ref")})
        merged = schema
        for part in parts:
            merged = self._merge(merged, self._inline(part, inside))
        branches = next((key for key in BRANCH_KEYWORDS if key in merged), None)
        if branches and any(key not in _NON_CONSTRAINTS and key != branches for key in merged):
            return self._distribute(merged, branches, inside)
        return merged

    def _inline(self, schema: Json, inside: tuple[str, ...]) -> Json:
        """Replace a reference at the top of a schema by its target; a reference to itself is dropped."""
        if not isinstance(schema, dict):
            return schema
        reference = schema.get("$ref")
        if reference is None:
            return self._flatten(schema, inside)
        target = target_of(self._root, reference)
        if reference in inside or target is None:
            self._note_unenforced("$ref")
            return True
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        inlined = self._inline(target, (*inside, reference))
        return self._merge(inlined, self._flatten(rest, inside)) if rest else inlined

    def _merge(self, one: Json, other: Json) -> Json:
        try:
            merged = merge_schemas(one, other)
        except UnmergeableError as error:
            self._note_unenforced(str(error))
            return one
        if merged is False:
            raise NothingFitsError
        return merged if isinstance(merged, dict) else {}

    def _distribute(self, schema: SchemaObject, branches: str, inside: tuple[str, ...]) -> SchemaObject:
        """Merge the other keywords into each branch, which is equivalent."""
        rest = {key: value for key, value in schema.items() if key != branches and key not in _NON_CONSTRAINTS}
        merged = []
        for branch in schema[branches]:
            try:
                merged.append(self._merge(self._inline(branch, inside), rest))
            except NothingFitsError:
                continue
        if not merged:
            raise NothingFitsError
        return {branches: merged}

    def _reference(self, schema: SchemaObject) -> SchemaObject:
        reference = schema["$ref"]
        target = target_of(self._root, reference)
        if target is None:
            self._note_unenforced("$ref")
            return dict(ANYTHING)
        if reference not in self._definition_names:
            name = self._definition_names[reference] = self._free_name(reference)
            self._defs[name] = {}
            definition = self._rewrite_part(target, (reference,))
            self._defs[name] = {"enum": []} if definition is False else definition
        return {"$ref": f"#/$defs/{self._definition_names[reference]}"}

    def _free_name(self, reference: str) -> str:
        last = "".join(char for char in reference.rpartition("/")[2] if char.isalnum() or char in "_-") or "whole"
        return last if last not in self._defs else f"{last}-{len(self._defs)}"

    # Values by type

    def _union(self, schema: SchemaObject, branches: str) -> SchemaObject:
        if branches == "oneOf" and not are_disjoint(schema["oneOf"]):
            self._note_unenforced("oneOf")
        alternatives = [one for one in map(self._rewrite_part, schema[branches]) if one is not False]
        if not alternatives:
            raise NothingFitsError
        return annotations_of(schema) | {branches: alternatives}

    def _values(self, schema: SchemaObject) -> SchemaObject:
        values = [schema["const"]] if "const" in schema else schema["enum"]
        rest = {key: value for key, value in schema.items() if key not in ("enum", "const", *_NON_CONSTRAINTS)}
        if "const" in schema and "enum" in schema:
            rest["enum"] = schema["enum"]
        fitting = [value for value in values if fits_schema(value, rest)] if rest else values
        if not fitting:
            raise NothingFitsError
        if any(isinstance(value, int) and abs(value) > _MAX_CONST for value in fitting):
            self._note_unenforced("const" if "const" in schema else "enum")
            return {"type": "integer"} if all(type(value) is int for value in fitting) else dict(ANYTHING)
        key = "const" if "const" in schema else "enum"
        return annotations_of(schema) | {key: fitting[0] if key == "const" else fitting}

    def _rewrite_typed(self, schema: SchemaObject, kind: str) -> SchemaObject:
        own = KEYWORDS_BY_TYPE.get("number" if kind == "integer" else kind, ())
        unsupported = [key for key in _UNSUPPORTED_BY_TYPE.get(kind, ()) if key in schema]
        self._note_unenforced(*unsupported)
        constraints = {key: schema[key] for key in own if key in schema and key not in unsupported}
        rewrite = {"string": self._string, "number": self._number, "integer": self._integer}
        rewrite |= {"array": self._array, "object": self._object}
        return annotations_of(schema) | {"type": kind} | (rewrite[kind](constraints) if kind in rewrite else {})

    def _string(self, constraints: SchemaObject) -> SchemaObject:
        lengths: SchemaObject = {key: constraints[key] for key in ("minLength", "maxLength") if key in constraints}
        pattern = rewrite_pattern(constraints["pattern"]) if "pattern" in constraints else ""
        is_known_format = constraints.get("format") in _FORMATS
        if "pattern" in constraints and not pattern:
            self._note_unenforced("pattern")
        if "format" in constraints and self._asserts_formats and (pattern or not is_known_format):
            self._note_unenforced("format")
        if pattern or is_known_format:
            self._note_unenforced(*lengths)
            return {"pattern": pattern} if pattern else {"format": constraints["format"]}
        return lengths

    def _number(self, constraints: SchemaObject) -> SchemaObject:
        self._note_unenforced(*constraints)
        return {}

    def _integer(self, constraints: SchemaObject) -> SchemaObject:
        least = [math.ceil(constraints["minimum"])] if "minimum" in constraints else []
        least += [math.floor(constraints["exclusiveMinimum"]) + 1] if "exclusiveMinimum" in constraints else []
        most = [math.floor(constraints["maximum"])] if "maximum" in constraints else []
        most += [math.ceil(constraints["exclusiveMaximum"]) - 1] if "exclusiveMaximum" in constraints else []
        bounds = ({"minimum": max(least)} if least else {}) | ({"maximum": min(most)} if most else {})
        if least and most and max(least) > min(most):
            raise NothingFitsError
        if constraints.get("multipleOf", 1) != 1:
            self._note_unenforced("multipleOf")
        long = [key for key, bound in bounds.items() if abs(bound) > _MAX_INTEGER]
        self._note_unenforced(*long)
        return {key: bound for key, bound in bounds.items() if key not in long}

    def _array(self, constraints: SchemaObject) -> SchemaObject:
        counts: SchemaObject = {key: constraints[key] for key in ("minItems", "maxItems") if key in constraints}
        if constraints.get("uniqueItems") and constraints.get("maxItems", 2) > 1:
            self._note_unenforced("uniqueItems")
        prefix = constraints.get("prefixItems") or (
            constraints["items"] if isinstance(constraints.get("items"), list) else None
        )
        if prefix is not None:
            if not counts.get("minItems", 0) <= len(prefix) <= counts.get("maxItems", len(prefix)):
                self._note_unenforced(*counts)
            rewritten = [self._rewrite_part(item) for item in prefix]
            if False in rewritten:
                self._note_unenforced(
                    "items" if "items" in constraints and "prefixItems" not in constraints else "prefixItems"
                )
            return {"prefixItems": [item or dict(ANYTHING) for item in rewritten]}
        items = self._rewrite_part(constraints.get("items", True))
        if items is False:
            return {"items": dict(ANYTHING), "maxItems": 0}
        return {"items": items, **counts} if counts or "items" in constraints else {}

    def _object(self, constraints: SchemaObject) -> SchemaObject:
        rest = self._rewrite_other_members(constraints)
        named = {key: self._rewrite_part(value) for key, value in constraints.get("properties", {}).items()}
        required = list(constraints.get("required", ()))
        for key in required:
            named.setdefault(key, rest if isinstance(rest, dict) else dict(ANYTHING))
        if any(named[key] is False for key in required):
            raise NothingFitsError
        possible = {key: value for key, value in named.items() if value is not False}
        # An object is open if it allows other members, or names none.
        if len(possible) < len(named) and (rest or (rest is None and not possible)):
            self._note_unenforced("properties")
        named = possible
        self._note_member_counts(constraints, required, named, rest)
        if not named:
            return {} if rest in (None, True) else {"additionalProperties": rest}
        if rest is None and not constraints.get("properties"):
            rest = True
        return self._rewrite_members(named, required, rest)

    def _rewrite_members(self, named: SchemaObject, required: list[str], rest: Json) -> SchemaObject:
        """Write the members so that they keep their order even where the server sorts them."""
        first = [key for key in named if key in required]
        later = [key for key in named if key not in required]
        if self._sorts_keys and (first != sorted(first) or later != sorted(later)):
            if not rest:
                parts: list[Json] = [{"properties": {key: named[key]}} for key in first]
                parts += [{"anyOf": [{"properties": {key: named[key]}} for key in later]}] if later else []
                return {"allOf": parts}
            self._note_unenforced(KEY_ORDER)
        rewritten: SchemaObject = {"properties": named} | ({"required": required} if required else {})
        return rewritten if rest is None else {**rewritten, "additionalProperties": rest}

    def _rewrite_other_members(self, constraints: SchemaObject) -> Json:
        """The schema for other members; None if there is none."""
        rest = constraints.get("additionalProperties")
        patterns = constraints.get("patternProperties")
        if patterns:
            self._note_unenforced("patternProperties")
            if rest is False:
                # `false` would allow no member at all.
                return {"anyOf": [self._rewrite_part(value) or dict(ANYTHING) for value in patterns.values()]}
        if isinstance(rest, dict):
            rewritten = self._rewrite_part(rest)
            return True if rewritten == ANYTHING else rewritten
        return rest

    def _note_member_counts(
        self, constraints: SchemaObject, required: list[str], named: SchemaObject, rest: Json
    ) -> None:
        if constraints.get("minProperties", 0) > len(required):
            self._note_unenforced("minProperties")
        if constraints.get("maxProperties", len(named)) < len(named) or (rest and "maxProperties" in constraints):
            self._note_unenforced("maxProperties")


class Grammar(StrEnum):
    """The component that turns a schema into a grammar."""

    LLAMA_CPP = "llama.cpp"
    LLGUIDANCE = "llguidance"


class SentSchema(NamedTuple):
    """The schema as sent to a server."""

    text: str
    unenforced: tuple[str, ...] = ()
    """Keywords that only the check of the whole answer enforces."""


NOTHING_FITS: Final = "no answer can fit the schema"
_FORMAT_ASSERTING_DRAFTS: Final = ("draft-04", "draft-06", "draft-07")
_UNKNOWN_TO_LLGUIDANCE: Final = frozenset(
    {
        *("not", "uniqueItems", "contains", "propertyNames", "if", "dependentRequired", "dependentSchemas"),
        *("minProperties", "maxProperties"),
    }
)
"""Observed with xllamacpp 2026.10: it ignores them, and satisfies `minProperties` by repeating a key."""
_COMBINING_KEYWORDS: Final = frozenset(
    ["allOf", "anyOf", "oneOf", "if", "not", "dependentSchemas", "unevaluatedProperties", "patternProperties"]
)


def prepare_schema(text: str, grammar: str, *, sorts_keys: bool = False) -> SentSchema:
    """Prepare a schema for a server's grammar.

    Args:
        text: the schema as JSON text.
        grammar: a value of Grammar; for any other the schema is sent unchanged.
        sorts_keys: whether the members of an object arrive at the server in alphabetical order.

    Raises:
        UsageError: nothing fits the schema.
    """
    schema = json.loads(text)
    if grammar == Grammar.LLGUIDANCE:
        return _prepare_for_llguidance(schema, text)
    if grammar != Grammar.LLAMA_CPP:
        return SentSchema(text)
    asserts = any(draft in str(schema.get("$schema", "")) for draft in _FORMAT_ASSERTING_DRAFTS)
    rewriter = SchemaRewriter(schema, sorts_keys=sorts_keys, asserts_formats=asserts)
    try:
        rewritten = rewriter.rewrite()
    except NothingFitsError as error:
        raise UsageError(NOTHING_FITS, "check it for contradictions") from error
    except RecursionError as error:
        raise UsageError("the schema is nested too deeply") from error
    # The order of keys matters, so texts are compared and not values.
    encoded = json.dumps(rewritten, separators=(",", ":"))
    return SentSchema(text if not sorts_keys and rewritten == schema else encoded, tuple(rewriter.unenforced))


def _prepare_for_llguidance(schema: dict[str, Json], text: str) -> SentSchema:
    """Close the objects without `additionalProperties`: a small model would add members without end."""
    keys = set(_keywords_in(schema))
    unenforced = tuple(sorted(keys & _UNKNOWN_TO_LLGUIDANCE))
    if keys & _COMBINING_KEYWORDS:
        return SentSchema(text, unenforced)
    return SentSchema(json.dumps(_close_objects(schema), separators=(",", ":")), unenforced)


def _keywords_in(schema: Json) -> list[str]:
    """The keywords of a schema and of its parts, without the names of members."""
    if isinstance(schema, list):
        return [key for one in schema for key in _keywords_in(one)]
    if not isinstance(schema, dict):
        return []
    keywords = list(schema)
    for key, value in schema.items():
        inner = list(value.values()) if key in _MEMBER_KEYWORDS and isinstance(value, dict) else value
        keywords += _keywords_in(inner) if key not in _VALUE_KEYWORDS else []
    return keywords


_MEMBER_KEYWORDS: Final = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_VALUE_KEYWORDS: Final = ("enum", "const", "default", "examples")


def _close_objects(schema: Json) -> Json:
    if isinstance(schema, list):
        return [_close_objects(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {
        key: {name: _close_objects(one) for name, one in value.items()}
        if key in _MEMBER_KEYWORDS and isinstance(value, dict)
        else value
        if key in _VALUE_KEYWORDS
        else _close_objects(value)
        for key, value in schema.items()
    }
    return (
        closed
        if "additionalProperties" in closed or not closed.get("properties")
        else closed | {"additionalProperties": False}
    )
