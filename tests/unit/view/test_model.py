from __future__ import annotations

import pytest

from reflectty.core.messages import Model, RunningModel
from reflectty.view.model import ModelTexts, model_texts_of

GB = 10**9
FULL = Model("reflection:latest", digest="sha256:0123456789abcdef", size=5 * GB, context_length=8192)


def test_row_has_the_texts_of_a_loaded_model() -> None:
    model = FULL._replace(parameter_size="8.0B", quantization="Q4_K_M")
    running = RunningModel("reflection", size=6 * GB, size_vram=3 * GB)

    assert model_texts_of(model, running, ("reflection", "tools")) == ModelTexts(
        name="reflection",
        size="5.0 GB",
        weights="8.0B Q4_K_M",
        context="8K",
        labels="reflection, tools",
        device="50 % GPU",
        memory="3.0 GB of 6.0 GB",
        digest="0123456789ab",
    )


def test_unknown_texts_of_a_row_are_empty() -> None:
    assert set(model_texts_of(Model(""))) == {""}


def test_cloud_model_has_no_size() -> None:
    assert model_texts_of(FULL._replace(remote_host="https://ollama.com")).size == "cloud"


EVIL = "\x1b[2J"


@pytest.mark.parametrize(
    "model", [FULL._replace(name=EVIL), FULL._replace(quantization=EVIL), FULL._replace(digest=EVIL)]
)
def test_texts_of_a_row_have_no_control_characters(model: Model) -> None:
    assert "\x1b" not in "".join(model_texts_of(model))
