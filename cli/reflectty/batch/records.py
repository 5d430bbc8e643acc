"""Builds the output records and indexes the ones that a resumed file already has."""

from __future__ import annotations

import json
import re
from array import array
from enum import Enum, auto
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from reflectty.core.errors import UsageError, did_you_mean
from reflectty.output.json import reply_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.batch.prompts import PromptLine
    from reflectty.core.errors import ReflecttyError
    from reflectty.reasoning.reply import Reply


_DIGEST = re.compile(r"[0-9a-f]{16}")
_MAX_LINE = 1 << 62


class RecordKey(NamedTuple):
    """What a record says of itself."""

    line: int
    digest: str
    failed: bool
    model: str = ""


class RecordSpan(NamedTuple):
    """Where a record stands in its file, in bytes; its line break belongs to it."""

    offset: int
    length: int


def parse_record_key(record: bytes) -> RecordKey | None:
    """Return what a record of an output file says of itself, or None where it is no record of ours."""
    try:
        value = json.loads(record)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    line, digest, model = value.get("line"), value.get("digest"), value.get("model")
    if not (isinstance(line, int) and isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        return None
    if not 0 < line < _MAX_LINE:
        return None
    return RecordKey(line, digest, "error" in value, model if isinstance(model, str) else "")


class LineStatus(Enum):
    """What a file says of a line that is about to be asked."""

    NEW = auto()
    ANSWERED = auto()
    FAILED = auto()
    CHANGED = auto()
    """It was answered, but it was another line."""


class ResumeIndex:
    """The records of one file in the order in which they stand there; of several for a line the last one holds.

    It has some tens of bytes for each, so that a hundred thousand are nothing.
    """

    def __init__(self) -> None:
        self._lines = array("q")
        self._digests = array("Q")
        self._failed = bytearray()
        self._lengths = array("q")
        self.models: set[str] = set()
        """Who answered."""

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, key: RecordKey, length: int) -> None:
        """Note a record that follows the others; `length` is in bytes."""
        self._lines.append(key.line)
        self._digests.append(int(key.digest, 16))
        self._failed.append(key.failed)
        self._lengths.append(length)
        if key.model and not key.failed:
            self.models.add(key.model)

    def spans_in_order(self, *, ordered: bool) -> Iterator[RecordSpan] | None:
        """Return where the records that hold stand, in the order they ought to have; None where they have it.

        Args:
            ordered: whether they ought to stand in the order of the lines, or may stay in their own.
        """
        holding = self._find_latest()
        wanted = holding if ordered else sorted(holding)
        if len(wanted) == len(self) and all(at == place for place, at in enumerate(wanted)):
            return None
        offsets = array("q", accumulate(self._lengths, initial=0))
        return (RecordSpan(offsets[at], self._lengths[at]) for at in wanted)

    def _find_latest(self) -> list[int]:
        """Return the places of the records that hold, by line."""
        holding: list[int] = []
        for at in sorted(range(len(self)), key=self._lines.__getitem__):
            if holding and self._lines[holding[-1]] == self._lines[at]:
                holding[-1] = at
            else:
                holding.append(at)
        return holding

    def create_cursor(self) -> ResumeCursor:
        """Return what the file says by now, to be asked line by line."""
        holding = self._find_latest()
        return ResumeCursor(
            array("q", (self._lines[at] for at in holding)),
            array("Q", (self._digests[at] for at in holding)),
            bytes(self._failed[at] for at in holding),
        )


class ResumeCursor:
    """What a file said before of each line; asked in the order of the lines."""

    def __init__(self, lines: array[int], digests: array[int], failed: bytes) -> None:
        self._lines = lines
        self._digests = digests
        self._failed = failed
        self._at = 0

    @property
    def remaining(self) -> int:
        """How many lines the file speaks of that come after those that were asked for."""
        return len(self._lines) - self._at

    def status_of(self, line: int, digest: str) -> LineStatus:
        """Return what the file says of a line; its number is higher than that of the last time."""
        while self._at < len(self._lines) and self._lines[self._at] < line:
            self._at += 1
        if self._at == len(self._lines) or self._lines[self._at] != line:
            return LineStatus.NEW
        at, self._at = self._at, self._at + 1
        if self._failed[at]:
            return LineStatus.FAILED
        return LineStatus.ANSWERED if self._digests[at] == int(digest, 16) else LineStatus.CHANGED


COMPACT_FIELDS: Final = ("model", "answer", "complete", "warnings")
REPLY_FIELDS: Final = (
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
ALL_FIELDS: Final = ("prompt", "host", *REPLY_FIELDS)


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
    key: RecordKey


def parse_fields(text: str) -> tuple[str, ...]:
    """Return the members that a list of names asks for.

    Raises:
        UsageError: there is none of such a name.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in ALL_FIELDS:
            raise UsageError(
                f"--fields has no field {name!r}",
                did_you_mean(name, ALL_FIELDS) or f"there are {', '.join(ALL_FIELDS)}",
            )
    return names


def record_of(item: PromptLine, outcome: Outcome, fields: tuple[str, ...] = COMPACT_FIELDS) -> Record:
    """Return what is written of a line; its number, its id and its digest come first, what went wrong last."""
    said = _members_of(item, outcome)
    members: dict[str, Any] = {"line": item.line}
    if item.id is not None:
        members["id"] = item.id
    members["digest"] = item.digest
    members.update(
        {name: said[name] for name in fields if name in said and _is_worth_writing(name, said[name], fields)}
    )
    if outcome.error:
        members["error"] = {"message": _sentence_of(outcome.error), "exit_code": outcome.error.exit_code}
    data = json.dumps(members, ensure_ascii=True).encode("ascii") + b"\n"
    return Record(data, RecordKey(item.line, item.digest, outcome.error is not None))


def _members_of(item: PromptLine, outcome: Outcome) -> dict[str, Any]:
    """Return all there is to say of a line; what nobody said is no answer rather than nothing."""
    said = reply_object(outcome.reply) if outcome.reply else {"answer": ""}
    return {"prompt": item.prompt, "host": outcome.host, **said, "complete": outcome.error is None}


def _is_worth_writing(name: str, value: object, fields: tuple[str, ...]) -> bool:
    """Whether a member says anything: of the compact ones, warnings are there only where there are some."""
    return bool(value) or name != "warnings" or fields != COMPACT_FIELDS


def _sentence_of(error: ReflecttyError) -> str:
    return f"{error} ({error.hint})" if error.hint else str(error)
