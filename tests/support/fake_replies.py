"""Replies of a scripted server: steps of bytes, pauses and endings, in the format of Ollama 0.32.15."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing for some seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class End:
    """Stop here: `reset` the connection, `close` it, or `hang` until the client has closed it."""

    how: str


RESET, CLOSE, HANG = End("reset"), End("close"), End("hang")
Step = bytes | Pause | End
Steps = Iterable[Step] | Callable[[], Iterable[Step]]


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: the steps are its body, each piece of bytes one chunk unless a Content-Length is given."""

    steps: Steps = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/x-ndjson"

    def raw(self) -> Iterator[Step]:
        headers = {"Content-Type": self.content_type, **self.headers}
        chunked = not any(name.lower() in {"content-length", "connection"} for name in headers)
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        reason = HTTPStatus(self.status).phrase
        lines = [f"HTTP/1.1 {self.status} {reason}", *(f"{name}: {value}" for name, value in headers.items())]
        yield "\r\n".join([*lines, "", ""]).encode("latin-1")
        for step in _fresh(self.steps):
            yield b"%x\r\n%s\r\n" % (len(step), step) if chunked and isinstance(step, bytes) else step
        if chunked:
            yield b"0\r\n\r\n"
        elif "Connection" in headers:
            yield CLOSE


@dataclass(frozen=True, slots=True)
class Raw:
    """Bytes that replace the whole response, from the status line on."""

    steps: Steps = ()

    def raw(self) -> Iterator[Step]:
        yield from _fresh(self.steps)
        yield CLOSE


def _fresh(steps: Steps) -> Iterable[Step]:
    return steps() if callable(steps) else steps


def line(content: str = "", thinking: str = "", **more: Any) -> bytes:
    """One line of /api/chat in Ollama's format."""
    message: dict[str, Any] = {"role": "assistant", "content": content} | ({"thinking": thinking} if thinking else {})
    return _json({"model": "m", "created_at": "2026-01-02T03:04:05Z", "message": message, "done": False} | more)


def raw_line(response: str = "", **more: Any) -> bytes:
    """One line of /api/generate."""
    return _json({"model": "m", "created_at": "2026-01-02T03:04:05Z", "response": response, "done": False} | more)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


COUNTS = {
    "total_duration": 2_000_000_000,
    "load_duration": 500_000_000,
    "prompt_eval_count": 24,
    "prompt_eval_duration": 500_000_000,
    "eval_count": 66,
    "eval_duration": 1_000_000_000,
}


def done(reason: str = "stop", **more: Any) -> dict[str, Any]:
    """The fields of a last line."""
    return {"done": True, "done_reason": reason} | COUNTS | more


def reply(
    contents: Iterable[str] = (), thinking: Iterable[str] = (), *, reason: str = "stop", pause: float = 0.0
) -> Answer:
    """A whole reply of /api/chat: the thinking, the content, the end; a pause in seconds before each."""
    lines = [*(line(thinking=text) for text in thinking), *(line(text) for text in contents), line(**done(reason))]
    return Answer([step for piece in lines for step in ((Pause(pause), piece) if pause else (piece,))])


def raw_reply(contents: Iterable[str], reason: str = "stop") -> Answer:
    """A whole reply of /api/generate."""
    return Answer([*(raw_line(text) for text in contents), raw_line(**done(reason))])


def whole(value: Any, status: int = 200, **headers: str) -> Answer:
    """An answer that is one JSON value."""
    data = _json(value)
    return Answer([data], status, {"Content-Length": str(len(data)), **headers}, "application/json")


def error(status: int, message: str, **headers: str) -> Answer:
    return whole({"error": message}, status, **headers)


def show(**more: Any) -> Answer:
    """An answer of /api/show for a model without the capability `thinking`."""
    info = {"general.architecture": "llama", "llama.context_length": 131072}
    base = {"template": "{{ .Prompt }}", "parameters": "temperature 0", "capabilities": ["completion"]}
    return whole(base | {"model_info": info, "details": {"family": "llama"}} | more)


def tags(*names: str) -> Answer:
    return whole({"models": [{"name": name, "model": name, "digest": "d" * 64} for name in names]})


def rendered(prompt: str) -> Answer:
    """The answer of /api/chat to a request that only renders the prompt."""
    return whole({"model": "m", "_debug_info": {"rendered_template": prompt}})
