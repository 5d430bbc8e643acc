"""Creating the built-in model on a server: the merged upload, the new model, and the progress reports."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import shutil
import struct
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reflectty.core import model_spec
from reflectty.core.errors import RefusedError, StoreError, UnreachableError, UsageError
from reflectty.engines.hosts import parse_host
from reflectty.engines.ollama import OllamaEngine
from reflectty.models import gguf
from reflectty.models.gguf import PIECE
from reflectty.models.gguf.merge import F32, Q8_0, merged_pieces_of, plan_merge
from reflectty.models.installed import ProgressUpdate
from reflectty.models.merged_mini import install_mini
from support.gguf_tensors import Part, whole

if TYPE_CHECKING:
    from pathlib import Path

LARGE = Part("embeddings", (32, PIECE // 34), Q8_0, bytes(PIECE // 34 * 34))
WEIGHTS = whole([LARGE, Part("q", (32, 1), F32, struct.pack("<32f", *range(32)))])
ADAPTER = whole(
    [
        Part("q.lora_a", (32, 1), F32, struct.pack("<32f", *range(32))),
        Part("q.lora_b", (1, 1), F32, struct.pack("<f", 1)),
    ],
    alpha=2,
)
MERGED = b"".join(merged_pieces_of(plan_merge(io.BytesIO(WEIGHTS), io.BytesIO(ADAPTER))))
DIGEST = f"sha256:{hashlib.sha256(MERGED).hexdigest()}"


class Blobs(httpx.AsyncBaseTransport):
    """A server that stores files by their digest, and makes models of them."""

    def __init__(self, status: int = 200, version: str = "0.34.2") -> None:
        self.files: dict[str, bytes] = {}
        self.made: list[dict[str, Any]] = []
        self._status = status
        self._version = version

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        if request.method == "HEAD":
            return httpx.Response(200 if name in self.files else 404)
        if request.method == "GET":
            return httpx.Response(200, json={"version": self._version, "models": []})
        content = await request.aread()
        if name == "create":
            self.made.append(json.loads(content))
            return httpx.Response(self._status, json={"status": "success"})
        self.files[name] = content
        return httpx.Response(201)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, content in (("weights.gguf", WEIGHTS), ("mini.gguf", ADAPTER)):
        (tmp_path / name).write_bytes(content)
    for name in ("NOTICE", "GEMMA_TERMS.txt"):
        (tmp_path / name).write_text(f"the text of {name}\n")
    return tmp_path


def progress_of(server: Blobs, folder: Path, name: str = "mini") -> list[ProgressUpdate]:
    heard: list[ProgressUpdate] = []

    async def main() -> None:
        async with OllamaEngine(parse_host(""), transport=server) as engine:
            await install_mini(engine, name, folder / "weights.gguf", folder, heard.append)

    asyncio.run(main())
    return heard


def test_merged_file_is_sent_and_used_without_an_adapter(folder: Path) -> None:
    server = Blobs()
    progress_of(server, folder, "mine")
    (made,) = server.made

    assert server.files == {DIGEST: MERGED}
    assert made["model"] == "mine"
    assert made["files"] == {"model.gguf": DIGEST}
    assert "adapters" not in made
    assert made["template"] == model_spec.MINI_TEMPLATE
    assert made["license"] == "the text of NOTICE\n\nthe text of GEMMA_TERMS.txt\n"
    assert [tensor.kind for tensor in gguf.read_layout(io.BytesIO(MERGED)).tensors] == [Q8_0, Q8_0]


def test_merged_file_is_removed_after_sending(folder: Path) -> None:
    progress_of(Blobs(), folder)

    assert sorted(path.name for path in folder.iterdir()) == ["GEMMA_TERMS.txt", "NOTICE", "mini.gguf", "weights.gguf"]


def test_progress_of_merging_and_sending_is_reported(folder: Path) -> None:
    heard = progress_of(Blobs(), folder)
    ends = {part.digest: (part.completed, part.total) for part in heard if part.digest}
    sent = [part.completed for part in heard if part.digest == DIGEST]

    assert ends == {"merging": (len(MERGED), len(MERGED)), DIGEST: (len(MERGED), len(MERGED))}
    assert sent == [PIECE, len(MERGED)]
    assert heard[-1] == ProgressUpdate("creating the model")


def test_existing_file_is_not_sent_again(folder: Path) -> None:
    server = Blobs()
    progress_of(server, folder)

    assert {part.digest for part in progress_of(server, folder)} == {"merging", ""}
    assert len(server.made) == 2


def test_failed_creation_raises(folder: Path) -> None:
    with pytest.raises(RefusedError):
        progress_of(Blobs(500), folder)


@pytest.mark.parametrize("version", ["0.5.13", "0.1.48"])
def test_server_that_is_too_old_is_refused(folder: Path, version: str) -> None:
    server = Blobs(version=version)
    with pytest.raises(RefusedError, match=f"Ollama {version} is too old"):
        progress_of(server, folder)

    assert not server.files


@pytest.mark.parametrize("version", ["0.6.0", "0.32.15", "0.34.2", "0.0.0", "strange"])
def test_every_other_version_gets_the_same_file(folder: Path, version: str) -> None:
    server = Blobs(version=version)
    progress_of(server, folder)

    assert list(server.files) == [DIGEST]


def test_small_disk_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = shutil.disk_usage(folder)._replace(free=len(MERGED) - 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    server = Blobs()
    with pytest.raises(StoreError, match="the merged model temporarily needs 1 MB"):
        progress_of(server, folder)

    assert not server.files


@pytest.mark.parametrize(
    ("name", "content"), [("weights.gguf", WEIGHTS[:-40]), ("mini.gguf", b"GGUF"), ("mini.gguf", WEIGHTS)]
)
def test_damaged_files_are_refused(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    server = Blobs()
    with pytest.raises(UnreachableError, match="cannot be merged"):
        progress_of(server, folder)

    assert not server.files


def test_invalid_name_is_refused(folder: Path) -> None:
    server = Blobs()
    with pytest.raises(UsageError):
        progress_of(server, folder, "not a name")

    assert not server.files
