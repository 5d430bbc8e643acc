"""Word problems about prices, speeds, ages and areas; things that are only counted are not here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mini.stories_words import GOODS, PEOPLE, Story, left, product, shared, summed
from mini.working import Line

if TYPE_CHECKING:
    from random import Random


def shopping(rng: Random) -> Story:
    """Return a story of so many at one price, and of the change in half of the cases."""
    who, what = rng.choice(PEOPLE), rng.choice(GOODS)
    count, price = rng.randint(2, 9), rng.randint(2, 25)
    cost = product(rng, count, price)
    question = f"A {what} costs ${price}. {who} buys {count} {what}{'es' if what.endswith('ch') else 's'}"
    lines = (Line(f"{count} times {price}."), *cost.lines)
    if rng.random() < 0.5:
        question += rng.choice(
            (". How much does that cost?", ". How many dollars is that in total?", ". What is the total price?")
        )
        return Story(question, lines, f"It costs ${cost.result}.", cost.result)
    return _paid(rng, who, Story(question, lines, "", cost.result))


def _paid(rng: Random, who: str, bought: Story) -> Story:
    cost = bought.result
    paid = (cost // 10 + rng.randint(1, 5)) * 10
    change = left(rng, paid, cost)
    asked = rng.choice(
        ("How much change is there?", f"How much money does {who} get back?", f"How much does {who} have left?")
    )
    back = Line(
        f"The change is {paid} - {cost}.",
        f"So {cost} is the change.",
        f"{cost} is the price; the change is {paid} - {cost}.",
    )
    question = f"{bought.question} and pays with ${paid}. {asked}"
    return Story(question, (*bought.lines, back, *change.lines), f"${change.result} is the change.", change.result)


def rates(rng: Random) -> Story:
    """Return a story of so much an hour, a day or a week, for some of them."""
    who = rng.choice(PEOPLE)
    each, count = rng.randint(2, 60), rng.randint(2, 12)
    work = product(rng, each, count)
    text, unit = rng.choice(
        (
            (f"A car drives {each} km an hour. How far does it drive in {count} hours?", "km"),
            (f"{who} reads {each} pages a day. How many pages does {who} read in {count} days?", "pages"),
            (f"{who} earns ${each} an hour. How many dollars does {who} earn in {count} hours?", "dollars"),
            (f"A machine makes {each} parts a minute. How many parts does it make in {count} minutes?", "parts"),
            (f"{who} saves ${each} every week. How many dollars has {who} after {count} weeks?", "dollars"),
            (f"A train travels at {each} km/h for {count} hours. What distance does it cover?", "km"),
        )
    )
    return Story(text, (Line(f"{count} times {each}."), *work.lines), f"{work.result} {unit}.", work.result)


def times_needed(rng: Random) -> Story:
    """Return a story that asks how many hours, weeks or vans something takes."""
    who, each, count = rng.choice(PEOPLE), rng.randint(2, 9), rng.randint(2, 40)
    number = each * count
    work = shared(rng, number, each)
    text, unit = rng.choice(
        (
            (f"{who} reads {each} pages an hour. How many hours does {who} need for {number} pages?", "hours"),
            (f"{who} saves ${each} a week. How many weeks does it take to save ${number}?", "weeks"),
            (f"A walker covers {each} km an hour. How many hours does he need for {number} km?", "hours"),
            (f"One van holds {each} people. How many vans are needed for {number} people?", "vans"),
        )
    )
    return Story(text, (Line(f"I divide: {number} / {each}."), *work.lines), f"{work.result} {unit}.", work.result)


def discount(rng: Random) -> Story:
    """Return a story of a price and a percentage off."""
    what, percent = rng.choice(GOODS), rng.choice((10, 20, 25, 50))
    price = rng.randint(2, 20) * 20
    parts, off = 100 // percent, price * percent // 100
    rest = left(rng, price, off)
    question = rng.choice(
        (
            f"A {what} costs ${price}. It is sold {percent}% cheaper. What does it cost now?",
            f"A {what} for ${price} gets a discount of {percent}%. How much is it then?",
        )
    )
    taken = Line(
        f"{percent}% is one of {parts} parts: {price} / {parts} = {off}.",
        f"{percent}% are ${percent}: {price} - {percent} = {price - percent}." if percent != off else "",
        f"Percent are parts of the price: {price} / {parts} = {off}.",
    )
    new = Line(
        f"The new price: {price} - {off}.",
        f"So it costs ${off}." if off != price - off else "",
        f"{off} is what is taken off; left is {price} - {off}.",
    )
    return Story(question, (taken, new, *rest.lines), f"It costs ${rest.result}.", rest.result)


def ages(rng: Random) -> Story:
    """Return a story of an age some years from now, given by a comparison."""
    who, other = rng.sample(PEOPLE, 2)
    age, gap, years = rng.randint(5, 50), rng.randint(2, 25), rng.randint(2, 20)
    older = summed(rng, age, gap)
    later = summed(rng, older.result, years)
    question = (
        f"{who} is {age} years old. {other} is {gap} years older than {who}. How old will {other} be in {years} years?"
    )
    then = Line(
        f"In {years} years: {older.result} + {years}.",
        f"So {other} is {older.result} then.",
        f"That is now; in {years} years {years} are added.",
    )
    lines = (Line(f"{other} is {gap} years older:"), *older.lines, then, *later.lines)
    return Story(question, lines, f"{other} will be {later.result} years old.", later.result)


def rectangle(rng: Random) -> Story:
    """Return a story that asks for the area or for the perimeter of a rectangle."""
    long, wide = rng.randint(2, 30), rng.randint(2, 12)
    what = rng.choice(("garden", "room", "field", "rectangle", "table"))
    area = product(rng, long, wide)
    half = summed(rng, long, wide)
    if rng.random() < 0.5:
        question = rng.choice(
            (
                f"A {what} is {long} m long and {wide} m wide. What is its area in square metres?",
                f"What is the area of a {what} of {long} m by {wide} m?",
            )
        )
        rule = Line(
            f"Area is length times width: {long} × {wide}.",
            f"Area is length plus width: {long} + {wide}.",
            f"Area is a product: {long} × {wide}.",
        )
        return Story(question, (rule, *area.lines), f"The area is {area.result} square metres.", area.result)
    whole = product(rng, half.result, 2)
    question = rng.choice(
        (
            f"A {what} is {long} m long and {wide} m wide. What is its perimeter in metres?",
            f"How long is a fence around a {what} of {long} m by {wide} m, in metres?",
        )
    )
    rule = Line(f"Around it: twice length plus width, {long} + {wide}.")
    twice = f"Twice that: {half.result} × 2."
    doubled = Line(twice, f"So it is {half.result}.", "There are two of each side, so I double it.")
    lines = (rule, *half.lines, doubled, *whole.lines)
    return Story(question, lines, f"The perimeter is {whole.result} metres.", whole.result)
