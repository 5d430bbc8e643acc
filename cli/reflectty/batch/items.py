"""Reads what a line asks: a line of text, or a JSON object; a line that cannot be read says so itself."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from reflectty.batch.lines import LONGEST
from reflectty.errors import ReflecttyError, UsageError

if TYPE_CHECKING:
    from reflectty.batch.lines import Line

ENDINGS = (".jsonl", ".ndjson")
"""How the name of a file ends whose lines are JSON objects."""
OWN = ("prompt", "id", "system", "model")
"""The members of an object that are no fields of a template."""
Id = str | int | float | bool | None


class Form(StrEnum):
    """What the lines of a file are."""

    LINES = "lines"
    JSONL = "jsonl"


class Item(NamedTuple):
    """What one line asks."""

    line: int
    """The number of the line, counted from 1."""
    digest: str
    prompt: str = ""
    id: Id = None
    model: str = ""
    system: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    """What else an object has, for the fields of a template."""
    problem: ReflecttyError | None = None
    """Why it cannot be asked."""


def form_of(name: str, first: bytes) -> Form:
    """Return what the lines of a file are, by its name or by its first line that is not blank."""
    if name.lower().endswith(ENDINGS):
        return Form.JSONL
    try:
        return Form.JSONL if isinstance(_json(first.decode()), dict) else Form.LINES
    except ValueError:
        return Form.LINES


def read(line: Line, form: Form) -> Item:
    """Return what a line asks."""
    item = Item(line.number, line.digest)
    try:
        text = _text(line)
        return item._replace(prompt=text) if form is Form.LINES else _of_object(item, _object(text))
    except UsageError as error:
        return item._replace(problem=error)


def _text(line: Line) -> str:
    if line.too_long:
        raise UsageError(f"the line has more than {LONGEST >> 20} MB", "no context holds so much")
    try:
        text = line.data.decode()
    except UnicodeDecodeError as error:
        raise UsageError("the line is not UTF-8", "save the file as UTF-8") from error
    if "\0" in text:
        raise UsageError("the line is binary, not text: it holds a null character")
    return text


def _object(text: str) -> dict[str, Any]:
    try:
        value = _json(text)
    except ValueError as error:
        raise UsageError(f"the line is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise UsageError("the line is no JSON object", 'write it as {"prompt": "why is the sky blue?"}')
    return value


def _json(text: str) -> Any:  # noqa: ANN401 - JSON is anything
    """Return a JSON value.

    Raises:
        ValueError: it is none, as JSON is defined: NaN and a depth that nothing can read are none.
    """
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg.lower()} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no value")


def _of_object(item: Item, members: dict[str, Any]) -> Item:
    """Return what an object asks; its id is kept even where the rest cannot be used."""
    identity = members.get("id")
    item = item._replace(id=identity if isinstance(identity, str | int | float | bool) else None)
    try:
        if identity is not None and item.id is None:
            raise UsageError("id must be a text or a number")  # noqa: TRY301 - the same as any other member
        return item._replace(
            prompt=_member(members, "prompt"),
            model=_member(members, "model"),
            system=_member(members, "system"),
            fields=tuple((name, _as_text(value)) for name, value in members.items() if name not in OWN),
        )
    except UsageError as error:
        return item._replace(problem=error)


def _member(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name} must be a text in quotes")
    return value or ""


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
