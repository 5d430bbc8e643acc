from __future__ import annotations

from importlib import import_module

import pytest
import typer

from reflectty.commands.command_line import COMMANDS, interpret
from reflectty.commands.help_page import EXAMPLES, example_lines
from reflectty.core.errors import UsageError
from reflectty.main import single_command_app

VERBS = """
ls ps run pull rm show serve list chat logs models keys prompts schemas templates tools version help search export
login stop create cp push eval compare probe prompt plugins embed fragments aliases signin signout history update
"""
"""The verbs of `ollama`, `llm`, `aichat`, `mods`, `sgpt` and `gh`."""


def meant(line: str) -> str:
    """The full command line that a short one stands for."""
    command, arguments = interpret(line.split())
    return " ".join((command, *arguments))


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("", "ask "),
        ("why is the sky blue", "ask why is the sky blue"),
        ("models", "models "),
        ("models pull x", "models pull x"),
        ("--host gpu1 models", "models --host gpu1"),
        ("-q doctor", "doctor -q"),
        ("--host=gpu1 models list --json", "models list --json --host=gpu1"),
        ("--profile cluster batch in.txt -- -x", "batch in.txt --profile cluster -- -x"),
        ("-- models", "ask -- models"),
        ("ask models", "ask models"),
        ("-m models hello", "ask -m models hello"),
        ("help", "ask --help"),
        ("help models", "models --help"),
        ("help models pull", "models pull --help"),
        ("help me with models", "ask help me with models"),
        ("chat", "ask "),
        ("chat -m qwen3", "ask -m qwen3"),
        ("-m qwen3 chat", "ask -m qwen3"),
        ("chat with me", "ask chat with me"),
        ("ls", "models list"),
        ("list", "models list"),
        ("list --json", "models list --json"),
        ("list the planets", "ask list the planets"),
        ("ps", "models list"),
        ("pull qwen3:8b", "models pull qwen3:8b"),
        ("pull requests explained", "ask pull requests explained"),
        ("show qwen3", "models show qwen3"),
        ("rm old", "models remove old"),
        ("cp a b", "models copy a b"),
        ("stop qwen3", "models unload qwen3"),
        ("version", "ask --version"),
        ("run qwen3:8b", "ask -m qwen3:8b"),
        ("run mistral", "ask -m mistral"),
        ("run llama3.1 hi there", "ask -m llama3.1 hi there"),
        ("--final run hf.co/a/b hi", "ask --final -m hf.co/a/b hi"),
        ("models ls", "models list"),
        ("models rm x -y", "models remove x -y"),
        ("sessions mv abc A title", "sessions rename abc A title"),
        ("config rm x", "config rm x"),
        ("models help", "models --help"),
        ("sessions help export", "sessions export --help"),
        ("doctor help", "doctor --help"),
        ("help -q models", "models --help"),
        ("help ls", "models list --help"),
        ("help version", "ask --help"),
        ("pull", "models pull"),
        ("rm a b", "models remove a b"),
        ("search for hidden bugs", "ask search for hidden bugs"),
        ("create a poem about cats", "ask create a poem about cats"),
        ("hello", "ask hello"),
        ("compare apples and pears", "ask compare apples and pears"),
        ("-m qwen3 compare apples and pears", "ask -m qwen3 compare apples and pears"),
        ("compare --arms cot,reflect apples and pears", "compare --arms cot,reflect apples and pears"),
        ("compare --models=a,b apples and pears", "compare --models=a,b apples and pears"),
        ("compare why?", "compare why?"),
        ("compare", "compare"),
        ("-f a.txt compare", "compare -f a.txt"),
        ("session of congress", "ask session of congress"),
        ("-", "ask -"),
        ("Compare.", "ask Compare."),
        ("-f a.txt -f b.txt Compare.", "ask -f a.txt -f b.txt Compare."),
        ("summarize", "ask summarize"),
        ("what", "ask what"),
        ("why", "ask why"),
        ("how", "ask how"),
        ("patch", "ask patch"),
        ("explain", "ask explain"),
        ("review", "ask review"),
        ("translate", "ask translate"),
    ],
)
def test_line_means_a_command_or_a_question(line: str, command: str) -> None:
    assert meant(line).strip() == command.strip()


def test_quoted_question_is_a_question_whatever_its_first_word() -> None:
    assert interpret(["models are great"]) == ("ask", ["models are great"])
    assert interpret(["run the numbers"]) == ("ask", ["run the numbers"])
    assert interpret(["help me"]) == ("ask", ["help me"])


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("doctr", "did you mean doctor? to ask it as a question: reflect ask doctr"),
        ("model", "did you mean models?"),
        ("modles pull", "did you mean models? to ask it as a question: reflect ask modles pull"),
        ("session", "did you mean sessions?"),
        ("-q doktor", "did you mean doctor?"),
        ("halp", "did you mean help?"),
        ("run", 'use reflect -m MODEL "…"'),
        ("serve", "ollama serve starts one"),
        ("logs list -n 3", "use reflect last, or reflect sessions"),
        ("keys set openai", "set REFLECTTY_API_KEY"),
        ("prompts", "use reflect templates"),
        ("search cats", "reflect sessions search"),
        ("export", "reflect sessions export"),
        ("create my-model", "reflect models create"),
        ("push my-model", "use ollama push"),
        ("stop", "use reflect models unload"),
        ("ls qwen3", "use reflect models list"),
        ("chat hello", "reflect alone opens the chat"),
        ("pul qwen3:8b", "did you mean pull?"),
        ("pul", "did you mean pull?"),
        ("shwo", "did you mean show?"),
        ("lsit", "did you mean list?"),
        ("odctor", "did you mean doctor?"),
        ("shwo qwen3:8b", "did you mean show?"),
        ("run mistral hello there", 'use reflect -m MODEL "…"; to ask it as a question: reflect ask run mistral hello'),
    ],
)
def test_typo_is_refused_with_both_ways(line: str, hint: str) -> None:
    with pytest.raises(UsageError, match="reflect has no command") as caught:
        interpret(line.split())
    assert hint in caught.value.hint


@pytest.mark.parametrize("verb", VERBS.split())
@pytest.mark.parametrize("line", ["{}", "{} list", "-m qwen3 {}", "-q {} list"])
def test_no_verb_of_a_peer_reaches_a_model_in_silence(verb: str, line: str) -> None:
    try:
        command, arguments = interpret(line.format(verb).split())
    except UsageError as error:
        hint = error.hint
    else:
        hint = "" if command == "ask" and verb in arguments else "reflect ask "
    assert "reflect ask " in hint


def test_question_to_ask_anyway_is_quoted_for_the_shell() -> None:
    with pytest.raises(UsageError) as caught:
        interpret(["prompt", "Why is it so?"])
    assert caught.value.hint.endswith("reflect ask prompt 'Why is it so?'")


def paths() -> list[tuple[str, typer.core.TyperCommand]]:
    found = []
    for name, spec in COMMANDS.items():
        function = getattr(import_module(spec.module), spec.function or name)
        command = typer.main.get_command(function() if spec.subcommands else single_command_app(function))
        below = getattr(command, "commands", {})
        assert tuple(below) == spec.subcommands, name
        found += [(name, command), *((f"{name} {sub}", each) for sub, each in below.items())]
    return found


def test_every_command_has_examples_that_mean_it() -> None:
    known = paths()
    assert set(EXAMPLES) == {"", *(path for path, _ in known)}
    for path, _ in known:
        assert any(f"reflect {path}" in command for command, _ in EXAMPLES[path]) or path == "templates"


def test_summary_is_the_first_sentence_of_the_help_or_shorter() -> None:
    for path, command in paths():
        if path in COMMANDS and path not in ("ask", "batch", "completions", "doctor"):
            sentence = (command.help or "").split(" (default")[0].rstrip(".")
            assert sentence.startswith(COMMANDS[path].summary)


def test_examples_are_aligned_and_fit() -> None:
    lines = list(example_lines(EXAMPLES[""], 100))
    assert len({line.index("#") for line in lines}) == 1
    assert "#" not in "".join(example_lines(EXAMPLES[""], 60))
