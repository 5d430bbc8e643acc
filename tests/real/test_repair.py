"""`reflect models repair` on a real Ollama: the copy of a model that loses its tags has them again."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reflectty.chat.trial import sends_tags
from reflectty.models.manager import open_model_library
from reflectty.models.repair import RepairRequest, RepairResult, RepairStep
from reflectty.models.repair.run import repair
from support.command import COMMAND
from support.lost_tags import PIECES, installed, server_answer
from support.pty_screen import Screen
from support.real_ollama import ADAPTER, base_model, tuned_model
from support.reference_replies import QUESTION
from support.repair_server import Recorder
from support.token_types import TokenType, copy_renamed, copy_retyped
from support.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.command import Reflect
    from support.real_ollama import Server
    from support.reference_replies import ReferenceReply

pytestmark = [pytest.mark.server, pytest.mark.both]

LOST, RENAMED = "reflection-lost", "reflection-renamed"
SIX = ("<thinking>", "</thinking>", "<reflection>", "</reflection>", "<output>", "</output>")
FIRST = 16
"""The id of the first of gemma's unused tokens that get other names."""
FILLER = "<spare>"
"""The name of a seventh token, as long as the letters that the six tags save over the names they replace."""


@pytest.fixture(scope="module")
def server(ollama: Server) -> Iterator[Server]:
    """The server with a model whose tags are written in pieces that are lost, and one whose tags are lost whole."""
    folder = Path(tempfile.mkdtemp(dir=ollama.home))
    try:
        lost, renamed = folder / "lost.gguf", folder / "renamed.gguf"
        copy_retyped(tuned_model(), lost, dict.fromkeys(PIECES, TokenType.CONTROL))
        ollama.create_tuned(LOST, lost)
        copy_renamed(base_model(), renamed, FIRST, (*SIX, FILLER), dict.fromkeys(SIX, TokenType.CONTROL))
        modelfile = folder / "renamed.Modelfile"
        modelfile.write_text(f'FROM ./{renamed.name}\nTEMPLATE """{{{{ .System }}}} "{{{{ .Prompt }}}}"\n"""\n{MORE}')
        ollama.create(RENAMED, modelfile, renamed)
        yield ollama
    finally:
        # The installed models decide which one is the default.
        ollama.remove(*(name for name in installed(ollama) if name.startswith("reflection")))
        shutil.rmtree(folder)


MORE = """\
SYSTEM "Two lines,
and a \\"quote\\"."
PARAMETER stop "<end of it>"
PARAMETER stop "
two words "
PARAMETER num_ctx 2048
PARAMETER temperature 0.25
PARAMETER num_predict 20
LICENSE "All rights
FROM here."
MESSAGE user hello
MESSAGE assistant hi
"""


@pytest.fixture
def command(reflect: Reflect, server: Server) -> Reflect:
    return reflect.at(server.host)


@pytest.fixture
def blobs(server: Server) -> Path:
    return server.home / "models" / "blobs"


def beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(5)


def test_repaired_copy_has_its_tags_back(command: Reflect, server: Server, mini_reply: ReferenceReply) -> None:
    before = json.loads(command("-m", LOST, "--json", QUESTION).out)
    result = command("models", "repair", LOST)
    after = json.loads(command("-m", f"{LOST}-repaired", "--json", QUESTION).out)

    assert [segment["kind"] for segment in before["segments"]] == ["answer"]
    assert (result.code, result.out, result.err) == (0, f"{LOST}-repaired\n", "")
    assert [(segment["kind"], segment["text"]) for segment in after["segments"]] == mini_reply.segments
    assert after["warnings"] == []
    assert LOST in installed(server)


def test_repaired_copy_needs_no_repair_and_is_not_replaced(command: Reflect, server: Server) -> None:
    first = command("models", "repair", LOST, "--name", "reflection-twice")
    again = command("models", "repair", LOST, "--name", "reflection-twice")
    fine = command("models", "repair", "reflection-twice", "--json")

    assert (first.code, again.code, fine.code) == (0, 2, 0)
    assert "reflection-twice already exists" in again.err
    assert json.loads(fine.out) == {
        "name": "reflection-twice",
        "from": "reflection-twice",
        "repaired": False,
        "tokens": [],
        "proven": None,
    }
    assert "reflection-twice-repaired" not in installed(server)


def test_terminal_shows_repair_progress_and_result(command: Reflect) -> None:
    words = ("models", "repair", LOST, "--name", "reflection-seen")
    with Screen(command, *words, columns=140) as screen:
        code = screen.finish()
        text = " ".join(screen.text.split())

    assert code == 0
    assert b"reading reflection-lost" in screen.raw
    assert text.endswith("reflection-seen")
    assert "as text, proven by a test question" in text
    assert "reading" not in text
    assert not screen.cursor_hidden


def test_single_token_tags_become_text_and_the_rest_is_unchanged(command: Reflect, server: Server) -> None:
    result = command("models", "repair", RENAMED)

    assert (result.code, result.out) == (0, f"{RENAMED}-repaired\n")
    # The model was never trained on the tags.
    assert len(result.err.splitlines()) == 1
    assert f"{RENAMED}-repaired sent none of its tags in reply to a test question" in result.err
    before, after = (server_answer(server, "/api/show", model=name) for name in (RENAMED, f"{RENAMED}-repaired"))
    for key in ("template", "system", "license", "messages", "capabilities"):
        assert before[key] == after[key]
    assert set(before["parameters"].split("\n")) == set(after["parameters"].split("\n"))
    info = server_answer(server, "/api/show", model=f"{RENAMED}-repaired", verbose=True)["model_info"]
    wanted = range(FIRST, FIRST + len(SIX))
    assert [info["tokenizer.ggml.tokens"][at] for at in wanted] == list(SIX)
    assert {info["tokenizer.ggml.token_type"][at] for at in wanted} == {TokenType.USER_DEFINED}


def test_gguf_option_replaces_the_file_of_the_server(
    command: Reflect, server: Server, blobs: Path, tmp_path: Path
) -> None:
    path = tmp_path / "copy.gguf"
    copy_retyped(tuned_model(), path, dict.fromkeys(PIECES, TokenType.CONTROL))
    # Up to 0.34.0 the server converts the upload to version 3, and the upload is not needed any more.
    with path.open("r+b") as file:
        file.seek(4)
        file.write(b"\2")
    words = ("models", "repair", LOST, "--name", "reflection-named", "--gguf")

    wrong = command(*words, str(ADAPTER))
    right = command(*words, str(path), "--json")

    assert wrong.code == 2
    assert "mini.gguf cannot be repaired: no vocabulary" in wrong.err
    value = json.loads(right.out)
    assert (value["name"], value["from"], value["repaired"], value["proven"]) == ("reflection-named", LOST, True, True)
    assert sorted(tag["text"] for tag in value["tokens"]) == sorted(PIECES)
    assert "reflection-named" in installed(server)
    used = server_answer(server, "/api/show", model="reflection-named")["modelfile"]
    assert [path for path in blobs.iterdir() if beginning(path) == b"GGUF\2" and path.name not in used] == []


class Halfway(Recorder):
    """Cancels the repair when half of the file is sent."""

    def progress(self, step: RepairStep, total: int = 0, completed: int = 0) -> None:
        self.at = RepairStep.SENDING if step is RepairStep.SENDING and 2 * completed > total else None
        super().progress(step, total, completed)


@pytest.mark.parametrize("recorder", [Halfway(), Recorder(RepairStep.READING), Recorder(RepairStep.MAKING)])
def test_cancelled_repair_leaves_nothing_on_the_server(server: Server, blobs: Path, recorder: Recorder) -> None:
    async def run() -> RepairResult:
        async with open_model_library(server.host) as library:
            # Another token makes another file, which the server does not have yet.
            wanted = RepairRequest(LOST, name="reflection-cut", tokens=("<unused5>",))
            return await repair(library, wanted, recorder, sends_tags)

    before = {path.name for path in blobs.iterdir()}
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())

    # The server notices a moment later.
    assert until(lambda: {path.name for path in blobs.iterdir()} == before)
    assert "reflection-cut" not in installed(server)


def test_repair_streams_the_file_without_loading_it_into_memory(command: Reflect, server: Server) -> None:
    words = ("models", "repair", LOST, "--name", "reflection-slim", "--token", "<unused6>")
    process = subprocess.Popen(
        (*COMMAND, *words), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=command.environment()
    )
    most = 0
    while process.poll() is None:
        most = max(most, held(process.pid))
        time.sleep(0.02)

    assert process.returncode == 0
    assert "reflection-slim" in installed(server)
    # The vocabulary is most of it, whatever the size of the model: this one has a quarter of a million tokens.
    assert 0 < most < 0.75 * base_model().stat().st_size


def held(pid: int) -> int:
    """The peak memory of a process in bytes since it began with its program; 0 once it is over.

    The figure of `wait4` includes the memory of its parent.
    """
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text("ascii", "replace"), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
