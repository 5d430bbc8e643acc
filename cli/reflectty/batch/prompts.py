"""Reads prompts from the lines of a file or of stdin, as plain text or JSON objects."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import aclosing
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from reflectty.core.errors import ReflecttyError, UsageError, reason_of
from reflectty.core.messages import Message
from reflectty.core.named_tuple import NamedTuple
from reflectty.protocols.decoding import refuse_constant

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Iterator
    from pathlib import Path


MAX_LINE_BYTES: Final = 1 << 20
"""Maximum length of a line in bytes; no context holds more."""
DIGEST_BYTES: Final = 8
_BOM: Final = b"\xef\xbb\xbf"


class InputLine(NamedTuple):
    """One non-blank line."""

    number: int
    """Counted from 1, blank lines included."""
    data: bytes
    """The line without its line break; empty if it is too long."""
    digest: str
    too_long: bool = False


def digest_of(data: bytes) -> str:
    """The digest of a line: 16 hexadecimal digits."""
    return blake2b(data, digest_size=DIGEST_BYTES).hexdigest()


class InputLineSplitter:
    """Splits the bytes of a file into lines, independent of chunk boundaries."""

    def __init__(self, longest: int = MAX_LINE_BYTES) -> None:
        self._longest = longest
        self._number = 1
        self._pieces: list[bytes] = []
        self._size = 0
        self._overlong: blake2b | None = None

    def feed(self, data: bytes) -> Iterator[InputLine]:
        """Yield the lines that end in `data`."""
        *ended, rest = data.split(b"\n")
        for piece in ended:
            self._add(piece)
            yield from self._end()
        self._add(rest)

    def close(self) -> Iterator[InputLine]:
        """Yield the last line if it has no line break."""
        yield from self._end()

    def _add(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._overlong is not None:
            self._overlong.update(piece)
            return
        self._pieces.append(piece)
        # One more byte for the `\r` of a line break, and the byte order mark that a file may begin with.
        if self._size > self._longest + len(_BOM) + 1:
            self._overlong = blake2b(b"".join(self._pieces), digest_size=DIGEST_BYTES)
            self._pieces.clear()

    def _end(self) -> Iterator[InputLine]:
        data, overlong, number = b"".join(self._pieces).removesuffix(b"\r"), self._overlong, self._number
        if number == 1:
            data = data.removeprefix(_BOM)
        self._pieces.clear()
        self._size, self._overlong, self._number = 0, None, number + 1
        if overlong is not None:
            yield InputLine(number, b"", overlong.hexdigest(), too_long=True)
        elif len(data) > self._longest:
            yield InputLine(number, b"", digest_of(data), too_long=True)
        elif data.strip():
            yield InputLine(number, data, digest_of(data))


RESERVED_MEMBERS = ("prompt", "messages", "id", "system", "model")
"""Members of an object that are not template fields."""
PromptId = str | int | float | bool | None


class InputFormat(StrEnum):
    """The format of a file."""

    LINES = "lines"
    JSONL = "jsonl"
    JSON = "json"
    """One array of objects or texts."""
    CSV = "csv"
    """With the names of the columns in the first row."""


_FORMATS_BY_SUFFIX = {
    ".jsonl": InputFormat.JSONL,
    ".ndjson": InputFormat.JSONL,
    ".json": InputFormat.JSON,
    ".csv": InputFormat.CSV,
}
WHOLE_FORMATS = (InputFormat.JSON, InputFormat.CSV)
"""The formats that are read whole: their lines are elements or rows."""


class PromptLine(NamedTuple):
    """The prompt of one line, with its model, system prompt and template fields."""

    line: int
    """Counted from 1, blank lines included."""
    digest: str
    prompt: str = ""
    id: PromptId = None
    model: str = ""
    system: str = ""
    history: tuple[Message, ...] = ()
    """The messages before the prompt."""
    members: tuple[tuple[str, Any], ...] = ()
    """The other members of an object, for a template and for the record."""
    problem: ReflecttyError | None = None
    """The error if the line cannot be asked."""


def format_of(name: str, first: bytes) -> InputFormat:
    """Detect the format of a file by its name or its first non-blank line."""
    for suffix, input_format in _FORMATS_BY_SUFFIX.items():
        if name.lower().endswith(suffix):
            return input_format
    try:
        return InputFormat.JSONL if isinstance(_parse_json(first.decode()), dict) else InputFormat.LINES
    except ValueError:
        return InputFormat.LINES


def read_prompt(line: InputLine, input_format: InputFormat) -> PromptLine:
    """Parse a line into a prompt."""
    item = PromptLine(line.number, line.digest)
    try:
        text = _decode_line(line)
        return (
            item._replace(prompt=text)
            if input_format is InputFormat.LINES
            else _prompt_from_object(item, _parse_object(text))
        )
    except UsageError as error:
        return item._replace(problem=error)


def _decode_line(line: InputLine) -> str:
    if line.too_long:
        raise UsageError(f"the line is longer than {MAX_LINE_BYTES >> 20} MB", "shorten it: no context is that large")
    try:
        text = line.data.decode()
    except UnicodeDecodeError as error:
        raise UsageError("the line is not UTF-8", "save the file as UTF-8") from error
    if "\0" in text:
        raise UsageError("the line is not text (contains NUL bytes)")
    return text


def _parse_object(text: str) -> dict[str, Any]:
    try:
        value = _parse_json(text)
    except ValueError as error:
        raise UsageError(f"the line is not valid JSON: {error}") from error
    if not isinstance(value, dict):
        raise UsageError("the line is not a JSON object", 'write it as {"prompt": "why is the sky blue?"}')
    return value


def _parse_json(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Parse a JSON value.

    Raises:
        ValueError: it is not valid JSON, contains NaN or infinity, or is nested too deeply.
    """
    try:
        return json.loads(text, parse_constant=refuse_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg.lower()} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _prompt_from_object(prompt_line: PromptLine, members: dict[str, Any]) -> PromptLine:
    """Fill a prompt from an object; the id is kept even if the rest is invalid."""
    identity = members.get("id")
    prompt_line = prompt_line._replace(id=identity if isinstance(identity, str | int | float | bool) else None)
    try:
        if identity is not None and prompt_line.id is None:
            raise UsageError("id must be a string or a number")  # noqa: TRY301 - like any other member
        history, last = _parse_messages(members.get("messages"))
        return prompt_line._replace(
            prompt=_text_member(members, "prompt") or last,
            model=_text_member(members, "model"),
            system=_text_member(members, "system"),
            history=history,
            members=tuple((name, value) for name, value in members.items() if name not in RESERVED_MEMBERS),
        )
    except UsageError as error:
        return prompt_line._replace(problem=error)


def _parse_messages(value: Any) -> tuple[tuple[Message, ...], str]:  # noqa: ANN401 - any JSON value
    """Parse `messages` into those before the last, and the text of the last, which is the prompt."""
    if value is None:
        return (), ""
    if not isinstance(value, list) or not all(map(_is_message, value)):
        raise UsageError("messages must be a list of objects with role and content", "roles: system, user, assistant")
    messages = [Message(one["role"], one["content"]) for one in value]
    if not messages or messages[-1].role != "user":
        raise UsageError("the last of the messages must be the user's")
    return tuple(messages[:-1]), messages[-1].content


def _is_message(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.get("role") in ("system", "user", "assistant")
        and isinstance(value.get("content"), str)
    )


def _text_member(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name} must be a string")
    return value or ""


def fields_of(item: PromptLine) -> dict[str, str]:
    """The other members of an object as fields for a template."""
    return {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for name, value in item.members
    }


def split_whole(data: bytes, name: str, input_format: InputFormat) -> Iterator[InputLine]:
    """Yield the elements of a JSON array, or the rows of a CSV file, as lines of JSON objects, numbered from 1.

    Raises:
        UsageError: the file is not UTF-8, not an array, or has no header.
    """
    try:
        text = data.removeprefix(_BOM).decode()
    except UnicodeDecodeError as error:
        raise UsageError(f"{name} is not UTF-8", "save the file as UTF-8") from error
    values = _rows_of(text, name) if input_format is InputFormat.CSV else _elements_of(text, name)
    for number, value in enumerate(values, 1):
        line = json.dumps({"prompt": value} if isinstance(value, str) else value, ensure_ascii=False).encode()
        yield InputLine(number, line, digest_of(line))


def _elements_of(text: str, name: str) -> list[Any]:
    try:
        value = _parse_json(text)
    except ValueError as error:
        raise UsageError(
            f"{name} is not valid JSON: {error}", "use --format jsonl if each line is an object"
        ) from error
    if not isinstance(value, list):
        raise UsageError(f"{name} is not a JSON array", "use --format jsonl if each line is an object")
    return value


def _rows_of(text: str, name: str) -> Iterator[dict[str, str]]:
    import csv
    import io

    rows = csv.DictReader(io.StringIO(text, newline=""), restkey="", restval="")
    if not rows.fieldnames:
        raise UsageError(f"{name} is empty: the first row must name the columns")
    for row in rows:
        row.pop("", None)
        yield row


CHUNK_BYTES: Final = 1 << 16
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class PromptFile:
    """An open file of prompts; without an `input_format`, the first line determines it."""

    def __init__(self, descriptor: int, name: str, input_format: InputFormat | None = None) -> None:
        self._descriptor = descriptor
        self._name = name
        self._format = input_format

    @property
    def format(self) -> InputFormat | None:
        """The format; None if it is still to be detected in a file that cannot be read twice."""
        return self._format or self._peek_format()

    def _peek_format(self) -> InputFormat | None:
        try:
            start = os.lseek(self._descriptor, 0, os.SEEK_CUR)
            data = os.pread(self._descriptor, MAX_LINE_BYTES, start)
        except OSError:
            return None
        lines = (line.strip() for line in data.removeprefix(_BOM).split(b"\n"))
        return format_of(self._name, next(filter(None, lines), b""))

    async def read_prompts(
        self, is_wanted: Callable[[InputLine], bool], last: int = sys.maxsize
    ) -> AsyncGenerator[PromptLine, None]:
        """Yield the prompts of all wanted lines, in order.

        Args:
            is_wanted: whether to yield the prompt of a line.
            last: the number of the line after which to stop, since a pipe may never end.

        Raises:
            UsageError: the file cannot be read, or begins with the byte order mark of UTF-16.
        """
        whole_format = self._format or format_of(self._name, b"")
        if whole_format in WHOLE_FORMATS:
            for line in split_whole(await self._read_whole(), self._name, whole_format):
                if is_wanted(line):
                    yield read_prompt(line, InputFormat.JSONL)
            return
        async with aclosing(self._read_lines()) as lines:
            async for line in lines:
                if is_wanted(line):
                    yield self._parse_line(line)
                if line.number >= last:
                    return

    async def _read_lines(self) -> AsyncGenerator[InputLine, None]:
        splitter, first = InputLineSplitter(), True
        while piece := await self._read_chunk():
            if first and piece.startswith(_UTF16):
                raise UsageError(f"{self._name} is UTF-16", "save it as UTF-8")
            first = False
            for line in splitter.feed(piece):
                yield line
            # Reading from a disk never suspends, so yield to the event loop.
            await asyncio.sleep(0)
        for line in splitter.close():
            yield line

    async def _read_whole(self) -> bytes:
        pieces = []
        while piece := await self._read_chunk():
            pieces.append(piece)
        return b"".join(pieces)

    def _parse_line(self, line: InputLine) -> PromptLine:
        if self._format is None:
            self._format = format_of(self._name, line.data)
        return read_prompt(line, self._format)

    async def _read_chunk(self) -> bytes:
        await self._wait_readable()
        try:
            return os.read(self._descriptor, CHUNK_BYTES)
        except OSError as error:
            raise UsageError(f"cannot read {self._name}: {reason_of(error)}") from error

    async def _wait_readable(self) -> None:
        """Wait until the file is readable; a regular file always is."""
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        try:
            loop.add_reader(self._descriptor, event.set)
        except OSError:
            return
        try:
            await event.wait()
        finally:
            loop.remove_reader(self._descriptor)


def count_lines(path: Path) -> int | None:
    """Count the non-blank lines of a regular file; None if they cannot be counted in advance."""
    try:
        if not path.is_file() or format_of(path.name, b"") in WHOLE_FORMATS:
            return None
        with path.open("rb") as file:
            return sum(1 for line in file if line.strip())
    except OSError:
        return None


def sample_lines(path: Path, input_format: InputFormat | None, size: int, seed: int) -> frozenset[int]:
    """Draw the numbers of lines at random, the same for the same file, size and seed; all if there are no more.

    Raises:
        UsageError: the file cannot be read twice, as a pipe, or not at all.
    """
    import random

    if not path.is_file():
        raise UsageError(f"--sample needs a file: {path} cannot be read twice")
    data, found = path.read_bytes(), input_format or format_of(path.name, b"")
    splitter = InputLineSplitter()
    lines = (
        split_whole(data, str(path), found)
        if found in WHOLE_FORMATS
        else (line for lines in (splitter.feed(data), splitter.close()) for line in lines)
    )
    numbers = [line.number for line in lines]
    return frozenset(random.Random(seed).sample(numbers, min(size, len(numbers))))  # noqa: S311 - guards nothing
