"""The built-in model on a system without OpenMP."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from reflectty.engines.embedded import openmp
from support.built_in import request_with
from support.engine_outcome import collect

if TYPE_CHECKING:
    from support.built_in import BuiltIn
    from support.engine_outcome import Outcome


async def answered(mini: BuiltIn) -> Outcome:
    async with mini.engine() as engine:
        return await collect(engine.chat(request_with("What is 12 + 30?")))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only there llama.cpp needs it")
def test_model_answers_when_the_system_has_no_openmp(
    own_mini: BuiltIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / openmp.NAME).touch()
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    outcome = asyncio.run(answered(own_mini))
    assert outcome.complete
    assert "42" in outcome.text
    maps = Path(f"/proc/{own_mini.child().pid}/maps").read_text()
    assert str(openmp.FOLDER) in maps
    assert f"{openmp.NAME}." not in maps
