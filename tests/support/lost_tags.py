"""Models that lose their tags on a real server: the tokens of the tags, and the server's own view of a model."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.real_ollama import Server

WORDS = ("thinking", "reflection", "output")
PIECES = (*WORDS, "<", "</", ">")


def server_answer(server: Server, path: str, **body: Any) -> dict[str, Any]:
    """The server's own answer about a model."""
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(f"http://{server.host}{path}", data) as answer:
        return dict(json.load(answer))


def installed(server: Server) -> set[str]:
    """The names of the models on the server."""
    return {model["name"].removesuffix(":latest") for model in server_answer(server, "/api/tags")["models"]}
