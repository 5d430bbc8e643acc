"""Questions of arithmetic: the four operations, precedence, percentages, averages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mini.example import Example
from mini.working import Line, adding, dividing, multiplying, near, taking, told

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
    """Two whole numbers, now and then three."""
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
    """Two whole numbers; the second is larger now and then."""
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
    check = (
        f"I check: {result % 10} + {second % 10} = {result % 10 + second % 10}, and {first} ends in {first % 10}. Right."
        if result >= 0
        else ""
    )
    return Example("subtraction", question, told(rng, lines, check), f"{first} - {second} = {result}", str(result))


def multiplication(rng: Random) -> Example:
    """From the tables up to three digits by two."""
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
    """By one digit, with a rest or without."""
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
    """Three small numbers, two operations, with brackets or without."""
    a, b, c = (rng.randint(2, 12) for _ in range(3))
    sign = rng.choice("+-")
    if rng.random() < 0.5:
        product = b * c
        total = a + product if sign == "+" else a - product
        hasty = (a + b if sign == "+" else a - b) * c
        lines = (
            Line(
                f"Multiplication first: {b} × {c} = {product}.",
                f"From the left: {a} {sign} {b} = {a + b if sign == '+' else a - b}, times {c} = {hasty}.",
                "Multiplication comes before addition and subtraction.",
            ),
            Line(f"Then {a} {sign} {product} = {total}."),
        )
        written = f"{a} {sign} {b} × {c}"
    else:
        inner = a + b if sign == "+" else a - b
        total = inner * c
        lines = (
            Line(
                f"The brackets first: {a} {sign} {b} = {inner}.",
                f"Multiplication first: {b} × {c} = {b * c}.",
                "What stands in brackets comes first.",
            ),
            Line(f"Then {inner} × {c} = {total}."),
        )
        written = f"({a} {sign} {b}) × {c}"
    question = rng.choice(PLAIN).format(written if rng.random() < 0.6 else written.replace("×", "*"))
    return Example("precedence", question, told(rng, lines), f"{written} = {total}", str(total))


def percentage(rng: Random) -> Example:
    """Easy percentages of round numbers."""
    percent = rng.choice((1, 2, 5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 75, 80, 90))
    base = rng.randint(1, 40) * rng.choice((20, 100))
    result = base * percent // 100
    words = ("What is {}% of {}?", "{}% of {}", "How much is {} percent of {}?", "Calculate {} % of {}.")
    question = rng.choice(words).format(percent, base)
    one = Line(
        f"1% of {base} is {base} / 100 = {base // 100}." if base % 100 == 0 else f"10% of {base} is {base // 10}.",
        f"10% of {base} is {base}.",
        "10% is a tenth, and 1% a hundredth.",
    )
    if base % 100 == 0:
        lines = (one, *multiplying(rng, max(percent, base // 100), min(percent, base // 100)).lines)
    else:
        part = base // 10
        tens, fives = divmod(percent, 10)
        lines = (one, Line(f"{percent}% is {percent}/10 = {percent / 10:g} times as much: {part} × {percent / 10:g}."))
        lines += (Line(f"{part} × {tens} = {part * tens}."),) if tens else ()
        lines += (
            (Line(f"{fives}% is {part * fives // 10 if part * fives % 10 == 0 else part * fives / 10:g}."),)
            if fives
            else ()
        )
    result_text = f"{base * percent / 100:g}"
    lines = (*lines, Line(f"So {percent}% of {base} is {result_text}."))
    return Example("percentage", question, told(rng, lines), f"{percent}% of {base} is {result_text}.", result_text)


def average(rng: Random) -> Example:
    """Two to four numbers whose average is whole."""
    count = rng.randint(2, 4)
    numbers = [rng.randint(1, 40) for _ in range(count - 1)]
    last = (-sum(numbers)) % count + count * rng.randint(0, 8)
    numbers.append(last)
    total = sum(numbers)
    listed = ", ".join(map(str, numbers[:-1])) + f" and {numbers[-1]}"
    running, lines = numbers[0], []
    for number in numbers[1:]:
        wrong = near(rng, running + number)
        lines.append(
            Line(
                f"{running} + {number} = {running + number}.",
                f"{running} + {number} = {wrong}.",
                f"{running} + {number} is {running + number}, not {wrong}.",
            )
        )
        running += number
    lines.append(
        Line(
            f"There are {count} numbers: {total} / {count} = {total // count}.",
            f"There are {count + 1} numbers: {total} / {count + 1} is the average.",
            f"I count again: {listed} are {count} numbers.",
        )
    )
    question = rng.choice(
        ("What is the average of {}?", "Find the mean of {}.", "average of {}", "Calculate the average of {}.")
    ).format(listed)
    return Example("average", question, told(rng, lines), f"The average is {total // count}.", str(total // count))


KINDS: Final[dict[str, tuple[Callable[[Random], Example], int]]] = {
    "addition": (addition, 9),
    "subtraction": (subtraction, 9),
    "multiplication": (multiplication, 9),
    "division": (division, 5),
    "precedence": (precedence, 2),
    "percentage": (percentage, 2),
    "average": (average, 2),
}
"""The generator of each kind, and how much of the whole it gets."""
