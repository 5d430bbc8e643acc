from __future__ import annotations

from typing import Any

import pytest

from reflectty.core.messages import RunningModel
from reflectty.protocols import ollama


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"models": [{"name": "a:latest", "size": 12, "size_vram": 7, "context_length": 4096, "digest": "d"}]},
            (RunningModel("a:latest", 12, 7, 4096),),
        ),
        ({"models": [{"model": "a", "size": -1, "size_vram": "7"}, "b"]}, (RunningModel("a"),)),
        ({"models": []}, ()),
        ({"models": None}, ()),
        ({}, ()),
    ],
)
def test_running_models_are_parsed(body: dict[str, Any], expected: tuple[RunningModel, ...]) -> None:
    assert ollama.running_of(body) == expected


@pytest.mark.parametrize(("body", "expected"), [({"version": "0.32.15"}, "0.32.15"), ({"version": None}, ""), ({}, "")])
def test_the_version_is_read(body: dict[str, Any], expected: str) -> None:
    assert ollama.version_of(body) == expected
