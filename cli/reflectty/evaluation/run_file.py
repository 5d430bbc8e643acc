"""Reads the file of a run: its facts into memory, its texts only when they are asked for."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Self

from reflectty.core.errors import UsageError, reason_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.core.text import format_count
from reflectty.evaluation.items import Item
from reflectty.evaluation.records import (
    RUN_VERSION,
    ProbeRecord,
    ResultRecord,
    RunManifest,
    decode_line,
    is_of_later_kind,
)
from reflectty.evaluation.transitions import transition_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from reflectty.evaluation.grader import Verdict
    from reflectty.evaluation.transitions import Transition

_NO_RUN_HINT = "reflect eval list shows the runs"


class LineSpan(NamedTuple):
    """Where a line stands in the file, in bytes, with its line break."""

    offset: int
    length: int


class ItemFacts(NamedTuple):
    """What is kept of an item in memory."""

    id: str
    group: str
    span: LineSpan


class ResultFacts(NamedTuple):
    """What is kept of a result in memory: everything that is counted, and no text."""

    verdict: Verdict
    is_weak: bool
    transition: Transition
    has_corrections: bool
    corrections: int
    """Tagged corrections of all steps."""
    second_thoughts: int
    is_runaway: bool
    thinking_tokens: int
    answer_tokens: int
    seconds: float
    settled: float | None
    """The share of the last reply's thinking after which its answer stood; None if that cannot be read."""
    span: LineSpan

    @property
    def tokens(self) -> int:
        return self.thinking_tokens + self.answer_tokens


class RunData(NamedTuple):
    """A run as its file has it."""

    path: Path
    manifest: RunManifest
    items: Mapping[str, ItemFacts]
    """The items by id, in the order of the file."""
    results: Mapping[tuple[str, str], ResultFacts]
    """The last result of each item in each arm."""
    notes: tuple[str, ...] = ()
    """What was left out of the file, and why."""
    probes: tuple[ProbeRecord, ...] = ()
    """What corrections were worth, the last record of each, in the order of the file."""

    @property
    def arms(self) -> tuple[str, ...]:
        """The names of the arms; the first is the baseline."""
        return tuple(arm.name for arm in self.manifest.arms)

    def results_of(self, arm: str) -> dict[str, ResultFacts]:
        """The results of an arm by item, in the order of the items."""
        return {item: self.results[item, arm] for item in self.items if (item, arm) in self.results}


def read_run(path: Path) -> RunData:
    """Read a run's file.

    Raises:
        UsageError: it cannot be read, is not a run, is damaged before its last line, or is from a newer version.
    """
    shown = clean_line(str(path))
    try:
        with path.open("rb") as file:
            return _Reader(path, shown, file).read()
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read: {reason_of(error)}", _NO_RUN_HINT) from error


class RunTexts:
    """The texts of a run, read from its file one by one; close it after use."""

    def __init__(self, run: RunData) -> None:
        self.run = run
        try:
            self._file = run.path.open("rb")
        except OSError as error:
            raise UsageError(f"{clean_line(str(run.path))}: cannot be read: {reason_of(error)}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def item(self, name: str) -> Item:
        """The item of an id.

        Raises:
            UsageError: the file has changed.
        """
        found = self._read(self.run.items[name].span)
        if isinstance(found, Item):
            return found
        raise self._changed()

    def result(self, item: str, arm: str) -> ResultRecord | None:
        """The result of an item in an arm; None if there is none.

        Raises:
            UsageError: the file has changed.
        """
        facts = self.run.results.get((item, arm))
        if facts is None:
            return None
        found = self._read(facts.span)
        if isinstance(found, ResultRecord):
            return found
        raise self._changed()

    def _read(self, span: LineSpan) -> RunManifest | Item | ResultRecord | ProbeRecord | None:
        self._file.seek(span.offset)
        return decode_line(self._file.read(span.length))

    def _changed(self) -> UsageError:
        return UsageError(f"{clean_line(str(self.run.path))}: the file changed while it was read", "try again")


class _Reader:
    """Collects the facts of one file, line by line."""

    def __init__(self, path: Path, shown: str, file: BinaryIO) -> None:
        self._path = path
        self._shown = shown
        self._file = file
        self._items: dict[str, ItemFacts] = {}
        self._results: dict[tuple[str, str], ResultFacts] = {}
        self._probes: dict[tuple[str, str, int], ProbeRecord] = {}
        self._notes: list[str] = []

    def read(self) -> RunData:
        first = self._file.readline()
        manifest = _manifest_in(first, self._shown)
        for number, span, line in self._lines(len(first)):
            found = decode_line(line)
            if isinstance(found, Item):
                self._items.setdefault(found.id, ItemFacts(found.id, found.group, span))
            elif isinstance(found, ResultRecord):
                self._results[found.item, found.arm] = facts_of(found, span)
            elif isinstance(found, ProbeRecord):
                self._probes[found.key] = found
            elif is_of_later_kind(line):
                continue
            elif self._file.read(1):
                raise UsageError(f"{self._shown}: line {number} is damaged", "remove the line to read the others")
            else:
                self._notes.append(f"line {number} is cut off and left out: it was being written when the run ended")
        self._drop_strays(manifest)
        probes = tuple(probe for probe in self._probes.values() if (probe.item, probe.arm) in self._results)
        return RunData(self._path, manifest, self._items, self._results, tuple(self._notes), probes)

    def _lines(self, offset: int) -> Iterator[tuple[int, LineSpan, bytes]]:
        """Yield the lines after the first one that are not blank, each with its number and its place."""
        number = 1
        while line := self._file.readline():
            number += 1
            if line.strip():
                yield number, LineSpan(offset, len(line)), line
            offset += len(line)

    def _drop_strays(self, manifest: RunManifest) -> None:
        """Leave out results whose item or arm the run does not have."""
        arms = {arm.name for arm in manifest.arms}
        strays = [key for key in self._results if key[0] not in self._items or key[1] not in arms]
        for key in strays:
            del self._results[key]
        if strays:
            self._notes.append(f"{format_count(len(strays), 'result')} of an unknown item or arm left out")


class RunProgress(NamedTuple):
    """What a run is about, and how far it has come."""

    path: Path
    manifest: RunManifest
    asked: int
    """Items that have a result in every arm."""


_RESULT_KEY = re.compile(rb'\{"result": \{"item": ("(?:[^"\\]|\\.)*"), "arm": ("(?:[^"\\]|\\.)*")')


def read_progress(path: Path) -> RunProgress:
    """Read how far a run has come, without its results.

    Raises:
        UsageError: it cannot be read, is not a run, or is from a newer version.
    """
    shown = clean_line(str(path))
    try:
        with path.open("rb") as file:
            manifest = _manifest_in(file.readline(), shown)
            keys = {found.groups() for line in file if line.endswith(b"\n") and (found := _RESULT_KEY.match(line))}
    except OSError as error:
        raise UsageError(f"{shown}: cannot be read: {reason_of(error)}", _NO_RUN_HINT) from error
    arms = Counter(item for item, _ in keys)
    return RunProgress(path, manifest, sum(number >= len(manifest.arms) for number in arms.values()))


def facts_of(result: ResultRecord, span: LineSpan) -> ResultFacts:
    """The facts of a result that stands at `span`."""
    return ResultFacts(
        result.grade.verdict,
        result.grade.is_weak,
        transition_of(result),
        result.has_corrections,
        sum(step.corrections for step in result.steps),
        sum(step.second_thoughts for step in result.steps),
        result.is_runaway,
        sum(step.thinking_tokens for step in result.steps),
        sum(step.answer_tokens for step in result.steps),
        result.seconds,
        result.steps[-1].settled if result.steps else None,
        span,
    )


def _manifest_in(line: bytes, shown: str) -> RunManifest:
    """The manifest in the first line of a file.

    Raises:
        UsageError: it is not one, or from a newer version.
    """
    version = _version_in(line)
    if version is not None and version > RUN_VERSION:
        raise UsageError(f"{shown}: written by a newer reflectty (format {version})", "update reflectty")
    found = decode_line(line)
    if not isinstance(found, RunManifest):
        raise UsageError(f"{shown}: not the file of a run", _NO_RUN_HINT)
    return found


def _version_in(line: bytes) -> int | None:
    """The version that a manifest states; None if it is not one, or states none."""
    try:
        version = json.loads(line)["run"]["version"]
    except (KeyError, RecursionError, TypeError, ValueError):
        return None
    return version if isinstance(version, int) else None
