"""A scripted server with one model that loses its tags, small enough for a quick repair, and a recorder of progress."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

from reflectty.chat.trial import sends_tags
from reflectty.models.manager import open_model_library
from reflectty.models.repair import RepairRequest, RepairResult, RepairStep
from reflectty.models.repair.run import repair
from reflectty.reasoning.token_types import LostTag
from support.fake_server import Answer, FakeServer, ReceivedRequest, Route, error, reply, tags, whole
from support.gguf_bytes import Making

if TYPE_CHECKING:
    from pathlib import Path

MADE = Making()
TOKENS = ("<s>", "<thinking>", "</thinking>", "plain", "<mine>")
LOST, KEPT = (3, 3, 3, 1, 3), (3, 4, 4, 1, 3)
TAGS = (LostTag(1, "<thinking>", whole=True), LostTag(2, "</thinking>", whole=True))
MODEL = RepairRequest("m")
TAGGED = reply(["<thinking>", "I see", "</thinking>", "9.9"])
PLAIN = reply(["9.9"])


class Recorder:
    """Records progress and notes; cancels the repair at a given step."""

    def __init__(self, at: RepairStep | None = None) -> None:
        self.steps: list[RepairStep] = []
        self.notes: list[str] = []
        self.at = at

    def progress(self, step: RepairStep, total: int = 0, completed: int = 0) -> None:
        assert 0 <= completed <= total
        if step not in self.steps:
            self.steps.append(step)
        if step is self.at:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

    def note(self, text: str) -> None:
        self.notes.append(text)


class Scripted:
    """A server with one model, whose file lies in a folder of the test."""

    def __init__(
        self,
        folder: Path,
        content: bytes | None = None,
        types: tuple[int, ...] = LOST,
        tokens: tuple[str, ...] = TOKENS,
    ) -> None:
        self.tokens = tokens
        self.content = MADE.file(MADE.vocabulary(TOKENS, types)) if content is None else content
        self.path = folder / f"sha256-{hashlib.sha256(self.content).hexdigest()}"
        self.path.write_bytes(self.content)
        self.types = {"m": types, "m-repaired": KEPT}
        self.body: dict[str, Any] = {"details": {"format": "gguf"}, "template": "{{ .Prompt }}"}
        self.more = ""
        self.sent = MADE.file(MADE.vocabulary(TOKENS, KEPT))
        self.made = ""
        """The digest of the file that the server makes of an upload, where it differs from the upload's."""
        self.names: tuple[str, ...] = ("m:latest",)
        self.chat: Route = TAGGED
        self.version = "0.32.15"
        self.routes: dict[str, Route] = {}

    @property
    def digest(self) -> str:
        return f"sha256:{hashlib.sha256(self.sent).hexdigest()}"

    @property
    def blob(self) -> str:
        return f"/api/blobs/{self.digest}"

    def show(self, asked: ReceivedRequest) -> Answer:
        name = asked.json["model"]
        if name not in self.types:
            return error(404, f"model '{name}' not found")
        info = {"tokenizer.ggml.tokens": self.tokens, "tokenizer.ggml.token_type": self.types[name]}
        path = self.path
        if name == "m-repaired":
            path = path.with_name((self.made or self.digest).replace(":", "-"))
        modelfile = f"FROM {path}\n{self.more}TEMPLATE {{{{ .Prompt }}}}\n"
        return whole({"modelfile": modelfile, "model_info": info if asked.json.get("verbose") else {}, **self.body})

    def blobs(self, asked: ReceivedRequest) -> Answer:
        return Answer([], 404 if asked.method == "HEAD" else 201, {"Content-Length": "0"})

    def serving(self) -> FakeServer:
        return FakeServer(
            {
                "/api/show": self.show,
                "/api/tags": tags(*self.names),
                "/api/version": whole({"version": self.version}),
                self.blob: self.blobs,
                "/api/create": whole({"status": "success"}),
                "/api/delete": whole({}),
                "/api/chat": self.chat,
                **self.routes,
            }
        )

    def repair(
        self, wanted: RepairRequest = MODEL, recorder: Recorder | None = None
    ) -> tuple[RepairResult, FakeServer]:
        """Repair the model; return the result and the server with its requests."""

        async def run() -> RepairResult:
            async with open_model_library(server.host) as library:
                return await repair(library, wanted, recorder or Recorder(), sends_tags)

        with self.serving() as server:
            self.server = server
            return asyncio.run(run()), server
