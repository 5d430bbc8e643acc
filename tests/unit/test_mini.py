from __future__ import annotations

import pytest

from reflectty import mini
from reflectty.chat import Model
from reflectty.modes import Mode, Wish, opens_thinking, plan
from reflectty.wire.recipes import encode_create

MERGED = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mini", True), ("Mini", True), ("mini:latest", True), ("mini:8b", False), ("minimax", False), ("", False)],
)
def test_it_is_known_by_its_name(name: str, expected: bool) -> None:
    assert mini.is_mini(name) is expected


def test_auto_reads_it_by_its_tags() -> None:
    model = Model("mini", ("completion",), mini.TEMPLATE)
    chosen = plan(model, Wish())

    assert (chosen.mode, chosen.family.name, chosen.prefilled) == (Mode.NATIVE, "reflection", False)
    assert not opens_thinking(model, chosen.family)


def test_a_server_makes_it_of_one_file_without_an_adapter_and_of_the_same_texts() -> None:
    body = encode_create("mine", mini.recipe("mine", "terms"), MERGED)

    assert body == {
        "model": "mine",
        "files": {"model.gguf": MERGED},
        "template": mini.TEMPLATE,
        "parameters": {"num_predict": mini.LIMIT, "stop": [mini.STOP], "temperature": mini.TEMPERATURE},
        "license": "terms",
    }
