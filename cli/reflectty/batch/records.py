"""What is written of one line: a JSON object of its own in ASCII, compact unless all of it is wanted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from reflectty.batch.ledger import Entry
from reflectty.errors import UsageError, near
from reflectty.render.json import as_object

if TYPE_CHECKING:
    from reflectty.batch.items import Item
    from reflectty.errors import ReflecttyError
    from reflectty.reply import Reply

COMPACT: Final = ("model", "answer", "complete", "warnings")
OF_REPLY: Final = (
    "model",
    "mode",
    "family",
    "segments",
    "answer",
    "thinking",
    "reflections",
    "complete",
    "done_reason",
    "usage",
    "warnings",
)
FULL: Final = ("prompt", "host", *OF_REPLY)


class Outcome(NamedTuple):
    """What came of asking one line."""

    reply: Reply | None = None
    """What was said, be it complete or not; None where nothing was."""
    error: ReflecttyError | None = None
    host: str = ""
    """Who answered."""

    @property
    def tokens(self) -> int:
        """How many tokens the model wrote."""
        return sum(self.reply.tokens.values()) if self.reply else 0


class Record(NamedTuple):
    """One line of the output, with its line break, and what it says of itself."""

    data: bytes
    entry: Entry


def parse_fields(text: str) -> tuple[str, ...]:
    """Return the members that a list of names asks for.

    Raises:
        UsageError: there is none of such a name.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in FULL:
            raise UsageError(f"--fields has no field {name!r}", near(name, FULL) or f"there are {', '.join(FULL)}")
    return names


def record(item: Item, outcome: Outcome, fields: tuple[str, ...] = COMPACT) -> Record:
    """Return what is written of a line; its number, its id and its digest come first, what went wrong last."""
    said = _said(item, outcome)
    members: dict[str, Any] = {"line": item.line}
    if item.id is not None:
        members["id"] = item.id
    members["digest"] = item.digest
    members.update({name: said[name] for name in fields if name in said and _tells(name, said[name], fields)})
    if outcome.error:
        members["error"] = {"message": _sentence(outcome.error), "exit_code": outcome.error.exit_code}
    data = json.dumps(members, ensure_ascii=True).encode("ascii") + b"\n"
    return Record(data, Entry(item.line, item.digest, outcome.error is not None))


def _said(item: Item, outcome: Outcome) -> dict[str, Any]:
    """Return all there is to say of a line; what nobody said is no answer rather than nothing."""
    said = as_object(outcome.reply) if outcome.reply else {"answer": ""}
    return {"prompt": item.prompt, "host": outcome.host, **said, "complete": outcome.error is None}


def _tells(name: str, value: object, fields: tuple[str, ...]) -> bool:
    """Whether a member says anything: of the compact ones, warnings are there only where there are some."""
    return bool(value) or name != "warnings" or fields != COMPACT


def _sentence(error: ReflecttyError) -> str:
    return f"{error} ({error.hint})" if error.hint else str(error)
