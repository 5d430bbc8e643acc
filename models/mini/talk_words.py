"""What the generators of talk share: reading the data files, varying how one asks, and what is held out of training."""

from __future__ import annotations

import re
import tomllib
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mini.example import Piece, reflection, slip

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

T = TypeVar("T")

_DATA = Path(__file__).parent / "knowledge"
_HELD_OUT = 12
"""One question in so many is kept for the evaluation."""
_SLIPS = 0.25


@cache
def text(name: str) -> str:
    """Return what a data file says."""
    return (_DATA / name).read_text(encoding="utf-8")


@cache
def rows(name: str) -> list[tuple[str, ...]]:
    """Return the rows of a data file; columns are parted by bars, and what follows a number sign is a remark."""
    return table(text(name))


def table(lines: str) -> list[tuple[str, ...]]:
    """Return the rows of lines whose columns are parted by bars."""
    written = [line for line in lines.splitlines() if line.strip() and not line.startswith("#")]
    return [tuple(cell.strip() for cell in line.split(" | ")) for line in written]


@cache
def toml(name: str) -> dict[str, Any]:
    """Return what a data file in TOML says."""
    return tomllib.loads(text(name))


def held(question: str) -> bool:
    """Say whether a question is kept for the evaluation, whatever its capitals and marks.

    Where it hands over something to work on, after a colon, that alone decides: then no wording of the task has shown
    the model this material. What is asked in the table by hand is held out as well.
    """
    handed = re.search(r":\s+(.+)$", question, re.DOTALL)
    heart = handed[0] if handed else question.lower().replace("please", "")
    return _letters(question) in _by_hand() or zlib.crc32(_letters(heart).encode()) % _HELD_OUT == 0


@cache
def _by_hand() -> set[str]:
    asked = tomllib.loads((_DATA.parent / "unlike.toml").read_text(encoding="utf-8"))["question"]
    return {_letters(each["ask"]) for each in asked}


def _letters(question: str) -> str:
    return "".join(re.findall(r"\w", question.lower()))


def spoken(rng: Random, question: str) -> str:
    """Return a question as somebody might type it: in lower case, without its mark, with a please."""
    bare = question.rstrip(".?! ")
    mark = question[len(bare) :]
    way = rng.random()
    if way < 0.12:
        return bare.lower()
    if way < 0.22:
        return bare
    if way < 0.28 and mark in {".", "?"} and "lease" not in bare:
        return f"{bare}, please{mark}"
    return question


def capital(sentence: str) -> str:
    """Return a sentence with its first letter large."""
    return sentence[:1].upper() + sentence[1:]


def errs(rng: Random) -> bool:
    """Say whether this reply goes astray on the way."""
    return rng.random() < _SLIPS


def erred(wrong: str, *mend: str) -> list[Piece]:
    """Return a planted slip and what puts it right."""
    return [slip(capital(wrong)), reflection(*map(capital, mend))]


def other(rng: Random, items: Sequence[T], *taken: T) -> T:
    """Return one of the items that is none of those taken."""
    return rng.choice([item for item in items if item not in taken])


def a(noun: str) -> str:
    """Return a noun with its article."""
    spoken_as_vowel = noun[0] in "aeiouAEIOU" and not noun.startswith(("Eu", "uni"))
    return f"{'an' if spoken_as_vowel else 'a'} {noun}"
