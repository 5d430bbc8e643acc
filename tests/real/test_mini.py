"""`reflect models create mini` and a real Ollama: the merged built-in model reflects there as it does by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from reflectty.core.model_spec import MINI_TEMPLATE
from support.lost_tags import installed, server_answer
from support.reference_replies import QUESTION, by_ollama

if TYPE_CHECKING:
    from pathlib import Path

    from support.built_in import BuiltIn
    from support.command import Reflect
    from support.real_ollama import Server

pytestmark = [pytest.mark.server, pytest.mark.both]

LARGE = 10**8


def large_blobs(server: Server) -> list[Path]:
    return [path for path in (server.home / "models" / "blobs").iterdir() if path.stat().st_size > LARGE]


def test_create_mini_makes_one_merged_file_and_proves_it(reflect: Reflect, ollama: Server, own_mini: BuiltIn) -> None:
    before = large_blobs(ollama)
    run = reflect.at(ollama.host)
    refused = run("models", "create", "mini", "--json", stdin=b"", **own_mini.environment)
    result = run("models", "create", "mini", "--force", "--json", stdin=b"", **own_mini.environment)
    proof = json.loads(result.out)["proof"]
    made = server_answer(ollama, "/api/show", model="mini")

    assert refused.code == 2
    assert "--force to overwrite" in refused.err
    assert (result.code, result.err) == (0, "")
    assert (proof["passed"], proof["problem"]) == (True, "")
    assert proof["corrections"] >= 1
    assert proof["answer"].startswith("9.9 ")
    assert made["template"].strip() == MINI_TEMPLATE.strip()
    assert "ADAPTER" not in made["modelfile"]
    assert "Gemma" in made["license"]
    assert made["details"]["family"] == "gemma3"
    # The file is the one that the tests of this server have made.
    assert large_blobs(ollama) == before
    assert [path.name for path in own_mini.places.weights.parent.iterdir()] == [own_mini.places.weights.name]


def test_merged_model_answers_like_weights_with_adapter(reflect: Reflect, ollama: Server, mini: BuiltIn) -> None:
    alone = json.loads(reflect("-m", "mini", "--json", QUESTION, stdin=b"", **mini.environment).out)
    there = json.loads(reflect.at(ollama.host)("-m", "mini", "--json", QUESTION).out)

    said = by_ollama(ollama.host, "mini")

    assert "mini" in installed(ollama)
    assert (there["mode"], there["family"], there["complete"]) == ("native", "reflection", True)
    assert [(segment["kind"], segment["text"]) for segment in there["segments"]] == said.segments
    assert (there["answer"], there["reflections"]) == (alone["answer"], alone["reflections"])
    assert len(there["reflections"]) >= 1
