from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.reasoning.vote import AnswerGroup, tally

ANSWERS = st.lists(st.sampled_from(["42", "41", "40", ""]), max_size=9)


@pytest.mark.parametrize(
    ("answers", "winner", "votes"),
    [
        (["42", "41", "42"], 0, 2),
        (["41", "42", "42"], 1, 2),
        (["41", "42"], 0, 1),
        (["41", "42", "42", "41"], 0, 2),
        (["", "42", ""], 1, 1),
        (["Yes.", "no", "yes", " YES "], 0, 3),
    ],
)
def test_the_most_frequent_answer_wins_and_of_two_the_first(answers: list[str], winner: int, votes: int) -> None:
    vote = tally(answers)
    assert (vote.winner, vote.votes, vote.answer) == (winner, votes, answers[winner])


@pytest.mark.parametrize("answers", [[], ["", " "]])
def test_without_answers_nobody_wins(answers: list[str]) -> None:
    vote = tally(answers)
    assert (vote.winner, vote.votes, vote.cast, vote.answer) == (None, 0, 0, "")


def test_answers_are_compared_as_the_caller_says() -> None:
    vote = tally(["1/2", "0.5", "2"], lambda one, other: {one, other} == {"1/2", "0.5"})
    assert vote.groups == (AnswerGroup("1/2", (0, 1)), AnswerGroup("2", (2,)))


@given(ANSWERS)
def test_every_answer_is_counted_once(answers: list[str]) -> None:
    vote = tally(answers)
    members = sorted(member for group in vote.groups for member in group.members)
    assert members == [at for at, answer in enumerate(answers) if answer]
    assert vote.cast == len(members)
    assert all({answers[at] for at in group.members} == {group.answer} for group in vote.groups)


@given(ANSWERS.flatmap(lambda answers: st.tuples(st.just(answers), st.permutations(answers))))
def test_the_order_decides_only_between_equal_counts(orders: tuple[list[str], list[str]]) -> None:
    answers, shuffled = orders
    vote, again = tally(answers), tally(shuffled)
    best = {group.answer for group in vote.groups if len(group.members) == vote.votes}
    assert again.votes == vote.votes
    assert again.answer == next((answer for answer in shuffled if answer in best), "")


@given(ANSWERS, st.integers(0, 4))
def test_a_vote_is_settled_exactly_if_no_further_answers_change_its_winner(answers: list[str], remaining: int) -> None:
    vote = tally(answers)
    futures = product(["42", "41", "40", "", "new"], repeat=remaining)
    changes = any(tally([*answers, *future]).winner != vote.winner for future in futures)
    assert vote.is_settled(remaining) is not changes
