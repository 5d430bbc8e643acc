"""The config file as a JSON Schema, for editors and other programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reflectty.config.evidence import COUNTS, KEYS, MODES, NUMBERS
from reflectty.config.load import EXTENDS
from reflectty.config.schema import (
    FILE_SETTINGS,
    PROFILE_SETTINGS,
    TABLE_ABOUTS,
    TIMEOUT_PARTS,
    parse_boolean,
    parse_budget_setting,
    parse_budgets,
    parse_duration,
    parse_evidence,
    parse_keys,
    parse_name,
    parse_options,
    parse_samples,
    parse_seconds,
    parse_texts,
    parse_timeout_setting,
)
from reflectty.core.messages import Effort
from reflectty.core.options import AUTO, NUM_CTX, OPTIONS
from reflectty.reasoning.vote import MAX_SAMPLES, MIN_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reflectty.config.schema import Setting

    Schema = dict[str, Any]

DIALECT = "http://json-schema.org/draft-07/schema#"
"""The draft that editors of TOML support."""
_SIGNS = r"\s!-,./:-@\[-^`{-~"
"""What a name has none of, as a class of characters; ECMAScript's `\\w` is ASCII only, and a name is not."""
_NAME_PATTERN = rf"^[^{_SIGNS}_-][^{_SIGNS}]{{0,63}}$"
_SECONDS = r"[0-9]*\.?[0-9]+"
_TIMEOUT_PATTERN = (
    rf"^\s*(({'|'.join(TIMEOUT_PARTS)})=)?{_SECONDS}(\s*,\s*(({'|'.join(TIMEOUT_PARTS)})=)?{_SECONDS})*\s*,?\s*$"
)
_TEXT: Schema = {"type": "string"}
_NAME: Schema = {"type": "string", "pattern": _NAME_PATTERN}
_BUDGET: Schema = {
    "anyOf": [
        {"type": "integer", "minimum": 0},
        {"type": "string", "pattern": r"^\s*([0-9][0-9_,]*(\.[0-9]+)?\s*[kKsSmMhH]?|[oO][fF][fF]|)\s*$"},
    ]
}
_EVIDENCE: Schema = {
    "type": "object",
    "properties": {
        **dict.fromkeys(KEYS, _TEXT),
        **{key: {"type": "number"} for key in NUMBERS},
        **{key: {"type": "integer", "minimum": 0} for key in COUNTS},
        "mode": {"enum": list(MODES)},
        "effort": {"enum": ["", *Effort]},
        "budget": _BUDGET,
    },
    "required": ["mode"],
    "additionalProperties": False,
}
_TEXTS: Schema = {"type": ["string", "array"], "items": _TEXT}
_OPTION_TYPES = {int: "integer", float: "number", bool: "boolean"}


def config_schema(actions: Iterable[str]) -> Schema:
    """The JSON Schema of the config file.

    Args:
        actions: the names of the chat's actions, which can have keys.
    """
    profile = _table(
        {key: _profile_setting_schema(setting) for key, setting in PROFILE_SETTINGS.items()}
        | {EXTENDS: _NAME | {"description": "the profile whose settings this one starts from"}}
    )
    settings = {key: _setting_schema(setting) for key, setting in FILE_SETTINGS.items()}
    settings["keys"] = _table(dict.fromkeys(actions, _TEXTS)) | {"description": FILE_SETTINGS["keys"].about}
    tables = {"profiles": {"$ref": "#/definitions/profile"}, "templates": _TEXT}
    for name, schema in tables.items():
        settings[name] = {
            "type": "object",
            "description": TABLE_ABOUTS[name],
            "propertyNames": {"pattern": _NAME_PATTERN},
            "additionalProperties": schema,
        }
    return {
        "$schema": DIALECT,
        "title": "Settings of reflect",
        **_table(settings),
        "definitions": {"options": _options_schema(), "profile": profile},
    }


def _table(properties: Mapping[str, Schema]) -> Schema:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _setting_schema(setting: Setting) -> Schema:
    """The schema of one value, described by what the setting is and what holds without it."""
    unset = "" if setting.unset == "none" else f"; if unset: {setting.unset}"
    return {"description": f"{setting.about}{unset}", **_value_schema(setting)}


def _profile_setting_schema(setting: Setting) -> Schema:
    """The schema of a value in a profile, where an empty one restores the default."""
    schema = _setting_schema(setting)
    return schema | {"enum": [*schema["enum"], ""]} if "enum" in schema else schema


def _value_schema(setting: Setting) -> Schema:
    if setting.parse is parse_boolean:
        return {"type": "boolean"}
    if choices := setting.choices():
        return {"enum": list(choices)}
    if setting.parse is parse_options:
        # In this draft nothing beside a reference counts.
        return {"allOf": [{"$ref": "#/definitions/options"}]}
    return _PARSED_AS.get(setting.parse, _TEXT)


_PARSED_AS: Mapping[object, Schema] = {
    parse_name: _NAME,
    parse_texts: _TEXTS,
    parse_keys: {"type": "object"},
    parse_budget_setting: _BUDGET,
    parse_budgets: {"type": "object", "additionalProperties": _BUDGET},
    parse_duration: {"type": ["number", "string"]},
    parse_evidence: {"type": "object", "additionalProperties": _EVIDENCE},
    parse_samples: {"type": "integer", "enum": [1, *range(MIN_SAMPLES, MAX_SAMPLES + 1)]},
    parse_seconds: {"type": "number", "minimum": 0},
    parse_timeout_setting: {
        "anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string", "pattern": _TIMEOUT_PATTERN}]
    },
}
"""The schema of a value by the function that parses it."""


def _options_schema() -> Schema:
    options: dict[str, Schema] = {
        name: _TEXTS if kind is str else {"type": _OPTION_TYPES[kind]} for name, kind in OPTIONS.items()
    }
    options[NUM_CTX] = {"anyOf": [{"type": "integer"}, {"const": AUTO}]}
    return _table(options)
