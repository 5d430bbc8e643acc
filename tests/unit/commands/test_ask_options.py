"""A plain command line gives the same values as Typer's reading of it, and anything else is left to Typer."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from reflectty.commands import options
from reflectty.commands.ask_options import ASK_OPTIONS, AskArguments, parse_plain
from reflectty.core.messages import Effort
from reflectty.engines import EngineName
from reflectty.main import single_command_app
from reflectty.reasoning.governor import LoopAction
from reflectty.reasoning.modes import Mode

FLAGS = sorted(flag for spec in ASK_OPTIONS.values() for flag in spec.flags)
TEXTS = ("m", "", "-", "a b", "key=value", "x=", "reflect", "high", "openai", "High", "é", "1", "{}", "@file")
ODD = ("--", "-x", "-mNAME", "-qc", "--help", "--mod", "--final=1", "--model=", "-1", "--mode", "--mode=native")


@pytest.fixture(scope="module")
def by_typer() -> Any:
    """Parse a command line with Typer; None if Typer refuses it or prints a page."""
    asked: list[AskArguments] = []
    command = typer.main.get_command(single_command_app(options.ask))

    class Out(NamedTuple):
        out: Any = None

    def read(words: list[str]) -> AskArguments | None:
        asked.clear()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("reflectty.commands.ask.run_ask", lambda arguments, _: asked.append(arguments))
            try:
                command.main(args=words, prog_name="reflect", standalone_mode=False, obj=Out())
            except (Exception, SystemExit):  # noqa: BLE001 - any error counts
                return None
        return asked[0] if asked else None

    return read


@given(words=st.lists(st.sampled_from((*FLAGS, *TEXTS, *ODD)), max_size=6))
def test_plain_line_has_the_values_that_typer_reads(by_typer: Any, words: list[str]) -> None:
    plain = parse_plain(words)
    assert plain is None or plain == by_typer(words)


@pytest.mark.parametrize("name", [name for name in ASK_OPTIONS if name != "version"])
def test_each_option_is_read_alike(by_typer: Any, name: str) -> None:
    spec = ASK_OPTIONS[name]
    value = [str(next(iter(spec.kind)))] if spec.kind in (EngineName, Mode, Effort, LoopAction) else ["x"]
    value = ["5"] if spec.kind is int else value
    value = ["auto"] if name == "keep_thinking" else [] if spec.kind is bool else value
    for flag in spec.flags or ("word",):
        for words in ([flag, *value], [flag, *value, "question", flag, *value], ["question", flag, *value]):
            plain = parse_plain(words)
            assert plain is not None
            assert plain == by_typer(words)


def test_values_have_their_types() -> None:
    words = ["--final", "-m", "a", "--model=b", "-f", "in.txt", "--file=-", "--mode", "native", "what", "is", "-"]

    assert parse_plain(words) == AskArguments(
        prompt=["what", "is", "-"], model="b", final=True, file=[Path("in.txt"), Path("-")], mode=Mode.NATIVE
    )


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["-h"],
        ["--version"],
        ["-qc", "x"],
        ["-mNAME", "x"],
        ["--modle", "x"],
        ["--mod", "native"],
        ["--mode", "Native"],
        ["--mode", "never", "x"],
        ["--model"],
        ["--model", "--final"],
        ["--final=yes"],
        ["--", "-x"],
        ["x", "--no-such"],
    ],
)
def test_everything_else_is_left_to_typer(words: list[str]) -> None:
    assert parse_plain(words) is None
