"""Checks that an error of the command is one line on stderr, in which hostile text is harmless."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from support.command import Result

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202eevil"
"""Text that a terminal would obey."""


def one_object(result: Result, code: int, *parts: str) -> None:
    """Check that an error is one object on stdout and one line on stderr with the same message."""
    value = json.loads(result.out.splitlines()[-1])
    assert value["complete"] is False
    assert value["error"]["exit_code"] == code
    assert result.err.startswith(f"reflect: {value['error']['message'][:40]}")
    one_line(type(result)(result.code, b"", result.stderr), code, *parts)


def one_line(result: Result, code: int, *parts: str) -> None:
    """Check that an error is one line that contains these texts, and that stdout is empty."""
    assert "Traceback" not in result.err
    assert len(result.err.splitlines()) == 1, result.err
    assert result.err.startswith("reflect: ")
    for part in parts:
        assert part in result.err
    assert (result.code, result.out) == (code, "")
