"""Word problems of one to three steps, made of templates, people and things."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from mini.example import Example
from mini.working import Line, Work, adding, dividing, multiplying, near, taking, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

PEOPLE: Final = (
    "Anna", "Ben", "Carla", "David", "Emma", "Felix", "Grace", "Henry", "Ida", "Jack", "Kate", "Leo", "Maria", "Noah",
    "Olivia", "Paul", "Rosa", "Sam", "Tina", "Victor", "Lily", "Tom", "Sarah", "Ahmed", "Yuki", "Priya", "Natalia", "James",
)  # fmt: skip
THINGS: Final = (
    "apples", "books", "marbles", "stamps", "pencils", "cards", "cookies", "oranges", "coins", "stickers", "eggs", "flowers",
    "balloons", "shells", "photos", "toys", "muffins", "buttons", "tickets", "cupcakes", "clips", "pears", "candies", "bottles",
)  # fmt: skip
BOXES: Final = ("boxes", "bags", "baskets", "shelves", "packs", "rows", "crates", "jars", "trays")
GOODS: Final = (
    "book", "pen", "shirt", "ticket", "lamp", "cup", "chair", "toy", "hat", "notebook", "sandwich", "ball", "plant", "mug",
)  # fmt: skip


class Story(NamedTuple):
    """A problem, its steps and its result."""

    question: str
    lines: tuple[Line, ...]
    said: str
    result: int


def summed(rng: Random, first: int, second: int) -> Work:
    """Return an addition: in one line where it is easy."""
    return adding(rng, first, second) if max(first, second) > 30 else _plain(rng, first, "+", second, first + second)


def left(rng: Random, first: int, second: int) -> Work:
    """Return a subtraction: in one line where it is easy."""
    return taking(rng, first, second) if first > 30 else _plain(rng, first, "-", second, first - second)


def product(rng: Random, first: int, second: int) -> Work:
    """Return a multiplication."""
    small, large = sorted((first, second))
    return multiplying(rng, large, small)


def shared(rng: Random, number: int, divisor: int) -> Work:
    """Return a division that comes out even."""
    return dividing(rng, number, divisor) if number > 100 else _plain(rng, number, "/", divisor, number // divisor)


def _plain(rng: Random, first: int, sign: str, second: int, result: int) -> Work:
    wrong = near(rng, result)
    text = f"{first} {sign} {second}"
    return Work((Line(f"{text} = {result}.", f"{text} = {wrong}.", f"{text} is {result}, not {wrong}."),), result)


def _he(rng: Random) -> str:
    return rng.choice(PEOPLE)


def gains(rng: Random) -> Story:
    """Something is there, something comes, something goes."""
    who, what = _he(rng), rng.choice(THINGS)
    start, more = rng.randint(3, 120), rng.randint(2, 90)
    gone = rng.randint(1, start + more - 1)
    one = summed(rng, start, more)
    two = left(rng, one.result, gone)
    question = rng.choice(
        (
            f"{who} has {start} {what}. {who} gets {more} more and gives away {gone}. How many {what} does {who} have now?",
            f"{who} had {start} {what}, bought {more} and lost {gone}. How many {what} are left?",
            f"There are {start} {what} on a table. {who} adds {more} and then takes {gone} away. How many {what} are on the table?",
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
    """Something is given away."""
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
    """Two people together, the second given by a comparison."""
    who, other, what = *rng.sample(PEOPLE, 2), rng.choice(THINGS)
    start, change = rng.randint(4, 90), rng.randint(2, 30)
    shape = rng.choice(("more", "fewer", "times"))
    if shape == "more":
        second, rule = summed(rng, start, change), f"{change} more {what} than"
    elif shape == "fewer":
        change = rng.randint(1, start - 1)
        second, rule = left(rng, start, change), f"{change} fewer {what} than"
    else:
        times = rng.choice((2, 3, 4))
        second, rule = (
            product(rng, start, times),
            f"{('twice', 'three times', 'four times')[times - 2]} as many {what} as",
        )
    both = summed(rng, start, second.result)
    question = f"{who} has {start} {what}. {other} has {rule} {who}. "
    question += rng.choice(
        (
            "How many do they have together?",
            f"How many {what} do they have in total?",
            "How many do they have altogether?",
        )
    )
    lines = (
        Line(f"{other} has:"),
        *second.lines,
        Line(
            f"Together: {start} + {second.result}.",
            f"So the answer is {second.result}.",
            f"That is {other} alone; together: {start} + {second.result}.",
        ),
        *both.lines,
    )
    return Story(question, lines, f"Together they have {both.result} {what}.", both.result)


def boxes(rng: Random) -> Story:
    """So many in each of so many, some loose."""
    who, what, box = _he(rng), rng.choice(THINGS), rng.choice(BOXES)
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
    lines = [
        Line(
            f"{count} {box} with {each} each: {count} × {each}.",
            f"{count} and {each}: {count} + {each} = {count + each}.",
            f"Each of the {count} holds {each}, so I multiply: {count} × {each}.",
        ),
        *work.lines,
    ]
    result = work.result
    if loose:
        question += f", and {loose} more {what} that are not packed"
        last = summed(rng, result, loose)
        lines += [Line(f"Plus {loose}."), *last.lines]
        result = last.result
    question += f". How many {what} are there {rng.choice(('in total', 'altogether', 'in all'))}?"
    return Story(question, tuple(lines), f"There are {result} {what}.", result)


def sharing(rng: Random) -> Story:
    """So many are shared evenly."""
    who, what = _he(rng), rng.choice(THINGS)
    people, each = rng.randint(2, 9), rng.randint(2, 30)
    number = people * each
    work = shared(rng, number, people)
    question = rng.choice(
        (
            f"{who} shares {number} {what} equally among {people} friends. How many does each friend get?",
            f"{number} {what} are put into {people} {rng.choice(BOXES)}, the same number in each. How many are in each?",
            f"If {people} children share {number} {what} evenly, how many {what} does each child get?",
        )
    )
    turned = Line(
        f"Sharing evenly is dividing: {number} / {people}.",
        f"I multiply: {number} × {people}.",
        f"Each gets a part, so I divide: {number} / {people}.",
    )
    return Story(
        question,
        (turned, *work.lines),
        f"Each gets {work.result} {what}."
        if "among" in question or "children" in question
        else f"{work.result} {what} are in each.",
        work.result,
    )


def shopping(rng: Random) -> Story:
    """So many of one price, and the change."""
    who, what = _he(rng), rng.choice(GOODS)
    count, price = rng.randint(2, 9), rng.randint(2, 25)
    cost = product(rng, count, price)
    question = f"A {what} costs ${price}. {who} buys {count} {what}{'es' if what.endswith('ch') else 's'}"
    lines = [Line(f"{count} times {price}."), *cost.lines]
    if rng.random() < 0.5:
        question += rng.choice(
            (". How much does that cost?", ". How many dollars is that in total?", ". What is the total price?")
        )
        return Story(question, tuple(lines), f"It costs ${cost.result}.", cost.result)
    paid = (cost.result // 10 + rng.randint(1, 5)) * 10
    change = left(rng, paid, cost.result)
    question += f" and pays with ${paid}. {rng.choice(('How much change is there?', f'How much money does {who} get back?', f'How much does {who} have left?'))}"
    lines += [
        Line(
            f"The change is {paid} - {cost.result}.",
            f"So {cost.result} is the change.",
            f"{cost.result} is the price; the change is {paid} - {cost.result}.",
        ),
        *change.lines,
    ]
    return Story(question, tuple(lines), f"${change.result} is the change.", change.result)


def rates(rng: Random) -> Story:
    """So much an hour, a day or a week, for some of them."""
    who = _he(rng)
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
    """How many hours, days or weeks something takes."""
    who, each, count = _he(rng), rng.randint(2, 9), rng.randint(2, 40)
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


def halves(rng: Random) -> Story:
    """A half, a third or a quarter is gone, or is added again."""
    who, what = _he(rng), rng.choice(THINGS)
    part = rng.choice((2, 3, 4, 5))
    name = ("half", "a third", "a quarter", "a fifth")[part - 2]
    number = part * rng.randint(2, 24)
    taken = shared(rng, number, part)
    if rng.random() < 0.5:
        rest = left(rng, number, taken.result)
        question = rng.choice(
            (
                f"{who} has {number} {what} and gives away {name} of them. How many {what} are left?",
                f"Of {number} {what}, {name} {'is' if part > 2 else 'are'} sold. How many are not sold?",
            )
        )
        lines = (
            Line(f"I need {name} of {number}."),
            *taken.lines,
            Line(
                f"Left: {number} - {taken.result}.",
                f"So {taken.result} are left." if part > 2 else "",
                f"{taken.result} are gone; left are {number} - {taken.result}.",
            ),
            *rest.lines,
        )
        return Story(question, lines, f"{rest.result} {what} are left.", rest.result)
    both = summed(rng, number, taken.result)
    question = f"{who} sold {number} {what} in April and {name if part == 2 else name + ' of that number'}{' as many' if part == 2 else ''} in May. How many {what} did {who} sell altogether in April and May?"
    lines = (
        Line("May:"),
        *taken.lines,
        Line(
            f"Altogether: {number} + {taken.result}.",
            f"So the answer is {taken.result}.",
            f"That is May alone; altogether {number} + {taken.result}.",
        ),
        *both.lines,
    )
    return Story(question, lines, f"Altogether {both.result} {what}.", both.result)


def discount(rng: Random) -> Story:
    """A price and a percentage off."""
    what, percent = rng.choice(GOODS), rng.choice((10, 20, 25, 50))
    price = rng.randint(2, 20) * 20
    off = price * percent // 100
    rest = left(rng, price, off)
    parts = 100 // percent
    question = rng.choice(
        (
            f"A {what} costs ${price}. It is sold {percent}% cheaper. What does it cost now?",
            f"A {what} for ${price} gets a discount of {percent}%. How much is it then?",
        )
    )
    lines = (
        Line(
            f"{percent}% is one of {parts} parts: {price} / {parts} = {off}.",
            f"{percent}% are ${percent}: {price} - {percent} = {price - percent}." if percent != off else "",
            f"Percent are parts of the price: {price} / {parts} = {off}.",
        ),
        Line(
            f"The new price: {price} - {off}.",
            f"So it costs ${off}." if off != price - off else "",
            f"{off} is what is taken off; left is {price} - {off}.",
        ),
        *rest.lines,
    )
    return Story(question, lines, f"It costs ${rest.result}.", rest.result)


def ages(rng: Random) -> Story:
    """An age now, before or later, by comparison."""
    who, other = rng.sample(PEOPLE, 2)
    age, gap, years = rng.randint(5, 50), rng.randint(2, 25), rng.randint(2, 20)
    older = summed(rng, age, gap)
    later = summed(rng, older.result, years)
    question = (
        f"{who} is {age} years old. {other} is {gap} years older than {who}. How old will {other} be in {years} years?"
    )
    lines = (
        Line(f"{other} is {gap} years older:"),
        *older.lines,
        Line(
            f"In {years} years: {older.result} + {years}.",
            f"So {other} is {older.result} then.",
            f"That is now; in {years} years {years} are added.",
        ),
        *later.lines,
    )
    return Story(question, lines, f"{other} will be {later.result} years old.", later.result)


def rectangle(rng: Random) -> Story:
    """The area or the perimeter of a rectangle or a square."""
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
        lines = (
            Line(
                f"Area is length times width: {long} × {wide}.",
                f"Area is length plus width: {long} + {wide}.",
                f"Area is a product: {long} × {wide}.",
            ),
            *area.lines,
        )
        return Story(question, lines, f"The area is {area.result} square metres.", area.result)
    whole = product(rng, half.result, 2)
    question = rng.choice(
        (
            f"A {what} is {long} m long and {wide} m wide. What is its perimeter in metres?",
            f"How long is a fence around a {what} of {long} m by {wide} m, in metres?",
        )
    )
    lines = (
        Line(f"Around it: twice length plus width, {long} + {wide}."),
        *half.lines,
        Line(
            f"Twice that: {half.result} × 2.", f"So it is {half.result}.", "There are two of each side, so I double it."
        ),
        *whole.lines,
    )
    return Story(question, lines, f"The perimeter is {whole.result} metres.", whole.result)


SHAPES: Final[tuple[Callable[[Random], Story], ...]] = (
    gains, loses, total, boxes, sharing, shopping, rates, times_needed, halves, discount, ages, rectangle,
)  # fmt: skip


def problem(rng: Random) -> Example:
    """A word problem of any shape."""
    story = rng.choice(SHAPES)(rng)
    return Example("word problems", story.question, told(rng, story.lines), story.said, str(story.result))


KINDS: Final[dict[str, tuple[Callable[[Random], Example], int]]] = {"problem": (problem, 14)}
"""The generator of each kind, and how much of the whole it gets."""
