"""Reads prompts from the lines of a file or of stdin, as plain text or JSON objects."""

from __future__ import annotations

import asyncio
import json
import os
from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final, NamedTuple, NoReturn

from reflectty.core.errors import ReflecttyError, UsageError, reason_of

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


JSONL_SUFFIXES = (".jsonl", ".ndjson")
"""Suffixes of files whose lines are JSON objects."""
RESERVED_MEMBERS = ("prompt", "id", "system", "model")
"""Members of an object that are not template fields."""
PromptId = str | int | float | bool | None


class InputFormat(StrEnum):
    """The format of the lines of a file."""

    LINES = "lines"
    JSONL = "jsonl"


class PromptLine(NamedTuple):
    """The prompt of one line, with its model, system prompt and template fields."""

    line: int
    """Counted from 1, blank lines included."""
    digest: str
    prompt: str = ""
    id: PromptId = None
    model: str = ""
    system: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    """The other members of an object, as fields for a template."""
    problem: ReflecttyError | None = None
    """The error if the line cannot be asked."""


def format_of(name: str, first: bytes) -> InputFormat:
    """Detect the format of a file by its name or its first non-blank line."""
    if name.lower().endswith(JSONL_SUFFIXES):
        return InputFormat.JSONL
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
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg.lower()} at character {error.pos + 1}") from error
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not allowed")


def _prompt_from_object(prompt_line: PromptLine, members: dict[str, Any]) -> PromptLine:
    """Fill a prompt from an object; the id is kept even if the rest is invalid."""
    identity = members.get("id")
    prompt_line = prompt_line._replace(id=identity if isinstance(identity, str | int | float | bool) else None)
    try:
        if identity is not None and prompt_line.id is None:
            raise UsageError("id must be a string or a number")  # noqa: TRY301 - like any other member
        return prompt_line._replace(
            prompt=_text_member(members, "prompt"),
            model=_text_member(members, "model"),
            system=_text_member(members, "system"),
            fields=tuple((name, _as_text(value)) for name, value in members.items() if name not in RESERVED_MEMBERS),
        )
    except UsageError as error:
        return prompt_line._replace(problem=error)


def _text_member(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name} must be a string")
    return value or ""


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


CHUNK_BYTES: Final = 1 << 16
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


class PromptFile:
    """An open file of prompts; without an `input_format`, the first line determines it."""

    def __init__(self, descriptor: int, name: str, input_format: InputFormat | None = None) -> None:
        self._descriptor = descriptor
        self._name = name
        self._format = input_format

    async def read_prompts(self, is_wanted: Callable[[InputLine], bool]) -> AsyncGenerator[PromptLine, None]:
        """Yield the prompts of all wanted lines, in order.

        Raises:
            UsageError: the file cannot be read, or begins with the byte order mark of UTF-16.
        """
        splitter, first = InputLineSplitter(), True
        while piece := await self._read_chunk():
            if first and piece.startswith(_UTF16):
                raise UsageError(f"{self._name} is UTF-16", "save it as UTF-8")
            first = False
            for line in splitter.feed(piece):
                if is_wanted(line):
                    yield self._parse_line(line)
            # Reading from a disk never suspends, so yield to the event loop.
            await asyncio.sleep(0)
        for line in splitter.close():
            if is_wanted(line):
                yield self._parse_line(line)

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
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return sum(1 for line in file if line.strip())
    except OSError:
        return None
