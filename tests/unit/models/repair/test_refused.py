"""Models that cannot be repaired, on a scripted server: a one-line error says what to do, and nothing is sent."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

import pytest

from reflectty.chat.trial import sends_tags
from reflectty.core.errors import ModelMissingError, ReflecttyError, RefusedError, StoreError, UsageError
from reflectty.models.files import refuse_full_disk
from reflectty.models.manager import open_model_library
from reflectty.models.repair import RepairRequest, RepairResult
from reflectty.models.repair.run import repair
from support.fake_server import error
from support.gguf_bytes import SHARDS
from support.gguf_tensors import Part, whole
from support.repair_server import LOST, MADE, TOKENS, Recorder, Scripted

MERGE = "pass the first part with --gguf PATH, with the others in the same folder, or join them with `llama-gguf-split --merge`"


@pytest.fixture
def scripted(tmp_path: Path) -> Scripted:
    return Scripted(tmp_path)


def other(scripted: Scripted, content: bytes) -> RepairRequest:
    path = scripted.path.with_name("other.gguf")
    path.write_bytes(content)
    return RepairRequest("m", gguf=path)


def remote(scripted: Scripted) -> RepairRequest:
    scripted.body["remote_host"] = "https://ollama.com:443"
    return RepairRequest("m")


def stored_otherwise(scripted: Scripted) -> RepairRequest:
    scripted.body["details"] = {"format": "safetensors"}
    return RepairRequest("m")


def without_file(scripted: Scripted) -> RepairRequest:
    scripted.path.unlink()
    return RepairRequest("m")


def without_types(scripted: Scripted) -> RepairRequest:
    scripted.types["m"] = ()
    return RepairRequest("m")


def with_two_adapters(scripted: Scripted) -> RepairRequest:
    scripted.more = f"ADAPTER /blobs/sha256-{'a' * 64}\nADAPTER /blobs/sha256-{'b' * 64}\n"
    return RepairRequest("m")


def with_an_adapter(scripted: Scripted) -> RepairRequest:
    scripted.version = "0.34.1"
    scripted.more = f"ADAPTER /blobs/sha256-{'a' * 64}\n"
    return RepairRequest("m")


def with_typical_p(scripted: Scripted) -> RepairRequest:
    scripted.version = "0.35.0-rc1"
    scripted.body["parameters"] = "temperature 0\ntypical_p 0.5"
    return RepairRequest("m")


def with_a_strange_tensor(scripted: Scripted) -> RepairRequest:
    scripted.version = "0.34.2"
    return other(scripted, whole([Part("norm", (1,), 0, bytes(4)), Part("blk.0.q", (256, 1), 34, bytes(54))]))


def named_nowhere(scripted: Scripted) -> RepairRequest:
    scripted.path = scripted.path.with_name("m.gguf")
    return RepairRequest("m")


def in_parts(scripted: Scripted) -> RepairRequest:
    return other(scripted, MADE.file({**MADE.vocabulary(TOKENS, LOST), SHARDS: (2, MADE.number("H", 3))}))


def in_parts_alone(scripted: Scripted) -> RepairRequest:
    scripted.version = "0.34.2"
    wanted = in_parts(scripted)
    assert wanted.gguf is not None
    first = wanted.gguf.rename(wanted.gguf.with_name("m-00001-of-00003.gguf"))
    first.with_name("m-00002-of-00003.gguf").write_bytes(b"")
    return RepairRequest("m", gguf=first)


def in_parts_untold(scripted: Scripted) -> RepairRequest:
    scripted.version = "0.34.2"
    return in_parts(scripted)


def installed_already(scripted: Scripted) -> RepairRequest:
    scripted.names = ("m:latest", "M-Repaired:latest")
    return RepairRequest("m")


@pytest.mark.parametrize(
    ("change", "kind", "said", "advised"),
    [
        (remote, RefusedError, "runs elsewhere", "only models on the server"),
        (stored_otherwise, RefusedError, "stored as safetensors", "ollama create"),
        (without_file, UsageError, "no such file", "--gguf PATH"),
        (without_types, RefusedError, "does not report the tokens of m", "newer"),
        (with_two_adapters, RefusedError, "parts that the server cannot copy", ""),
        (
            with_an_adapter,
            RefusedError,
            "m has an adapter, which Ollama 0.34.1 and later do not support",
            "merge the adapter",
        ),
        (with_typical_p, RefusedError, "m has the parameter typical_p, which", "`ollama create`"),
        (with_a_strange_tensor, RefusedError, "cannot read tensors of type 34, such as blk.0.q in", "quantization"),
        (named_nowhere, UsageError, "does not report where the GGUF of m is", "--gguf PATH"),
        (
            in_parts,
            RefusedError,
            "the first of 3 files",
            "use Ollama 0.34.1 or later, or join them with `llama-gguf-split --merge`",
        ),
        (in_parts_alone, RefusedError, "3 files of a split model, and m-00003-of-00003.gguf is missing", MERGE),
        (in_parts_untold, RefusedError, "a split model, and the server does not report the others", MERGE),
        (installed_already, UsageError, "m-repaired already exists", "--force to overwrite"),
        (lambda _: RepairRequest("m", name="M"), UsageError, "the name of the model itself, M", "--name NAME"),
        (lambda _: RepairRequest("m", name="../x"), UsageError, "is not a valid model name", "write it as"),
        (lambda _: RepairRequest("n"), ModelMissingError, "n is not installed", ""),
        (
            lambda _: RepairRequest("m", tokens=("<none>",)),
            UsageError,
            "no token '<none>'",
            "pass each of them with --token",
        ),
        (lambda one: other(one, b"hello"), UsageError, "not a GGUF file", ""),
        (lambda one: other(one, MADE.file({})), UsageError, "no vocabulary", ""),
        (lambda one: other(one, MADE.file(MADE.vocabulary(TOKENS[::-1], LOST))), UsageError, "another model", "--gguf"),
        (lambda one: other(one, MADE.file(MADE.vocabulary(("a",), (3,)))), UsageError, "token 1 is missing", "--gguf"),
        (lambda one: RepairRequest("m", gguf=one.path.parent), UsageError, "is not a regular file", "--gguf"),
        (lambda _: RepairRequest("m", gguf=Path("/dev/zero")), UsageError, "/dev/zero is not a regular file", "--gguf"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_unrepairable_model_is_refused_in_one_line_and_nothing_is_sent(
    scripted: Scripted, change: Any, kind: type[ReflecttyError], said: str, advised: str
) -> None:
    wanted = change(scripted)
    with pytest.raises(kind) as caught:
        scripted.repair(wanted)

    assert said in str(caught.value)
    assert advised in caught.value.hint
    assert "\n" not in str(caught.value)
    assert {asked.path for asked in scripted.server.requests} <= {"/api/show", "/api/tags", "/api/version"}


def test_file_named_only_by_a_remote_server_is_not_opened(tmp_path: Path) -> None:
    scripted = Scripted(tmp_path)

    async def run() -> RepairResult:
        async with open_model_library(server.host) as library:
            library.engine.local = False
            return await repair(library, RepairRequest("m"), Recorder(), sends_tags)

    with scripted.serving() as server, pytest.raises(UsageError, match="on another machine"):
        asyncio.run(run())


def test_full_disk_of_the_server_is_reported(scripted: Scripted) -> None:
    scripted.routes["/api/create"] = error(500, "write /blobs/COPY1: no space left on device")
    with pytest.raises(StoreError, match="the server's disk is full") as caught:
        scripted.repair()
    assert "3 times that up to Ollama 0.34.0" in caught.value.hint


def test_disk_that_is_too_small_is_refused(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    refuse_full_disk(tmp_path, free // 2, "it")
    refuse_full_disk(None, 1 << 60, "it")
    refuse_full_disk(tmp_path / "elsewhere", 1 << 60, "it")
    with pytest.raises(StoreError, match=r"it temporarily needs 1,152,921,504\.6 GB"):
        refuse_full_disk(tmp_path, 1 << 60, "it")


@pytest.mark.parametrize(
    ("version", "more", "said"),
    [
        ("0.34.0", f"ADAPTER /blobs/sha256-{'a' * 64}\n", "LoRA adapters are no longer supported"),
        ("0.0.0", "", "unsupported tensor blk.0.q: size overflows"),
    ],
)
def test_server_refusal_is_explained(scripted: Scripted, version: str, more: str, said: str) -> None:
    scripted.version, scripted.more = version, more
    scripted.routes["/api/create"] = error(400, said)
    with pytest.raises(RefusedError, match=said) as caught:
        scripted.repair()

    assert caught.value.hint
