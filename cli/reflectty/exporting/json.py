"""A stored conversation as JSON, with all that is stored of it; text is escaped, never replaced.

The document is `{"format": "reflectty session", "version": 1, "session": {…}, "turns": […]}`. Its keys are the fields
of `Session`, `Turn`, `Attachment`, `Said`, `Measured` and `Usage`, where they are described; in `turns`

- `parent` is the id of the turn that one goes on from, so that turns with the same parent are branches, and
  `leaf` of the session is the turn that the branch ends with that was looked at last;
- `said` is null for a question;
- `segments` is a list of `{"kind", "text"}`, kinds are `thinking`, `reflection` and `answer`;
- `options` is an object; times are seconds since 1970, durations milliseconds.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from reflectty.session import Found, Said, Session, Turn

VERSION = 1
FORMAT = "reflectty session"


def as_json(session: Session, turns: Sequence[Turn]) -> str:
    """Return a session as a JSON document in ASCII."""
    return written(as_object(session, turns), indent=2)


def written(value: object, indent: int | None = None) -> str:
    """Return a value as JSON in ASCII with a line break at its end."""
    return json.dumps(value, ensure_ascii=True, indent=indent) + "\n"


def as_object(session: Session, turns: Iterable[Turn]) -> dict[str, Any]:
    """Return a session with those of its turns as a JSON object."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "session": session_object(session),
        "turns": [_turn(turn) for turn in turns],
    }


def session_object(session: Session) -> dict[str, Any]:
    return session._asdict()


def found_object(found: Found) -> dict[str, Any]:
    """Return a place where a search matched as a JSON object."""
    passage = [{"text": text, "matched": matched} for text, matched in found.passage]
    return {**found._asdict(), "session": session_object(found.session), "passage": passage}


def _turn(turn: Turn) -> dict[str, Any]:
    attachments = [item._asdict() for item in turn.attachments]
    return {**turn._asdict(), "attachments": attachments, "said": _said(turn.said) if turn.said else None}


def _said(said: Said) -> dict[str, Any]:
    return {
        **said._asdict(),
        "options": dict(said.options),
        "segments": [{"kind": str(kind), "text": text} for kind, text in said.segments],
        "measured": {**said.measured._asdict(), "usage": said.measured.usage._asdict()},
    }
