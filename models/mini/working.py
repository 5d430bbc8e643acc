"""How a sum is worked out in steps that a small model can learn: digit by digit, with what could go wrong in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from mini.example import Piece, reflection, slip, step

if TYPE_CHECKING:
    from collections.abc import Sequence
    from random import Random

SLIPS: Final = 0.4
"""The share of replies in which a mistake is planted and corrected."""
CHECKS: Final = 0.2
"""The share of the others that end with a check which computes something."""


class Line(NamedTuple):
    """A step, and how it might go wrong."""

    right: str
    wrong: str = ""
    """The step with a mistake; empty where nobody errs."""
    why: str = ""
    """What the correction says before it takes the step again."""


class Work(NamedTuple):
    """A calculation."""

    lines: tuple[Line, ...]
    result: int


def told(rng: Random, lines: Sequence[Line], check: str = "", slips: float = SLIPS) -> tuple[Piece, ...]:
    """Return the steps as they are written, one of them wrong at first in a share `slips` of the cases."""
    fallible = [index for index, line in enumerate(lines) if line.wrong and line.wrong != line.right]
    erring = rng.choice(fallible) if fallible and rng.random() < slips else -1
    pieces: list[Piece] = []
    for index, line in enumerate(lines):
        pieces += _corrected(line) if index == erring else [step(line.right)]
    if check and erring < 0 and rng.random() < CHECKS:
        pieces.append(reflection(check))
    return tuple(pieces)


def _corrected(line: Line) -> list[Piece]:
    return [slip(line.wrong), reflection(line.why or "That is wrong, I take this step again.", line.right)]


def spaced(number: int) -> str:
    """Return the digits of a number apart, so that each is seen."""
    return " ".join(str(number))


def near(rng: Random, number: int, least: int = 0) -> int:
    """Return a wrong number close to the right one, not below `least`."""
    others = [number + change for change in (-10, -2, -1, 1, 2, 10) if number + change >= least]
    return rng.choice(others)


def at_once(rng: Random, text: str, result: int) -> Line:
    """Return a sum that is worked out in one line."""
    wrong = near(rng, result)
    return Line(f"{text} = {result}.", f"{text} = {wrong}.", f"{text} is {result}, not {wrong}.")


def _column(text: str, total: int, wrong: int, last: bool, so_far: str) -> Line:
    def written(value: int) -> str:
        if last:
            return f"{text} = {value}. So far {value}{so_far}."
        return f"{text} = {value}: {value % 10}, carry {value // 10}. So far {value % 10}{so_far}."

    return Line(written(total), written(wrong), f"{text} is {total}, not {wrong}.")


def adding(rng: Random, first: int, second: int) -> Work:
    """Return the addition of two whole numbers, column by column from the right."""
    width = max(len(str(first)), len(str(second)))
    tops, bottoms = str(first).zfill(width), str(second).zfill(width)
    lines = [Line(f"{' '.join(tops)} and {' '.join(bottoms)}, from the right.")]
    carry, so_far = 0, ""
    for place in range(width - 1, -1, -1):
        total = int(tops[place]) + int(bottoms[place]) + carry
        text = f"{tops[place]} + {bottoms[place]}" + (f" + {carry}" if carry else "")
        wrong = total - carry if carry and rng.random() < 0.5 else near(rng, total)
        lines.append(_column(text, total, wrong, place == 0, so_far))
        so_far = f"{total % 10}{so_far}"
        carry = total // 10
    return Work(tuple(lines), first + second)


def taking(rng: Random, first: int, second: int) -> Work:
    """Return the subtraction of a whole number from one that is not smaller, column by column from the right."""
    width = len(str(first))
    tops, bottoms = str(first), str(second).zfill(width)
    lines = [Line(f"{' '.join(tops)} minus {' '.join(bottoms)}, from the right.")]
    borrowed, so_far = 0, ""
    for place in range(width - 1, -1, -1):
        line, digit, borrowed = _taken(rng, int(tops[place]), int(bottoms[place]), borrowed, so_far)
        lines.append(line)
        so_far = f"{digit}{so_far}"
    if so_far != str(first - second):
        lines.append(Line(f"Without leading zeros {first - second}."))
    return Work(tuple(lines), first - second)


def _taken(rng: Random, top: int, bottom: int, borrowed: int, so_far: str) -> tuple[Line, int, int]:
    lent = 10 if top - bottom - borrowed < 0 else 0
    digit = top + lent - bottom - borrowed
    text = f"{top + lent} - {bottom}" + (" - 1" if borrowed else "")
    note = ", borrow 1" if lent else ""
    wrong = (digit + 1) % 10 if borrowed else (digit + rng.choice((1, 9))) % 10
    right = f"{text} = {digit}{note}. So far {digit}{so_far}."
    erring = f"{text} = {wrong}{note}. So far {wrong}{so_far}."
    return Line(right, erring, f"{text} is {digit}, not {wrong}."), digit, 1 if lent else 0


def times_digit(rng: Random, number: int, digit: int) -> Work:
    """Return a whole number times one digit, column by column from the right."""
    lines = [Line(f"{spaced(number)} times {digit}, from the right.")]
    carry, so_far = 0, ""
    digits = str(number)
    for place in range(len(digits) - 1, -1, -1):
        total = int(digits[place]) * digit + carry
        text = f"{digits[place]} × {digit}" + (f" + {carry}" if carry else "")
        wrong = total - carry if carry and rng.random() < 0.5 else near(rng, total)
        lines.append(_column(text, total, wrong, place == 0, so_far))
        so_far = f"{total % 10}{so_far}"
        carry = total // 10
    return Work(tuple(lines), number * digit)


def multiplying(rng: Random, first: int, second: int) -> Work:
    """Return the product of two whole numbers, the second with one or two digits."""
    if second < 10:
        if first < 10:
            return _once(rng, first, second)
        return times_digit(rng, first, second)
    tens, ones = divmod(second, 10)
    lines = [Line(f"{second} is {tens * 10} and {ones}.")] if ones else []
    parts = []
    if ones:
        work = multiplying(rng, first, ones)
        lines += work.lines
        parts.append(work.result)
    work = multiplying(rng, first, tens)
    lines += [*work.lines, Line(f"Times 10: {work.result} becomes {work.result * 10}.")]
    parts.append(work.result * 10)
    if ones:
        lines += adding(rng, parts[1], parts[0]).lines
    return Work(tuple(lines), first * second)


def _once(rng: Random, first: int, second: int) -> Work:
    product = first * second
    wrong = rng.choice((product + first, product - second, near(rng, product)))
    why = f"{first} × {second} is {product}, not {wrong}."
    return Work((Line(f"{first} × {second} = {product}.", f"{first} × {second} = {wrong}.", why),), product)


def dividing(rng: Random, number: int, divisor: int) -> Work:
    """Return the whole quotient of a number by one digit, long division from the left; the rest stands in the lines."""
    lines = [Line(f"{spaced(number)} divided by {divisor}, from the left.")]
    rest, so_far = 0, ""
    for digit in str(number):
        value = rest * 10 + int(digit)
        quotient, rest = divmod(value, divisor)
        so_far = f"{so_far}{quotient}" if so_far or quotient else ""
        text = f"{value} / {divisor}"
        right = f"{text} = {quotient}, rest {rest}. So far {so_far or 0}."
        wrong = f"{text} = {quotient + 1}, rest {rest}. So far {so_far[:-1]}{quotient + 1}."
        why = f"{quotient + 1} × {divisor} is {(quotient + 1) * divisor}, more than {value}."
        lines.append(Line(right, wrong if quotient < 9 and rng.random() < 0.7 else "", why))
    return Work(tuple(lines), number // divisor)
