from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.errors import UsageError
from reflectty.core.model_names import checked_name, is_same_model, short_name_of
from reflectty.models.fit import quantization_of_name


@pytest.mark.parametrize(
    "name",
    [
        "mini",
        "mini:latest",
        "llama3.1:8b-instruct-q4_K_M",
        "user/model:tag",
        "hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q8_0",
        "127.0.0.1:5000/library/mini:latest",
        "http://127.0.0.1:5000/library/mini",
        "https://registry.example/library/mini",
        "_x",
        "gpt-oss:120b-cloud",
    ],
)
def test_valid_model_names_are_accepted(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " mini",
        "mini ",
        "mini\n",
        "a b",
        "/etc/passwd",
        "./model.gguf",
        "../../x",
        "~/x",
        "C:\\x",
        "a//b",
        "a/",
        "a:",
        ":b",
        "a:b:c",
        "a/b/c/d",
        "a.b/c",
        "-x",
        ".x",
        "ftp://h/n/m",
        "a@sha256:0",
        "m\x1b[2J",
        "m\u202e",
        "modèle",
        "a" * 81,
        "a\u0000",
    ],
)
def test_invalid_model_names_are_refused_with_a_hint(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_name(name)
    assert "model:tag" in caught.value.hint


@given(st.text(max_size=30))
def test_accepted_names_have_only_plain_characters(name: str) -> None:
    try:
        checked_name(name)
    except UsageError:
        return
    assert name.isascii()
    assert name.isprintable()
    assert " " not in name
    assert ".." not in name.split("/")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mini:latest", "mini"),
        ("mini:8b", "mini:8b"),
        ("library/mini", "mini"),
        ("registry.ollama.ai/library/mini:latest", "mini"),
        ("https://registry.ollama.ai/me/mini:latest", "me/mini"),
        ("http://h:1/library/mini:latest", "h:1/library/mini"),
        ("me/mini", "me/mini"),
    ],
)
def test_name_is_shortened_as_far_as_possible(name: str, expected: str) -> None:
    assert short_name_of(name) == expected
    assert is_same_model(name, expected)
    assert not is_same_model(name, f"{expected}x")


@pytest.mark.parametrize("name", ["mini:latest", "library/mini", "https://registry.ollama.ai/me/mini:latest"])
def test_whole_id_is_not_shortened(name: str) -> None:
    assert short_name_of(name, whole=True) == name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("llama3.1:8b-instruct-q4_K_M", "Q4_K_M"),
        ("x:70b-q8_0", "Q8_0"),
        ("x:fp16", "F16"),
        ("x:8b-bf16", "BF16"),
        ("x:20b-mxfp4", "MXFP4"),
        ("x:iq2_xs", "IQ2_XS"),
        ("hf.co/a/b-GGUF:Q8_0", "Q8_0"),
        ("qwen3:8b", ""),
        ("q4_0", ""),
        ("x", ""),
    ],
)
def test_quantization_is_read_from_the_tag(name: str, expected: str) -> None:
    assert quantization_of_name(name) == expected
