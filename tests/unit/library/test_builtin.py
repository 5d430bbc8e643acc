"""The built-in model put on a server: which files are sent, what is made of them, and what is told meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reflectty import mini
from reflectty.engines.hosts import parse_host
from reflectty.engines.ollama import OllamaEngine
from reflectty.errors import RefusedError, UsageError
from reflectty.library import Progress
from reflectty.library.builtin import PIECE, put

if TYPE_CHECKING:
    from pathlib import Path

WEIGHTS, ADAPTER = b"GGUF" + bytes(PIECE), b"GGUF adapter"
DIGEST = f"sha256:{hashlib.sha256(ADAPTER).hexdigest()}"


class Blobs(httpx.AsyncBaseTransport):
    """A server that keeps files by their digest, and makes models of them."""

    def __init__(self, status: int = 200) -> None:
        self.files: dict[str, bytes] = {}
        self.made: list[dict[str, Any]] = []
        self._status = status

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        if request.method == "HEAD":
            return httpx.Response(200 if name in self.files else 404)
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


def told(server: Blobs, folder: Path, name: str = "mini") -> list[Progress]:
    heard: list[Progress] = []

    async def main() -> None:
        async with OllamaEngine(parse_host(""), transport=server) as engine:
            await put(engine, name, folder / "weights.gguf", folder, heard.append)

    asyncio.run(main())
    return heard


def test_both_files_are_sent_and_one_model_is_made_of_them(folder: Path) -> None:
    server = Blobs()
    told(server, folder, "mine")
    (made,) = server.made

    assert server.files == {mini.WEIGHTS_DIGEST: WEIGHTS, DIGEST: ADAPTER}
    assert (made["model"], list(made["files"].values())) == ("mine", [mini.WEIGHTS_DIGEST])
    assert list(made["adapters"].values()) == [DIGEST]
    assert made["template"] == mini.TEMPLATE
    assert made["license"] == "the text of NOTICE\n\nthe text of GEMMA_TERMS.txt\n"


def test_it_is_told_how_far_each_file_has_come(folder: Path) -> None:
    heard = told(Blobs(), folder)
    sent = [(part.digest, part.completed, part.total) for part in heard if part.digest]

    assert sent == [
        (mini.WEIGHTS_DIGEST, PIECE, PIECE + 4),
        (mini.WEIGHTS_DIGEST, PIECE + 4, PIECE + 4),
        (DIGEST, len(ADAPTER), len(ADAPTER)),
    ]
    assert heard[-1] == Progress("making the model")


def test_what_the_server_has_is_not_sent_again(folder: Path) -> None:
    server = Blobs()
    told(server, folder)

    assert [part.digest for part in told(server, folder)] == [""]
    assert len(server.made) == 2


def test_a_server_that_cannot_make_it_says_so(folder: Path) -> None:
    with pytest.raises(RefusedError):
        told(Blobs(500), folder)


def test_nothing_is_sent_for_what_cannot_be_a_name(folder: Path) -> None:
    server = Blobs()
    with pytest.raises(UsageError):
        told(server, folder, "not a name")

    assert not server.files
