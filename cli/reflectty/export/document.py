"""Reads documents of `sessions export --json` back into sessions and turns; `export.json` describes their keys."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, TypeVar, cast

from reflectty.core.errors import UsageError
from reflectty.core.messages import Usage
from reflectty.core.segments import Kind
from reflectty.core.session import (
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
from reflectty.protocols.decoding import refuse_constant

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from enum import StrEnum

    from reflectty.core.messages import OptionValue

    E = TypeVar("E", bound=StrEnum)
    Json = dict[str, Any]

T = TypeVar("T", str, int, bool)

_NOUNS: dict[type, str] = {str: "a string", int: "a whole number", bool: "true or false"}
_HINT = "reflect sessions export ID --json > FILE makes one"


class SessionDocument:
    """An exported session.

    Raises:
        UsageError: the value is no such document, or was made by a newer version.
    """

    def __init__(self, value: object, name: str) -> None:
        from reflectty.export.json import DOCUMENT_FORMAT, DOCUMENT_VERSION

        if not isinstance(value, dict) or value.get("format") != DOCUMENT_FORMAT:
            raise UsageError(f"{name} is not an exported session", _HINT)
        if value.get("version") != DOCUMENT_VERSION:
            version = str(value.get("version"))
            raise UsageError(f"{name} has version {version} of the format, not {DOCUMENT_VERSION}", "update reflectty")
        try:
            self.turns = tuple(_turns_of(_list_at(value, "turns")))
            self.session = _session_of(_object_at(value, "session"), self.turns)
        except UsageError as error:
            raise UsageError(f"{name} is damaged: {error}", error.hint) from error


def read_documents(data: bytes, name: str) -> tuple[SessionDocument, ...]:
    """Read the exported sessions of a file: one document, several after each other, or a list of them.

    Raises:
        UsageError: the file has anything else, or nothing.
    """
    try:
        values = tuple(_values_in(data.decode("utf-8-sig")))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{name} is not an exported session", _HINT) from error
    if not values:
        raise UsageError(f"{name} has no session", _HINT)
    return tuple(SessionDocument(value, name) for value in values)


def _values_in(text: str) -> Iterator[object]:
    """Yield the JSON values of a text, those of a list one by one."""
    decoder, text = json.JSONDecoder(parse_constant=refuse_constant), text.strip()
    while text:
        value, end = decoder.raw_decode(text)
        yield from value if isinstance(value, list) else [value]
        text = text[end:].lstrip()


def _session_of(source: Json, turns: tuple[Turn, ...]) -> Session:
    leaf = _id_or_none(source, "leaf", "session")
    if leaf is not None and leaf not in {turn.id for turn in turns}:
        raise UsageError("session.leaf is not one of the turns")
    return Session(
        id="",
        title=_scalar(source, "title", "", "session"),
        created=_time(source, "created", "session"),
        updated=_time(source, "updated", "session"),
        model=_scalar(source, "model", "", "session"),
        leaf=leaf,
        settings=_settings_of(_object(source.get("settings", {}), "session.settings"), "session.settings"),
    )


def _settings_of(source: Json, where: str) -> SessionSettings:
    names = ("mode", "effort", "system", "budget", "samples", "verify")
    texts = {name: _scalar(source, name, "", where) for name in names if name in source}
    options = _options_of(source, where) if "options" in source else None
    return SessionSettings(_scalar(source, "profile", "", where), **texts, options=options)


def _turns_of(sources: Iterable[object]) -> Iterator[Turn]:
    known: set[int] = set()
    for at, source in enumerate(sources):
        where = f"turns[{at}]"
        turn = _turn_of(_object(source, where), where)
        if turn.id in known:
            raise UsageError(f"{where}.id occurs twice")
        if turn.parent is not None and turn.parent not in known:
            raise UsageError(f"{where}.parent is not an earlier turn")
        known.add(turn.id)
        yield turn


def _turn_of(source: Json, where: str) -> Turn:
    said = source.get("said")
    if "id" not in source:
        raise UsageError(f"{where}.id is missing")
    return Turn(
        id=_scalar(source, "id", 0, where),
        parent=_id_or_none(source, "parent", where),
        created=_time(source, "created", where),
        text=_scalar(source, "text", "", where),
        attachments=tuple(
            _attachment_of(_object(item, f"{where}.attachments"), f"{where}.attachments")
            for item in _list_at(source, "attachments", where)
        ),
        said=None if said is None else _reply_of(_object(said, f"{where}.said"), f"{where}.said"),
        label=_scalar(source, "label", "", where),
        pastes=spans_in(source.get("pastes"), len(_scalar(source, "text", "", where))),
    )


def _attachment_of(source: Json, where: str) -> Attachment:
    kind = _scalar(source, "kind", "", where)
    if kind not in {"file", "image"}:
        raise UsageError(f"{where}.kind must be file or image")
    content = _scalar(source, "content", "", where)
    return Attachment(_scalar(source, "name", "", where), "image" if kind == "image" else "file", content)


def _reply_of(source: Json, where: str) -> StoredReply:
    texts = {
        name: _scalar(source, name, "", where)
        for name in (
            *("model", "digest", "mode", "family", "effort"),
            *("answer", "raw", "raw_thinking", "done_reason", "error"),
        )
    }
    return StoredReply(
        **texts,
        prefilled=_scalar(source, "prefilled", default=False, where=where),
        options=_options_of(source, where),
        segments=tuple(
            _segment_of(_object(item, f"{where}.segments"), f"{where}.segments")
            for item in _list_at(source, "segments", where)
        ),
        ended=_member(ReplyStatus, _scalar(source, "ended", "", where), f"{where}.ended"),
        origin=_member(ReplyOrigin, _scalar(source, "origin", "", where), f"{where}.origin"),
        warnings=_strings(source.get("warnings", []), f"{where}.warnings"),
        measured=_metrics_of(_object(source.get("measured", {}), f"{where}.measured"), f"{where}.measured"),
    )


def _segment_of(source: Json, where: str) -> tuple[Kind, str]:
    return _member(Kind, _scalar(source, "kind", "", where), f"{where}.kind"), _scalar(source, "text", "", where)


def _options_of(source: Json, where: str) -> tuple[tuple[str, OptionValue], ...]:
    options = _object(source.get("options", {}), f"{where}.options")
    return tuple((name, _option_of(value, f"{where}.options.{name}")) for name, value in options.items())


def _option_of(value: object, where: str) -> OptionValue:
    if isinstance(value, list):
        return _strings(value, where)
    if not (isinstance(value, (bool, str)) or _is_finite(value)):
        raise UsageError(f"{where} must be a string, a number, true or false, or a list of strings")
    return cast("OptionValue", value)


_OBJECTS = ("usage", "readings", "probed")
"""The members of metrics that are no numbers or texts."""


def _metrics_of(source: Json, where: str) -> ReplyMetrics:
    usage = _object(source.get("usage", {}), f"{where}.usage")
    defaults = {name: value for name, value in ReplyMetrics()._asdict().items() if name not in _OBJECTS}
    figures: dict[str, Any] = {
        name: _scalar(source, name, default, where)
        if isinstance(default, str)
        else _figure(source, name, default, where)
        for name, default in defaults.items()
    }
    counts = {name: _figure(usage, name, default, f"{where}.usage") for name, default in Usage._field_defaults.items()}
    probed = _probed_of(source, f"{where}.probed")
    return ReplyMetrics(**figures, usage=Usage(**counts), readings=_readings_of(source, where), probed=probed)


def _probed_of(source: Json, where: str) -> tuple[ProbedCorrection, ...]:
    items = (_object(item, where) for item in _list_at(source, "probed", where)) if "probed" in source else ()
    return tuple(
        ProbedCorrection(*(_scalar(item, name, 0, where) for name in ProbedCorrection._fields)) for item in items
    )


def _readings_of(source: Json, where: str) -> Readings | None:
    if source.get("readings") is None:
        return None
    readings = _object(source["readings"], f"{where}.readings")
    return Readings(*(_scalar(readings, name, 0, f"{where}.readings") for name in Readings._fields))


def _member(kind: type[E], value: str, where: str) -> E:
    try:
        return kind(value)
    except ValueError as error:
        raise UsageError(f"{where} must be one of {', '.join(kind)}") from error


def _scalar(source: Json, name: str, default: T, where: str) -> T:
    """The value of a member, of the type of its default."""
    value, kind = source.get(name, default), type(default)
    if type(value) is not kind:
        raise UsageError(f"{where}.{name} must be {_NOUNS[kind]}")
    return value


def _id_or_none(source: Json, name: str, where: str) -> int | None:
    return None if source.get(name) is None else _scalar(source, name, 0, where)


def _time(source: Json, name: str, where: str) -> float:
    if name not in source:
        raise UsageError(f"{where}.{name} is missing")
    return float(_figure(source, name, 0.0, where))


def _figure(source: Json, name: str, default: float, where: str) -> Any:  # noqa: ANN401 - whole or not, as it was
    """The value of a member that is a number, whole or not."""
    value = source.get(name, default)
    if not _is_finite(value):
        raise UsageError(f"{where}.{name} must be a number")
    return value


def _is_finite(value: object) -> bool:
    try:
        return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _strings(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise UsageError(f"{where} must be a list of strings")
    return tuple(value)


def _object(value: object, where: str) -> Json:
    if not isinstance(value, dict):
        raise UsageError(f"{where} must be an object")
    return value


def _object_at(source: Json, name: str) -> Json:
    return _object(source.get(name), name)


def _list_at(source: Json, name: str, where: str = "") -> list[object]:
    value = source.get(name)
    if not isinstance(value, list):
        raise UsageError(f"{where}{'.' if where else ''}{name} must be a list")
    return value
