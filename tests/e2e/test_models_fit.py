"""Whether a model fits, tried with the real command, a scripted server, and scripted GPU programs."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from support.fake_server import FakeServer, whole
from support.gpu_outputs import RTX_4090
from support.model_configs import LLAMA_8B
from support.pty_screen import Screen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Reflect, Result

ON_CARD = "NVIDIA GeForce RTX 4090, 24 GiB (24.1 of 25.8 GB free)"


class ShowModel:
    """`reflect models show` on a machine with one card, for a model of the server."""

    def __init__(self, reflect: Reflect, tools: Path) -> None:
        self.reflect = reflect
        self.path = f"{tools}{os.pathsep}{os.environ['PATH']}"

    def __call__(self, server: FakeServer, *words: str, **variables: Any) -> Result:
        return self.reflect.at(server.host)("models", "show", "m", *words, PATH=self.path, **variables)


@pytest.fixture(name="asked")
def _asked(reflect: Reflect, tmp_path: Path) -> ShowModel:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tmp_path / "told").write_text(RTX_4090)
    tool = tools / "nvidia-smi"
    tool.write_text(f"#!{shutil.which('sh')}\nexec cat {tmp_path}/told\n")
    tool.chmod(0o755)
    return ShowModel(reflect, tools)


def serving(
    info: dict[str, Any], size: int, running: tuple[dict[str, Any], ...] = (), parameters: str = ""
) -> FakeServer:
    details = {"parameter_size": "8.0B", "quantization_level": "Q4_K_M"}
    shown = {"model_info": info, "details": details, "capabilities": ["completion"], "parameters": parameters}
    listed = {"name": "m:latest", "size": size, "details": details}
    return FakeServer(
        {
            "/api/show": whole(shown),
            "/api/tags": whole({"models": [listed]}),
            "/api/ps": whole({"models": [{"name": "m:latest", **one} for one in running]}),
        }
    )


@pytest.fixture(name="small")
def _small() -> Iterator[FakeServer]:
    with serving(LLAMA_8B, 4_920_753_328) as server:
        yield server


def test_fitting_model_is_reported_at_the_default_context_of_the_server(asked: ShowModel, small: FakeServer) -> None:
    result = asked(small)

    assert (result.code, result.err) == (0, "")
    assert "  needs       weights 4.9 GB · cache 4.3 GB at 32,768 tokens · about 9.5 GB with buffers\n" in result.out
    assert f"  fit         fits entirely on {ON_CARD}\n" in result.out
    assert "also with up to 131,072 tokens of context\n" in result.out


@pytest.mark.parametrize(
    ("words", "variables", "said"),
    [
        (("--context", "2048"), {}, "cache 268 MB at 2,048 tokens"),
        ((), {"OLLAMA_CONTEXT_LENGTH": "8192"}, "cache 1.1 GB at 8,192 tokens"),
        (("--context", "8192"), {"OLLAMA_KV_CACHE_TYPE": "q8_0"}, "cache 570 MB at 8,192 tokens"),
        (
            ("--context", "8192"),
            {"OLLAMA_NUM_PARALLEL": "2"},
            "cache 2.1 GB at 8,192 tokens for each of 2 parallel requests",
        ),
    ],
)
def test_context_option_and_ollama_variables_change_the_estimate(
    asked: ShowModel, small: FakeServer, words: tuple[str, ...], variables: dict[str, Any], said: str
) -> None:
    result = asked(small, *words, **variables)

    assert said in result.out
    for name, value in variables.items():
        assert f"assuming that {name}={value} of this shell also applies to the server" in result.out


def test_hidden_gpu_does_not_count(asked: ShowModel, small: FakeServer) -> None:
    result = asked(small, CUDA_VISIBLE_DEVICES="-1")

    assert "no GPU was found: all of it on the CPU" in result.out
    assert "assuming that CUDA_VISIBLE_DEVICES, which hides GPUs, also applies to the server" in result.out


def test_num_ctx_of_the_model_parameters_counts(asked: ShowModel) -> None:
    with serving(LLAMA_8B, 4_920_753_328, parameters="num_ctx                        2048") as server:
        assert "cache 268 MB at 2,048 tokens" in asked(server).out


def test_model_that_does_not_fit_gets_advice(asked: ShowModel, tmp_path: Path) -> None:
    (tmp_path / "told").write_text("NVIDIA GeForce RTX 3050, 8192, 7000, 570.133.07, GPU-1\n")
    with serving(LLAMA_8B, 8_000_000_000) as server:
        result = asked(server, "--context", "8192")

    fit = "does not fit entirely on NVIDIA GeForce RTX 3050, 8 GiB (7.3 of 8.6 GB free)"
    # 6.1 GB hold the output of 242 MB and 21 layers of 276 MB.
    assert f"{fit}: about 22 of 33 layers there, 33 % on the CPU\n" in result.out
    assert "about 2 to 4 times slower" in result.out
    assert "as IQ2_XS it would fit, about 5.4 GB: look for a tag that contains IQ2_XS" in result.out


def test_loaded_model_is_compared_with_its_estimate_and_frees_its_memory(asked: ShowModel, tmp_path: Path) -> None:
    (tmp_path / "told").write_text(RTX_4090.replace("23010", "17000"))
    loaded = {"size": 6_010_000_000, "size_vram": 6_010_000_000, "context_length": 4096}
    with serving(LLAMA_8B, 4_920_753_328, (loaded,)) as server:
        result = asked(server)

    assert "(23.8 of 25.8 GB free)\n" in result.out
    assert "estimated 5.6 GB, the server reports 6.0 GB: 7 % more\n" in result.out


def test_fitting_model_that_runs_on_the_cpu_is_reported(asked: ShowModel) -> None:
    loaded = {"size": 6_000_000_000, "context_length": 4096}
    with serving(LLAMA_8B, 4_920_753_328, (loaded,)) as server:
        assert "yet 100 % of it runs on the CPU: see `reflect doctor`" in asked(server).out


def test_json_has_the_fit_as_numbers(asked: ShowModel, small: FakeServer) -> None:
    fit = json.loads(asked(small, "--json", "--context", "8192").out)["fit"]

    assert (fit["fit"], fit["estimate"]["cache"]) == ("whole", 1 << 30)
    assert fit["machine"]["gpus"][0]["driver"] == "550.54.14"


def test_fit_wraps_on_a_narrow_terminal(asked: ShowModel, small: FakeServer) -> None:
    with Screen(asked.reflect.at(small.host), "models", "show", "m", columns=40, PATH=asked.path) as screen:
        assert screen.finish() == 0
        assert "fits entirely on NVIDIA" in " ".join(screen.text.split())


@pytest.mark.parametrize("told", ["\x1b]0;owned\x07\x1b[2J, 1, 1, \x1b[31m, GPU-1\n", "\x1b[2J", "x" * 5000])
def test_hostile_gpu_text_sends_no_control_characters(
    asked: ShowModel, small: FakeServer, tmp_path: Path, told: str
) -> None:
    (tmp_path / "told").write_text(told)
    result = asked(small)

    assert result.code == 0
    assert b"\x1b" not in result.stdout + result.stderr
