"""Writes records to stdout or to a file, in input order or as they finish."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from reflectty.batch.append_file import AppendFile, display_path_of
from reflectty.batch.records import ResumeIndex, parse_record_key
from reflectty.core.errors import UsageError, reason_of
from reflectty.system.files import open_atomically

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reflectty.batch.records import Record, RecordSpan


T = TypeVar("T")
BUFFER_SIZE: Final = 1024
"""How far a finished record may be ahead of the first unfinished one."""


class ReorderBuffer(Generic[T]):
    """Reorder buffer: releases values in the order of their numbers (0, 1, …), holding at most `size`."""

    def __init__(self, size: int = BUFFER_SIZE) -> None:
        self._size = size
        self._next = 0
        self._held: dict[int, T] = {}

    def has_room(self, number: int) -> bool:
        """True if the buffer can hold the value of this number, so that its work may start."""
        return number < self._next + self._size

    def put(self, number: int, value: T) -> list[T]:
        """Add a value and release those that are next in order."""
        self._held[number] = value
        ready: list[T] = []
        while self._next in self._held:
            ready.append(self._held.pop(self._next))
            self._next += 1
        return ready

    def drain(self) -> list[T]:
        """Release all held values in order, skipping gaps, when no more will be added."""
        held = [self._held[number] for number in sorted(self._held)]
        self._held.clear()
        return held


SYNC_SECONDS: Final = 1.0
"""Seconds between two fsyncs; a killed process loses nothing, only a crash of the system could."""
MAX_RECORD_BYTES: Final = 1 << 28
"""Maximum length of a line that is read back, in bytes."""
RECORD_START: Final = b'{"line": '
FORCE_HINT: Final = "--force to overwrite"


class Output(Protocol):
    """Accepts finished records, each with the number of its job."""

    def has_room(self, number: int) -> bool:
        """True if the prompt of this number may be asked now."""
        ...

    def put(self, number: int, record: Record) -> None: ...

    def close(self, note: Callable[[str], None]) -> None:
        """Write the records still held; a note reports a file that cannot be put in order."""
        ...


class StreamOutput:
    """Writes records to stdout, in input order or as they finish."""

    def __init__(self, write: Callable[[str], None], *, ordered: bool) -> None:
        self._write = write
        self._buffer: ReorderBuffer[Record] | None = ReorderBuffer() if ordered else None

    def has_room(self, number: int) -> bool:
        return self._buffer is None or self._buffer.has_room(number)

    def put(self, number: int, record: Record) -> None:
        for ready in self._buffer.put(number, record) if self._buffer else (record,):
            self._write(ready.data.decode("ascii"))

    def close(self, note: Callable[[str], None]) -> None:  # noqa: ARG002 - stdout needs no note
        for held in self._buffer.drain() if self._buffer else ():
            self._write(held.data.decode("ascii"))


class FileOutput:
    """Appends records to a file as they finish, so that none is lost, and puts them in order at the end."""

    def __init__(self, file: AppendFile, index: ResumeIndex, *, ordered: bool) -> None:
        self._file = file
        self._index = index
        self._is_ordered = ordered
        self._last_sync = time.monotonic()

    def has_room(self, number: int) -> bool:  # noqa: ARG002 - a file has room for all
        return True

    def put(self, number: int, record: Record) -> None:  # noqa: ARG002 - ordered at the end
        self._file.append(record.data)
        self._index.add(record.key, len(record.data))
        if time.monotonic() - self._last_sync >= SYNC_SECONDS:
            self._file.sync()
            self._last_sync = time.monotonic()

    def close(self, note: Callable[[str], None]) -> None:
        with self._file:
            spans = self._index.spans_in_order(ordered=self._is_ordered)
            if spans is None:
                self._file.sync()
                return
            try:
                self._rewrite_in_order(spans)
            except OSError as error:
                reason = reason_of(error)
                note(f"{self._file.display_path} remains in completion order: {reason}")

    def _rewrite_in_order(self, spans: Iterable[RecordSpan]) -> None:
        """Replace the file by one with its records in order."""
        with open_atomically(self._file.path) as arranged:
            for span in spans:
                arranged.write(self._file.read(span.offset, span.length))


def open_output(path: Path, *, resume: bool, force: bool, ordered: bool) -> tuple[FileOutput, ResumeIndex]:
    """Open a file for records; `resume` keeps those it has and cuts off a torn one at its end.

    Returns:
        The output, and the index of the file's records, which the output extends as it adds records.

    Raises:
        UsageError: the file exists without `resume` or `force`, or has other content.
        OutputError: the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise UsageError(f"{display_path_of(path)} is a folder", "name a file in it")
    if target.exists() and not target.is_file():
        raise UsageError(f"{display_path_of(path)} is not a regular file", "omit --output to write to stdout")
    if target.exists() and not (resume or force):
        raise UsageError(f"{display_path_of(path)} already exists", "--resume to continue it, --force to overwrite")
    file = AppendFile(target, display_path_of(path))
    try:
        index = ResumeIndex()
        file.lock("reflect batch")
        file.truncate(_index_records(target, file.display_path, index) if resume else 0)
        return FileOutput(file, index, ordered=ordered), index
    except BaseException:
        file.close()
        raise


def _index_records(target: Path, display_path: str, index: ResumeIndex) -> int:
    """Index all records of a file and return the end of the last complete one.

    Raises:
        UsageError: the file has other content.
    """
    end = 0
    with target.open("rb") as file:
        while line := file.readline(MAX_RECORD_BYTES):
            entry = parse_record_key(line) if line.endswith(b"\n") else None
            if entry is None:
                if file.read(1):
                    raise UsageError(
                        f"line {len(index) + 1} of {display_path} was not written by reflect batch", FORCE_HINT
                    )
                # A file with only a torn line may be any file.
                if end == 0 and not RECORD_START.startswith(line[: len(RECORD_START)]):
                    raise UsageError(f"{display_path} was not written by reflect batch", FORCE_HINT)
                break
            index.add(entry, len(line))
            end += len(line)
    return end
