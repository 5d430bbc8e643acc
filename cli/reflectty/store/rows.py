"""Converts sessions and turns to rows of the tables and back; unreadable values become defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from reflectty.core.messages import Usage
from reflectty.core.segments import Kind
from reflectty.core.session import (
    NO_SETTINGS,
    Attachment,
    ProbedCorrection,
    Readings,
    ReplyMetrics,
    ReplyOrigin,
    ReplyStatus,
    Session,
    SessionSettings,
    StoredReply,
    Turn,
    spans_in,
)
from reflectty.store.encoding import decode_text, encode_text, from_json, strings_in, to_json

if TYPE_CHECKING:
    from enum import StrEnum

    from reflectty.core.messages import OptionValue
    from reflectty.core.session import SearchPart

    E = TypeVar("E", bound=StrEnum)
    Row = tuple[Any, ...]

SEARCH_PARTS = ("title", "question", "thinking", "reflection", "answer", "correction", "check", "alternative")
REPLY_COLUMNS = (
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
"""The columns of a reply, in the order of `reply_values_of`."""
TURN_COLUMNS = ("id", "parent", "created", "text", "label", "pastes", *REPLY_COLUMNS)
SELECT_SESSIONS = """SELECT id, title, created, updated, model, leaf, settings,
    (SELECT count(*) FROM turns WHERE session = sessions.id AND ended IS NULL) FROM sessions"""


def read_session(row: Row) -> Session:
    name, title, created, updated, model, leaf, settings, questions = row
    return Session(
        id=decode_text(name),
        title=decode_text(title),
        created=_float_of(created),
        updated=_float_of(updated),
        model=decode_text(model),
        leaf=leaf if isinstance(leaf, int) else None,
        questions=questions,
        settings=_read_settings(from_json(settings)),
    )


def read_turn(row: Row, attachments: tuple[Attachment, ...], segments: tuple[tuple[Kind, str], ...]) -> Turn:
    number, parent, created, text, label, pastes, *reply_columns = row
    return Turn(
        id=number,
        parent=parent if isinstance(parent, int) else None,
        created=_float_of(created),
        text=decode_text(text),
        attachments=attachments,
        said=None if reply_columns[-1] is None else _read_reply(tuple(reply_columns), segments),
        label=decode_text(label),
        pastes=spans_in(from_json(pastes), len(decode_text(text))),
    )


def read_attachment(name: object, kind: object, content: object) -> Attachment:
    return Attachment(decode_text(name), "image" if kind == "image" else "file", decode_text(content))


def read_kind(part: object) -> Kind:
    """The kind of a segment; an unknown kind counts as thinking, so that it never passes for the answer."""
    return _enum_member(Kind, part, Kind.THINKING)


def read_part(part: object) -> SearchPart:
    return cast("Any", part) if part in SEARCH_PARTS else "thinking"


def reply_values_of(reply: StoredReply) -> Row:
    return (
        encode_text(reply.model),
        encode_text(reply.digest),
        encode_text(reply.mode),
        encode_text(reply.family),
        reply.prefilled,
        encode_text(reply.effort),
        to_json(reply.options),
        reply.origin.value,
        encode_text(reply.done_reason),
        encode_text(reply.error),
        to_json(reply.warnings),
        to_json(reply.measured.as_object),
        encode_text(reply.answer),
        encode_text(reply.raw),
        encode_text(reply.raw_thinking),
        reply.ended.value,
    )


def settings_json_of(settings: SessionSettings) -> str:
    """The fields that are set, as JSON."""
    unset = NO_SETTINGS._asdict()
    return to_json({name: value for name, value in settings._asdict().items() if value != unset[name]})


def _read_settings(value: object) -> SessionSettings:
    if not isinstance(value, dict):
        return NO_SETTINGS
    texts = {
        name: value[name]
        for name in ("profile", "mode", "effort", "system", "budget", "samples", "verify")
        if isinstance(value.get(name), str)
    }
    return SessionSettings(**texts, options=_read_options(value["options"]) if "options" in value else None)


def _read_reply(row: Row, segments: tuple[tuple[Kind, str], ...]) -> StoredReply:
    column = dict(zip(REPLY_COLUMNS, row, strict=True))
    return StoredReply(
        model=decode_text(column["model"]),
        digest=decode_text(column["digest"]),
        mode=decode_text(column["mode"]),
        family=decode_text(column["family"]),
        prefilled=bool(column["prefilled"]),
        effort=decode_text(column["effort"]),
        options=_read_options(from_json(column["options"])),
        segments=segments,
        answer=decode_text(column["answer"]),
        raw=decode_text(column["raw"]),
        raw_thinking=decode_text(column["raw_thinking"]),
        ended=_enum_member(ReplyStatus, column["ended"], ReplyStatus.INCOMPLETE),
        done_reason=decode_text(column["done_reason"]),
        origin=_enum_member(ReplyOrigin, column["origin"], ReplyOrigin.ASKED),
        error=decode_text(column["error"]),
        warnings=strings_in(_list_of(from_json(column["warnings"]))),
        measured=_read_metrics(from_json(column["measured"])),
    )


def _enum_member(kind: type[E], value: object, otherwise: E) -> E:
    return next((member for member in kind if member.value == value), otherwise)


def _float_of(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _list_of(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _read_options(value: object) -> tuple[tuple[str, OptionValue], ...]:
    pairs = (item for item in _list_of(value) if isinstance(item, list) and len(item) == len(("name", "value")))
    return tuple((name, _read_option(option)) for name, option in pairs if isinstance(name, str))


def _read_option(value: object) -> OptionValue:
    if isinstance(value, list):
        return strings_in(value)
    return value if isinstance(value, (int, float, str)) else str(value)


def _read_metrics(value: object) -> ReplyMetrics:
    if not isinstance(value, dict):
        return ReplyMetrics()
    defaults = {
        name: default for name, default in ReplyMetrics()._asdict().items() if isinstance(default, (str, float, int))
    }
    figures = {
        name: value[name]
        for name, default in defaults.items()
        if (isinstance(value.get(name), str) if isinstance(default, str) else _is_figure(value.get(name)))
    }
    readings = value.get("readings")
    counted = Readings(**_figures_of(readings, Readings._fields)) if isinstance(readings, dict) else None
    usage = Usage(**_figures_of(value.get("usage"), Usage._fields))
    return ReplyMetrics(**figures, usage=usage, readings=counted, probed=_read_probed(value.get("probed")))


def _read_probed(value: object) -> tuple[ProbedCorrection, ...]:
    """The results of probes, without those that have no number."""
    found = (_figures_of(item, ProbedCorrection._fields) for item in _list_of(value))
    return tuple(ProbedCorrection(**figures) for figures in found if "correction" in figures)


def _figures_of(value: object, names: tuple[str, ...]) -> dict[str, Any]:
    """The members that are numbers."""
    return {name: value[name] for name in names if _is_figure(value.get(name))} if isinstance(value, dict) else {}


def _is_figure(value: object) -> bool:
    return isinstance(value, (int, float))
