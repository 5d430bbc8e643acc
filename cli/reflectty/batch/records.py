"""Builds the output records and indexes the ones that a resumed file already has."""

from __future__ import annotations

import json
import re
from array import array
from enum import Enum, auto
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

from reflectty.batch.fingerprint import FINGERPRINT
from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.named_tuple import NamedTuple
from reflectty.output.json import reply_object

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reflectty.batch.prompts import PromptLine
    from reflectty.core.errors import ReflecttyError
    from reflectty.reasoning.reply import Reply


_DIGEST = re.compile(r"[0-9a-f]{16}")
_MAX_LINE = 1 << 62


class RecordKey(NamedTuple):
    """What identifies a record: its line, the line's digest, whether it failed, and how it was asked."""

    line: int
    digest: str
    failed: bool
    fingerprint: str = ""
    """Empty in a record that has none."""


class RecordSpan(NamedTuple):
    """The position of a record in its file in bytes, with its line break."""

    offset: int
    length: int


def parse_record_key(record: bytes) -> RecordKey | None:
    """Parse the key of a record; None if the record was not written by a batch."""
    try:
        value = json.loads(record)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    line, digest, fingerprint = value.get("line"), value.get("digest"), value.get("fingerprint")
    if not (isinstance(line, int) and isinstance(digest, str) and _DIGEST.fullmatch(digest)):
        return None
    if not 0 < line < _MAX_LINE:
        return None
    if not (isinstance(fingerprint, str) and FINGERPRINT.fullmatch(fingerprint)):
        fingerprint = ""
    return RecordKey(line, digest, "error" in value, fingerprint)


class LineStatus(Enum):
    """The status of an input line in an earlier output file."""

    NEW = auto()
    ANSWERED = auto()
    FAILED = auto()
    CHANGED = auto()
    """Answered, but the line has changed since."""


class ResumeIndex:
    """The records of one file in file order; the last of several records for a line is valid.

    Takes some tens of bytes per record, so that a hundred thousand records are no problem.
    """

    def __init__(self) -> None:
        self._lines = array("q")
        self._digests = array("Q")
        self._failed = bytearray()
        self._lengths = array("q")
        self.fingerprints: set[str] = set()
        """How the answered lines were asked."""

    def __len__(self) -> int:
        return len(self._lines)

    def add(self, key: RecordKey, length: int) -> None:
        """Add a record at the end; `length` is in bytes."""
        self._lines.append(key.line)
        self._digests.append(int(key.digest, 16))
        self._failed.append(key.failed)
        self._lengths.append(length)
        if key.fingerprint and not key.failed:
            self.fingerprints.add(key.fingerprint)

    def spans_in_order(self, *, ordered: bool) -> Iterator[RecordSpan] | None:
        """The spans of the valid records in the wanted order; None if the file already matches it.

        Args:
            ordered: whether the records must be in line order, or may stay in file order.
        """
        latest = self._find_latest()
        wanted = latest if ordered else sorted(latest)
        if len(wanted) == len(self) and all(at == index for index, at in enumerate(wanted)):
            return None
        offsets = array("q", accumulate(self._lengths, initial=0))
        return (RecordSpan(offsets[at], self._lengths[at]) for at in wanted)

    def _find_latest(self) -> list[int]:
        """The indices of the valid records, in line order."""
        latest: list[int] = []
        for at in sorted(range(len(self)), key=self._lines.__getitem__):
            if latest and self._lines[latest[-1]] == self._lines[at]:
                latest[-1] = at
            else:
                latest.append(at)
        return latest

    def create_cursor(self) -> ResumeCursor:
        """Make a cursor over the current records, to be queried line by line."""
        latest = self._find_latest()
        return ResumeCursor(
            array("q", (self._lines[at] for at in latest)),
            array("Q", (self._digests[at] for at in latest)),
            bytes(self._failed[at] for at in latest),
        )


class ResumeCursor:
    """The status of each line in an earlier output file; queried in line order."""

    def __init__(self, lines: array[int], digests: array[int], failed: bytes) -> None:
        self._lines = lines
        self._digests = digests
        self._failed = failed
        self._at = 0

    @property
    def remaining(self) -> int:
        """Number of recorded lines after those queried so far."""
        return len(self._lines) - self._at

    def status_of(self, line: int, digest: str) -> LineStatus:
        """The status of a line, whose number must be higher than that of the previous query."""
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
    "second_thoughts",
    "settled",
    "governed",
    "complete",
    "done_reason",
    "usage",
    "samples",
    "vote",
    "verification",
    "warnings",
)
_READ_FIELDS: Final = frozenset({"second_thoughts", "settled"})
"""Fields that are read in the thinking."""
ALL_FIELDS: Final = ("prompt", "host", *REPLY_FIELDS)
_RECORD_MEMBERS: Final = frozenset({"line", "id", "digest", "fingerprint", "error", *ALL_FIELDS})


def _tokens_of(reply: Reply) -> int:
    """The tokens of a reply, with those of its samples or its verification."""
    several = reply.sampling or reply.verification
    return several.tokens if several else sum(reply.tokens.values())


class Outcome(NamedTuple):
    """The result of asking one line."""

    reply: Reply | None = None
    """The reply, complete or not; None if there is none."""
    error: ReflecttyError | None = None
    host: str = ""
    """The server that answered."""
    earlier: tuple[Reply, ...] = ()
    """The replies before it, where a line takes several."""

    @property
    def replies(self) -> tuple[Reply, ...]:
        """All replies, in order."""
        return (*self.earlier, self.reply) if self.reply else self.earlier

    @property
    def tokens(self) -> int:
        """Tokens that the model generated."""
        return sum(_tokens_of(reply) for reply in self.replies)


class Record(NamedTuple):
    """One line of the output, with its line break, and its key."""

    data: bytes
    key: RecordKey


def parse_fields(text: str) -> tuple[str, ...]:
    """Parse a comma-separated list of field names.

    Raises:
        UsageError: a field does not exist.
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in ALL_FIELDS:
            raise UsageError(
                f"--fields: unknown field {name!r}",
                did_you_mean(name, ALL_FIELDS) or f"available: {', '.join(ALL_FIELDS)}",
            )
    return names


def record_of(
    item: PromptLine, outcome: Outcome, fields: tuple[str, ...] = COMPACT_FIELDS, fingerprint: str = ""
) -> Record:
    """Build the record of a line: its number, id and digests first, its own other members and an error last.

    A member of the line that has the name of one of the record gets `input_` before it.
    """
    values = _members_of(item, outcome, reads_thoughts=not _READ_FIELDS.isdisjoint(fields))
    members: dict[str, Any] = {"line": item.line}
    if item.id is not None:
        members["id"] = item.id
    members["digest"] = item.digest
    if fingerprint:
        members["fingerprint"] = fingerprint
    members.update(
        {name: values[name] for name in fields if name in values and _is_worth_writing(name, values[name], fields)}
    )
    for name, value in item.members:
        members[f"input_{name}" if name in _RECORD_MEMBERS else name] = value
    if outcome.error:
        members["error"] = {"message": outcome.error.with_hint, "exit_code": outcome.error.exit_code}
    data = json.dumps(members, ensure_ascii=True).encode("ascii") + b"\n"
    return Record(data, RecordKey(item.line, item.digest, outcome.error is not None, fingerprint))


def _members_of(item: PromptLine, outcome: Outcome, *, reads_thoughts: bool) -> dict[str, Any]:
    """All members of a record; without a reply the answer is empty, not missing."""
    values = reply_object(outcome.reply, reads_thoughts=reads_thoughts) if outcome.reply else {"answer": ""}
    return {"prompt": item.prompt, "host": outcome.host, **values, "complete": outcome.error is None}


def _is_worth_writing(name: str, value: object, fields: tuple[str, ...]) -> bool:
    """False for empty warnings among the compact fields."""
    return bool(value) or name != "warnings" or fields != COMPACT_FIELDS
