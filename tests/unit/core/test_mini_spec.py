from __future__ import annotations

import pytest

from reflectty.core import model_spec
from reflectty.core.messages import Model
from reflectty.protocols.ollama.model_specs import encode_create
from reflectty.reasoning.modes import AskOptions, Mode, opens_thinking, plan

MERGED = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mini", True), ("Mini", True), ("mini:latest", True), ("mini:8b", False), ("minimax", False), ("", False)],
)
def test_mini_is_recognized_by_its_name(name: str, expected: bool) -> None:
    assert model_spec.is_mini(name) is expected


def test_auto_mode_is_native_with_reflection_tags() -> None:
    model = Model("mini", ("completion",), model_spec.MINI_TEMPLATE)
    chosen = plan(model, AskOptions())

    assert (chosen.mode, chosen.family.name, chosen.prefilled) == (Mode.NATIVE, "reflection", False)
    assert not opens_thinking(model, chosen.family)


def test_server_creates_it_from_one_file_without_an_adapter() -> None:
    body = encode_create("mine", model_spec.mini_spec("mine", "terms"), MERGED)

    assert body == {
        "model": "mine",
        "files": {"model.gguf": MERGED},
        "template": model_spec.MINI_TEMPLATE,
        "parameters": {
            "num_predict": model_spec.MINI_REPLY_LIMIT,
            "stop": [model_spec.MINI_STOP],
            "temperature": model_spec.MINI_TEMPERATURE,
        },
        "license": "terms",
    }
