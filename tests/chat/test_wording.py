from __future__ import annotations

import pytest

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
        ("", ""),
    ],
)
def test_flags_are_replaced_by_the_equivalent_chat_commands(said: str, meant: str) -> None:
    assert to_chat_wording(said) == meant


@pytest.mark.parametrize("text", ["-o x", "--option x", "--mode x", "-m x", "reflect models pull x"])
def test_every_replacement_is_a_command_of_the_chat(text: str) -> None:
    assert to_chat_wording(text).split()[0] in {action.slash for action in ACTIONS}
