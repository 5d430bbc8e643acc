"""Word problems of several steps, whose answers are exact."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from reflectty.evaluation.generators.draw import Problem, decimal_text, is_decimal, listed, money_text
from reflectty.evaluation.generators.words import GOODS, NAMES, THINGS

if TYPE_CHECKING:
    from reflectty.evaluation.generators.draw import Draw


def make_stories(draw: Draw, level: int) -> Problem:
    """A story with `level` + 1 steps, or about as many."""
    makers = (
        *(_collection, _purchase, _journey, _ages, _factory, _savings, _tank),
        *(_buses, _recipe, _book, _garden, _timetable, _town),
    )
    return draw.pick(makers)(draw, level)


_PARTS: Final = ((2, "half"), (3, "a third"), (4, "a quarter"), (5, "a fifth"))


def _collection(draw: Draw, level: int) -> Problem:
    """Things that grow fewer and more."""
    name, friend = draw.several(NAMES, 2)
    things, count = draw.pick(THINGS), draw.between(6, 20) * draw.pick((2, 3, 4, 6))
    sentences = [f"{name} has {count} {things}."]
    for _ in range(level + 1):
        sentence, count = _event(draw, name, friend, count)
        sentences.append(sentence)
    return Problem(f"{' '.join(sentences)} How many {things} does {name} have now?", str(count))


def _event(draw: Draw, name: str, friend: str, count: int) -> tuple[str, int]:
    parts = [(divisor, word) for divisor, word in _PARTS if count % divisor == 0 and count > divisor]
    kind = draw.below(4)
    if kind == 0 and parts:
        divisor, word = draw.pick(parts)
        return f"{name} gives {word} of them to {friend}.", count - count // divisor
    if kind == 1 and count > 12:
        lost = draw.between(2, count // 2)
        return f"Then {name} loses {lost} of them.", count - lost
    if kind == 2 and count < 200:
        return f"Then a neighbor gives {name} as many as {name} has, which doubles their number.", 2 * count
    bags, each = draw.between(2, 6), draw.between(3, 12)
    return f"{name} buys {bags} bags with {each} in each.", count + bags * each


def _purchase(draw: Draw, level: int) -> Problem:
    """Prices, a discount, and change."""
    name, goods = draw.pick(NAMES), draw.several(GOODS, min(level, 3) + 1)
    counts = [draw.between(1, 2 + level) for _ in goods]
    prices = [Fraction(draw.between(2, 60) * (20 if level < 3 else 5 if level < 5 else 1) + 40, 20) for _ in goods]
    total = sum((count * price for count, price in zip(counts, prices, strict=True)), Fraction())
    bought = listed(
        [
            f"{count} {good}{'s' if count > 1 else ''} at {money_text(price)} dollars each"
            for count, good, price in zip(counts, goods, prices, strict=True)
        ]
    )
    sentences = [f"{name} buys {bought}."]
    if level > 2 and (total * 90 / 100 * 100).denominator == 1:
        sentences.append("The shop takes 10 % off the total.")
        total = total * 90 / 100
    paid = (int(total) // 50 + 1) * 50
    if draw.chance(0.6):
        sentences.append(f"{name} pays with {paid} dollars. How many dollars of change does {name} get?")
        total = paid - total
    else:
        sentences.append(f"How many dollars does {name} pay?")
    return Problem(" ".join(sentences), decimal_text(total))


def _journey(draw: Draw, level: int) -> Problem:
    """Legs of a journey, and their length or mean speed."""
    name, vehicle = draw.pick(NAMES), draw.pick(("by car", "by bus", "by train"))
    while True:
        legs = [(draw.between(1, 8) * 30, draw.between(3, 24) * 4) for _ in range(min(level, 4) + 1)]
        minutes = sum(time for time, _ in legs)
        distance = sum((Fraction(time * speed, 60) for time, speed in legs), Fraction())
        speed = distance * 60 / minutes
        if is_decimal(speed) and (speed * 100).denominator == 1:
            break
    told = "; then ".join(f"{time} minutes at {speed} km/h" for time, speed in legs)
    opening = f"{name} travels {vehicle}: {told}."
    if level > 1 and draw.chance(0.5):
        return Problem(f"{opening} What is the average speed of the whole journey in km/h?", decimal_text(speed))
    return Problem(f"{opening} How many kilometers is that in total?", decimal_text(distance))


def _ages(draw: Draw, level: int) -> Problem:
    """A chain of ages."""
    names = draw.several(NAMES, min(level + 1, 5))
    ages, clues = [draw.between(4, 15)], []
    for younger, name in pairwise(names):
        if ages[-1] < 20 and draw.chance(0.3):
            clues.append(f"{name} is twice as old as {younger}.")
            ages.append(2 * ages[-1])
        else:
            years = draw.between(2, 9)
            clues.append(f"{name} is {years} years older than {younger}.")
            ages.append(ages[-1] + years)
    opening = f"{' '.join(draw.shuffled(clues))} {names[0]} is {ages[0]} years old."
    if level > 1 and draw.chance(0.5):
        years = draw.between(2, 12)
        question = f"How old will they be in {years} years, all ages added together?"
        return Problem(f"{opening} {question}", str(sum(ages) + years * len(ages)))
    return Problem(f"{opening} How old is {names[-1]}?", str(ages[-1]))


def _factory(draw: Draw, level: int) -> Problem:
    """What machines make, what is thrown away, and how many boxes it fills."""
    things = draw.pick(("bolts", "tiles", "candles", "buttons", "badges"))
    machines, rate, hours = draw.between(2, 3 + level), draw.between(2, 9) * 20, draw.between(2, 8)
    made = machines * rate * hours
    sentences = [
        f"A workshop has {machines} machines. Each makes {rate} {things} an hour, and all run for {hours} hours."
    ]
    if level > 1:
        share = draw.pick((5, 10, 15, 20, 25))
        sentences.append(f"Of all {things}, {share} % are faulty and are thrown away.")
        made = made * (100 - share) // 100
    if level > 2:
        used = draw.between(2, 30)
        sentences.append(f"{used} good ones are kept as samples.")
        made -= used
    if level > 3:
        size = draw.pick((12, 16, 24, 25, 36))
        sentences.append(f"The others are packed into boxes of {size}. How many boxes are filled completely?")
        return Problem(" ".join(sentences), str(made // size))
    return Problem(
        f"{' '.join(sentences)} How many {things} are left?"
        if level > 1
        else f"{sentences[0]} How many {things} do they make in total?",
        str(made),
    )


def _savings(draw: Draw, level: int) -> Problem:
    """Weeks until there is enough money."""
    name, good = draw.pick(NAMES), draw.pick(GOODS)
    earned, spent = draw.between(20, 30 * level + 20), draw.between(3, 15)
    has, missing = draw.between(0, 10 * level), draw.between(20, 150 * level + 60)
    sentences = [f"{name} earns {earned} dollars at the end of each week and spends {spent} of them."]
    if has:
        sentences.append(f"{name} already has {has} dollars.")
    if level > 2:
        gift = draw.between(5, 40)
        sentences.append(f"An aunt adds {gift} dollars at once.")
        has += gift
    weeks = -(-missing // (earned - spent))
    question = f"After how many weeks is there enough for a {good} that costs {has + missing} dollars?"
    return Problem(f"{' '.join(sentences)} {question}", str(weeks))


def _tank(draw: Draw, level: int) -> Problem:
    """Water that flows in and out."""
    inflow, outflow = draw.between(6, 10 + 4 * level), draw.between(1, 5)
    minutes, start = draw.between(5, 20 * level), draw.between(0, 40 * level)
    sentences = [f"A tank holds {start} liters of water." if start else "A tank is empty."]
    sentences.append(f"A pipe adds {inflow} liters a minute, and a drain takes {outflow} liters a minute.")
    volume = start + (inflow - outflow) * minutes
    sentences.append(f"Both are open for {minutes} minutes.")
    if level > 1:
        rest = draw.between(1, max(1, volume // (outflow * 2)))
        sentences.append(f"Then the pipe is closed, and the drain stays open for {rest} minutes more.")
        volume -= outflow * rest
    if level > 3:
        bucket, buckets = draw.between(5, 12), draw.between(2, 9)
        sentences.append(f"At last, {buckets} buckets of {bucket} liters each are poured in.")
        volume += bucket * buckets
    return Problem(f"{' '.join(sentences)} How many liters are in the tank now?", str(volume))


def _buses(draw: Draw, level: int) -> Problem:
    """People and the seats that they need."""
    classes, size, seats = draw.between(2, 3 + level), draw.between(14, 29), draw.between(18, 55)
    people = classes * size
    sentences = [f"{classes} classes with {size} children each go on a trip."]
    if level > 1:
        ill = draw.between(2, 12)
        sentences.append(f"{ill} children are ill and stay at home.")
        people -= ill
    if level > 2:
        adults = draw.between(2, 5)
        sentences.append(f"For each class, {adults} adults come along.")
        people += adults * classes
    sentences.append(f"A bus has {seats} seats for passengers.")
    buses = -(-people // seats)
    if level > 3:
        return Problem(
            f"{' '.join(sentences)} They take as few buses as possible. How many seats stay empty?",
            str(buses * seats - people),
        )
    return Problem(f"{' '.join(sentences)} How many buses do they need at least?", str(buses))


def _recipe(draw: Draw, level: int) -> Problem:
    """Amounts for another number of people."""
    few, many = draw.between(2, 6), draw.between(7, 12 + 4 * level)
    grams = few * draw.between(3, 12) * (10 if level < 4 else 5)
    stuff = draw.pick(("flour", "rice", "sugar", "oats", "lentils"))
    needed = grams // few * many
    sentences = [f"A recipe for {few} people takes {grams} grams of {stuff}. It is cooked for {many} people."]
    if level > 1:
        has = draw.between(2, max(2, needed // 20)) * 10
        has = min(has, needed - 10)
        sentences.append(f"{has} grams of {stuff} are there already.")
        needed -= has
    if level > 2:
        price = draw.between(2, 9)
        cost = Fraction(needed * price, 1000)
        sentences.append(f"A kilogram of {stuff} costs {price} dollars, and any weight can be bought.")
        return Problem(f"{' '.join(sentences)} How many dollars does the missing {stuff} cost?", decimal_text(cost))
    asked = "more " if level > 1 else ""
    return Problem(f"{' '.join(sentences)} How many {asked}grams of {stuff} are needed?", str(needed))


def _book(draw: Draw, level: int) -> Problem:
    """Pages read on several days."""
    name, first, more = draw.pick(NAMES), draw.between(8, 30), draw.between(2, 6)
    days = level + 2
    read = sum(first + more * day for day in range(days))
    left = draw.between(10, 60 * level)
    opening = (
        f"{name} reads {first} pages of a book on the first day, and on each of the following days {more} pages more "
        f"than on the day before. After {days} days, {left} pages are left."
    )
    if level < 3:
        return Problem(f"{opening} How many pages does the book have?", str(read + left))
    pace = draw.between(7, 25)
    question = (
        f"From then on, {name} reads {pace} pages a day. On which day, counted from the first, is the book finished? "
        "Answer with the number of the day."
    )
    return Problem(f"{opening} {question}", str(days + -(-left // pace)))


def _garden(draw: Draw, level: int) -> Problem:
    """Areas, edges and what they cost."""
    length, width = draw.between(8, 20 + 8 * level), draw.between(5, 7 + 4 * level)
    sentences = [f"A rectangular garden is {length} meters long and {width} meters wide."]
    if level == 1:
        return Problem(f"{sentences[0]} How many meters of fence go around it?", str(2 * (length + width)))
    area = length * width
    pond = draw.between(2, 3), draw.between(2, 4)
    sentences.append(f"A rectangular pond in it is {pond[0]} meters by {pond[1]} meters, and the rest is lawn.")
    area -= pond[0] * pond[1]
    if level == 2:
        return Problem(f"{' '.join(sentences)} How many square meters of lawn are there?", str(area))
    price, fence = draw.between(2, 9), draw.between(3, 12)
    sentences.append(f"New turf costs {price} dollars a square meter and is laid on the whole lawn.")
    cost = area * price
    if level > 3:
        sentences.append(f"A fence around the whole garden costs {fence} dollars a meter.")
        cost += 2 * (length + width) * fence
    return Problem(f"{' '.join(sentences)} How many dollars does that cost altogether?", str(cost))


def _timetable(draw: Draw, level: int) -> Problem:
    """Times of a day, all before midnight."""
    name, start = draw.pick(NAMES), draw.between(6 * 60, 10 * 60)
    parts = [(draw.between(61, 170), draw.between(5, 55)) for _ in range(min(level, 3))]
    now, sentences = start, [f"{name} sets off at {_clock(start)}."]
    for ride, wait in parts:
        sentences.append(f"Then comes a ride of {ride // 60} h {ride % 60} min, and after it a wait of {wait} minutes.")
        now += ride + wait
    visit = draw.between(20, 150)
    sentences.append(f"After the last wait, a visit lasts until {_clock(now + visit)}.")
    if draw.chance(0.3):
        question = "How many minutes are there between setting off and the end of the visit?"
        return Problem(f"{' '.join(sentences)} {question}", str(now + visit - start))
    return Problem(f"{' '.join(sentences)} How many minutes does the visit last?", str(visit))


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"


def _town(draw: Draw, level: int) -> Problem:
    """Shares of shares."""
    people = draw.between(1, 5 * level) * 4000
    share = draw.pick((10, 20, 25, 30, 40, 50))
    group = people * share // 100
    sentences = [f"A town has {people} people. Of them, {share} % are under 20 years old."]
    if level > 1:
        divisor, word = draw.pick(_PARTS[:1] + _PARTS[2:])
        sentences.append(f"Of these young people, {word} play an instrument.")
        group //= divisor
    if level > 2:
        share = draw.pick((10, 20, 60))
        sentences.append(f"Of those who play, {share} % play the piano and no one else does.")
        group = group * share // 100
    if level > 3:
        more = draw.between(3, 40)
        sentences.append(f"Next year, {more} more of them take up the piano, and no one stops.")
        group += more
    asked = (
        "are under 20",
        "are young and play an instrument",
        "play the piano",
        "play the piano then",
        "play the piano then",
    )
    return Problem(f"{' '.join(sentences)} How many people {asked[level - 1]}?", str(group))
