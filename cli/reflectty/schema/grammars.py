r"""Which grammar holds an answer on a server, and what a schema becomes there; sends nothing.

| server | what holds to a schema |
|---|---|
| Ollama, llama-server | llama.cpp's converter (common/json-schema-to-grammar.cpp): see `rewriting` |
| the built-in model | llguidance, which xllamacpp is built with and asked to be lenient: it knows `allOf` and `\d` |
| vLLM, SGLang and others | xgrammar or what they are started with: the schema is sent as it is |

The user's own schema is what every answer is checked against in the end.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Final, NamedTuple

from reflectty.errors import UsageError
from reflectty.schema.merging import Json, NothingError
from reflectty.schema.rewriting import Rewriter


class Grammar(StrEnum):
    """What makes a grammar of a schema."""

    LLAMA_CPP = "llama.cpp"
    LLGUIDANCE = "llguidance"


class SentSchema(NamedTuple):
    """What a server is given."""

    text: str
    unheld: tuple[str, ...] = ()
    """Keywords that only the check of the whole answer holds."""


NOTHING_FITS: Final = "nothing at all fits the schema"
_ASSERTING: Final = ("draft-04", "draft-06", "draft-07")
_UNKNOWN_TO_LLGUIDANCE: Final = frozenset(
    {
        *("not", "uniqueItems", "contains", "propertyNames", "if", "dependentRequired", "dependentSchemas"),
        *("minProperties", "maxProperties"),
    }
)
"""Seen with xllamacpp 2026.10: it lets them pass, and meets `minProperties` by naming a key twice."""
_TOGETHER: Final = frozenset(
    ["allOf", "anyOf", "oneOf", "if", "not", "dependentSchemas", "unevaluatedProperties", "patternProperties"]
)


def sent(text: str, grammar: str, *, sorts: bool = False) -> SentSchema:
    """Return what a server with this grammar is given of a schema, which is JSON text.

    Args:
        text: the schema.
        grammar: a value of Grammar; of any other nothing is known.
        sorts: whether the members of an object arrive there in alphabetical order.

    Raises:
        UsageError: nothing fits the schema.
    """
    schema = json.loads(text)
    if grammar == Grammar.LLGUIDANCE:
        return _for_llguidance(schema, text)
    if grammar != Grammar.LLAMA_CPP:
        return SentSchema(text)
    asserts = any(draft in str(schema.get("$schema", "")) for draft in _ASSERTING)
    rewriter = Rewriter(schema, sorts=sorts, asserts_formats=asserts)
    try:
        found = rewriter.whole()
    except NothingError as error:
        raise UsageError(NOTHING_FITS, "no answer could be held to it") from error
    except RecursionError as error:
        raise UsageError("the schema is nested too deeply") from error
    # The order of keys means something here, so texts are compared and not values.
    written = json.dumps(found, separators=(",", ":"))
    return SentSchema(text if not sorts and found == schema else written, tuple(rewriter.unheld))


def _for_llguidance(schema: dict[str, Json], text: str) -> SentSchema:
    """Close the objects that do not say whether they are open: a small model fills them up until it is stopped."""
    keys = set(_keys(schema))
    unheld = tuple(sorted(keys & _UNKNOWN_TO_LLGUIDANCE))
    if keys & _TOGETHER:
        return SentSchema(text, unheld)
    return SentSchema(json.dumps(_closed(schema), separators=(",", ":")), unheld)


def _keys(schema: Json) -> list[str]:
    """Return the keywords of a schema and of those in it; names of members are none."""
    if isinstance(schema, list):
        return [key for one in schema for key in _keys(one)]
    if not isinstance(schema, dict):
        return []
    found = list(schema)
    for key, value in schema.items():
        inner = list(value.values()) if key in _NAMED and isinstance(value, dict) else value
        found += _keys(inner) if key not in _VALUES else []
    return found


_NAMED: Final = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_VALUES: Final = ("enum", "const", "default", "examples")


def _closed(schema: Json) -> Json:
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {
        key: {name: _closed(one) for name, one in value.items()}
        if key in _NAMED and isinstance(value, dict)
        else value
        if key in _VALUES
        else _closed(value)
        for key, value in schema.items()
    }
    return (
        found
        if "additionalProperties" in found or not found.get("properties")
        else found | {"additionalProperties": False}
    )
