from __future__ import annotations

import pytest

from reflectty.core.messages import Model
from reflectty.core.model_spec import sampling_defaults_of, sampling_from_info

INFO: dict[str, object] = {
    "general.sampling.temp": 0.6000000238418579,
    "general.sampling.top_k": 20,
    "general.sampling.penalty_repeat": 1.05,
    "general.sampling.xtc_threshold": 0.5,
    "general.sampling.top_p": "high",
    "general.architecture": "qwen3",
}
FILE = (("temperature", 0.6000000238418579), ("top_k", 20), ("repeat_penalty", 1.05))


def test_sampling_is_read_from_the_keys_the_server_uses() -> None:
    assert sampling_from_info(INFO) == FILE
    assert sampling_from_info({}) == ()


BY_FILE = {"temperature": "0.6", "top_k": "20", "repeat_penalty": "1.05"}


@pytest.mark.parametrize(
    ("parameters", "own"),
    [
        ("", {}),
        ('stop                           "<x>"\ntemperature                    0\nseed 3', {"temperature": "0", "seed": "3"}),
    ],
)  # fmt: skip
def test_parameter_overrides_the_file(parameters: str, own: dict[str, str]) -> None:
    found = sampling_defaults_of(Model("m", parameters=parameters, sampling=FILE))

    assert {one.option: one.value for one in found} == BY_FILE | own
    assert {one.option for one in found if not one.by_file} == own.keys()
