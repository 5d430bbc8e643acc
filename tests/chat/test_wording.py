from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import reflectty
from reflectty.tui.actions import ACTIONS
from reflectty.view.parts import to_chat_wording


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("use a larger context: -o num_ctx=16384", "use a larger context: /option num_ctx=16384"),
        ("raise -o num_predict", "raise /option num_predict"),
        ("try --mode direct", "try /mode direct"),
        ("-m NAME or REFLECTTY_MODEL chooses another", "/model NAME or REFLECTTY_MODEL chooses another"),
        ("--option 'x' has no value", "--option 'x' has no value"),
        ("a-o b, --modest c, x-m y, -m", "a-o b, --modest c, x-m y, -m"),
        ("`ollama pull m:8b` gets it; installed: n", "/pull m:8b gets it; installed: n"),
        ("`reflect models pull m` gets it", "/pull m gets it"),
        (
            "run the same command to continue: progress is kept",
            "pull it again to continue: progress is kept",
        ),
        ("reduce thinking with --effort low", "reduce thinking with /effort low"),
        ("--effort low thinks less; --budget off sets no limit", "/effort low thinks less; /budget off sets no limit"),
        ("name one that the server lists, with -m", "name one that the server lists, with /model"),
        (
            "x is binary, not text (use --image for an image)",
            "x is binary, not text (images are attached as PNG, JPEG, WebP, GIF, BMP or TIFF)",
        ),
        (
            "is `ollama serve` running? Set another server with --host or OLLAMA_HOST",
            "is `ollama serve` running? A /profile may name another server; else set OLLAMA_HOST and start again",
        ),
        ("`reflect models` lists those that can", "/models lists those that can"),
        ("", ""),
    ],
)
def test_flags_are_replaced_by_the_equivalent_chat_commands(said: str, meant: str) -> None:
    assert to_chat_wording(said) == meant


@pytest.mark.parametrize("text", ["-o x", "--option x", "--mode x", "-m x", "reflect models pull x"])
def test_every_replacement_is_a_command_of_the_chat(text: str) -> None:
    assert to_chat_wording(text).split()[0] in {action.slash for action in ACTIONS}


COMMANDS = r"(?<![\w-])--(?:effort|budget|samples|verify|mode|option|image|deadline)\\b"
PACKAGE = Path(reflectty.__file__).parent


@pytest.mark.parametrize("package", ["chat", "engines", "protocols", "reasoning"])
def test_hints_name_no_flag_for_which_the_chat_has_a_command(package: str) -> None:
    paths = sorted((PACKAGE / package).glob("**/*.py"))
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    said = [node for node in nodes if isinstance(node, ast.Constant) and id(node) not in docstrings]
    texts = [node.value for node in said if isinstance(node.value, str) and " " in node.value.strip()]

    assert texts
    assert [text for text in texts if re.search(COMMANDS, to_chat_wording(text))] == []
