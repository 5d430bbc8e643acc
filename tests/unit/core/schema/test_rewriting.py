from __future__ import annotations

import json
import re
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.errors import UsageError
from reflectty.core.schema.patterns import rewrite_pattern
from reflectty.core.schema.rewrite import ANYTHING, KEY_ORDER, Grammar, prepare_schema

INNER = '[^"\\\\\\x00-\\x1F]'
"""The pattern for llama.cpp's grammar instead of `.`: no quote, no backslash, no control character."""


def becomes(schema: dict[str, Any], *, sorts: bool = False) -> dict[str, Any]:
    return dict(json.loads(prepare_schema(json.dumps(schema), Grammar.LLAMA_CPP, sorts_keys=sorts).text))


def member(schema: Any) -> Any:
    """The rewritten schema of a member."""
    return becomes({"type": "object", "properties": {"a": schema}})["properties"]["a"]


def of(*keys: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {key: {"type": "string"} for key in keys}, **more}


AS_THEY_ARE = [
    {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
    {"type": "object"},
    {"enum": ["A", "B", 1, None]},
    {"type": "array", "items": {"type": "string", "minLength": 1, "maxLength": 9}, "minItems": 1, "maxItems": 3},
    {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"type": "null"}}},
    {"type": ["string", "null"]},
    {"anyOf": [{"type": "string", "format": "date"}, {"const": 1}]},
    {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 5}},
]


@pytest.mark.parametrize("schema", AS_THEY_ARE, ids=json.dumps)
def test_supported_schema_is_sent_unchanged(schema: dict[str, Any]) -> None:
    text = json.dumps(schema, separators=(",", ":"))

    assert prepare_schema(text, Grammar.LLAMA_CPP) == (text, ())


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (True, ANYTHING),
        ({}, ANYTHING),
        ({"allOf": [{"type": "string"}]}, {"type": "string"}),
        (
            {"allOf": [{"minimum": 2}, {"maximum": 5}], "type": "integer"},
            {"type": "integer", "minimum": 2, "maximum": 5},
        ),
        ({"allOf": [{"enum": [1, 2, 3]}, {"enum": [2, 3, 4]}]}, {"enum": [2, 3]}),
        ({"allOf": [{"type": ["string", "integer"]}, {"type": ["number", "null"]}]}, {"type": "integer"}),
        ({"type": "integer", "exclusiveMinimum": 0, "maximum": 9.5}, {"type": "integer", "minimum": 1, "maximum": 9}),
        ({"type": "string", "enum": [1, "a", None]}, {"enum": ["a"]}),
        ({"enum": ["a", "bb"], "minLength": 2}, {"enum": ["bb"]}),
        (
            {"type": ["string", "null"], "minLength": 2},
            {"anyOf": [{"type": "string", "minLength": 2}, {"type": "null"}]},
        ),
        ({"minLength": 2}, {"type": "string", "minLength": 2}),
        ({"type": "array", "minItems": 2}, {"type": "array", "items": ANYTHING, "minItems": 2}),
        ({"type": "array", "items": False}, {"type": "array", "items": ANYTHING, "maxItems": 0}),
        (
            {"type": "object", "required": ["a"]},
            {"type": "object", "properties": {"a": ANYTHING}, "required": ["a"], "additionalProperties": True},
        ),
        ({"type": "object", "additionalProperties": {}}, {"type": "object"}),
        (
            {**of("a", required=["a"]), "anyOf": [of("b", required=["b"]), {"required": ["a"]}]},
            {"anyOf": [of("b", "a", required=["b", "a"]), of("a", required=["a"])]},
        ),
    ],
    ids=str,
)
def test_unsupported_keywords_are_rewritten_so_that_they_are_enforced(given: Any, expected: Any) -> None:
    assert member(given) == expected


class TestReferences:
    def test_to_the_root_become_a_definition(self) -> None:
        found = becomes({"type": "object", "properties": {"child": {"$ref": "#"}, "name": {"type": "string"}}})
        inner = {"type": "object", "properties": {"child": {"$ref": "#/$defs/whole"}, "name": {"type": "string"}}}

        assert found == {**inner, "$defs": {"whole": inner}}

    def test_at_the_top_are_inlined(self) -> None:
        node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}

        assert becomes({"$ref": "#/$defs/node", "$defs": {"node": node}}) == {**node, "$defs": {"node": node}}

    @pytest.mark.parametrize(
        "reference", ["#/definitions/a~1b", "#/definitions/a%2Fb", "#mine"], ids=["tilde", "percent", "anchor"]
    )
    def test_of_every_form_are_normalized(self, reference: str) -> None:
        schema = {"properties": {"a": {"$ref": reference}}, "definitions": {"a/b": {"$anchor": "mine", "const": 1}}}
        found = becomes(schema)
        (name,) = found["$defs"]

        assert found["properties"]["a"] == {"$ref": f"#/$defs/{name}"}
        assert found["$defs"][name] == {"const": 1}

    def test_with_sibling_keywords_are_merged(self) -> None:
        schema = {
            "properties": {"a": {"$ref": "#/$defs/n", "minimum": 2}},
            "$defs": {"n": {"type": "integer", "minimum": 1, "maximum": 3}},
        }

        assert becomes(schema)["properties"]["a"] == {"type": "integer", "minimum": 2, "maximum": 3}


class TestKeyOrder:
    def test_is_enforced_if_the_server_sorts_keys(self) -> None:
        schema = of("reasoning", "answer", "z", "b", required=["answer", "reasoning"])
        found = becomes(schema, sorts=True)
        sorted_on_the_way = json.loads(json.dumps(found, sort_keys=True))

        assert [list(part["properties"]) for part in sorted_on_the_way["allOf"][:2]] == [["reasoning"], ["answer"]]
        assert [list(part["properties"]) for part in sorted_on_the_way["allOf"][2]["anyOf"]] == [["z"], ["b"]]
        assert "properties" not in found

    def test_is_enforced_within_members_too(self) -> None:
        found = becomes({"type": "object", "properties": {"a": of("z", "b", required=["z", "b"])}}, sorts=True)

        assert found["properties"]["a"]["allOf"][0] == {"properties": {"z": {"type": "string"}}}

    @pytest.mark.parametrize("sorts", [True, False])
    def test_alphabetical_order_is_left_unchanged(self, sorts: bool) -> None:
        schema = of("b", "c", "a", required=["b", "c"])

        assert becomes(schema, sorts=sorts) == schema

    def test_of_an_open_object_is_reported_as_unenforced(self) -> None:
        schema = of("z", "a", additionalProperties=True)

        assert prepare_schema(json.dumps(schema), Grammar.LLAMA_CPP, sorts_keys=True).unenforced == (KEY_ORDER,)
        assert prepare_schema(json.dumps(schema), Grammar.LLAMA_CPP).unenforced == ()


@pytest.mark.parametrize(
    ("schema", "unheld"),
    [
        ({"type": "number", "minimum": 0, "multipleOf": 2}, ("minimum", "multipleOf")),
        ({"type": "integer", "minimum": 10**19}, ("minimum",)),
        ({"type": "integer", "multipleOf": 1}, ()),
        ({"const": 12345678901234567890}, ("const",)),
        ({"type": "string", "pattern": r"\bx"}, ("pattern",)),
        ({"type": "string", "pattern": "^x+$", "minLength": 3}, ("minLength",)),
        ({"type": "string", "format": "email"}, ()),
        ({"type": "string", "format": "email", "$schema": "http://json-schema.org/draft-07/schema#"}, ("format",)),
        ({"type": "array", "items": {"type": "string"}, "uniqueItems": True}, ("uniqueItems",)),
        ({"type": "array", "contains": {"const": 1}}, ("contains",)),
        ({"type": "object", "minProperties": 1}, ("minProperties",)),
        ({**of("a", required=["a"]), "minProperties": 1}, ()),
        ({"type": "object", "patternProperties": {"^a": {"type": "null"}}}, ("patternProperties",)),
        ({"type": "string", "not": {"const": "x"}}, ("not",)),
        ({"type": "object", "if": {"required": ["a"]}, "then": {"required": ["b"]}}, ("if",)),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, ("oneOf",)),
        ({"oneOf": [{"type": "integer"}, {"type": "string"}]}, ()),
        ({"allOf": [{"pattern": "^a"}, {"pattern": "b$"}], "type": "string"}, ("pattern",)),
    ],
    ids=str,
)
def test_unenforced_keywords_are_listed(schema: dict[str, Any], unheld: tuple[str, ...]) -> None:
    assert prepare_schema(json.dumps(schema), Grammar.LLAMA_CPP).unenforced == unheld


@pytest.mark.parametrize(
    "schema",
    [
        {"enum": []},
        {"type": "string", "enum": [1]},
        {"allOf": [{"type": "string"}, {"type": "null"}]},
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"type": "object", "properties": {"a": False}, "required": ["a"]},
        {"anyOf": [False, {"enum": []}]},
    ],
    ids=str,
)
def test_unsatisfiable_schema_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="no answer can fit"):
        prepare_schema(json.dumps(schema), Grammar.LLAMA_CPP)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (r"^\d{3}-[a-z\-]+$", r"^([0-9]{3}[\x2D][a-z\x2D]+)$"),
        (r"\d{3}", f"^({INNER}*[0-9]{{3}}{INNER}*)$"),
        ("^a|b$", f"^(a{INNER}*|{INNER}*b)$"),
        (r"^(a|b)?c.$", f"^((a|b)?c{INNER})$"),
        ('^[^"]+$', r'^([^\x22"\\\x00-\x1F]+)$'),
        (r"^\w+@\w+\.com$", r"^([A-Za-z0-9_]+[\x40][A-Za-z0-9_]+[\x2E]com)$"),
        (r"^\s*$", "^([ ]*)$"),
        (r"^\S$", r'^([^ "\\\x00-\x1F])$'),
        ("^(?:ab){2,}?$", "^((ab){2,})$"),
        (r"^\u00e9$", "^(é)$"),
        *(
            (hopeless, "")
            for hopeless in (r"a\b", '^"$', "(?=x)", r"^\p{L}$", "^(a|)$", r"^(a)\1$", "^[]$", "^a**$", "(")
        ),
    ],
)
def test_pattern_is_rewritten_for_the_grammar(pattern: str, expected: str) -> None:
    assert rewrite_pattern(pattern) == expected


PIECES = st.sampled_from(["a", "b", ".", r"\d", r"\w", "[ab]", "[^a]", "(a|b)", "(ab)?", "a*", "b{1,2}", r"\.", "-"])


@given(st.lists(PIECES, min_size=1, max_size=4), st.booleans(), st.booleans(), st.text('ab1. -"\\\n', max_size=6))
def test_rewritten_pattern_accepts_no_other_text(pieces: list[str], begins: bool, ends: bool, text: str) -> None:
    pattern = "^" * begins + "".join(pieces) + "$" * ends
    found = rewrite_pattern(pattern)

    assert found
    if re.fullmatch(found[1:-1], text):
        assert jsonschema_rs.is_valid({"pattern": pattern}, text)
        assert json.dumps(text) == f'"{text}"'


SIMPLE = st.sampled_from(
    [
        True,
        {"type": "string"},
        {"type": "integer", "minimum": 1},
        {"type": "integer", "exclusiveMaximum": 3},
        {"type": ["string", "null"], "minLength": 1},
        {"enum": [1, "a", None]},
        {"const": "a"},
        {"type": "array", "items": {"type": "integer"}, "maxItems": 1},
        {"$ref": "#/$defs/d"},
        {"$ref": "#/$defs/d", "maxLength": 1},
    ]
)
SCHEMAS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"allOf": parts}),
        st.lists(inner, min_size=1, max_size=2).map(lambda parts: {"anyOf": parts}),
        st.tuples(inner, inner, st.booleans()).map(
            lambda parts: {
                "type": "object",
                "properties": {"b": parts[0], "a": parts[1]},
                "required": ["b"],
                **({"additionalProperties": False} if parts[2] else {}),
            }
        ),
        st.tuples(inner, inner).map(lambda parts: {"properties": {"a": parts[0]}, "anyOf": [parts[1], True]}),
    ),
    max_leaves=5,
)
VALUES = st.recursive(
    st.sampled_from([None, True, 0, 1, 2, 3, "", "a", "ab"]),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=2) | st.lists(inner, max_size=2),
    max_leaves=4,
)


@given(SCHEMAS, st.lists(VALUES, min_size=5, max_size=20), st.booleans())
def test_values_that_fit_the_prepared_schema_fit_the_original(schema: Any, values: list[Any], sorts: bool) -> None:
    whole = {"properties": {"it": schema}, "required": ["it"], "$defs": {"d": {"type": "string", "minLength": 1}}}
    try:
        text, unheld = prepare_schema(json.dumps(whole), Grammar.LLAMA_CPP, sorts_keys=sorts)
    except UsageError:
        assert not any(jsonschema_rs.is_valid(whole, {"it": value}) for value in values)
        return
    # llama.cpp requires all members of an `allOf`, and objects are closed unless they say otherwise.
    fits = [
        {"it": value} for value in values if jsonschema_rs.is_valid(_as_llama_reads(json.loads(text)), {"it": value})
    ]

    assert unheld or all(jsonschema_rs.is_valid(whole, value) for value in fits)


def _as_llama_reads(schema: Any) -> Any:
    """The meaning of an `allOf` of members in llama.cpp: a closed object that requires those outside an `anyOf`."""
    if isinstance(schema, list):
        return [_as_llama_reads(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    read = {key: _as_llama_reads(value) for key, value in schema.items()}
    if "allOf" in read:
        alone = list(read.pop("allOf"))
        named = [one for part in alone for one in part.get("anyOf", [part])]
        read["properties"] = {key: value for one in named for key, value in one["properties"].items()}
        read["required"] = [key for part in alone for key in part.get("properties", {})]
    if "properties" in read and isinstance(read["properties"], dict):
        read.setdefault("type", "object")
        read.setdefault("additionalProperties", False)
    return read


class TestOtherGrammars:
    def test_unknown_grammar_gets_the_schema_unchanged(self) -> None:
        text = '{"allOf":[{"type":"string"}],"not":{}}'

        assert prepare_schema(text, "") == (text, ())

    def test_llguidance_gets_closed_objects(self) -> None:
        text = json.dumps({"type": "object", "properties": {"p": of("a")}, "required": ["p"]})
        found = json.loads(prepare_schema(text, Grammar.LLGUIDANCE).text)

        assert (found["additionalProperties"], found["properties"]["p"]["additionalProperties"]) == (False, False)

    def test_llguidance_keeps_combined_objects_open(self) -> None:
        text = json.dumps({**of("a"), "allOf": [of("b")], "uniqueItems": True})

        assert prepare_schema(text, Grammar.LLGUIDANCE) == (text, ("uniqueItems",))
