"""Compares the pairs of formulas on stdin with math-verify, a line each, until stdin ends."""

from __future__ import annotations

import json
import resource
import signal
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MEMORY: Final = 2 << 30
"""Bytes of address space."""
CPU_SECONDS: Final = 30.0
"""Seconds of computing for one pair, after which the system ends the process even inside a computation in C."""


def main() -> None:
    """Write `ready`, then `equal`, `different` or `unknown` for each JSON array of a key and an answer."""
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
    # What a library prints must not be taken for a word of ours.
    output, sys.stdout = sys.stdout, sys.stderr
    compare = _comparison()
    print("ready", file=output, flush=True)
    for line in sys.stdin:
        key, given = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        print(_word_for(compare, key, given), file=output, flush=True)
        signal.setitimer(signal.ITIMER_PROF, 0)


def _comparison() -> Callable[[str, str], bool]:
    from math_verify import parse, verify

    def compare(key: str, given: str) -> bool:
        """Whether an answer is equal to a key; the order matters, and one box is cut from each."""
        return bool(verify(parse(rf"\boxed{{{key}}}"), parse(rf"\boxed{{{given}}}")))

    return compare


def _word_for(compare: Callable[[str, str], bool], key: str, given: str) -> str:
    try:
        return "equal" if compare(key, given) else "different"
    except (Exception, RecursionError):  # noqa: BLE001 - whatever a computer algebra system meets is no answer
        return "unknown"


if __name__ == "__main__":
    main()
