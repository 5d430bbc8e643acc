"""Sessions and replies as rows of the tables, and back; a row that cannot be read is read as far as it can be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from reflectty.chat import Usage
from reflectty.session import Attachment, Ended, Found, Measured, Origin, Said, Session, Turn
from reflectty.store.text import from_json, given, kept, strings, to_json
from reflectty.stream import Kind

if TYPE_CHECKING:
    from enum import StrEnum

    from reflectty.chat import OptionValue

    E = TypeVar("E", bound=StrEnum)
    Row = tuple[Any, ...]

PARTS = ("title", "question", "thinking", "reflection", "answer")
SAID = (
    "model",
    "digest",
    "mode",
    "family",
    "prefilled",
    "effort",
    "options",
    "origin",
    "done_reason",
    "error",
    "warnings",
    "measured",
    "answer",
    "raw",
    "raw_thinking",
    "ended",
)
"""The columns of a reply, in the order of `said_columns`."""
TURN = ("id", "parent", "created", "text", *SAID)
SESSIONS = """SELECT id, title, created, updated, model, leaf,
    (SELECT count(*) FROM turns WHERE session = sessions.id AND ended IS NULL) FROM sessions"""


def read_session(row: Row) -> Session:
    name, title, created, updated, model, leaf, questions = row
    return Session(
        id=given(name),
        title=given(title),
        created=_number(created),
        updated=_number(updated),
        model=given(model),
        leaf=leaf if isinstance(leaf, int) else None,
        questions=questions,
    )


def read_turn(row: Row, attachments: tuple[Attachment, ...], segments: tuple[tuple[Kind, str], ...]) -> Turn:
    number, parent, created, text, *said = row
    return Turn(
        id=number,
        parent=parent if isinstance(parent, int) else None,
        created=_number(created),
        text=given(text),
        attachments=attachments,
        said=None if said[-1] is None else _read_said(tuple(said), segments),
    )


def read_attachment(name: object, kind: object, content: object) -> Attachment:
    return Attachment(given(name), "image" if kind == "image" else "file", given(content))


def read_kind(part: object) -> Kind:
    """Return the kind of a segment; one of a kind to come is thinking, because it must not pass for the answer."""
    return _member(Kind, part, Kind.THINKING)


def read_part(part: object) -> Literal["title", "question", "thinking", "reflection", "answer"]:
    return cast("Any", part) if part in PARTS else "thinking"


def said_columns(said: Said) -> Row:
    return (
        kept(said.model),
        kept(said.digest),
        kept(said.mode),
        kept(said.family),
        said.prefilled,
        kept(said.effort),
        to_json(said.options),
        said.origin.value,
        kept(said.done_reason),
        kept(said.error),
        to_json(said.warnings),
        to_json({**said.measured._asdict(), "usage": said.measured.usage._asdict()}),
        kept(said.answer),
        kept(said.raw),
        kept(said.raw_thinking),
        said.ended.value,
    )


def _read_said(row: Row, segments: tuple[tuple[Kind, str], ...]) -> Said:
    column = dict(zip(SAID, row, strict=True))
    return Said(
        model=given(column["model"]),
        digest=given(column["digest"]),
        mode=given(column["mode"]),
        family=given(column["family"]),
        prefilled=bool(column["prefilled"]),
        effort=given(column["effort"]),
        options=_options(from_json(column["options"])),
        segments=segments,
        answer=given(column["answer"]),
        raw=given(column["raw"]),
        raw_thinking=given(column["raw_thinking"]),
        ended=_member(Ended, column["ended"], Ended.INCOMPLETE),
        done_reason=given(column["done_reason"]),
        origin=_member(Origin, column["origin"], Origin.ASKED),
        error=given(column["error"]),
        warnings=strings(_items(from_json(column["warnings"]))),
        measured=_measured(from_json(column["measured"])),
    )


def _member(kind: type[E], value: object, otherwise: E) -> E:
    return next((member for member in kind if member.value == value), otherwise)


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _options(value: object) -> tuple[tuple[str, OptionValue], ...]:
    pairs = (item for item in _items(value) if isinstance(item, list) and len(item) == len(("name", "value")))
    return tuple((name, _option(option)) for name, option in pairs if isinstance(name, str))


def _option(value: object) -> OptionValue:
    if isinstance(value, list):
        return strings(value)
    return value if isinstance(value, (int, float, str)) else str(value)


def _measured(value: object) -> Measured:
    if not isinstance(value, dict):
        return Measured()
    usage = value.get("usage")
    known = {name: value[name] for name in Measured._fields if name != "usage" and _is_figure(value.get(name))}
    counted = (
        {name: usage[name] for name in Usage._fields if _is_figure(usage.get(name))} if isinstance(usage, dict) else {}
    )
    return Measured(**known, usage=Usage(**counted))


def _is_figure(value: object) -> bool:
    return isinstance(value, (int, float))


def found(session: Session, turn: int | None, part: object, passage: tuple[tuple[str, bool], ...]) -> Found:
    return Found(session, turn, read_part(part), passage)
