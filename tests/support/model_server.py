"""A server of models without a network: a transport that lists, loads, copies, removes and pulls models."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING, Any

import httpx

from reflectty.core.messages import Timeouts
from reflectty.engines.hosts import parse_host
from reflectty.engines.ollama import OllamaEngine
from reflectty.models.manager import ModelLibrary, extend_timeouts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

GB = 1_000_000_000
TAUGHT = "{{ .Prompt }}<thinking> <reflection> <output>"
PULLING = "sha256:" + "4" * 64


def model(name: str, size: int, weights: str, packed: str, *capabilities: str, **more: Any) -> dict[str, Any]:
    """A model as the server describes it."""
    return {
        "name": name,
        "size": size,
        "digest": hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest(),
        "modified_at": "2025-11-20T12:00:00Z",
        "details": {"parameter_size": weights, "quantization_level": packed},
        "capabilities": ["completion", *capabilities],
        "template": "{{ .Prompt }}",
        "model_info": {"general.architecture": "llama", "llama.context_length": 131_072},
        **more,
    }


MODELS = (
    model("reflection:70b", 40 * GB, "70.6B", "Q4_K_M", template=TAUGHT),
    model("deepseek-r1:14b", 9 * GB, "14.8B", "Q4_K_M", "thinking", "tools"),
    model("mini:latest", 292_000_000, "268.10M", "Q8_0", template=TAUGHT),
    model("nomic-embed-text:latest", 274_000_000, "137M", "F16"),
)


class Pulling:
    """The server's progress reports on one pull, fed by a test line by line."""

    def __init__(self) -> None:
        self.said: asyncio.Queue[dict[str, Any] | Exception | None] = asyncio.Queue()
        self.left = False
        """Whether the client has closed the connection before the end of the pull."""

    def say(self, status: str, **more: Any) -> None:
        self.said.put_nowait({"status": status, **more})

    def fetch(self, completed: int, total: int = 5_200_000_000, digest: str = PULLING) -> None:
        """Report the progress of a layer."""
        self.say(f"pulling {digest.removeprefix('sha256:')[:12]}", digest=digest, total=total, completed=completed)

    def fail(self, text: str) -> None:
        self.said.put_nowait({"error": text})
        self.said.put_nowait(None)

    def break_off(self) -> None:
        self.said.put_nowait(httpx.ReadError("connection reset"))

    def finish(self) -> None:
        self.say("success")
        self.said.put_nowait(None)


class _Lines(httpx.AsyncByteStream):
    def __init__(self, pulling: Pulling) -> None:
        self._pulling = pulling
        self._over = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (said := await self._pulling.said.get()) is not None:
            if isinstance(said, Exception):
                self._over = True
                raise said
            yield json.dumps(said).encode() + b"\n"
        self._over = True

    async def aclose(self) -> None:
        self._pulling.left = not self._over


class ModelServer(httpx.AsyncBaseTransport):
    """Answers the library's calls; its fields may change at any time, as another program would change them."""

    def __init__(self, *models: Mapping[str, Any]) -> None:
        self.models = [dict(one) for one in models or MODELS]
        self.loaded: dict[str, tuple[int, int]] = {}
        """The loaded models, with their size and the part of it on a GPU."""
        self.vram: float = 1.0
        """The share of a loaded model that goes on the GPU."""
        self.pulls: dict[str, Pulling] = {}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.gone = False
        self.loading = asyncio.Event()
        """While cleared, loading a model waits."""
        self.loading.set()

    def library(self) -> ModelLibrary:
        """A library that talks to this server."""
        engine = OllamaEngine(parse_host("127.0.0.1:11434"), timeouts=extend_timeouts(Timeouts()), transport=self)
        return ModelLibrary(engine)

    def pulling(self, name: str) -> Pulling:
        """The progress reports on a model, before or after the pull begins."""
        return self.pulls.setdefault(name, Pulling())

    def calls(self, name: str) -> list[dict[str, Any]]:
        """The bodies of one call, in order."""
        return [body for call, body in self.asked if call == name]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.gone:
            raise httpx.ConnectError("connection refused")
        call = request.url.path.rpartition("/")[2]
        body = json.loads(request.content) if request.content else {}
        self.asked.append((call, body))
        if call == "pull":
            return httpx.Response(200, stream=_Lines(self.pulling(body["model"])))
        status, answer = await self._answer(call, body)
        return httpx.Response(status, content=json.dumps(answer).encode("ascii"))

    async def _answer(self, call: str, body: dict[str, Any]) -> tuple[int, Any]:
        if call == "tags":
            return 200, {"models": self.models}
        if call == "ps":
            return 200, {"models": [_running(name, *sizes) for name, sizes in self.loaded.items()]}
        name = body.get("source") or body.get("model") or ""
        found = next((one for one in self.models if one["name"] in (name, f"{name}:latest")), None)
        if found is None:
            return 404, {"error": f"model '{name}' not found"}
        return 200, await self._done(call, found, body)

    async def _done(self, call: str, found: dict[str, Any], body: dict[str, Any]) -> Any:
        name, size = found["name"], int(found["size"] * 1.1)
        if call == "generate" and body.get("keep_alive") == 0:
            self.loaded.pop(name, None)
        elif call == "generate":
            await self.loading.wait()
            self.loaded[name] = (size, int(size * self.vram))
        elif call == "copy":
            self.models.insert(0, found | {"name": f"{body['destination']}:latest"})
        elif call == "delete":
            self.models.remove(found)
            self.loaded.pop(name, None)
        return found if call == "show" else {"done": True}


def _running(name: str, size: int, vram: int) -> dict[str, Any]:
    return {
        "name": name,
        "size": size,
        "size_vram": vram,
        "context_length": 4096,
        "expires_at": "2318-01-01T00:00:00Z",
    }
