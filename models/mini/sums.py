"""Questions of arithmetic: the four operations, precedence, percentages, averages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mini.example import Example
from mini.working import Line, adding, at_once, dividing, multiplying, taking, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

PLAIN: Final = (
    "What is {}?",
    "{}",
    "{} =",
    "{} = ?",
    "Calculate {}.",
    "How much is {}?",
    "what's {}",
    "Compute {}.",
    "Work out {}, please.",
    "Please tell me what {} is.",
    "Solve {}.",
    "Can you calculate {}?",
)


def whole(rng: Random, digits: int) -> int:
    """Return a number of up to so many digits, each length as likely."""
    length = rng.randint(1, digits)
    return rng.randint(10 ** (length - 1) if length > 1 else 0, 10**length - 1)


def asked(rng: Random, sign: str, words: tuple[str, ...], first: object, second: object) -> str:
    """Return a question for an operation, written with its sign or in words."""
    if rng.random() < 0.3:
        return rng.choice(words).format(first, second)
    gap = rng.choice((" ", " ", " ", ""))
    return rng.choice(PLAIN).format(f"{first}{gap}{sign}{gap}{second}")


def addition(rng: Random) -> Example:
    """Return an addition of two whole numbers, now and then of three."""
    first, second = whole(rng, 5), whole(rng, 5)
    if rng.random() < 0.15:
        return _three(rng)
    words = (
        "Add {} and {}.",
        "What is the sum of {} and {}?",
        "What is {} plus {}?",
        "{} plus {}",
        "What do you get when you add {} to {}?",
    )
    question = asked(rng, "+", words, first, second)
    work = adding(rng, first, second)
    check = (
        f"I check the last digits: {first % 10} + {second % 10} = {first % 10 + second % 10}, "
        f"and {work.result} ends in {work.result % 10}. Right."
    )
    return Example(
        "addition", question, told(rng, work.lines, check), f"{first} + {second} = {work.result}", str(work.result)
    )


def _three(rng: Random) -> Example:
    numbers = [whole(rng, 3) for _ in range(3)]
    written = " + ".join(map(str, numbers))
    first = adding(rng, numbers[0], numbers[1])
    second = adding(rng, first.result, numbers[2])
    total = second.result
    lines = (
        Line(f"First {numbers[0]} + {numbers[1]}."),
        *first.lines,
        Line(f"Then {first.result} + {numbers[2]}."),
        *second.lines,
    )
    question = rng.choice((*PLAIN, "Add up {}.", "What is the total of {}?")).format(written)
    return Example("addition", question, told(rng, lines), f"{written} = {total}", str(total))


def subtraction(rng: Random) -> Example:
    """Return a subtraction of two whole numbers; the second is larger now and then."""
    first, second = whole(rng, 5), whole(rng, 5)
    if first < second and rng.random() < 0.7:
        first, second = second, first
    words = ("What is {} minus {}?", "{} minus {}", "What is {} take away {}?", "What is the difference: {} less {}?")
    if rng.random() < 0.1:
        question = rng.choice(("Subtract {1} from {0}.", "Take {1} away from {0}.")).format(first, second)
    else:
        question = asked(rng, "-", words, first, second)
    lines = taking(rng, max(first, second), min(first, second)).lines
    result = first - second
    if result < 0:
        turned = Line(
            f"{second} is larger than {first}, so the result is negative: I compute {second} - {first}.",
            f"I compute {second} - {first} and that is the result.",
            f"{first} is smaller than {second}, so the result is below zero.",
        )
        lines = (turned, *lines, Line(f"With the minus: {result}."))
    check = _last_digits(first, second, result) if result >= 0 else ""
    return Example("subtraction", question, told(rng, lines, check), f"{first} - {second} = {result}", str(result))


def _last_digits(first: int, second: int, result: int) -> str:
    ones, others = result % 10, second % 10
    return f"I check: {ones} + {others} = {ones + others}, and {first} ends in {first % 10}. Right."


def multiplication(rng: Random) -> Example:
    """Return a multiplication, from the tables up to three digits by two."""
    shape = rng.random()
    if shape < 0.35:
        first, second = rng.randint(0, 12), rng.randint(0, 12)
    elif shape < 0.7:
        first, second = whole(rng, 4), rng.randint(2, 9)
    else:
        first, second = rng.randint(10, 199), rng.randint(11, 99)
    words = ("Multiply {} by {}.", "What is {} times {}?", "{} times {}", "What is the product of {} and {}?")
    sign = rng.choice(("×", "*", "x"))
    asking = asked(rng, sign, words, *((second, first) if rng.random() < 0.3 else (first, second)))
    work = multiplying(rng, max(first, second), min(first, second)) if second < 13 else multiplying(rng, first, second)
    return Example(
        "multiplication", asking, told(rng, work.lines), f"{first} × {second} = {work.result}", str(work.result)
    )


def division(rng: Random) -> Example:
    """Return a division by one digit, with a rest or without."""
    divisor = rng.randint(2, 9)
    exact = rng.random() < 0.65
    number = whole(rng, 3) * divisor if exact else whole(rng, 4)
    words = (
        "Divide {} by {}.",
        "What is {} divided by {}?",
        "{} divided by {}",
        "How many times does {1} go into {0}?",
    )
    question = asked(rng, rng.choice(("/", "÷", ":")), words, number, divisor)
    work = dividing(rng, number, divisor)
    rest = number % divisor
    result = f"{work.result}, remainder {rest}" if rest else str(work.result)
    check = f"I check: {work.result} × {divisor} = {work.result * divisor}." + (
        f" With the rest {rest} that is {number}. Right." if rest else " Right."
    )
    said = f"{number} / {divisor} = {result}"
    return Example("division", question, told(rng, work.lines, check), said, result)


def precedence(rng: Random) -> Example:
    """Return a question of three small numbers and two operations, with brackets or without."""
    a, b, c = (rng.randint(2, 12) for _ in range(3))
    sign = rng.choice("+-")
    written, lines, total = (_bare if rng.random() < 0.5 else _bracketed)(a, sign, b, c)
    question = rng.choice(PLAIN).format(written if rng.random() < 0.6 else written.replace("×", "*"))
    return Example("precedence", question, told(rng, lines), f"{written} = {total}", str(total))


def _joined(first: int, sign: str, second: int) -> int:
    return first + second if sign == "+" else first - second


def _bare(a: int, sign: str, b: int, c: int) -> tuple[str, tuple[Line, ...], int]:
    product, hasty = b * c, _joined(a, sign, b)
    total = _joined(a, sign, product)
    first = Line(
        f"Multiplication first: {b} × {c} = {product}.",
        f"From the left: {a} {sign} {b} = {hasty}, times {c} = {hasty * c}.",
        "Multiplication comes before addition and subtraction.",
    )
    return f"{a} {sign} {b} × {c}", (first, Line(f"Then {a} {sign} {product} = {total}.")), total


def _bracketed(a: int, sign: str, b: int, c: int) -> tuple[str, tuple[Line, ...], int]:
    inner = _joined(a, sign, b)
    first = Line(
        f"The brackets first: {a} {sign} {b} = {inner}.",
        f"Multiplication first: {b} × {c} = {b * c}.",
        "What stands in brackets comes first.",
    )
    return f"({a} {sign} {b}) × {c}", (first, Line(f"Then {inner} × {c} = {inner * c}.")), inner * c


def percentage(rng: Random) -> Example:
    """Return an easy percentage of a round number."""
    percent = rng.choice((1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90))
    base = rng.randint(1, 40) * rng.choice((20, 100))
    words = ("What is {}% of {}?", "{}% of {}", "How much is {} percent of {}?", "Calculate {} % of {}.")
    question = rng.choice(words).format(percent, base)
    part = _by_hundredths(rng, percent, base) if base % 100 == 0 else _by_tenths(rng, percent, base)
    result = f"{base * percent / 100:g}"
    lines = (*part, Line(f"So {percent}% of {base} is {result}."))
    return Example("percentage", question, told(rng, lines), f"{percent}% of {base} is {result}.", result)


def _first_part(right: str, base: int) -> Line:
    return Line(right, f"10% of {base} is {base}.", "10% is a tenth, and 1% a hundredth.")


def _by_hundredths(rng: Random, percent: int, base: int) -> tuple[Line, ...]:
    one = base // 100
    work = multiplying(rng, max(percent, one), min(percent, one))
    return (_first_part(f"1% of {base} is {base} / 100 = {one}.", base), *work.lines)


def _by_tenths(rng: Random, percent: int, base: int) -> tuple[Line, ...]:
    tenth = base // 10
    first = _first_part(f"10% of {base} is {tenth}.", base)
    if percent < 5:
        one = f"1% is a tenth of that: {tenth / 10:g}."
        return (first, Line(one), *([Line(f"{percent}% is {percent} × {tenth / 10:g}.")] if percent > 1 else []))
    tens, fives = divmod(percent, 10)
    lines, parts = [first], []
    if tens > 1:
        work = multiplying(rng, max(tenth, tens), min(tenth, tens))
        lines += [Line(f"{tens}0% is {tens} times that."), *work.lines]
    if tens:
        parts.append(tenth * tens)
    if fives:
        lines.append(Line(f"5% is half of 10%: {tenth} / 2 = {tenth // 2}."))
        parts.append(tenth // 2)
    if len(parts) > 1:
        lines += adding(rng, *parts).lines
    return tuple(lines)


def average(rng: Random) -> Example:
    """Return two to four numbers whose average is whole."""
    count = rng.randint(2, 4)
    numbers = [rng.randint(1, 40) for _ in range(count - 1)]
    last = (-sum(numbers)) % count + count * rng.randint(0, 8)
    numbers.append(last)
    total = sum(numbers)
    listed = ", ".join(map(str, numbers[:-1])) + f" and {numbers[-1]}"
    divided = Line(
        f"There are {count} numbers: {total} / {count} = {total // count}.",
        f"There are {count + 1} numbers: {total} / {count + 1} is the average.",
        f"I count again: {listed} are {count} numbers.",
    )
    lines = (*_running(rng, numbers), divided)
    question = rng.choice(
        ("What is the average of {}?", "Find the mean of {}.", "average of {}", "Calculate the average of {}.")
    ).format(listed)
    return Example("average", question, told(rng, lines), f"The average is {total // count}.", str(total // count))


def _running(rng: Random, numbers: list[int]) -> list[Line]:
    lines, so_far = [], numbers[0]
    for number in numbers[1:]:
        lines.append(at_once(rng, f"{so_far} + {number}", so_far + number))
        so_far += number
    return lines


KINDS: Final[dict[str, tuple[Callable[[Random], Example], int]]] = {
    "addition": (addition, 4),
    "subtraction": (subtraction, 5),
    "multiplication": (multiplication, 5),
    "division": (division, 4),
    "precedence": (precedence, 2),
    "percentage": (percentage, 3),
    "average": (average, 2),
}
"""The generator of each kind, and how much of the whole it gets."""
