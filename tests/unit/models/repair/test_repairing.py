"""The repair against a scripted server, with small files; the end-to-end tests repair on a real one."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import pytest

from reflectty.core.errors import IncompleteError, UsageError
from reflectty.models import gguf
from reflectty.models.repair import RepairRequest, RepairResult, RepairStep
from reflectty.models.repair.run import repaired_name
from support.fake_server import Answer, error
from support.gguf_bytes import SHARDS
from support.gguf_tensors import Part
from support.gguf_tensors import whole as whole_gguf
from support.repair_server import KEPT, LOST, MADE, PLAIN, TAGS, TOKENS, Recorder, Scripted

if TYPE_CHECKING:
    from pathlib import Path

    from support.fake_server import ReceivedRequest


@pytest.fixture
def scripted(tmp_path: Path) -> Scripted:
    return Scripted(tmp_path)


def test_repair_creates_and_tests_a_copy_with_text_tags(scripted: Scripted) -> None:
    recorder = Recorder()
    repaired, server = scripted.repair(recorder=recorder)

    assert repaired == RepairResult("m", "m-repaired", TAGS, proven=True)
    assert recorder.steps == list(RepairStep)
    assert not recorder.notes
    (sent,) = [asked for asked in server.asked(scripted.blob) if asked.method == "POST"]
    assert sent.body == scripted.sent
    (made,) = server.asked("/api/create")
    digest = scripted.blob.rpartition("/")[2]
    assert made.json == {
        "model": "m-repaired",
        "stream": False,
        "files": {"model.gguf": digest},
        "template": "{{ .Prompt }}",
    }
    assert not server.asked("/api/delete")


@pytest.mark.parametrize(
    ("types", "capabilities", "tokens"),
    [(KEPT, [], ()), (LOST, ["thinking"], ()), (KEPT, [], ("plain", "<thinking>"))],
    ids=["kept", "the server's parser keeps them", "named and kept"],
)
def test_a_model_that_loses_no_tag_is_left_alone(
    tmp_path: Path, types: tuple[int, ...], capabilities: list[str], tokens: tuple[str, ...]
) -> None:
    scripted = Scripted(tmp_path, types=types)
    scripted.body["capabilities"] = capabilities
    scripted.path.unlink()

    recorder = Recorder()
    repaired, server = scripted.repair(RepairRequest("m", tokens=tokens), recorder)

    assert repaired == RepairResult("m", "m")
    assert [note.partition(" (")[0] for note in recorder.notes] == (
        ["the server parses <thinking>, </thinking> of m itself"] if capabilities else []
    )
    assert {asked.path for asked in server.requests} == {"/api/show"}


def test_only_named_tokens_become_text_if_the_server_parses_the_tags(scripted: Scripted) -> None:
    scripted.body["capabilities"] = ["thinking"]
    scripted.sent = MADE.file(MADE.vocabulary(TOKENS, (3, 4, 3, 1, 3)))
    scripted.types["m-repaired"] = (3, 4, 3, 1, 3)

    repaired, _ = scripted.repair(RepairRequest("m", tokens=("<thinking>",)))

    assert repaired == RepairResult("m", "m-repaired", TAGS[:1], proven=True)


def test_named_token_becomes_text_too(scripted: Scripted) -> None:
    scripted.sent = MADE.file(MADE.vocabulary(TOKENS, (3, 4, 4, 1, 4)))
    scripted.types["m-repaired"] = (3, 4, 4, 1, 4)

    repaired, _ = scripted.repair(RepairRequest("m", tokens=("<mine>",)))

    assert [tag.text for tag in repaired.tokens] == ["<thinking>", "</thinking>", "<mine>"]


def test_a_file_that_the_server_has_is_not_sent_again(scripted: Scripted) -> None:
    scripted.routes[scripted.blob] = Answer([], 200, {"Content-Length": "0"})
    recorder = Recorder()
    _, server = scripted.repair(recorder=recorder)

    assert [asked.method for asked in server.asked(scripted.blob)] == ["HEAD"]
    assert RepairStep.SENDING not in recorder.steps


def test_copy_without_tags_in_its_reply_is_not_proven(scripted: Scripted) -> None:
    scripted.chat = PLAIN
    repaired, _ = scripted.repair()

    assert repaired.proven is False


def test_copy_is_created_even_if_it_cannot_be_tested(scripted: Scripted) -> None:
    scripted.chat = error(500, "out of memory")
    recorder = Recorder()
    repaired, _ = scripted.repair(recorder=recorder)

    assert repaired.proven is None
    assert recorder.notes == ["m-repaired could not be tested: the server refused: out of memory"]


def test_copy_that_still_loses_its_tags_is_removed(scripted: Scripted) -> None:
    scripted.types["m-repaired"] = LOST
    with pytest.raises(IncompleteError, match="did not accept the changed token types: m-repaired was removed"):
        scripted.repair()
    assert [asked.json for asked in scripted.server.asked("/api/delete")] == [{"model": "m-repaired"}]


def test_differences_in_the_copy_are_noted(scripted: Scripted) -> None:
    def show(asked: ReceivedRequest) -> Answer:
        scripted.body["system"] = "" if asked.json["model"] == "m-repaired" else "be brief"
        return scripted.show(asked)

    scripted.routes["/api/show"] = show
    recorder = Recorder()
    scripted.repair(recorder=recorder)

    assert recorder.notes == ["m-repaired differs from m in its system prompt"]


def test_sent_file_that_is_no_longer_needed_is_removed(scripted: Scripted) -> None:
    scripted.made = f"sha256:{'e' * 64}"
    has = [404, 200, 404]
    scripted.routes[scripted.blob] = lambda asked: Answer(
        [], has.pop(0) if asked.method == "HEAD" else 201, {"Content-Length": "0"}
    )
    recorder = Recorder()
    _, server = scripted.repair(recorder=recorder)

    name = f"reflectty-unneeded-{scripted.digest[-12:]}"
    made, forgotten = (asked.json for asked in server.asked("/api/create"))
    assert made["model"] == "m-repaired"
    assert (forgotten["model"], forgotten["from"]) == (name, "m")
    assert forgotten["draft_files"] == {"unneeded.gguf": scripted.digest}
    assert [asked.json for asked in server.asked("/api/delete")] == [{"model": name}]
    assert not recorder.notes


def test_sent_file_that_cannot_be_removed_is_noted(scripted: Scripted) -> None:
    scripted.made = f"sha256:{'e' * 64}"
    scripted.routes[scripted.blob] = Answer([], 200, {"Content-Length": "0"})
    recorder = Recorder()
    scripted.repair(recorder=recorder)

    assert len(recorder.notes) == 1
    assert recorder.notes[0].startswith("the server keeps the uploaded file")


def test_existing_copy_is_replaced_with_force(scripted: Scripted) -> None:
    scripted.names = ("m:latest", "m-repaired:latest")
    repaired, _ = scripted.repair(RepairRequest("m", force=True))

    assert repaired.name == "m-repaired"


@pytest.mark.parametrize("at", [RepairStep.READING, RepairStep.SENDING])
def test_repair_stopped_before_upload_creates_nothing(scripted: Scripted, at: RepairStep) -> None:
    with pytest.raises(asyncio.CancelledError):
        scripted.repair(recorder=Recorder(at))

    assert not scripted.server.asked("/api/create")


@pytest.mark.parametrize("force", [False, True])
def test_copy_being_created_when_stopped_is_removed_unless_it_replaced_one(scripted: Scripted, force: bool) -> None:
    recorder = Recorder(RepairStep.MAKING)
    with pytest.raises(asyncio.CancelledError):
        scripted.repair(RepairRequest("m", force=force), recorder)

    assert len(scripted.server.asked("/api/create")) == 1
    assert len(scripted.server.asked("/api/delete")) == (0 if force else 1)
    assert len(recorder.notes) == 1
    assert ("is then kept" if force else "is then removed") in recorder.notes[0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("reflection", "reflection-repaired"),
        ("reflection:70b", "reflection-repaired:70b"),
        ("you/reflection:70b-q4", "you/reflection-repaired:70b-q4"),
        ("hf.co:443/you/Reflection-GGUF:Q4_K_M", "hf.co:443/you/Reflection-GGUF-repaired:Q4_K_M"),
        ("x" * 80, "x" * 71 + "-repaired"),
    ],
)
def test_suffix_is_inserted_before_the_tag(name: str, expected: str) -> None:
    assert repaired_name(name) == expected


def test_only_token_types_differ_in_the_sent_file(scripted: Scripted) -> None:
    differing = [at for at, (one, two) in enumerate(zip(scripted.content, scripted.sent, strict=True)) if one != two]
    with scripted.path.open("rb") as file:
        head = gguf.read_header(file)

    assert differing == [head.types.start + 4 * number for number in (1, 2)]


def test_a_model_in_parts_is_sent_in_parts(scripted: Scripted) -> None:
    split = {SHARDS: (2, MADE.number("H", 2))}
    first = scripted.path.with_name("big-Q8_0-00001-of-00002.gguf")
    first.write_bytes(MADE.file({**MADE.vocabulary(TOKENS, LOST), **split}))
    rest = whole_gguf([Part("norm", (1,), 0, bytes(4))])
    first.with_name("big-Q8_0-00002-of-00002.gguf").write_bytes(rest)
    scripted.sent = MADE.file({**MADE.vocabulary(TOKENS, KEPT), **split})
    second = f"sha256:{hashlib.sha256(rest).hexdigest()}"
    scripted.routes[f"/api/blobs/{second}"] = scripted.blobs
    scripted.version = "0.34.2"

    repaired, server = scripted.repair(RepairRequest("m", gguf=first))
    (made,) = (asked.json for asked in server.asked("/api/create"))

    assert repaired == RepairResult("m", "m-repaired", TAGS, proven=True)
    assert made["files"] == {"model-00001-of-00002.gguf": scripted.digest, "model-00002-of-00002.gguf": second}
    assert [asked.body for asked in server.asked(f"/api/blobs/{second}") if asked.method == "POST"] == [rest]


def test_invalid_part_is_refused(scripted: Scripted) -> None:
    first = scripted.path.with_name("m-00001-of-00002.gguf")
    first.write_bytes(MADE.file({**MADE.vocabulary(TOKENS, LOST), SHARDS: (2, MADE.number("H", 2))}))
    first.with_name("m-00002-of-00002.gguf").write_bytes(b"half")
    scripted.sent = MADE.file({**MADE.vocabulary(TOKENS, KEPT), SHARDS: (2, MADE.number("H", 2))})
    scripted.version = "0.34.2"

    with pytest.raises(UsageError, match=r"m-00002-of-00002.gguf is not part of a model: not a GGUF file"):
        scripted.repair(RepairRequest("m", gguf=first))
    assert not scripted.server.asked("/api/create")
