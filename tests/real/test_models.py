"""`reflect models` and a real Ollama: listing, loading, copying, creating and removing."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from reflectty.core.model_spec import MINI_TEMPLATE
from reflectty.core.text import format_count
from support.gguf_tensors import copy_with_template
from support.pty_screen import Screen
from support.real_ollama import base_model
from support.reference_replies import QUESTION

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.command import Reflect
    from support.real_ollama import Server
    from support.reference_replies import ReferenceReply

pytestmark = [pytest.mark.server, pytest.mark.both]

MADE = ("made-one", "made-two")


@pytest.fixture
def command(reflect: Reflect, ollama: Server) -> Iterator[Reflect]:
    run = reflect.at(ollama.host)
    yield run
    # The installed models decide which one is the default.
    for name in MADE:
        run("models", "remove", name, "--yes")


def listed(command: Reflect) -> dict[str, Any]:
    return {one["name"]: one for one in json.loads(command("models", "--json").out)}


def test_list_distinguishes_reflection_and_thinking_abilities(command: Reflect) -> None:
    models = listed(command)

    assert {name: models[f"{name}:latest"]["abilities"] for name in ("plain", "mini-native", "fewshot")} == {
        "plain": [],
        "mini-native": ["thinking"],
        "fewshot": ["reflection", "thinking"],
    }
    assert models["plain:latest"]["size"] > 200_000_000
    assert models["plain:latest"]["quantization"] == "Q4_K_M"
    assert models["plain:latest"]["context_length"] == 32768
    assert re.fullmatch(r"[0-9a-f]{64}", models["plain:latest"]["digest"])


def test_list_has_the_newest_model_first(command: Reflect) -> None:
    assert command("models", "copy", "mini", MADE[0]).code == 0
    lines = command("models").out.splitlines()

    assert lines[0].split()[0] == MADE[0]
    assert re.search(r"just now$", lines[0])


@pytest.mark.parametrize(
    ("model", "picked"),
    [
        ("plain", "mode reflect, family any: it shows no sign"),
        ("mini-native", "mode native, family native: Ollama separates"),
        ("fewshot", "mode native, family reflection: its template"),
    ],
)
def test_question_uses_the_mode_and_family_that_show_says_auto_picks(command: Reflect, model: str, picked: str) -> None:
    shown = command("models", "show", model)
    asked = command("-m", model, "-o", "num_predict=2", "--json", "--no-store", "q")
    value = json.loads(asked.out)

    assert picked in shown.out
    assert picked.startswith(f"mode {value['mode']}, family {value['family']}:")


def test_show_prints_the_texts_of_the_modelfile(command: Reflect) -> None:
    template = command("models", "show", "mini", "--template").out
    parameters = command("models", "show", "mini", "--parameters").out

    assert template.strip() == MINI_TEMPLATE.strip()
    assert re.search(r"^temperature +0$", parameters, re.MULTILINE)
    assert command("models", "show", "mini", "--system").code == 4


def test_model_is_loaded_with_keep_alive_and_unloaded(command: Reflect) -> None:
    loaded = json.loads(command("models", "load", "mini", "--keep-alive", "1h", "--json").out)["loaded"]
    before = listed(command)["mini:latest"]["loaded"]
    shown = command("models", "show", "mini").out
    first, second = (json.loads(command("models", "unload", "mini", "--json").out)["unloaded"] for _ in range(2))

    assert loaded["size"] > 0
    assert loaded["context_length"] > 0
    assert before["gpu_share"] == loaded["gpu_share"]
    assert re.search(r"for another (59|60) min", shown)
    assert (first, second) == (True, False)
    assert listed(command)["mini:latest"]["loaded"] is None


def test_invalid_keep_alive_is_refused(command: Reflect) -> None:
    result = command("models", "load", "mini", "--keep-alive", "5x")

    assert (result.code, result.out) == (4, "")
    assert "5x" in result.err


def test_copy_has_the_same_digest_and_is_removed_alone(command: Reflect) -> None:
    assert command("models", "copy", "mini", MADE[0]).code == 0
    again = command("models", "copy", "plain", MADE[0])
    models = listed(command)
    removed = command("models", "remove", MADE[0], "--yes")
    left = listed(command)

    assert again.code == 2
    assert models[f"{MADE[0]}:latest"]["digest"] == models["mini:latest"]["digest"]
    assert (removed.code, removed.out, removed.err) == (0, "", "")
    assert f"{MADE[0]}:latest" not in left
    assert "mini:latest" in left


@pytest.mark.parametrize("words", [("remove", "mimi", "--yes"), ("copy", "mimi", "x"), ("load", "mimi"), ("unload", "mimi"), ("show", "mimi"), ("create", "x", "--from", "mimi")])  # fmt: skip
def test_missing_model_is_not_pulled_and_gets_a_suggestion(command: Reflect, words: tuple[str, ...]) -> None:
    result = command("models", *words)

    assert (result.code, result.out) == (4, "")
    assert "mimi is not installed (did you mean mini" in result.err


def without_system(home: Path) -> Path:
    """A file with the template of `mini` without the system prompt: uninstructed, the model thinks as trained."""
    path = home / "template.txt"
    path.write_text(MINI_TEMPLATE.replace("{{- $system := .System }}", '{{- $system := "" }}'))
    return path


def test_created_model_that_uses_the_tags_is_proven(command: Reflect, mini_reply: ReferenceReply) -> None:
    words = ("models", "create", MADE[0], "--from", "mini", "--template", f"@{without_system(command.home).name}")
    with Screen(command, *words, columns=120) as screen:
        code = screen.finish()
        lines = [line for line in screen.lines if line]
    value = json.loads(command("-m", MADE[0], "--json", QUESTION).out)
    corrections = format_count(len(mini_reply.corrections), "correction")

    assert code == 0
    assert lines[0] == f"reflect: created {MADE[0]} from mini"
    assert "test question: Which is larger" in lines[1]
    told = f"passed: the tagged reply has thinking, {corrections} and an answer: {mini_reply.answer}"
    assert told in " ".join(lines)
    assert (value["mode"], value["family"], value["answer"]) == ("native", "reflection", mini_reply.answer)


def test_created_model_that_sends_no_tags_is_reported_unproven(command: Reflect) -> None:
    result = command("models", "create", MADE[0], "--from", "plain", "-p", "num_predict=8", "--json")
    proof = json.loads(result.out)["proof"]

    assert result.code == 0
    assert proof["passed"] is False
    assert result.err.startswith(f"reflect: {MADE[0]} failed the test question: {proof['problem']} (")
    assert listed(command)[f"{MADE[0]}:latest"]["abilities"] == ["reflection", "thinking"]


def test_created_model_inherits_texts_and_gets_tag_instructions_once(command: Reflect) -> None:
    first = ("models", "create", MADE[0], "--from", "mini", "-s", "You are Mo.", "-p", "seed=7", "--no-proof")
    again = ("models", "create", MADE[1], "--from", MADE[0], "-s", "Be brief.", "--no-proof")
    assert [command(*words).code for words in (first, again)] == [0, 0]
    one, two = (json.loads(command("models", "show", name, "--json").out) for name in MADE)

    assert one["template"] == json.loads(command("models", "show", "mini", "--json").out)["template"]
    assert {line.split()[0] for line in one["parameters"].splitlines()} == {
        "num_predict",
        "seed",
        "stop",
        "temperature",
    }
    assert one["system"].startswith("You are Mo.\n\nThink in writing")
    assert two["system"].startswith("You are Mo.\n\nBe brief.\n\nThink in writing")
    assert two["system"].count("Think in writing before you answer.") == 1


def test_show_and_create_warn_about_a_foreign_prompt_format(command: Reflect, ollama: Server) -> None:
    """A model without a template, whose own format is close to ChatML, is asked in ChatML."""
    own = (
        "{% for message in messages %}{{'<start_of_turn>' + message['role'] + '\n' + message['content'] + '<end_of_turn>'"
        " + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
    )
    path, modelfile = ollama.home / "near.gguf", ollama.home / "near.Modelfile"
    copy_with_template(base_model(), path, own)
    modelfile.write_text(f"FROM ./{path.name}\n")
    ollama.create(MADE[0], modelfile, path)
    path.unlink()
    shown = json.loads(command("models", "show", MADE[0], "--json").out)
    made = command("models", "create", MADE[1], "--from", MADE[0], "--no-proof")

    said = "prompted with <|im_start|> <|im_end|>, but its own chat template uses <start_of_turn> <end_of_turn>"
    assert shown["format_warning"].startswith(said)
    assert said in " ".join(command("models", "show", MADE[0]).out.split())
    assert (made.code, made.err.startswith(f"reflect: {MADE[1]} is {said}")) == (0, True)
    assert json.loads(command("models", "show", "mini", "--json").out)["format_warning"] is None


def test_create_replaces_a_model_only_with_force(command: Reflect) -> None:
    words = ("models", "create", MADE[0], "--from", "mini", "--no-proof")
    codes = [command(*words, *more).code for more in ((), (), ("--force",))]

    assert codes == [0, 2, 0]


def test_estimate_is_close_to_the_memory_of_the_loaded_model(command: Reflect) -> None:
    assert command("models", "load", "mini").code == 0
    fit = json.loads(command("models", "show", "mini", "--json").out)["fit"]
    longer = json.loads(command("models", "show", "mini", "--context", "16384", "--json").out)["fit"]
    said = command("models", "show", "mini").out

    assert fit["estimate"]["context"] == fit["loaded"]["context"]
    assert abs(fit["loaded"]["difference"]) < 0.1 * fit["loaded"]["size"]
    assert longer["estimate"]["context"] == 16384
    assert longer["estimate"]["cache"] > fit["estimate"]["cache"]
    assert re.search(r"^  needs +weights 292 MB · cache ", said, re.MULTILINE)
    assert "estimated 3" in said
