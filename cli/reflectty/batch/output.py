"""Where the records go: stdout in order or as they come, or a file that survives whatever ends the command."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from reflectty.batch.ledger import Ledger, read_entry
from reflectty.batch.window import Window
from reflectty.errors import OutputError, UsageError
from reflectty.safety import clean_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reflectty.batch.ledger import Span
    from reflectty.batch.records import Record

SYNC_SECONDS: Final = 1.0
"""Seconds between two times that a file is made to reach the disk; a killed process loses nothing anyway."""
LONGEST_RECORD: Final = 1 << 28
"""Bytes of the longest line that is read back."""
BEGINNING: Final = b'{"line": '
BEGIN_ANEW: Final = "--force begins anew"


class Output(Protocol):
    """Takes records as they are finished, each with the number it was given out with."""

    def has_room(self, number: int) -> bool:
        """Whether the question of this number may be asked by now."""
        ...

    def put(self, number: int, record: Record) -> None: ...

    def close(self, note: Callable[[str], None]) -> None:
        """Write what is still held; what cannot be put in order is said in a note."""
        ...


class StreamOutput:
    """Writes to stdout: in the order of the lines, or as they come."""

    def __init__(self, write: Callable[[str], None], *, ordered: bool) -> None:
        self._write = write
        self._window: Window[Record] | None = Window() if ordered else None

    def has_room(self, number: int) -> bool:
        return self._window is None or self._window.has_room(number)

    def put(self, number: int, record: Record) -> None:
        for ready in self._window.put(number, record) if self._window else (record,):
            self._write(ready.data.decode("ascii"))

    def close(self, note: Callable[[str], None]) -> None:  # noqa: ARG002 - stdout has nothing to say
        for held in self._window.rest() if self._window else ():
            self._write(held.data.decode("ascii"))


class FileOutput:
    """Appends to a file as they come, so that nothing finished is lost, and puts it in order at the end."""

    def __init__(self, file: BinaryIO, path: Path, ledger: Ledger, *, ordered: bool, shown: str = "") -> None:
        self._file = file
        self._path = path
        self._shown = shown or _shown(path)
        self._ledger = ledger
        self._ordered = ordered
        self._synced = time.monotonic()

    def has_room(self, number: int) -> bool:  # noqa: ARG002 - a file holds them all
        return True

    def put(self, number: int, record: Record) -> None:  # noqa: ARG002 - the order is made at the end
        self._append(record.data)
        self._ledger.add(record.entry, len(record.data))
        if time.monotonic() - self._synced >= SYNC_SECONDS:
            self._sync()

    def _append(self, data: bytes) -> None:
        """Write a record whole, or leave none of it."""
        before = os.fstat(self._file.fileno()).st_size
        try:
            left = memoryview(data)
            while left:
                left = left[os.write(self._file.fileno(), left) :]
        except OSError as error:
            with suppress(OSError):
                os.ftruncate(self._file.fileno(), before)
            raise _unwritable(self._shown, error) from error

    def _sync(self) -> None:
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self._shown, error) from error
        self._synced = time.monotonic()

    def close(self, note: Callable[[str], None]) -> None:
        with self._file:
            spans = self._ledger.arranged(ordered=self._ordered)
            if spans is None:
                self._sync()
                return
            try:
                self._arrange(spans)
            except OSError as error:
                reason = (error.strerror or str(error)).lower()
                note(f"{self._shown} stays in the order in which the lines were finished: {reason}")

    def _arrange(self, spans: Iterable[Span]) -> None:
        """Put a file that has the records in order in the place of the one that has not."""
        path = self._path.with_name(f".{self._path.name[:40]}.{secrets.token_hex(4)}")
        try:
            with path.open("xb") as arranged:
                os.fchmod(arranged.fileno(), os.fstat(self._file.fileno()).st_mode & 0o777)
                for span in spans:
                    arranged.write(os.pread(self._file.fileno(), span.length, span.offset))
                arranged.flush()
                os.fsync(arranged.fileno())
            path.replace(self._path)
        finally:
            path.unlink(missing_ok=True)


def open_output(path: Path, *, resume: bool, force: bool, ordered: bool) -> tuple[FileOutput, Ledger]:
    """Open a file for records; with `resume` those that it has are kept, and a torn one at its end is cut off.

    Returns:
        The output, and what the file says before anything is added; the ledger is the output's own and grows with it.

    Raises:
        UsageError: it is there already and may neither be gone on with nor replaced, or holds something else.
        OutputError: it cannot be written.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise UsageError(f"{_shown(path)} is a folder", "name a file in it")
    if target.exists() and not target.is_file():
        raise UsageError(f"{_shown(path)} is no file that could be gone on with", "leave --output out: stdout")
    if target.exists() and not (resume or force):
        raise UsageError(f"{_shown(path)} is there already", "--resume goes on with it, --force begins anew")
    try:
        file = _opened(target)
    except (OSError, ValueError) as error:
        raise _unwritable(_shown(path), error) from error
    try:
        return _begun(file, target, _shown(path), resume=resume, ordered=ordered)
    except BaseException:
        file.close()
        raise


def _opened(target: Path) -> BinaryIO:
    number = os.open(target, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
    return os.fdopen(number, "r+b", buffering=0)


def _begun(file: BinaryIO, target: Path, shown: str, *, resume: bool, ordered: bool) -> tuple[FileOutput, Ledger]:
    _lock(file, shown)
    ledger = Ledger()
    try:
        if resume:
            os.ftruncate(file.fileno(), _read(target, shown, ledger))
        else:
            os.ftruncate(file.fileno(), 0)
    except OSError as error:
        raise _unwritable(shown, error) from error
    return FileOutput(file, target, ledger, ordered=ordered, shown=shown), ledger


def _lock(file: BinaryIO, shown: str) -> None:
    """Keep a second call from writing to the same file; where a file system has no locks, nothing keeps it."""
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise UsageError(f"another reflect batch is writing to {shown}", "wait for it, or name another file") from (
                error
            )


def _read(target: Path, shown: str, ledger: Ledger) -> int:
    """Note every record of a file; return where the last one ends that is whole.

    Raises:
        UsageError: something else stands there.
    """
    end = 0
    with target.open("rb") as file:
        while line := file.readline(LONGEST_RECORD):
            entry = read_entry(line) if line.endswith(b"\n") else None
            if entry is None:
                if file.read(1):
                    raise UsageError(f"line {len(ledger) + 1} of {shown} was not written by reflect batch", BEGIN_ANEW)
                # A file that holds nothing but a torn line may be anything.
                if end == 0 and not BEGINNING.startswith(line[: len(BEGINNING)]):
                    raise UsageError(f"{shown} was not written by reflect batch", BEGIN_ANEW)
                break
            ledger.add(entry, len(line))
            end += len(line)
    return end


def _shown(path: Path) -> str:
    return clean_line(str(path))


def _unwritable(shown: str, error: OSError | ValueError) -> OutputError:
    reason = error.strerror if isinstance(error, OSError) else str(error)
    return OutputError(f"cannot write {shown}: {(reason or str(error)).lower()}")
