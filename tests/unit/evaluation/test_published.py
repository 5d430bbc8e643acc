from __future__ import annotations

import pytest

from reflectty.evaluation.published import FIGURES, published_for
from support.evaluation_runs import manifest_of


@pytest.mark.parametrize(
    ("models", "set_name", "size", "percents"),
    [
        (("qwen3:1.7b",), "math500", "2.0B", [73.0, 93.4]),
        (("qwen3:1.7b-q8_0",), "MATH-500", "", [73.0, 93.4]),
        (("qwen3",), "mmlu-redux", "8.2B", [79.5, 87.5]),
        (("hf.co/unsloth/qwen3:0.6b",), "math500", "751.63M", [55.2, 77.6]),
        (("gemma3:1b-it-qat",), "gsm8k-test", "999.89M", [62.8, 42.0]),
        (("llama3.2:1b",), "gsm8k", "", [44.4, 46.5, 33.1]),
        (("llama3.1:70b",), "gsm8k", "70.6B", [94.01, 94.57, 95.1]),
        (("reflection:70b",), "math", "", [79.7, 70.8]),
        (("deepseek-r1:8b-llama-distill-q4_K_M",), "math500", "8.0B", [89.1]),
        (("deepseek-r1:8b",), "math500", "8.2B", []),
        (("deepseek-r1",), "math500", "8.2B", []),
        (("deepseek-r1",), "math500", "7.6B", [92.8]),
        (("qwen3",), "math500", "751.63M", [55.2, 77.6]),
        (("qwen3:1.7b", "qwen3:4b"), "math500", "", [73.0, 93.4, 84.8, 97.0]),
        (("qwen3", "gemma3"), "math500", "1.7B", []),
        (("qwen3:1.7b",), "arithmetic", "2.0B", []),
        (("qwen3:14b",), "math500", "14.8B", []),
        (("qwen3:latest",), "math500", "", []),
        (("",), "gsm8k", "", []),
    ],
)
def test_figures_are_those_of_the_model_and_the_set(
    models: tuple[str, ...], set_name: str, size: str, percents: list[float]
) -> None:
    base = manifest_of(("cot",) * len(models), 10)
    setups = tuple(one._replace(model=model) for one, model in zip(base.arms, models, strict=True))
    found = published_for(base._replace(set_name=set_name, arms=setups, parameter_size=size))
    assert [one.percent for one in found] == percents


def test_every_figure_names_its_source_and_its_setting() -> None:
    assert len(FIGURES) > 50
    assert len(set(FIGURES)) == len(FIGURES)
    for one in FIGURES:
        assert one.source
        assert "quantization" in one.how
        assert 0 < one.percent < 100
        assert one.set_name
