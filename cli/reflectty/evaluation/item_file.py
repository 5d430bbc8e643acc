"""Reads the rows of a file of questions: JSONL, a JSON array or CSV, also packed with gzip."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from reflectty.batch.prompts import MAX_LINE_BYTES, InputFormat, InputLineSplitter, format_of
from reflectty.core.errors import UsageError, reason_of
from reflectty.core.named_tuple import NamedTuple
from reflectty.protocols.decoding import BOM, refuse_constant

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_FILE_BYTES: Final = 64 << 20
"""The size of the largest file that is read, unpacked: half a million questions."""
_GZIP: Final = b"\x1f\x8b"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_SHAPE: Final = (
    """write each question as {"question": "...", "answer": "..."} on one line, or use CSV with these columns"""
)


class Row(NamedTuple):
    """One row of a file, with its members by their names in small letters."""

    place: str
    """The file and the line, to begin an error with: `set.jsonl:12`."""
    number: int
    """The number of the line, or of the element of an array; from 1."""
    members: dict[str, Any]


def read_rows(path: Path) -> Iterator[Row]:
    """Read a file; yields its rows.

    Raises:
        UsageError: it cannot be read, is too large, is not UTF-8, or a row is not an object.
    """
    return rows_of(read_bytes(path), path.name.removesuffix(".gz"), str(path))


def rows_of(data: bytes, name: str, shown: str) -> Iterator[Row]:
    """Yield the rows of a file's content.

    Args:
        data: the content, unpacked.
        name: its name, whose suffix tells the format.
        shown: its name in errors.

    Raises:
        UsageError: it is empty, not UTF-8, or a row is not an object.
    """
    text = _decoded(data, shown)
    data = data.removeprefix(BOM)
    first = data[:MAX_LINE_BYTES].lstrip().partition(b"\n")[0]
    found = format_of(name, first)
    if found is InputFormat.CSV:
        return _csv_rows(text, shown)
    is_array = first.startswith(b"[") and found is not InputFormat.JSONL
    return _array_rows(text, shown) if is_array else _line_rows(data, shown)


def _decoded(data: bytes, shown: str) -> str:
    if data.startswith(_UTF16):
        raise UsageError(f"{shown}: UTF-16", "save it as UTF-8")
    try:
        text = data.removeprefix(BOM).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        hint = "save it as UTF-8, for example: iconv -f latin1 -t utf-8 FILE > NEW"
        byte = f"byte 0x{data[error.start]:02x}; perhaps Latin-1"
        raise UsageError(f"{shown}:{line}: not UTF-8 ({byte})", hint) from error
    if "\0" in text:
        raise UsageError(f"{shown}: not a text file (contains NUL bytes)", "save it as UTF-8")
    if not text.strip():
        raise UsageError(f"{shown}: empty", _SHAPE)
    return text


def _line_rows(data: bytes, shown: str) -> Iterator[Row]:
    splitter = InputLineSplitter()
    for line in chain(splitter.feed(data), splitter.close()):
        place = f"{shown}:{line.number}"
        if line.too_long:
            raise UsageError(f"{place}: longer than {MAX_LINE_BYTES >> 20} MB", "shorten it: no context is that large")
        yield _row(place, line.number, _parsed(line.data.decode(), place))


def _array_rows(text: str, shown: str) -> Iterator[Row]:
    for number, value in enumerate(_parsed(text, shown), 1):
        yield _row(f"{shown}: item {number}", number, value)


def _csv_rows(text: str, shown: str) -> Iterator[Row]:
    header = text.lstrip().partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count))
    try:
        for members in reader:
            cells = {name: cell for name, cell in members.items() if name is not None and cell is not None}
            yield _row(f"{shown}:{reader.line_num}", reader.line_num, cells)
    except csv.Error as error:
        raise UsageError(f"{shown}:{reader.line_num}: not valid CSV: {error}") from error


def _parsed(text: str, place: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(text, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"{place}: not valid JSON: {error.msg.lower()} at character {error.pos + 1}", _SHAPE
        ) from error
    except RecursionError as error:
        raise UsageError(f"{place}: not valid JSON: nested too deeply") from error
    except ValueError as error:
        raise UsageError(f"{place}: not valid JSON: {error}") from error


def _row(place: str, number: int, value: Any) -> Row:  # noqa: ANN401 - any JSON value
    if not isinstance(value, dict):
        raise UsageError(f"{place}: not a JSON object", _SHAPE)
    members = {str(name).strip().lower(): member for name, member in value.items() if member is not None}
    return Row(place, number, members)


def read_bytes(path: Path) -> bytes:
    """The content of a file, unpacked.

    Raises:
        UsageError: it cannot be read, or is larger than `MAX_FILE_BYTES`.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        if data.startswith(_GZIP):
            data = _unpacked(path)
    except FileNotFoundError as error:
        raise UsageError(f"{path}: no such file") from error
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {reason_of(error)}") from error
    if len(data) > MAX_FILE_BYTES:
        raise UsageError(
            f"{path}: larger than {MAX_FILE_BYTES >> 20} MB", "take a part of it: shuf -n 2000 FILE > PART"
        )
    return data


def _unpacked(path: Path) -> bytes:
    with gzip.open(path) as file:
        return file.read(MAX_FILE_BYTES + 1)
