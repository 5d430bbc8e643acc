from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reflectty.batch.prompts import CHUNK_BYTES, PromptFile, count_lines
from reflectty.core.errors import UsageError

if TYPE_CHECKING:
    from reflectty.batch.prompts import PromptLine


def items_of(path: Path) -> list[PromptLine]:
    async def read() -> list[PromptLine]:
        number = os.open(path, os.O_RDONLY)
        try:
            return [item async for item in PromptFile(number, path.name).read_prompts(lambda _: True)]
        finally:
            os.close(number)

    return asyncio.run(read())


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf_16_file_is_refused(tmp_path: Path, mark: bytes) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes(mark + b"a\0")

    with pytest.raises(UsageError, match=r"lines\.txt is UTF-16"):
        items_of(path)


def test_invalid_utf_8_affects_only_its_line_at_a_chunk_boundary(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes(b"a" * (CHUNK_BYTES - 1) + b"\n" + b"\xff\xfe\nb\n")
    first, second, third = items_of(path)

    assert (len(first.prompt), first.problem) == (CHUNK_BYTES - 1, None)
    assert str(second.problem) == "the line is not UTF-8"
    assert (third.prompt, third.problem) == ("b", None)


def test_lines_are_counted_in_advance_only_for_regular_files(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_bytes(b"a\n\n \nb")

    assert count_lines(path) == 2
    assert count_lines(Path(os.devnull)) is None
    assert count_lines(tmp_path / "absent.txt") is None
