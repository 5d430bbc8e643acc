"""Writes the file of a run: each result as it comes, whole or not at all, and on the disk soon after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self

from reflectty.batch.append_file import AppendFile, display_path_of
from reflectty.core.errors import OutputError, UsageError, reason_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.evaluation.grader import Verdict
from reflectty.evaluation.items import Item, digest_of_items
from reflectty.evaluation.records import (
    RUN_VERSION,
    ProbeRecord,
    ResultRecord,
    RunManifest,
    decode_line,
    encode_item,
    encode_manifest,
    encode_result,
    is_of_later_kind,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

_WRITER = "reflect eval"
_MAX_LINE_BYTES = 1 << 28


class RunContent(NamedTuple):
    """What a run's file has: all that is needed to continue it."""

    manifest: RunManifest
    items: tuple[Item, ...]
    done: frozenset[tuple[str, str]] = frozenset()
    """The item and the arm of each result that is not an error."""


class RunWriter:
    """Appends results; each is written at once, and synced in the background, one sync at a time."""

    def __init__(self, file: AppendFile) -> None:
        self._file = file
        self._syncer = ThreadPoolExecutor(1, thread_name_prefix="sync")
        self._sync: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def put(self, data: bytes) -> None:
        """Append a line.

        Raises:
            OutputError: it cannot be written.
        """
        self._file.append(data)
        if self._sync is None or self._sync.done():
            if self._sync:
                self._sync.result()
            self._sync = self._syncer.submit(self._file.sync)

    def put_result(self, result: ResultRecord) -> None:
        """Append a result.

        Raises:
            OutputError: it cannot be written.
        """
        self.put(encode_result(result))

    def close(self) -> None:
        """Wait until everything is on the disk, and close the file."""
        with self._file:
            self._syncer.shutdown()
            self._file.sync()


def create_run(path: Path, content: RunContent) -> RunWriter:
    """Make the file of a run with its manifest and its items.

    Raises:
        UsageError: the file exists.
        OutputError: it cannot be written.
    """
    if path.exists():
        raise UsageError(f"{display_path_of(path)} already exists", "--resume continues it; or name another file")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot write {display_path_of(path)}: {reason_of(error)}") from error
    file = AppendFile(path, display_path_of(path))
    try:
        file.lock(_WRITER)
        file.append(encode_manifest(content.manifest) + b"".join(map(encode_item, content.items)))
        file.sync()
    except BaseException:
        file.close()
        raise
    return RunWriter(file)


def resume_run(path: Path) -> tuple[RunContent, RunWriter]:
    """Open the file of a run to continue it; a line that was cut at its end is removed.

    Raises:
        UsageError: it is not the file of a run, is damaged, or another process is writing to it.
        OutputError: it cannot be written.
    """
    if not path.is_file():
        raise UsageError(f"no file {display_path_of(path)}", "reflect eval list shows the runs")
    file = AppendFile(path, display_path_of(path))
    try:
        file.lock(_WRITER)
        content, end = _read_content(path)
        file.truncate(end)
    except BaseException:
        file.close()
        raise
    return content, RunWriter(file)


def _read_content(path: Path) -> tuple[RunContent, int]:
    """The content of a run's file, and the end of its last whole line in bytes."""
    manifest, items, done, end = None, list[Item](), dict[tuple[str, str], bool](), 0
    for line in _whole_lines(path):
        match decode_line(line):
            case RunManifest() as found if manifest is None and end == 0:
                manifest = found
            case Item() as item if manifest:
                items.append(item)
            case ResultRecord() as result if manifest:
                done[result.item, result.arm] = result.grade.verdict is not Verdict.ERROR
            case ProbeRecord() if manifest:
                pass
            case None if manifest and is_of_later_kind(line):
                pass
            case _:
                raise UsageError(
                    f"{display_path_of(path)} is not the file of a run, or is damaged (at byte {end:,})",
                    "reflect eval list shows the runs",
                )
        end += len(line)
    return _checked(path, manifest, tuple(items), frozenset(key for key, is_done in done.items() if is_done)), end


def _whole_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a file without one at its end that was cut."""
    with path.open("rb") as file:
        while (line := file.readline(_MAX_LINE_BYTES)).endswith(b"\n"):
            yield line


def _checked(
    path: Path, manifest: RunManifest | None, items: tuple[Item, ...], done: frozenset[tuple[str, str]]
) -> RunContent:
    """The content of a file, if it is whole.

    Raises:
        UsageError: it has no manifest, is of a later version, or its items are not those of the manifest.
    """
    name = display_path_of(path)
    if manifest is None:
        raise UsageError(f"{name} is not the file of a run", "reflect eval list shows the runs")
    if manifest.version > RUN_VERSION:
        raise UsageError(f"{name} was written by a later version of reflect", "update reflect to read it")
    if digest_of_items(items) != manifest.set_digest:
        raise UsageError(f"{name} does not have the questions that it was begun with", "begin a new run")
    return RunContent(manifest, items, done)
