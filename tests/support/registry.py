"""A registry of models on loopback, for a real Ollama to pull from: the blobs on another server's disk.

It speaks as much as Ollama 0.32.15 needs: a manifest, and for each blob a redirect to another host name, because the
server reads the address of a blob from the `Location` of the answer, and follows one to the same host. It supports
ranges, with which a pull resumes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import select
import socket
import threading
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path

PIECE = 64 * 1024


@dataclass
class Registry:
    """Serves models made of blobs in memory or on disk; its fields may change while it serves."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, dict[str, Any]] = field(default_factory=dict)
    rate: float = 0.0
    """Bytes per second; 0 means unlimited."""
    gate: int | None = None
    """The number of bytes after which a blob stops until this is None again."""
    damaged: bool = False
    """Whether the bytes of a blob do not match its digest."""
    ranges: list[tuple[str, int, int]] = field(default_factory=list)
    """The requested ranges: the blob, the first byte and the one after the last."""
    fetching: int = 0
    """The number of blobs that are being sent."""

    def __post_init__(self) -> None:
        registry = self

        class Handler(_Handler):
            served = registry

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.gate = None
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def name(self, model: str) -> str:
        """The name to pull a model by."""
        return f"http://127.0.0.1:{self.port}/library/{model}"

    def add(self, model: str, *layers: tuple[str, bytes], config: bytes = b"{}") -> None:
        """Add a model made of layers, each with its media type."""
        self.manifests[model] = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": self._blob("application/vnd.docker.container.image.v1+json", config),
            "layers": [self._blob(f"application/vnd.ollama.image.{kind}", data) for kind, data in layers],
        }

    def add_installed(self, model: str, models: Path) -> None:
        """Add a model from a server's folder of models."""
        name, _, tag = model.partition(":")
        manifest = json.loads((models / "manifests/registry.ollama.ai/library" / name / (tag or "latest")).read_bytes())
        for part in (manifest["config"], *manifest["layers"]):
            self.blobs[part["digest"]] = (models / "blobs" / part["digest"].replace(":", "-")).read_bytes()
        self.manifests[model] = manifest

    def _blob(self, kind: str, data: bytes) -> dict[str, Any]:
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        self.blobs[digest] = data
        return {"mediaType": kind, "digest": digest, "size": len(data)}

    def paced(self, sent: int, started: float, connection: socket.socket) -> None:
        """Wait for the rate and the gate after a number of bytes; OSError when the client has closed the connection."""
        while self.gate is not None and sent >= self.gate:
            if select.select([connection], [], [], 0.01)[0] and not connection.recv(1, socket.MSG_PEEK):
                raise ConnectionAbortedError
        if self.rate:
            time.sleep(max(0.0, started + sent / self.rate - time.monotonic()))


class _Handler(BaseHTTPRequestHandler):
    served: Registry
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name for it
        """Write no log."""

    def do_HEAD(self) -> None:
        self._answer(b"")

    def do_GET(self) -> None:
        with contextlib.suppress(OSError):
            self._answer(None)

    def _answer(self, body: bytes | None) -> None:
        *_, model, what, reference = ("", "", *self.path.split("/"))
        registry = self.served
        manifest = registry.manifests.get(f"{model}:{reference}") or registry.manifests.get(model)
        if what == "manifests" and manifest:
            self._say(HTTPStatus.OK, json.dumps(manifest).encode())
        elif reference not in registry.blobs:
            self._say(HTTPStatus.NOT_FOUND, b"{}")
        elif body is not None:
            self._head(HTTPStatus.OK, {"Content-Length": str(len(registry.blobs[reference]))})
        elif self.path.startswith("/blobs/"):
            self._send(reference)
        else:
            target = f"http://localhost:{registry.port}/blobs/{reference}"
            self._head(HTTPStatus.TEMPORARY_REDIRECT, {"Location": target, "Content-Length": "0"})

    def _send(self, digest: str) -> None:
        registry, data = self.served, self.served.blobs[digest]
        first, _, last = self.headers.get("Range", f"bytes=0-{len(data) - 1}").removeprefix("bytes=").partition("-")
        start, end = int(first), int(last) + 1
        registry.ranges.append((digest, start, end))
        self._head(HTTPStatus.PARTIAL_CONTENT, {"Content-Length": str(end - start)})
        begun = time.monotonic()
        registry.fetching += 1
        try:
            for at in range(start, end, PIECE):
                registry.paced(at - start, begun, self.connection)
                piece = data[at : min(at + PIECE, end)]
                self.wfile.write(bytes(len(piece)) if registry.damaged else piece)
        finally:
            registry.fetching -= 1

    def _say(self, status: HTTPStatus, body: bytes) -> None:
        self._head(status, {"Content-Length": str(len(body))})
        self.wfile.write(body)

    def _head(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
