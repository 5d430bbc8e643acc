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
def test_every_answer_contains_its_target(kind: str) -> None:
    for made in drawn(kind):
        assert made.answer.strip()
        assert made.question.strip()
        assert says(made.answer, made.question, made.target), made


@pytest.mark.parametrize("kind", talk.KINDS)
def test_texts_have_no_tags_placeholders_or_doubled_punctuation(kind: str) -> None:
    for made in drawn(kind):
        texts = [made.question, made.answer, *(piece.text for piece in made.thinking)]
        text = "\n".join(texts).replace("<reflection>\n", "").replace("\n</reflection>", "")
        assert not re.search(r"</?\w+>|[{}]|[^C. ]\.\.(?!\.)|\?\.|\bNone\b", text.replace("{print", "")), made
        assert not any(line.startswith(" ") or line.endswith(" ") for line in text.splitlines()), made


@pytest.mark.parametrize("kind", talk.KINDS)
def test_mistakes_are_corrected_at_once_and_never_learnt(kind: str) -> None:
    for made in drawn(kind):
        for piece, after in zip(made.thinking, (*made.thinking[1:], None), strict=True):
            assert piece.learnt or (after is not None and after.text.startswith("<reflection>\n"))
            assert not piece.text.startswith("<reflection>") or len(piece.text.split()) > 4
            assert piece.text.endswith("\n")


@pytest.mark.parametrize("kind", talk.KINDS)
def test_held_out_questions_are_not_in_the_training_data(kind: str) -> None:
    trained = {written(made) for made in drawn(kind, count=2000)}
    asked = {written(made) for made in drawn(kind, heldout=True, count=50)}
    assert asked
    assert not trained & asked


def test_given_text_is_held_out_in_every_wording() -> None:
    words = [f"word{number}" for number in range(200)]
    apart = [held(f"Correct this: {word}") for word in words]
    assert apart == [held(f"What is wrong here: {word}") for word in words]
    assert any(apart)
    assert not all(apart)


def test_held_out_decision_ignores_case_and_final_punctuation() -> None:
    for made in drawn("fact"):
        assert held(made.question) == held(made.question.upper().rstrip("?.").lower())


def test_list_has_the_requested_number_of_items_of_one_kind() -> None:
    numbers = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
    for made in drawn("list"):
        said = re.findall(r"\b(?:two|three|four|five|six|\d)\b", made.question.casefold())
        items = [line.removeprefix("- ").casefold() for line in made.answer.splitlines()]
        assert len(items) == len(set(items)) == (numbers.get(said[0]) or int(said[0]))
        assert any(set(items) <= {m.casefold() for m in members} for _, members in talk_lists.kinds().values())


def test_share_of_replies_with_mistakes_is_moderate() -> None:
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
