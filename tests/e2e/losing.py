"""Models that lose their tags on a real server: what they say when they do not, and how they are made."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

from real_ollama import MODELFILES

if TYPE_CHECKING:
    from pathlib import Path

    from real_ollama import Server

QUESTION = "Which is larger, 9.11 or 9.9?"
ANSWER = "9.9 is larger."
THOUGHT = "Both start with 9, so I compare the decimals.\n11 is more than 9, so 9.11 is larger."
CORRECTION = "I must compare the same number of digits: 9.9 is 9.90."
CORRECTED = "90 against 11: 9.9 is larger."
WORDS = ("thinking", "reflection", "output")
PIECES = (*WORDS, "<", "</", ">")
SLOW = 240.0
"""Seconds for a reply on a busy machine; it takes two on an idle one."""


def create(server: Server, name: str, gguf: Path) -> None:
    """Create the model `mini` of the tests anew, on a base of its own."""
    base = gguf.with_name(f"{name}-base.Modelfile")
    base.write_text(f"FROM ./{gguf.name}\n")
    server.create(f"{name}-base", base, gguf)
    tuned = gguf.with_name(f"{name}.Modelfile")
    tuned.write_text((MODELFILES / "mini.Modelfile").read_text().replace("FROM plain", f"FROM {name}-base"))
    server.create(name, tuned, MODELFILES / "mini-trial-lora.gguf")


def shown(server: Server, path: str, **body: Any) -> dict[str, Any]:
    """Return what the server itself says of something."""
    data = json.dumps(body).encode() if body else None
    with urllib.request.urlopen(f"http://{server.host}{path}", data) as answer:
        return dict(json.load(answer))


def installed(server: Server) -> set[str]:
    """Return the names of the models on the server."""
    return {model["name"].removesuffix(":latest") for model in shown(server, "/api/tags")["models"]}
