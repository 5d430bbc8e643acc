"""Reads the JSON Schema of `--schema` and checks answers against it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from reflectty.core.errors import SchemaError, UsageError, reason_of

if TYPE_CHECKING:
    from reflectty.core.schema.rewrite import SentSchema

_MAX_BLANKS = 500
"""A constrained model with nothing left to write emits white space; a longer run than this ends the reply."""


def _refuse_network(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not part of the schema")


@dataclass(frozen=True, slots=True)
class Schema:
    """A JSON Schema as compact JSON text, with its validator."""

    text: str
    validator: Any

    def prepare_for(self, grammar: str, *, sorts_keys: bool = False) -> SentSchema:
        """The schema in the form that a server's grammar can enforce; answers are still checked against the original.

        Raises:
            UsageError: nothing fits the schema.
        """
        from reflectty.core.schema.rewrite import prepare_schema

        return prepare_schema(self.text, grammar, sorts_keys=sorts_keys)

    def check(self, answer: str) -> None:
        """Check an answer against the schema.

        Raises:
            SchemaError: it is not JSON, or does not fit; the message names the location.
        """
        try:
            value = json.loads(answer)
        except ValueError as error:
            raise SchemaError(
                f"the answer is not valid JSON: {error}", "raise num_predict if it was cut off"
            ) from error
        misfit = next(iter(self.validator.iter_errors(value)), None)
        if misfit is not None:
            location = "/".join(map(str, misfit.instance_path)) or "the top level"
            raise SchemaError(f"the answer does not fit the schema at {location}: {misfit.message}")


def read_schema(argument: str) -> Schema:
    """Read the schema of a `--schema` argument: JSON text, the path of a file, also after `@`, or the short form.

    Raises:
        UsageError: no such file, not JSON, or not a schema.
    """
    import jsonschema_rs

    value, name = _read_argument(argument)
    if not isinstance(value, dict):
        raise UsageError(f"{name} is not a schema: it must be a JSON object")
    try:
        validator = jsonschema_rs.validator_for(value, retriever=_refuse_network)
    except (jsonschema_rs.ValidationError, jsonschema_rs.ReferencingError, ValueError) as error:
        raise UsageError(f"{name} is not a valid schema: {getattr(error, 'message', error)}") from error
    return Schema(json.dumps(value, separators=(",", ":")), validator)


def _read_argument(argument: str) -> tuple[object, str]:
    """Read the value of an argument, and its name in messages."""
    if argument.lstrip().startswith(("{", "[", '"')):
        return _parse(argument, "--schema"), "--schema"
    path = Path(argument.removeprefix("@"))
    if not argument.startswith("@") and not path.exists():
        from reflectty.core.schema.short_form import expand_short_form

        if schema := expand_short_form(argument):
            return schema, "--schema"
    try:
        return _parse(path.read_text("utf-8"), str(path)), str(path)
    except (OSError, UnicodeDecodeError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else "not a text file"
        raise UsageError(f"cannot read the schema {path}: {reason}") from error


def _parse(text: str, name: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(f"{name} is not valid JSON: {error}") from error


def tidy_json(answer: str) -> str:
    """Put JSON text on one line, with a blank after each comma and colon; values keep their spelling.

    A grammar allows white space between any two tokens, and small models write much of it.
    """
    pieces = re.findall(r'"(?:[^"\\]|\\.)*"|[^\s",:{}\[\]]+|[,:{}\[\]]', answer, re.DOTALL)
    return "".join(f"{piece} " if piece in (",", ":") else piece for piece in pieces)


class JsonEndDetector:
    """Detects where a streamed JSON value ends, or that only white space still arrives."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = self._escaped = False
        self._blanks = 0

    def feed(self, text: str) -> int | None:
        """How much of `text` belongs to the value if it ends there, else None."""
        for at, char in enumerate(text):
            if self._char(char):
                return at + 1
        return None

    def _char(self, char: str) -> bool:
        if self._in_string:
            self._in_string = self._escaped or char != '"'
            self._escaped = char == "\\" and not self._escaped
            return not self._in_string and self._depth == 0
        self._blanks = self._blanks + 1 if char.isspace() else 0
        self._in_string = char == '"'
        self._depth += (char in "{[") - (char in "}]")
        return (char in "}]" and self._depth <= 0) or self._blanks > _MAX_BLANKS
