from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest

from reflectty.core.errors import UsageError
from reflectty.evaluation.generators.catalogue import GENERATORS, generate
from reflectty.evaluation.generators.draw import Draw
from reflectty.evaluation.items import LETTERS
from reflectty.reasoning.stated_answers import AnswerKind
from support.question_reader import answers_to

FIXED = [
    ("arithmetic-7-0002", "What is 16 % of 235, plus 48?", "85.6"),
    (
        "stories-7-0005",
        "A town has 72000 people. Of them, 30 % are under 20 years old. Of these young people, a fifth play an instrument. Of those who play, 60 % play the piano and no one else does. Next year, 20 more of them take up the piano, and no one stops. How many people play the piano then?",
        "2612",
    ),
    ("traps-7-0003", "Which number is smallest: 30.99, 30.2474 or 30.1? Answer with that number.", "30.1"),
    ("letters-7-0004", 'How many letters "l" are there in the word "balloonist"?', "2"),
    ("mirrored-7-0001", 'Write "pillow" backwards, from its last letter to its first.', "wollip"),
    (
        "order-7-0003",
        "Bruno is slower than Tara. Hugo is faster than Carla. Omar is slower than Bruno. Tara is slower than Carla. Who is the fastest of the 5? Answer with one name.",
        "Hugo",
    ),
    ("dates-7-0002", "Today is Sunday. Which day of the week was it 95 days ago?", "Wednesday"),
    ("units-7-0004", "Convert 19.8 kilometers per hour to meters per second.", "5.5"),
    (
        "logic-7-0005",
        'If the radio plays, then the oven is not hot. If the lamp is on, then the gate is locked. If the radio plays, then the dog does not bark. If the dog barks, then the shop is closed. If the oven is not hot, then the lamp is on. The gate is not locked. What follows about the statement "The oven is not hot."?',
        "A",
    ),
]
"""Items that must never change, since reports compare runs by their ids."""


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("seed", range(4))
def test_each_key_is_what_another_computation_finds_and_no_other_answer_is_right(name: str, seed: int) -> None:
    count = 15 if name == "logic" else 100
    wrong = [
        (item.text, item.answer, found)
        for item in generate([name], count, seed).items
        if (found := answers_to(item)) != {item.answer}
    ]
    assert wrong == []


@pytest.mark.parametrize(("identity", "question", "answer"), FIXED)
def test_an_item_of_a_seed_never_changes(identity: str, question: str, answer: str) -> None:
    name, seed, number = identity.split("-")
    item = generate([name], int(number), int(seed)).items[-1]
    assert (item.id, item.question, item.answer) == (identity, question, answer)


def test_generators_take_turns() -> None:
    items = generate(["dates", "traps", "units"], 8, 3).items
    assert [item.group for item in items] == ["dates", "traps", "units"] * 2 + ["dates", "traps"]
    assert {item.group for item in generate([], 9, 0).items} == set(GENERATORS)


def test_a_larger_set_begins_with_a_smaller_one() -> None:
    assert generate([], 120, 5).items[:40] == generate([], 40, 5).items
    assert generate(["letters"], 30, 5).items[4] == generate(["letters", "dates"], 30, 5).items[8]


def test_no_id_and_no_question_comes_twice_in_a_large_set() -> None:
    items = generate([], 5000, 11).items
    assert len({item.id for item in items}) == len({item.text for item in items}) == 5000


def test_other_seeds_make_other_questions() -> None:
    first, second = ({item.question for item in generate([], 180, seed).items} for seed in (1, 2))
    assert len(first & second) < 20


def test_keys_have_the_form_of_their_kind() -> None:
    for item in generate([], 900, 2).items:
        if item.kind is AnswerKind.NUMBER and "/" not in item.answer:
            assert f"{Decimal(item.answer):f}" == item.answer
            assert len(Decimal(item.answer).as_tuple().digits) <= 6
        elif item.kind is AnswerKind.CHOICE:
            assert item.answer in LETTERS[: len(item.choices)]
            assert len(set(item.choices)) == len(item.choices)


def test_the_letter_of_the_key_is_spread_over_the_choices() -> None:
    letters = Counter(item.answer for item in generate(["logic"], 400, 0).items if len(item.choices) == 4)
    assert set(letters) == set("ABCD")
    assert max(letters.values()) < 1.6 * min(letters.values())


@pytest.mark.parametrize(
    ("names", "count", "message", "hint"),
    [
        (["date"], 3, "no generator 'date'", "did you mean dates?"),
        (["zzz"], 3, "no generator 'zzz'", "there are arithmetic"),
        (["mirrored"], 60_000, "has no more than", "mix several"),
    ],
)
def test_what_cannot_be_made_is_refused(names: list[str], count: int, message: str, hint: str) -> None:
    with pytest.raises(UsageError, match=message) as error:
        generate(names, count, 1)
    assert hint in error.value.hint


def test_draws_stay_within_their_bounds() -> None:
    draw = Draw("bounds")
    assert {draw.between(2, 4) for _ in range(200)} == {2, 3, 4}
    assert sorted(draw.shuffled("abcdef")) == list("abcdef")
    assert len(set(draw.several(range(10), 4))) == 4
