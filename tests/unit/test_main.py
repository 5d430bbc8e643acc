from __future__ import annotations

import io
from typing import TYPE_CHECKING

from reflectty.main import main
from reflectty.system.terminal import Sink, Terminal

if TYPE_CHECKING:
    import pytest


class Broken(io.StringIO):
    """A stream that fails in an unforeseen way."""

    def write(self, _: str) -> int:
        raise RuntimeError("boom \x1b]0;title\x07")


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
