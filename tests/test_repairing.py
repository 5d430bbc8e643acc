"""The repair against a scripted server, with small files; what a real one makes of it is tested end to end."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from fake_server import Answer, error
from made_gguf import SHARDS
from reflectty import gguf
from reflectty.errors import (
    IncompleteError,
    ModelMissingError,
    ReflecttyError,
    RefusedError,
    StoreError,
    UsageError,
)
from reflectty.library import open_library
from reflectty.repairing import Repaired, Step, Wanted
from reflectty.repairing.repairing import repair, repaired_name
from reflectty.repairing.weights import refuse_full_disk
from repairing_server import KEPT, LOST, MADE, PLAIN, TAGS, TOKENS, Recorder, Scripted

if TYPE_CHECKING:
    from pathlib import Path

    from fake_server import Asked


@pytest.fixture
def scripted(tmp_path: Path) -> Scripted:
    return Scripted(tmp_path)


def test_a_model_gets_a_copy_whose_tags_are_text_and_is_asked(scripted: Scripted) -> None:
    recorder = Recorder()
    repaired, server = scripted.repair(recorder=recorder)

    assert repaired == Repaired("m", "m-repaired", TAGS, proven=True)
    assert recorder.steps == list(Step)
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

    repaired, server = scripted.repair(Wanted("m", tokens=tokens))

    assert repaired == Repaired("m", "m")
    assert {asked.path for asked in server.requests} == {"/api/show"}


def test_a_token_that_is_named_becomes_text_as_well(scripted: Scripted) -> None:
    scripted.sent = MADE.file(MADE.vocabulary(TOKENS, (3, 4, 4, 1, 4)))
    scripted.types["m-repaired"] = (3, 4, 4, 1, 4)

    repaired, _ = scripted.repair(Wanted("m", tokens=("<mine>",)))

    assert [tag.text for tag in repaired.tokens] == ["<thinking>", "</thinking>", "<mine>"]


def test_a_file_that_the_server_has_is_not_sent_again(scripted: Scripted) -> None:
    scripted.routes[scripted.blob] = Answer([], 200, {"Content-Length": "0"})
    recorder = Recorder()
    _, server = scripted.repair(recorder=recorder)

    assert [asked.method for asked in server.asked(scripted.blob)] == ["HEAD"]
    assert Step.SENDING not in recorder.steps


def test_a_copy_that_sends_no_tags_is_not_called_proven(scripted: Scripted) -> None:
    scripted.chat = PLAIN
    repaired, _ = scripted.repair()

    assert repaired.proven is False


def test_a_copy_that_cannot_be_asked_is_made_all_the_same(scripted: Scripted) -> None:
    scripted.chat = error(500, "out of memory")
    recorder = Recorder()
    repaired, _ = scripted.repair(recorder=recorder)

    assert repaired.proven is None
    assert recorder.notes == ["m-repaired could not be asked: the server refused: out of memory"]


def test_a_copy_whose_tags_are_lost_still_is_taken_away_again(scripted: Scripted) -> None:
    scripted.types["m-repaired"] = LOST
    with pytest.raises(IncompleteError, match="did not take the changed types: m-repaired was removed again"):
        scripted.repair()
    assert [asked.json for asked in scripted.server.asked("/api/delete")] == [{"model": "m-repaired"}]


def test_what_came_out_otherwise_is_told(scripted: Scripted) -> None:
    def show(asked: Asked) -> Answer:
        scripted.body["system"] = "" if asked.json["model"] == "m-repaired" else "be brief"
        return scripted.show(asked)

    scripted.routes["/api/show"] = show
    recorder = Recorder()
    scripted.repair(recorder=recorder)

    assert recorder.notes == ["m-repaired is not like m in all: its system prompt came out different"]


def other(scripted: Scripted, content: bytes) -> Wanted:
    path = scripted.path.with_name("other.gguf")
    path.write_bytes(content)
    return Wanted("m", gguf=path)


def remote(scripted: Scripted) -> Wanted:
    scripted.body["remote_host"] = "https://ollama.com:443"
    return Wanted("m")


def stored_otherwise(scripted: Scripted) -> Wanted:
    scripted.body["details"] = {"format": "safetensors"}
    return Wanted("m")


def without_file(scripted: Scripted) -> Wanted:
    scripted.path.unlink()
    return Wanted("m")


def without_types(scripted: Scripted) -> Wanted:
    scripted.types["m"] = ()
    return Wanted("m")


def with_two_adapters(scripted: Scripted) -> Wanted:
    scripted.more = f"ADAPTER /blobs/sha256-{'a' * 64}\nADAPTER /blobs/sha256-{'b' * 64}\n"
    return Wanted("m")


def named_nowhere(scripted: Scripted) -> Wanted:
    scripted.path = scripted.path.with_name("m.gguf")
    return Wanted("m")


def in_parts(scripted: Scripted) -> Wanted:
    return other(scripted, MADE.file({**MADE.vocabulary(TOKENS, LOST), SHARDS: (2, MADE.number("H", 3))}))


def installed_already(scripted: Scripted) -> Wanted:
    scripted.names = ("m:latest", "M-Repaired:latest")
    return Wanted("m")


@pytest.mark.parametrize(
    ("change", "kind", "said", "advised"),
    [
        (remote, RefusedError, "runs elsewhere", "what is here"),
        (stored_otherwise, RefusedError, "stored as safetensors", "ollama create"),
        (without_file, UsageError, "no such file", "--gguf PATH"),
        (without_types, RefusedError, "does not tell the tokens of m", "newer"),
        (with_two_adapters, RefusedError, "parts that the server does not let be carried over", ""),
        (named_nowhere, UsageError, "does not tell where the GGUF of m is", "--gguf PATH"),
        (in_parts, RefusedError, "one of 3 files", "llama-gguf-split --merge"),
        (installed_already, UsageError, "m-repaired already", "--force makes it anew"),
        (lambda _: Wanted("m", name="M"), UsageError, "as the model itself is", "--name NAME"),
        (lambda _: Wanted("m", name="../x"), UsageError, "cannot be the name", "write it as"),
        (lambda _: Wanted("n"), ModelMissingError, "n is not installed", ""),
        (lambda _: Wanted("m", tokens=("<none>",)), UsageError, "no token '<none>'", "piece by piece"),
        (lambda one: other(one, b"hello"), UsageError, "no GGUF", ""),
        (lambda one: other(one, MADE.file({})), UsageError, "no vocabulary", ""),
        (lambda one: other(one, MADE.file(MADE.vocabulary(TOKENS[::-1], LOST))), UsageError, "another model", "--gguf"),
        (lambda one: other(one, MADE.file(MADE.vocabulary(("a",), (3,)))), UsageError, "token 1 is missing", "--gguf"),
        (lambda one: Wanted("m", gguf=one.path.parent), UsageError, "is a directory", "--gguf"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_cannot_be_repaired_is_refused_in_one_line_and_nothing_is_sent(
    scripted: Scripted, change: Any, kind: type[ReflecttyError], said: str, advised: str
) -> None:
    wanted = change(scripted)
    with pytest.raises(kind) as caught:
        scripted.repair(wanted)

    assert said in str(caught.value)
    assert advised in caught.value.hint
    assert "\n" not in str(caught.value)
    assert {asked.path for asked in scripted.server.requests} <= {"/api/show", "/api/tags"}


def test_a_model_of_the_copys_name_is_replaced_when_that_is_wished(scripted: Scripted) -> None:
    scripted.names = ("m:latest", "m-repaired:latest")
    repaired, _ = scripted.repair(Wanted("m", force=True))

    assert repaired.name == "m-repaired"


def test_a_file_that_only_a_server_elsewhere_names_is_not_opened(tmp_path: Path) -> None:
    scripted = Scripted(tmp_path)

    async def run() -> Repaired:
        async with open_library(server.host) as library:
            library.engine.local = False
            return await repair(library, Wanted("m"), Recorder())

    with scripted.serving() as server, pytest.raises(UsageError, match="on another machine"):
        asyncio.run(run())


@pytest.mark.parametrize("at", [Step.READING, Step.SENDING])
def test_a_repair_that_is_stopped_before_the_file_is_there_makes_nothing(scripted: Scripted, at: Step) -> None:
    with pytest.raises(asyncio.CancelledError):
        scripted.repair(recorder=Recorder(at))

    assert not scripted.server.asked("/api/create")


@pytest.mark.parametrize("force", [False, True])
def test_a_copy_that_is_being_made_when_it_is_stopped_is_taken_away_unless_it_replaced_another(
    scripted: Scripted, force: bool
) -> None:
    recorder = Recorder(Step.MAKING)
    with pytest.raises(asyncio.CancelledError):
        scripted.repair(Wanted("m", force=force), recorder)

    assert len(scripted.server.asked("/api/create")) == 1
    assert len(scripted.server.asked("/api/delete")) == (0 if force else 1)
    assert len(recorder.notes) == 1
    assert ("it stays" if force else "it is taken away again") in recorder.notes[0]


def test_a_full_disk_of_the_server_is_told_as_such(scripted: Scripted) -> None:
    scripted.routes["/api/create"] = error(500, "write /blobs/COPY1: no space left on device")
    with pytest.raises(StoreError, match="the disk of the server is full") as caught:
        scripted.repair()
    assert "3 times the size" in caught.value.hint


def test_a_disk_that_is_too_small_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    refuse_full_disk(tmp_path, free // 2)
    refuse_full_disk(None, 1 << 60)
    refuse_full_disk(tmp_path / "elsewhere", 1 << 60)
    with pytest.raises(StoreError, match="for a while"):
        refuse_full_disk(tmp_path, 1 << 60)


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
def test_a_tag_stays_behind_the_name_of_the_copy(name: str, expected: str) -> None:
    assert repaired_name(name) == expected


def test_only_the_types_differ_between_the_file_and_what_was_sent(scripted: Scripted) -> None:
    differing = [at for at, (one, two) in enumerate(zip(scripted.content, scripted.sent, strict=True)) if one != two]
    with scripted.path.open("rb") as file:
        head = gguf.header(file)

    assert differing == [head.types.start + 4 * number for number in (1, 2)]
