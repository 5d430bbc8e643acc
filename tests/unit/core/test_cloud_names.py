from __future__ import annotations

import pytest

from reflectty.core.messages import Model
from reflectty.core.model_names import is_cloud_name, remote_host_of


@pytest.mark.parametrize(
    ("name", "cloud"),
    [
        ("gpt-oss:120b-cloud", True),
        ("glm-5:cloud", True),
        ("GLM-5:CLOUD", True),
        ("user/model:7b-Cloud", True),
        ("my-cloud", False),
        ("my-cloud:latest", False),
        ("cloud", False),
        (":cloud", False),
        ("registry.example:5000/a-cloud", False),
        ("qwen3:8b:local", False),
        ("", False),
    ],
)
def test_cloud_model_is_recognized_by_its_tag(name: str, cloud: bool) -> None:
    assert is_cloud_name(name) is cloud


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("https://ollama.com:443", "ollama.com"),
        ("https://ollama.com", "ollama.com"),
        ("http://192.0.2.4:11434", "192.0.2.4:11434"),
        ("http://192.0.2.4:80", "192.0.2.4"),
        ("other.example:11434", "other.example:11434"),
        ("http://[broken", "http://[broken"),
        ("", ""),
    ],
)
def test_remote_host_is_named(host: str, named: str) -> None:
    assert remote_host_of(Model("m", remote_host=host)) == named
