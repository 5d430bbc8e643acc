"""Word problems about things that come and go, are counted, packed and shared; prices and sizes are not here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from mini.stories_words import BOXES, PEOPLE, THINGS, Story, left, product, shared, summed
from mini.working import Line, Work

if TYPE_CHECKING:
    from random import Random

PARTS: Final = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth"}


class _Part(NamedTuple):
    """Somebody's things, and one of so many parts of them."""

    who: str
    what: str
    number: int
    part: int
    taken: Work


def gains(rng: Random) -> Story:
    """Return a story in which something is there, something comes and something goes."""
    who, what = rng.choice(PEOPLE), rng.choice(THINGS)
    start, more = rng.randint(3, 120), rng.randint(2, 90)
    gone = rng.randint(1, start + more - 1)
    one = summed(rng, start, more)
    two = left(rng, one.result, gone)
    question = rng.choice(
        (
            (
                f"{who} has {start} {what}. {who} gets {more} more and gives away {gone}. "
                f"How many {what} does {who} have now?"
            ),
            f"{who} had {start} {what}, bought {more} and lost {gone}. How many {what} are left?",
            (
                f"There are {start} {what} on a table. {who} adds {more} and then takes {gone} away. "
                f"How many {what} are on the table?"
            ),
        )
    )
    mixed = Line(
        f"First those that come: {start} + {more}.",
        f"First I take away: {start} - {more}.",
        f"The {more} are added, not taken away: {start} + {more}.",
    )
    lines = (mixed, *one.lines, Line(f"Then those that go: {one.result} - {gone}."), *two.lines)
    return Story(question, lines, f"{two.result} {what}.", two.result)


def loses(rng: Random) -> Story:
    """Return a story in which something is given away."""
    who, other, what = *rng.sample(PEOPLE, 2), rng.choice(THINGS)
    start = rng.randint(5, 150)
    gone = rng.randint(1, start)
    work = left(rng, start, gone)
    question = rng.choice(
        (
            f"{who} has {start} {what} and gives {gone} to {other}. How many {what} does {who} have left?",
            f"{who} had {start} {what} but {gone} of them are lost. How many remain?",
            f"Of {start} {what}, {who} sells {gone}. How many are left?",
            f"If {who} has {start} {what} and eats or uses {gone}, how many are there still?",
        )
    )
    turned = Line(
        f"Giving away makes it less: {start} - {gone}.",
        f"I add: {start} + {gone}.",
        f"They are given away, so it gets less: {start} - {gone}.",
    )
    return Story(question, (turned, *work.lines), f"{work.result} {what}.", work.result)


def total(rng: Random) -> Story:
    """Return a story of two people together, the second given by a comparison."""
    who, other, what = *rng.sample(PEOPLE, 2), rng.choice(THINGS)
    start, change = rng.randint(4, 90), rng.randint(2, 30)
    second, rule = _compared(rng, start, change, what)
    both = summed(rng, start, second.result)
    asked = (
        "How many do they have together?",
        f"How many {what} do they have in total?",
        "How many do they have altogether?",
    )
    question = f"{who} has {start} {what}. {other} has {rule} {who}. {rng.choice(asked)}"
    together = Line(
        f"Together: {start} + {second.result}.",
        f"So the answer is {second.result}.",
        f"That is {other} alone; together: {start} + {second.result}.",
    )
    lines = (Line(f"{other} has:"), *second.lines, together, *both.lines)
    return Story(question, lines, f"Together they have {both.result} {what}.", both.result)


def _compared(rng: Random, start: int, change: int, what: str) -> tuple[Work, str]:
    shape = rng.choice(("more", "fewer", "times"))
    if shape == "more":
        return summed(rng, start, change), f"{change} more {what} than"
    if shape == "fewer":
        change = rng.randint(1, start - 1)
        return left(rng, start, change), f"{change} fewer {what} than"
    times = rng.choice((2, 3, 4))
    named = ("twice", "three times", "four times")[times - 2]
    return product(rng, start, times), f"{named} as many {what} as"


def boxes(rng: Random) -> Story:
    """Return a story of so many in each of so many, some of them loose."""
    who, what, box = rng.choice(PEOPLE), rng.choice(THINGS), rng.choice(BOXES)
    count, each = rng.randint(2, 12), rng.randint(2, 24)
    loose = rng.choice((0, 0, rng.randint(1, 20)))
    work = product(rng, count, each)
    question = rng.choice(
        (
            f"{who} has {count} {box} with {each} {what} in each",
            f"There are {count} {box}. Each holds {each} {what}",
            f"{who} packs {each} {what} into each of {count} {box}",
        )
    )
    packed = Line(
        f"{count} {box} with {each} each: {count} × {each}.",
        f"{count} and {each}: {count} + {each} = {count + each}.",
        f"Each of the {count} holds {each}, so I multiply: {count} × {each}.",
    )
    lines, result = (packed, *work.lines), work.result
    if loose:
        question += f", and {loose} more {what} that are not packed"
        last = summed(rng, result, loose)
        lines, result = (*lines, Line(f"Plus {loose}."), *last.lines), last.result
    question += f". How many {what} are there {rng.choice(('in total', 'altogether', 'in all'))}?"
    return Story(question, lines, f"There are {result} {what}.", result)


def sharing(rng: Random) -> Story:
    """Return a story in which so many are shared evenly."""
    who, what = rng.choice(PEOPLE), rng.choice(THINGS)
    people, each = rng.randint(2, 9), rng.randint(2, 30)
    number = people * each
    work = shared(rng, number, people)
    gets, are = f"Each gets {work.result} {what}.", f"{work.result} {what} are in each."
    box = rng.choice(BOXES)
    question, said = rng.choice(
        (
            (f"{who} shares {number} {what} equally among {people} friends. How many does each friend get?", gets),
            (f"{number} {what} are put into {people} {box}, the same number in each. How many are in each?", are),
            (f"If {people} children share {number} {what} evenly, how many {what} does each child get?", gets),
        )
    )
    turned = Line(
        f"Sharing evenly is dividing: {number} / {people}.",
        f"I multiply: {number} × {people}.",
        f"Each gets a part, so I divide: {number} / {people}.",
    )
    return Story(question, (turned, *work.lines), said, work.result)


def halves(rng: Random) -> Story:
    """Return a story in which a half, a third, a quarter or a fifth is gone, or is added again."""
    who, what = rng.choice(PEOPLE), rng.choice(THINGS)
    part = rng.choice((2, 3, 4, 5))
    number = part * rng.randint(2, 24)
    taken = _Part(who, what, number, part, shared(rng, number, part))
    return _gone(rng, taken) if rng.random() < 0.5 else _added(rng, taken)


def _gone(rng: Random, of: _Part) -> Story:
    who, what, number, part, taken = of
    name = PARTS[part]
    rest = left(rng, number, taken.result)
    question = rng.choice(
        (
            f"{who} has {number} {what} and gives away {name} of them. How many {what} are left?",
            f"Of {number} {what}, {name} {'is' if part > 2 else 'are'} sold. How many are not sold?",
        )
    )
    remaining = Line(
        f"Left: {number} - {taken.result}.",
        f"So {taken.result} are left." if part > 2 else "",
        f"{taken.result} are gone; left are {number} - {taken.result}.",
    )
    lines = (Line(f"I need {name} of {number}."), *taken.lines, remaining, *rest.lines)
    return Story(question, lines, f"{rest.result} {what} are left.", rest.result)


def _added(rng: Random, of: _Part) -> Story:
    who, what, number, part, taken = of
    both = summed(rng, number, taken.result)
    fewer = "half as many" if part == 2 else f"{PARTS[part]} of that number"
    question = (
        f"{who} sold {number} {what} in April and {fewer} in May. "
        f"How many {what} did {who} sell altogether in April and May?"
    )
    together = Line(
        f"Altogether: {number} + {taken.result}.",
        f"So the answer is {taken.result}.",
        f"That is May alone; altogether {number} + {taken.result}.",
    )
    lines = (Line("May:"), *taken.lines, together, *both.lines)
    return Story(question, lines, f"Altogether {both.result} {what}.", both.result)
