from __future__ import annotations

import base64
import io
import os
import threading
import time
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import UsageError
from reflectty.core.inputs import compose_prompt, decode_input, read_file, read_image, read_stdin
from support.waiting import PATIENCE, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)


def refuse(text: str) -> None:
    raise AssertionError(f"nothing was to be said, but: {text}")


def piped(*pieces: bytes, wait: Callable[[], object] = int) -> io.BufferedReader:
    """A pipe into which a thread writes pieces, and waits before each."""
    reader, writer = os.pipe()

    def write() -> None:
        with os.fdopen(writer, "wb", buffering=0) as sink:
            for piece in pieces:
                wait()
                sink.write(piece)

    threading.Thread(target=write).start()
    return os.fdopen(reader, "rb")


def test_stdin_is_read_to_its_end() -> None:
    with piped(b"a", b"b" * 200_000, b"c") as stdin:
        assert read_stdin(stdin, refuse) == b"a" + b"b" * 200_000 + b"c"


def test_stdin_without_a_file_descriptor_is_read_too() -> None:
    assert read_stdin(io.BytesIO(b"abc"), refuse) == b"abc"


def test_silent_pipe_is_noted_once_and_still_read() -> None:
    said: list[str] = []
    with piped(b"late", b"later", wait=lambda: until(lambda: said)) as stdin:
        data = read_stdin(stdin, said.append, silence=0.05)

    assert (data, len(said)) == (b"latelater", 1)
    assert "--no-stdin" in said[0]


def test_slow_pipe_gives_no_note_while_data_arrives_in_time() -> None:
    with piped(b"a", b"b", wait=lambda: time.sleep(0.02)) as stdin:
        assert read_stdin(stdin, refuse, silence=PATIENCE) == b"ab"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("a\r\nb".encode("utf-16"), "a\nb"),
        (b"plain\r\ntext\n", "plain\ntext\n"),
        ("\ufeffbom".encode(), "bom"),
        ("grüß".encode("utf-16"), "grüß"),
        (b"", ""),
        ("a \ufffd b".encode(), "a \ufffd b"),
    ],
)
def test_text_is_decoded_without_a_note(data: bytes, text: str) -> None:
    assert text == decode_input(data, "stdin", refuse)


@pytest.mark.parametrize("data", [b"\0", b"\x7fELF\x02\x01\x01\0", PNG, bytes(range(128, 256))])
def test_binary_data_is_refused_with_its_name(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"photo\.jpg is binary"):
        decode_input(data, "photo.jpg", refuse)


def test_few_invalid_bytes_are_replaced_and_counted() -> None:
    said: list[str] = []

    assert decode_input(b"caf\xe9 is a good place to be", "notes", said.append) == "caf\ufffd is a good place to be"
    assert "notes contains invalid UTF-8 (characters replaced: 1)" in said[0]


@pytest.mark.parametrize(
    ("prompt", "stdin", "files", "expected"),
    [
        ("do it", "", (), "do it"),
        ("", "material\n", (), "material\n"),
        ("do it", "material\n", (), "<stdin>\nmaterial\n</stdin>\n\ndo it"),
        ("do it", " \n", (), "do it"),
        ("do it", "", (("a.py", "x\n"),), '<file name="a.py">\nx\n</file>\n\ndo it'),
        ("do it", "s", (("a", "x"), ("b", "y")), '<file name="a">\nx\n</file>\n\n<file name="b">\ny\n</file>\n\n<stdin>\ns\n</stdin>\n\ndo it'),
        ("", "", (("a", "x"),), '<file name="a">\nx\n</file>'),
        ("", "what is this?", (("a", "x"),), '<file name="a">\nx\n</file>\n\nwhat is this?'),
        ("", "", (), ""),
    ],
)  # fmt: skip
def test_material_comes_first_and_the_instruction_last(
    prompt: str, stdin: str, files: tuple[tuple[str, str], ...], expected: str
) -> None:
    assert expected == compose_prompt(prompt, stdin, files)


def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such file"):
        read_file(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="is a directory"):
        read_file(tmp_path)


def test_an_image_is_read_as_base64(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(PNG)

    assert base64.b64encode(PNG).decode() == read_image(path)


@pytest.mark.parametrize("data", [b"", b"hello", b"RIFF\0\0\0\0WAVE"])
def test_file_that_is_not_an_image_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(data)

    with pytest.raises(UsageError, match="is not a supported image"):
        read_image(path)
