from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest

from reflectty.main import main
from reflectty.system.terminal import Sink, Terminal
from support.config_home import home

if TYPE_CHECKING:
    from pathlib import Path


class Broken(io.StringIO):
    """A stream that fails in an unforeseen way."""

    def write(self, _: str) -> int:
        raise RuntimeError("boom \x1b]0;title\x07")


class BrokenInput(io.BytesIO):
    """An input that fails in an unforeseen way."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def read(self, _: int | None = -1) -> bytes:
        raise self._error


@pytest.mark.parametrize(("flag", "first"), [("--json", "model"), ("--jsonl", "event")])
def test_json_is_an_object_after_an_internal_error_too(
    flag: str, first: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home(tmp_path, monkeypatch)
    out, err = io.StringIO(), io.StringIO()
    code = main(
        [flag, "hi"], Terminal(BrokenInput(RuntimeError("boom")), stdin_tty=False, out=Sink(out), err=Sink(err))
    )

    value = json.loads(out.getvalue())
    assert (code, next(iter(value))) == (1, first)
    assert value["error"] == {
        "message": "internal error: RuntimeError: boom",
        "hint": "REFLECTTY_DEBUG=1 shows where; please report it",
        "exit_code": 1,
    }
    assert err.getvalue().startswith("reflect: internal error: RuntimeError: boom")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(5, "Input/output error"), "input/output error"),
        (PermissionError(13, "Permission denied", "notes.txt"), "notes.txt: permission denied"),
        (OSError(28, "No space left on device"), "no space left on device"),
        (TimeoutError(), "internal error: TimeoutError: (REFLECTTY_DEBUG=1 shows where; please report it)"),
    ],
)
def test_failure_to_read_is_not_called_one_to_write(
    error: OSError, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home(tmp_path, monkeypatch)
    out, err = io.StringIO(), io.StringIO()
    code = main(["hi"], Terminal(BrokenInput(error), stdin_tty=False, out=Sink(out), err=Sink(err)))

    assert (code, out.getvalue(), err.getvalue()) == (1, "", f"reflect: {line}\n")


@pytest.mark.parametrize("words", [[], ["-c"], ["--session", "work"]])
def test_dumb_terminal_gets_a_line_and_no_chat(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home(tmp_path, monkeypatch)
    out, err = io.StringIO(), io.StringIO()
    terminal = Terminal(
        io.BytesIO(), stdin_tty=True, out=Sink(out, tty=True), err=Sink(err, tty=True), can_redraw=False
    )
    assert main(words, terminal) == 2
    assert out.getvalue() == ""
    assert err.getvalue() == (
        "reflect: the chat cannot be drawn on this terminal: TERM is dumb or not set"
        ' (ask a question instead: reflect "why is the sky blue?")\n'
    )


def run_broken(arguments: list[str]) -> tuple[int, str]:
    """The exit code, and the text on stderr, where stdout is broken."""
    err = io.StringIO()
    code = main(arguments, Terminal(None, stdin_tty=False, out=Sink(Broken()), err=Sink(err)))
    return code, err.getvalue()


def test_unexpected_error_is_one_line_and_exits_with_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REFLECTTY_DEBUG", raising=False)
    code, said = run_broken(["--version"])

    assert code == 1
    assert said.startswith("reflect: internal error: RuntimeError: boom ^[]0;title^G (REFLECTTY_DEBUG=1 shows where")
    assert said.count("\n") == 1


def test_debug_mode_shows_an_escaped_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFLECTTY_DEBUG", "1")
    _, said = run_broken(["--version"])

    assert "Traceback" in said
    assert "in write" in said
    assert "\x1b" not in said
