"""Answers the questions of the generators from their text alone, by other means than the generators."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import chain, combinations, permutations, product
from typing import TYPE_CHECKING

from support.story_reader import answer_of, number, numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from reflectty.evaluation.items import Item

MONTHS = {date(2000, month, 1).strftime("%B"): month for month in range(1, 13)}


def answers_to(item: Item) -> set[str]:
    """The answers of an item that are right: exactly one, if the item is a good one."""
    return READERS[item.group](item)


def shown(value: Fraction) -> set[str]:
    """A number as the key of an item."""
    decimal = Decimal(value.numerator) / value.denominator
    assert Fraction(decimal) == value
    return {f"{decimal:f}"}


def arithmetic(item: Item) -> set[str]:
    if match := re.search(r"What is (\d+) % of (\d+), (plus|minus) (\d+)", item.question):
        share, whole, operator, more = match.groups()
        return shown(Fraction(int(share) * int(whole), 100) + (1 if operator == "plus" else -1) * int(more))
    expression = re.search(r"[(\d][^?]*[)\d]", item.question.partition(" is divided by ")[0])
    assert expression
    value = eval(re.sub(r"[\d.]+", r"Fraction('\g<0>')", expression[0]), {"Fraction": Fraction})  # noqa: S307
    divisor = number(r"divided by (\d+)", item.question)
    return shown(value % divisor if divisor else value)


def stories(item: Item) -> set[str]:
    return shown(answer_of(item.question))


def traps(item: Item) -> set[str]:
    text = item.question
    for mark, answer in TRAPS.items():
        if re.search(mark, text):
            return answer(text)
    raise AssertionError(text)


def compared(text: str) -> set[str]:
    texts = re.findall(r"-?\d+[./]\d+", text.partition(": ")[2])
    chosen = max if re.search(r"larger|largest", text) else min
    return {chosen(texts, key=Fraction)}


def newest(text: str) -> set[str]:
    return {max(re.findall(r"\d+\.\d+", text.partition("versions is")[2]), key=lambda v: [*map(int, v.split("."))])}


def both_prices(text: str) -> set[str]:
    both, more = numbers(r"cost ([\d.]+) dollars together.* costs ([\d.]+) dollars more", text)
    return shown(both - (both + more) / 2)


def posts(text: str) -> set[str]:
    length, gap = numbers(r"is (\d+) meters long and has a post every (\d+)", text)
    return {str(len(range(0, int(length) + 1, int(gap))))}


def up_and_down(text: str) -> set[str]:
    price = number(r"of (\d+) dollars", text)
    for verb, share in re.findall(r"(rises|falls) by (\d+) %", text):
        price += price * int(share) / 100 * (1 if verb == "rises" else -1)
    return shown(price)


def doubling(text: str) -> set[str]:
    day, area = number(r"After (\d+) days", text), Fraction(1)
    part = {"half of": 2, "a quarter of": 4, "an eighth of": 8}
    wanted = Fraction(1, next(size for words, size in part.items() if words in text))
    while area > wanted:
        day, area = day - 1, area / 2
    return shown(day)


def pills(text: str) -> set[str]:
    count, gap = numbers(r"takes (\d+) pills, one every (\d+)", text)
    return {str(max(range(0, int(count * gap), int(gap))))}


def machines(text: str) -> set[str]:
    few, minutes, made = numbers(r"(\d+) machines take (\d+) minutes to make (\d+)", text)
    many, wanted = numbers(r"do (\d+) such machines take to make (\d+)", text)
    return shown(wanted / (many * made / few / minutes))


TRAPS: dict[str, Callable[[str], set[str]]] = {
    "Which (number|fraction)": compared,
    "versions": newest,
    "All but": lambda text: shown(number(r"All but (\d+)", text)),
    "overtake": lambda text: shown(number(r"in place (\d+)", text)),
    "machines": machines,
    "together": both_prices,
    "fence": posts,
    "sisters": lambda text: shown(number(r"has (\d+) sisters", text) - 1),
    "price of": up_and_down,
    "pond": doubling,
    "pills": pills,
}


def letters(item: Item) -> set[str]:
    quoted = re.findall(r'"([^"]+)"', item.question)
    phrase = list(quoted[-1].replace(" ", ""))
    if "vowels" in item.question:
        return {str(len(re.findall("[aeiou]", quoted[-1])))}
    if "Do not count spaces" in item.question:
        return {str(len(phrase))}
    if len(quoted) > 1:
        return {str(sum(letter == quoted[0] for letter in phrase))}
    ordinals = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
    place = next(index for index, word in enumerate(ordinals) if f" {word} letter" in item.question)
    return {list(reversed(phrase))[place] if "from the end" in item.question else phrase[place]}


def mirrored(item: Item) -> set[str]:
    if match := re.search(r"digits of (\d+)", item.question):
        return {"".join(reversed(match[1]))}
    quoted = re.findall(r'"([^"]+)"', item.question)[0]
    if "without changing the words" in item.question:
        return {" ".join(reversed(quoted.split()))}
    if "keep the order" in item.question:
        return {" ".join("".join(reversed(word)) for word in quoted.split())}
    return {"".join(reversed(quoted))}


def order(item: Item) -> set[str]:
    """The answers in all orders that agree with what is said."""
    text = item.question
    if "race" in text:
        after = re.findall(r"(\w+) finished directly after (\w+)", text)
        pairs = [*re.findall(r"(\w+) finished directly before (\w+)", text), *((b, a) for a, b in after)]
        word = re.search(r"Who finished (\w+)", text)
        ranks = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh"]
    else:
        clues = re.findall(r"(\w+) is (\w+) than (\w+)\.", text)
        up = ("taller", "older", "heavier", "faster", "richer")
        pairs = [(a, b) if more in up else (b, a) for a, more, b in clues]
        word = re.search(r"Who is the (?:(\w+) )?\w+st of", text)
        ranks = ["None", "second", "third", "fourth", "fifth", "sixth", "seventh"]
    names = sorted({name for pair in pairs for name in pair})
    least = re.search("Who is the (shortest|youngest|lightest|slowest|poorest) ", text)
    assert word
    place = -1 if least else ranks.index(str(word[1]))
    steps = (1,) if "race" in text else range(1, len(names))
    return {row[place] for row in permutations(names) if all(row.index(b) - row.index(a) in steps for a, b in pairs)}


def day_number(day: int, month: int, year: int) -> int:
    """The Julian day number (Fliegel and Van Flandern, 1968)."""
    shift = (14 - month) // 12
    years, months = year + 4800 - shift, month + 12 * shift - 3
    return day + (153 * months + 2) // 5 + 365 * years + years // 4 - years // 100 + years // 400 - 32045


def dates(item: Item) -> set[str]:
    text = item.question
    days = [int(day) for day in re.findall(r"(\d+) days", text)]
    named = [(int(d), MONTHS[m], int(y)) for d, m, y in re.findall(r"(\d+) ([A-Z]\w+) (\d{4})", text)]
    if match := re.search(r"leap years are there from (\d+) to (\d+)", text):
        first, last = map(int, match.groups())
        return {str(sum(day_number(1, 3, y) - day_number(28, 2, y) == 2 for y in range(first, last + 1)))}
    if text.startswith("Today is"):
        name = text.split()[2].strip(".")
        day = next(date(2024, 1, n) for n in range(1, 8) if date(2024, 1, n).strftime("%A") == name)
        return {(day + timedelta(days=-days[0] if "ago" in text else days[0])).strftime("%A")}
    if "How many days after" in text:
        return {str(day_number(*named[1]) - day_number(*named[0]))}
    if "YYYY-MM-DD" in text:
        return {(date(*reversed(named[0])) + timedelta(days[0])).isoformat()}
    weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    said, asked = (weekdays[day_number(*day) % 7] for day in named)
    assert f"is a {said}." in text
    return {asked}


SIZES = {
    "millimeters": "0.001",
    "centimeters": "0.01",
    "meters": "1",
    "kilometers": "1000",
    "milligrams": "0.001",
    "grams": "1",
    "kilograms": "1000",
    "metric tons": "1000000",
    "seconds": "1",
    "minutes": "60",
    "hours": "3600",
    "days": "86400",
    "milliliters": "0.000001",
    "centiliters": "0.00001",
    "liters": "0.001",
    "cubic centimeters": "0.000001",
    "cubic meters": "1",
    "inches": "0.0254",
    "feet": "0.3048",
    "yards": "0.9144",
    "miles": "1609.344",
    "square centimeters": "0.0001",
    "square meters": "1",
    "hectares": "10000",
    "square kilometers": "1000000",
}
"""Units in meters, grams, seconds, square meters and cubic meters."""


def units(item: Item) -> set[str]:
    text = item.question
    if "task takes" in text:
        hours, minutes = zip(*re.findall(r"(\d+) hours and (\d+) minutes", text), strict=True)
        return shown(Fraction(sum(map(int, hours)) * 60 + sum(map(int, minutes))))
    if "per second" in text:
        value = number(r"Convert ([\d.]+)", text)
        return shown(value * 3600 / 1000 if text.endswith("per hour.") else value * 1000 / 3600)
    if "degrees" in text:
        value = number(r"Convert (-?[\d.]+)", text)
        return shown((value - 32) / 9 * 5 if text.endswith("Celsius.") else value / 5 * 9 + 32)
    target = re.search(r"(?: to |, in )([a-z ]+)[.?]$", text)
    amounts = re.findall(r"([\d.]+) ([a-z ]+?)(?= to | and | together)", text)
    assert target
    return shown(sum(Fraction(amount) * Fraction(SIZES[unit]) for amount, unit in amounts) / Fraction(SIZES[target[1]]))


def logic(item: Item) -> set[str]:
    text = item.question
    if "island" in text:
        return island(item)
    return rules(item) if "What follows" in text else groups(item)


def letters_of(item: Item, right: Callable[[str], bool]) -> set[str]:
    return {letter for letter, choice in zip("ABCD", item.choices, strict=False) if right(choice)}


def island(item: Item) -> set[str]:
    said = re.findall(r'(\w+) says: "([^"]+)"', item.question)
    names = [name for name, _ in said]
    worlds = [dict(zip(names, kinds, strict=True)) for kinds in product((True, False), repeat=len(names))]
    possible = [world for world in worlds if all(claimed(text, name, world) is world[name] for name, text in said)]
    if not item.choices:
        return {str(sum(world.values())) for world in possible}

    def describes(choice: str) -> bool:
        groups = dict(part.split(": ") for part in choice.split("; "))
        knights = set(re.split(r", | and ", groups.get("knights", ""))) - {""}
        assert knights | set(re.split(r", | and ", groups.get("knaves", ""))) - {""} == set(names)
        return any({name for name in names if world[name]} == knights for world in possible)

    assert len(possible) == 1
    return letters_of(item, describes)


def count_in(text: str, everyone: int) -> int:
    if match := re.search(r"Exactly (\d+) of us", text):
        return int(match[1])
    return {"Not": 0, "Exactly": 1, "We": everyone}[text.split(maxsplit=1)[0]]


def claimed(text: str, speaker: str, world: dict[str, bool]) -> bool:
    """Whether what an islander says is true."""
    if "of us" in text or "We are all" in text:
        return sum(world.values()) == count_in(text, len(world))
    named = [world[name] for name in re.findall(r"[A-Z]\w+", text) if name in world]
    if "both" in text and " I " in text:
        return named[0] and world[speaker]
    if " me " in text:
        return not named[0] or not world[speaker]
    if "exactly one" in text:
        return named[0] != named[1]
    if "or both" in text:
        return named[0] or not named[1]
    return named[0] is ("knight" in text)


def rules(item: Item) -> set[str]:
    said, _, asked = item.question.partition(" What follows about the statement ")
    sentences = [
        sentence.strip(' ".?').lower() for sentence in re.split(r"\. ?", f"{said} {asked}") if sentence.strip(' ".?')
    ]

    def literal(clause: str) -> tuple[str, bool]:
        positive = re.sub(r" does not (\w+)", r" \1s", clause)
        return positive.replace(" is not ", " is "), positive == clause and " is not " not in clause

    implied: list[tuple[tuple[str, bool], tuple[str, bool]]] = []
    facts: list[tuple[tuple[str, bool], tuple[str, bool]]] = []
    for sentence in sentences:
        first, _, second = sentence.removeprefix("if ").partition(", then ")
        (implied if second else facts).append((literal(first), literal(second or first)))
    events = sorted({clause[0] for pair in implied + facts for clause in pair})
    truths = set()
    for row in product((True, False), repeat=len(events)):
        world = dict(zip(events, row, strict=True))
        holds = {clause: world[clause[0]] is clause[1] for pair in implied + facts for clause in pair}
        if all(holds[second] or not holds[first] for first, second in implied) and holds[facts[0][0]]:
            truths.add(holds[facts[-1][0]])
    assert truths
    verdict = "may" if len(truths) > 1 else "must be true" if True in truths else "must be false"
    return letters_of(item, lambda choice: verdict in choice)


def statements(text: str) -> Iterator[tuple[str, str, str]]:
    for quantity, first, negation, second in re.findall(r"(All|No|Some) (\w+) are (not )?(\w+)", text):
        yield quantity + (" not" if negation else ""), first, second


def groups(item: Item) -> set[str]:
    """Tries every world of up to four kinds of things, of which a counterexample never needs more."""
    premises, names = (
        list(statements(item.question)),
        sorted(set(re.findall(r"\b\w+s\b", item.question.split(": ")[1]))),
    )
    kinds = list(product((True, False), repeat=len(names)))
    forms: dict[str, Callable[[set[int], set[int]], bool]] = {
        "All": lambda a, b: a <= b,
        "No": lambda a, b: not a & b,
        "Some": lambda a, b: bool(a & b),
        "Some not": lambda a, b: bool(a - b),
    }
    refuted = set()
    for things in chain.from_iterable(combinations(kinds, size) for size in range(1, 5)):
        world = {name: {i for i, thing in enumerate(things) if thing[n]} for n, name in enumerate(names)}
        if all(world.values()) and all(forms[form](world[a], world[b]) for form, a, b in premises):
            for choice in item.choices:
                form, a, b = next(statements(choice))
                if not forms[form](world[a], world[b]):
                    refuted.add(choice)
    return letters_of(item, lambda choice: choice not in refuted)


READERS: dict[str, Callable[[Item], set[str]]] = {
    "arithmetic": arithmetic,
    "stories": stories,
    "traps": traps,
    "letters": letters,
    "mirrored": mirrored,
    "order": order,
    "dates": dates,
    "units": units,
    "logic": logic,
}
