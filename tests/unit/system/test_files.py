"""Files are written atomically: a reader finds the old content or the new one, never a part."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest

from reflectty.system.files import open_atomically, write_atomically

if TYPE_CHECKING:
    from pathlib import Path


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_file_gets_its_mode_and_a_private_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a"
    write_atomically(path, "é", 0o600, with_folder=True)

    assert path.read_bytes() == "é".encode()
    assert (mode_of(path), mode_of(path.parent)) == (0o600, 0o700)
    assert [entry.name for entry in path.parent.iterdir()] == ["a"]


def test_new_file_heeds_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomically(tmp_path / "a", "x")
    finally:
        os.umask(before)

    assert mode_of(tmp_path / "a") == 0o640


@pytest.mark.parametrize("mode", [0o600, 0o604, 0o640])
def test_replaced_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(mode)
    write_atomically(path, "new")

    assert path.read_text() == "new"
    assert mode_of(path) == mode


@pytest.mark.parametrize("error", [OSError(), KeyboardInterrupt(), ValueError()])
def test_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a"
    path.write_text("old")

    def write() -> None:
        with open_atomically(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(type(error)):
        write()

    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_file_that_appears_in_between_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a"

    def write() -> None:
        with open_atomically(path, force=False) as file:
            path.write_text("theirs")
            file.write(b"ours")

    with pytest.raises(FileExistsError):
        write()

    assert path.read_text() == "theirs"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]


def test_pipe_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        write_atomically(tmp_path / "pipe", "x")

    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
