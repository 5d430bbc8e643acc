"""Answers the word problems of the generators from their text alone, sentence by sentence."""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil, floor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def answer_of(text: str) -> Fraction:
    """The answer of a story, by the reader whose mark it has."""
    reader = next(reader for mark, reader in READERS.items() if mark in text)
    return Fraction(reader(text))


def numbers(pattern: str, text: str) -> list[Fraction]:
    """All numbers in the groups of a pattern, wherever it matches."""
    return [Fraction(group) for match in re.finditer(pattern, text) for group in match.groups()]


def number(pattern: str, text: str, otherwise: int = 0) -> Fraction:
    return (numbers(pattern, text) or [Fraction(otherwise)])[0]


PARTS = {"half": 2, "a third": 3, "a quarter": 4, "a fifth": 5}


def collection(text: str) -> Fraction:
    count = number(r"has (\d+)", text)
    for sentence in re.split(r"(?<=\.) ", text)[1:]:
        if match := re.search(r"gives (half|a \w+) of them to", sentence):
            count -= count / PARTS[match[1]]
        elif "loses" in sentence:
            count -= number(r"loses (\d+)", sentence)
        elif "doubles" in sentence:
            count += count
        elif "buys" in sentence:
            bags, each = numbers(r"buys (\d+) bags with (\d+)", sentence)
            count += bags * each
    return count


def purchase(text: str) -> Fraction:
    amounts = iter(numbers(r"(\d+) \w+ at ([\d.]+) dollars each", text))
    total = sum((count * price for count, price in zip(amounts, amounts, strict=True)), Fraction())
    total *= (100 - number(r"takes (\d+) % off", text)) / 100
    return number(r"pays with (\d+)", text) - total if "change" in text else total


def journey(text: str) -> Fraction:
    amounts = iter(numbers(r"(\d+) minutes at (\d+) km/h", text))
    legs = [(minutes / 60, speed) for minutes, speed in zip(amounts, amounts, strict=True)]
    distance = sum((hours * speed for hours, speed in legs), Fraction())
    return distance / sum(hours for hours, _ in legs) if "average" in text else distance


def ages(text: str) -> Fraction:
    known = {name: Fraction(age) for name, age in re.findall(r"(\w+) is (\d+) years old\.", text)}
    more = re.findall(r"(\w+) is (\d+) years older than (\w+)", text)
    twice = re.findall(r"(\w+) is twice as old as (\w+)", text)
    while len(known) < len(more) + len(twice) + 1:
        known |= {name: known[other] + int(years) for name, years, other in more if other in known}
        known |= {name: 2 * known[other] for name, other in twice if other in known}
    if match := re.search(r"How old is (\w+)", text):
        return known[match[1]]
    return sum(known.values(), Fraction()) + number(r"in (\d+) years", text) * len(known)


def factory(text: str) -> Fraction:
    machines, rate, hours = numbers(r"has (\d+) machines\. Each makes (\d+) \w+ an hour, and all run for (\d+)", text)
    good = machines * rate * hours * (100 - number(r"(\d+) % are faulty", text)) / 100
    good -= number(r"(\d+) good ones are kept", text)
    size = number(r"boxes of (\d+)", text)
    return Fraction(floor(good / size)) if size else good


def savings(text: str) -> Fraction:
    earned, spent = numbers(r"earns (\d+) dollars at the end of each week and spends (\d+)", text)
    money = number(r"already has (\d+)", text) + number(r"adds (\d+)", text)
    weeks = 0
    while money < number(r"costs (\d+)", text):
        money, weeks = money + earned - spent, weeks + 1
    return Fraction(weeks)


def tank(text: str) -> Fraction:
    volume, (inflow, outflow) = number(r"holds (\d+)", text), numbers(r"adds (\d+) liters .* takes (\d+) liters", text)
    volume += (inflow - outflow) * number(r"open for (\d+) minutes\.", text)
    volume -= outflow * number(r"open for (\d+) minutes more", text)
    buckets, size = numbers(r"(\d+) buckets of (\d+)", text) or (Fraction(), Fraction())
    assert volume >= 0
    return volume + buckets * size


def buses(text: str) -> Fraction:
    classes, size = numbers(r"(\d+) classes with (\d+)", text)
    people = classes * (size + number(r"each class, (\d+) adults", text)) - number(r"(\d+) children are ill", text)
    seats = number(r"has (\d+) seats", text)
    needed = ceil(people / seats)
    return needed * seats - people if "empty" in text else Fraction(needed)


def recipe(text: str) -> Fraction:
    few, grams, many = numbers(r"for (\d+) people takes (\d+) grams of \w+\. It is cooked for (\d+)", text)
    missing = grams * many / few - number(r"(\d+) grams of \w+ are there", text)
    assert missing > 0
    price = number(r"costs (\d+) dollars", text)
    return missing * price / 1000 if price else missing


def book(text: str) -> Fraction:
    pages, more, days, left = numbers(r"reads (\d+) pages .* days (\d+) pages more .* After (\d+) days, (\d+)", text)
    read, day = Fraction(), 0
    while day < days:
        read, pages, day = read + pages, pages + more, day + 1
    if not (pace := number(r"reads (\d+) pages a day", text)):
        return read + left
    while left > 0:
        left, day = left - pace, day + 1
    return Fraction(day)


def garden(text: str) -> Fraction:
    length, width = numbers(r"garden is (\d+) meters long and (\d+)", text)
    if "pond" not in text:
        return length + width + length + width
    pond = numbers(r"is (\d+) meters by (\d+) meters", text)
    assert pond[0] < length
    assert pond[1] < width
    lawn = length * width - pond[0] * pond[1]
    turf, fence = number(r"costs (\d+) dollars a square meter", text), number(r"costs (\d+) dollars a meter", text)
    return lawn * turf + fence * 2 * (length + width) if turf else lawn


def timetable(text: str) -> Fraction:
    first, last = (60 * hour + minute for hour, minute in batched_times(text))
    rides = iter(numbers(r"a ride of (\d+) h (\d+) min", text))
    spent = sum((60 * hours + minutes for hours, minutes in zip(rides, rides, strict=True)), Fraction())
    spent += sum(numbers(r"a wait of (\d+) minutes", text))
    assert last < 24 * 60
    return last - first if "between setting off" in text else last - first - spent


def batched_times(text: str) -> list[tuple[Fraction, Fraction]]:
    return [(Fraction(hour), Fraction(minute)) for hour, minute in re.findall(r"(\d+):(\d\d)", text)]


def town(text: str) -> Fraction:
    people = number(r"has (\d+) people", text) * number(r"(\d+) % are under", text) / 100
    if match := re.search(r"young people, (half|a \w+) play", text):
        people /= PARTS[match[1]]
    people *= number(r"(\d+) % play the piano", text, 100) / 100
    return people + number(r"(\d+) more of them", text)


READERS: dict[str, Callable[[str], Fraction]] = {
    "dollars each": purchase,
    "km/h": journey,
    "workshop": factory,
    "garden": garden,
    "sets off": timetable,
    "A town": town,
    "at the end of each week": savings,
    "tank": tank,
    "go on a trip": buses,
    "recipe": recipe,
    "of a book": book,
    "years old": ages,
    "How many": collection,
}
