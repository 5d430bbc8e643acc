"""Regular expressions of users that cannot run away: a subset in which matching takes bounded time.

Python backtracks and cannot be interrupted. A repeat of something that can itself match in several ways, as
in `(a+)+`, takes exponential time and is refused. Each further wide repeat in a row, as in `.*.*.*`, multiplies the
time by the length of the text, and each option and alternative by their number: both are limited. With two wide
repeats, 200 characters are searched within a second.
"""

from __future__ import annotations

import re
from math import prod
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_PATTERN_CHARACTERS: Final = 1000
_WIDE: Final = 10
"""A repeat is wide if its counts differ by more."""
_MOST_WIDE: Final = 2
_MOST_WAYS: Final = 100
"""In how many ways the options and alternatives of a pattern may be combined."""
_MOST_COUNTS: Final = 1000
"""How often a fixed repeat may repeat."""


def problem_of(pattern: str) -> str:
    """Why a regular expression cannot be used; empty if it can."""
    if len(pattern) > MAX_PATTERN_CHARACTERS:
        return f"longer than {MAX_PATTERN_CHARACTERS} characters"
    try:
        re.compile(pattern)
        nodes = list(_parser.parse(pattern))
    except (re.error, RecursionError, OverflowError) as error:
        return f"does not compile: {error}"
    if any(op in (sre.GROUPREF, sre.GROUPREF_EXISTS) for op, _ in _all_nodes(nodes)):
        return "refers back to a group"
    branches = [len(arg[1]) for op, arg in _all_nodes(nodes) if op is sre.BRANCH]
    repeats = [arg for op, arg in _all_nodes(nodes) if op in _REPEATS]
    options = [high - low + 1 for low, high, _ in repeats if high - low <= _WIDE]
    if prod(branches + options) > _MOST_WAYS:
        return "has too many alternatives and options"
    return _problem_of_repeats(repeats)


def _problem_of_repeats(repeats: list[tuple[int, int, Any]]) -> str:
    if any(high > 1 and _has_choices(list(body)) for _, high, body in repeats):
        return "repeats something that can match in several ways"
    if any(_MOST_COUNTS < high < sre.MAXREPEAT for _, high, _ in repeats):
        return f"repeats more than {_MOST_COUNTS} times"
    if sum(high - low > _WIDE for low, high, _ in repeats) > _MOST_WIDE:
        return f"has more than {_MOST_WIDE} wide repeats"
    return ""


_REPEATS: Final = (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT)
_Node = tuple[Any, Any]


def _all_nodes(nodes: list[_Node]) -> Iterator[_Node]:
    for node in nodes:
        yield node
        for part in _parts_of(node):
            yield from _all_nodes(part)


def _parts_of(node: _Node) -> list[list[_Node]]:
    """The sequences of nodes within a node."""
    op, arg = node
    if op in _REPEATS or op is sre.SUBPATTERN:
        return [list(arg[-1])]
    if op is sre.BRANCH:
        return [list(branch) for branch in arg[1]]
    if op in (sre.ASSERT, sre.ASSERT_NOT):
        return [list(arg[1])]
    return [list(arg)] if op is sre.ATOMIC_GROUP else []


def _has_choices(nodes: list[_Node]) -> bool:
    """Whether a sequence can match one text in several ways, or several texts of different lengths."""
    return any(op is sre.BRANCH or (op in _REPEATS and arg[0] != arg[1]) for op, arg in _all_nodes(nodes))
