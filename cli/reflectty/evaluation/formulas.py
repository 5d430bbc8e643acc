"""Compares formulas: as they are written, and with math-verify in a process of its own, which may crash or hang."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import threading
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, Self

from reflectty.core.errors import UsageError
from reflectty.reasoning.numbers import number_alone
from reflectty.reasoning.stated_answers import AnswerKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from fractions import Fraction

    from reflectty.evaluation.items import Item

EXTRA: Final = "math"
"""The extra that brings math-verify."""
_REQUIREMENTS: Final = ("math-verify",)
WORKER_MODULE: Final = "reflectty.evaluation.formula_worker"
LIMIT: Final = 10.0
"""Seconds after which a comparison is given up; math-verify itself stops most of them after 5."""
_START_LIMIT: Final = 60.0
"""Seconds until a new process has imported math-verify, which takes 0.6 to 4."""
_MAX_LENGTH: Final = 200
_TOO_LARGE: Final = re.compile(r"\d{60}|\^\s*\{?\s*-?\s*\d{4}|\^[^^]{0,20}\^[^^]{0,20}\^")
"""Runs of digits, powers and towers that take a computer algebra system long."""
_LATEX_NOISE: Final = re.compile(r"\\(?:left|right|displaystyle|[,;:! ])|[\s$~]|\\(?:text|mathrm|textbf|mbox)(?=\{)")


def plain_number(formula: str) -> Fraction | None:
    """The number that a formula consists of; None if it is more than that, or has a factorial or a percent sign."""
    number = number_alone(formula)
    is_plain = number is not None and not re.search(r"[!%]", formula.replace(r"\!", "").rstrip(" ."))
    return number.value if number and is_plain else None


def plain_formula(formula: str) -> str:
    """A formula without spaces, sizes of brackets and variants of fractions; equal ones are equal formulas."""
    text = _LATEX_NOISE.sub("", formula.strip().rstrip("."))
    return re.sub(r"\\[dt]frac", r"\\frac", text)


def refuse_formula(key: str) -> None:
    """Refuse a key that only math-verify can compare.

    Raises:
        UsageError: the key is not a number.
    """
    if plain_number(key) is None:
        from reflectty.engines.embedded.install import how_to_install

        message = "formulas are compared with math-verify, which is not installed"
        raise UsageError(message, how_to_install(extra=EXTRA, requirements=_REQUIREMENTS))


def require_formula_check(items: Iterable[Item], *, is_installed: bool | None = None) -> None:
    """Refuse a set with formulas, before a run, if they cannot be compared.

    Args:
        items: the questions.
        is_installed: whether math-verify is installed; None to look.

    Raises:
        UsageError: it is not, and a key is a formula.
    """
    keys = [item.answer for item in items if item.kind is AnswerKind.MATH]
    is_installed = find_spec("math_verify") is not None if keys and is_installed is None else is_installed
    for key in () if is_installed else keys:
        refuse_formula(key)


class FormulaChecker:
    """Compares formulas with math-verify, in a process that starts with the first comparison and ends with `close`.

    Its own process, because math-verify needs a main thread for its time limits, and because a formula may keep a
    computer algebra system busy for ever: a process that answers late or not at all is replaced.

    Args:
        command: starts the process, which writes a line when it is ready and one for each pair that it reads.
        limit: seconds for a comparison.
    """

    def __init__(self, command: Sequence[str] = (), limit: float = LIMIT) -> None:
        self._command = tuple(command) or (sys.executable, "-P", "-m", WORKER_MODULE)
        self._limit = limit
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, key: str, given: str) -> bool | None:
        """Whether two formulas in LaTeX are equal, the key first; None if the process crashed or took too long.

        A formula that is too long, or has too large numbers, equals none.
        """
        if any(len(text) > _MAX_LENGTH or _TOO_LARGE.search(text) for text in (key, given)):
            return False
        with self._lock:
            found = self._compare(json.dumps([key, given]).encode("ascii") + b"\n")
            if found is None:
                self._stop()
        return found

    def close(self) -> None:
        """End the process; a later comparison starts another one."""
        with self._lock:
            self._stop()

    def _compare(self, pair: bytes) -> bool | None:
        process = self._process or self._start()
        if not process or not process.stdin:
            return None
        try:
            process.stdin.write(pair)
        except OSError:
            return None
        return {b"equal\n": True, b"different\n": False}.get(_read_line(process, self._limit))

    def _start(self) -> subprocess.Popen[bytes] | None:
        try:
            self._process = process = subprocess.Popen(  # noqa: S603 - our own program
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                cwd="/",
                start_new_session=True,
            )
        except OSError:
            return None
        return process if _read_line(process, _START_LIMIT) == b"ready\n" else None

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process:
            process.kill()
            process.communicate()


def _read_line(process: subprocess.Popen[bytes], limit: float) -> bytes:
    """A line of a process, or what there is of it when the time is up or the process has ended."""
    line, deadline = b"", time.monotonic() + limit
    while process.stdout and not line.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        piece = os.read(process.stdout.fileno(), 64) if ready else b""
        if not piece:
            break
        line += piece
    return line
