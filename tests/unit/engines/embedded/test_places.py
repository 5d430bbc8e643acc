"""Paths of the built-in model's files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from reflectty.engines.embedded.runtime_files import LONGEST_SOCKET, find_paths

if TYPE_CHECKING:
    from collections.abc import Callable

OWN = f"reflectty-{os.getuid()}"


def test_process_uses_the_runtime_folder_of_the_user() -> None:
    # A socket needs a short path, and the folders of the tests may be long.
    with TemporaryDirectory() as own:
        found = find_paths({"HOME": "/home/ann", "XDG_RUNTIME_DIR": own})
    assert found.folder.parent == Path(own) / "reflectty"
    assert found.weights.parent == Path("/home/ann/.cache/reflectty")


def test_weights_use_the_cache_folder_if_it_is_set(tmp_path: Path) -> None:
    found = find_paths({"HOME": "/home/ann", "XDG_CACHE_HOME": str(tmp_path)})
    assert found.weights.parent == tmp_path / "reflectty"


@pytest.mark.parametrize(
    "runtime",
    [
        pytest.param(lambda _: "", id="none"),
        pytest.param(lambda _: "here", id="relative"),
        pytest.param(lambda place: str(place / "missing"), id="missing"),
        pytest.param(lambda place: str(place / ("x" * LONGEST_SOCKET)), id="too long for a socket"),
    ],
)
def test_process_falls_back_to_the_temporary_folder(tmp_path: Path, runtime: Callable[[Path], str]) -> None:
    (tmp_path / ("x" * LONGEST_SOCKET)).mkdir()
    found = find_paths({"HOME": "/home/ann", "XDG_RUNTIME_DIR": runtime(tmp_path)})
    assert found.folder.parent in (Path(tempfile.gettempdir(), OWN), Path("/tmp", OWN))  # noqa: S108 - no file is made
    assert len(os.fsencode(found.socket)) <= LONGEST_SOCKET


def test_other_weights_use_another_process_folder(tmp_path: Path) -> None:
    one, other = (find_paths({"HOME": home, "XDG_RUNTIME_DIR": str(tmp_path)}) for home in ("/home/ann", "/home/bob"))
    assert one.folder != other.folder
    assert one.folder == find_paths({"HOME": "/home/ann", "XDG_RUNTIME_DIR": str(tmp_path)}).folder
