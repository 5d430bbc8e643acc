from __future__ import annotations

import re
from random import Random

import pytest

from mini import talk, talk_lists
from mini.example import Example, prompt, reply
from mini.grading import says
from mini.talk_words import held

DRAWN = 400


def drawn(kind: str, *, heldout: bool = False, count: int = DRAWN) -> list[Example]:
    rng = Random(kind)
    return [talk.example(rng, kind, heldout=heldout) for _ in range(count)]


def written(example: Example) -> str:
    return "".join(re.findall(r"\w", prompt(example).casefold().replace("please", "")))


def whole(example: Example) -> str:
    return "".join(piece.text for piece in reply(example))


@pytest.mark.parametrize("kind", talk.KINDS)
def test_every_reply_answers_and_holds_what_a_right_answer_must_contain(kind: str) -> None:
    for made in drawn(kind):
        assert made.answer.strip()
        assert made.question.strip()
        assert says(made.answer, made.question, made.target), made


@pytest.mark.parametrize("kind", talk.KINDS)
def test_no_text_holds_a_tag_a_hole_or_a_doubled_mark(kind: str) -> None:
    for made in drawn(kind):
        texts = [made.question, made.answer, *(piece.text for piece in made.thinking)]
        text = "\n".join(texts).replace("<reflection>\n", "").replace("\n</reflection>", "")
        assert not re.search(r"</?\w+>|[{}]|[^C. ]\.\.(?!\.)|\?\.|\bNone\b", text.replace("{print", "")), made
        assert not any(line.startswith(" ") or line.endswith(" ") for line in text.splitlines()), made


@pytest.mark.parametrize("kind", talk.KINDS)
def test_a_slip_is_put_right_at_once_and_is_never_learnt(kind: str) -> None:
    for made in drawn(kind):
        for piece, after in zip(made.thinking, (*made.thinking[1:], None), strict=True):
            assert piece.learnt or (after is not None and after.text.startswith("<reflection>\n"))
            assert not piece.text.startswith("<reflection>") or len(piece.text.split()) > 4
            assert piece.text.endswith("\n")


@pytest.mark.parametrize("kind", talk.KINDS)
def test_what_is_held_out_is_never_asked_in_training(kind: str) -> None:
    trained = {written(made) for made in drawn(kind, count=2000)}
    asked = {written(made) for made in drawn(kind, heldout=True, count=50)}
    assert asked
    assert not trained & asked


def test_a_text_that_is_handed_over_is_held_out_in_every_wording() -> None:
    words = [f"word{number}" for number in range(200)]
    apart = [held(f"Correct this: {word}") for word in words]
    assert apart == [held(f"What is wrong here: {word}") for word in words]
    assert any(apart)
    assert not all(apart)


def test_capitals_marks_and_a_please_do_not_make_another_question() -> None:
    for made in drawn("fact"):
        assert held(made.question) == held(made.question.upper().rstrip("?.").lower())


def test_a_list_has_as_many_items_as_are_asked_for_and_each_belongs() -> None:
    numbers = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
    for made in drawn("list"):
        said = re.findall(r"\b(?:two|three|four|five|six|\d)\b", made.question.casefold())
        items = [line.removeprefix("- ").casefold() for line in made.answer.splitlines()]
        assert len(items) == len(set(items)) == (numbers.get(said[0]) or int(said[0]))
        assert any(set(items) <= {m.casefold() for m in members} for _, members in talk_lists.kinds().values())


def test_slips_are_there_and_are_not_the_rule() -> None:
    rng = Random(3)
    replies = [whole(talk.examples(rng, heldout=False)) for _ in range(3000)]
    share = sum("<reflection>" in text for text in replies) / len(replies)
    assert 0.1 < share < 0.35


def test_every_kind_has_a_share() -> None:
    assert talk.SHARES.keys() == talk.KINDS.keys()
    assert min(talk.SHARES.values()) > 0


def test_the_same_seed_gives_the_same_examples() -> None:
    first, second = Random(5), Random(5)
    assert [talk.examples(first, heldout=False) for _ in range(200)] == [
        talk.examples(second, heldout=False) for _ in range(200)
    ]
