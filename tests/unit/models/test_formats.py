"""Whether a model is asked in another format than that of its own template, judged by the turn marks in both."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from reflectty.core import model_spec
from reflectty.models.files import TemplateMismatch, mismatch_between, template_mismatch_of
from reflectty.models.manager import open_model_library
from support.fake_server import FakeServer, show
from support.gguf_bytes import TEXT, Making

if TYPE_CHECKING:
    from pathlib import Path

CHATML = "{{- range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"
GEMMA = "{% for m in messages %}<start_of_turn>{{ m.role }}\n{{ m.content }}<end_of_turn>\n{% endfor %}"
QWEN = "{%- for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' }}{% endfor %}"
DEEPSEEK = "{{ '<｜User｜>' + m.content }}{{ '<｜Assistant｜>' }}"
LLAMA2 = "{{ bos_token + '[INST] <<SYS>>' + system + '<</SYS>>' + m.content + ' [/INST]' }}"
WRONG = TemplateMismatch(("<start_of_turn>", "<end_of_turn>"), ("<|im_start|>", "<|im_end|>"))


@pytest.mark.parametrize(
    ("own", "used", "expected"),
    [
        (GEMMA, CHATML, WRONG),
        (QWEN, CHATML, None),
        (GEMMA, model_spec.MINI_TEMPLATE, None),
        (DEEPSEEK, CHATML, TemplateMismatch(("<｜User｜>", "<｜Assistant｜>"), ("<|im_start|>", "<|im_end|>"))),
        (LLAMA2, "{{ .Prompt }}", TemplateMismatch(("[INST]", "<<SYS>>", "<</SYS>>", "[/INST]"), ())),
        ("", CHATML, None),
        ("{{ messages }}", CHATML, None),
        (GEMMA, "", TemplateMismatch(WRONG.own, ())),
    ],
)
def test_templates_without_common_markers_mismatch(own: str, used: str, expected: TemplateMismatch | None) -> None:
    assert mismatch_between(own, used) == expected


def gguf(folder: Path, template: str) -> Path:
    made = Making()
    path = folder / f"sha256-{'a' * 64}"
    path.write_bytes(made.file({**made.vocabulary(), "tokenizer.chat_template": (TEXT, made.text(template))}))
    return path


def looked_at(modelfile: str, template: str, *, local: bool = True) -> tuple[TemplateMismatch | None, int]:
    async def asked() -> TemplateMismatch | None:
        async with open_model_library(server.host) as library:
            library.engine.local = local
            return await template_mismatch_of(library.engine, await library.engine.show("m"))

    with FakeServer({"/api/show": show(modelfile=modelfile, template=template)}) as server:
        return asyncio.run(asked()), len(server.asked("/api/show"))


def test_own_template_is_read_from_the_local_file(tmp_path: Path) -> None:
    path = gguf(tmp_path, GEMMA)

    assert looked_at(f"FROM {path}\n", CHATML) == (WRONG, 2)
    assert WRONG.warning == (
        "prompted with <|im_start|> <|im_end|>, but its own chat template uses <start_of_turn> <end_of_turn>: "
        "answers may be worse"
    )


@pytest.mark.parametrize(
    ("modelfile", "template", "local"),
    [
        ("FROM {path}\n", CHATML, False),
        ("FROM {path}\n", QWEN, True),
        ("FROM {path}\nRENDERER qwen3\n", CHATML, True),
        ("FROM {path}.gone\n", CHATML, True),
        ("FROM m\n", CHATML, True),
    ],
    ids=["on another machine", "its own is in use", "rendered by the server", "no file", "no place"],
)
def test_no_mismatch_is_reported_if_it_is_unknown(tmp_path: Path, modelfile: str, template: str, local: bool) -> None:
    found, _ = looked_at(modelfile.format(path=gguf(tmp_path, GEMMA)), template, local=local)

    assert found is None


def test_invalid_gguf_reports_no_mismatch(tmp_path: Path) -> None:
    path = gguf(tmp_path, GEMMA)
    path.write_bytes(b"GGUF")

    assert looked_at(f"FROM {path}\n", CHATML)[0] is None
