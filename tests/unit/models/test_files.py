"""Disk space that a server needs to create a model from files, by its version."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import StoreError
from reflectty.models import files
from reflectty.models.manager import open_model_library
from support.fake_server import FakeServer, Route, error, show, tags, whole

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("said", "known", "as_sent", "unsent", "sent"),
    [
        ("0.34.2", (0, 34, 2), True, 10, 0),
        ("0.34.1-rc0", (0, 34, 1), True, 10, 0),
        ("1.0.0", (1, 0, 0), True, 10, 0),
        ("0.34.0", (0, 34, 0), False, 30, 20),
        ("0.32.15", (0, 32, 15), False, 30, 20),
        ("0.9.1", (0, 9, 1), False, 30, 20),
        # Unknown versions: only the needs that every server has are checked.
        ("0.0.0", (), False, 10, 0),
        ("main", (), False, 10, 0),
        ("", (), False, 10, 0),
    ],
)
def test_required_space_depends_on_the_server_version(
    said: str, known: files.Version, as_sent: bool, unsent: int, sent: int
) -> None:
    async def asked() -> files.Version:
        async with open_model_library(server.host) as library:
            return await files.version_of(library.engine)

    with FakeServer({"/api/version": whole({"version": said})}) as server:
        assert asyncio.run(asked()) == known
    assert files.is_stored_as_sent(known) is as_sent
    assert [files.bytes_needed_for(known, 10, is_uploaded=there) for there in (False, True)] == [unsent, sent]


BLOB = f"sha256-{'a' * 64}"


@pytest.mark.parametrize(
    ("routes", "local", "expected"),
    [
        ({"/api/tags": tags("m"), "/api/show": show(modelfile=f"FROM /models/blobs/{BLOB}\n")}, True, "/models/blobs"),
        ({"/api/tags": tags("m"), "/api/show": show(modelfile=f"FROM /models/blobs/{BLOB}\n")}, False, None),
        ({"/api/tags": tags("m"), "/api/show": show(modelfile="FROM elsewhere\n")}, True, None),
        ({"/api/tags": tags()}, True, None),
        ({"/api/tags": error(500, "no")}, True, None),
    ],
    ids=["a model tells", "on another machine", "it does not tell", "no model", "it fails"],
)
def test_model_folder_is_found_from_a_model(routes: dict[str, Route], local: bool, expected: str | None) -> None:
    async def asked() -> Path | None:
        async with open_model_library(server.host) as library:
            library.engine.local = local
            return await files.model_folder_of(library.engine)

    with FakeServer(routes) as server:
        found = asyncio.run(asked())
    assert (str(found) if found else None) == expected


def test_space_for_two_paths_on_one_disk_is_added(tmp_path: Path) -> None:
    half = shutil.disk_usage(tmp_path).free * 3 // 5
    files.refuse_full_disks([(tmp_path, half), (None, half), (tmp_path / "elsewhere", half)], "it")
    with pytest.raises(StoreError, match="it temporarily needs"):
        files.refuse_full_disks([(tmp_path, half), (tmp_path, half)], "it")
