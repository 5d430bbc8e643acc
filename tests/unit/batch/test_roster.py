from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reflectty.batch.roster import Roster

M = "m"


def roster_of(*servers: tuple[int, int, float]) -> Roster:
    """Return servers that each have slots, questions they answer, and seconds for one."""
    roster = Roster(len(servers))
    for place, (slots, running, seconds) in zip(roster.places, servers, strict=True):
        place.slots, place.running, place.seconds = slots, running, seconds
    return roster


class TestTheChoice:
    def test_is_the_fastest_that_is_free(self) -> None:
        assert roster_of((1, 0, 9), (1, 0, 3), (1, 1, 1)).choose(M) == 1

    def test_is_one_that_has_not_answered_yet_before_others(self) -> None:
        assert roster_of((1, 0, 9), (1, 0, 0)).choose(M) == 1

    def test_is_the_emptier_of_two_alike(self) -> None:
        assert roster_of((4, 2, 1), (2, 0, 1), (8, 5, 1)).choose(M) == 1

    def test_is_nobody_where_all_are_busy_away_or_without_the_model(self) -> None:
        roster = roster_of((2, 2, 1), (1, 0, 1), (1, 0, 1))
        roster.places[1].away = True
        roster.places[2].lacks.add(M)

        assert roster.choose(M) is None
        assert roster.choose("other") == 2
        assert not roster.nobody

    def test_leaves_the_last_lines_to_those_who_are_through_with_them_sooner(self) -> None:
        roster = roster_of((1, 0, 60), (2, 2, 5))

        assert roster.choose(M, 22) is None
        assert roster.choose(M, 23) == 0
        assert roster.choose(M, None) == 0

    def test_leaves_nothing_to_somebody_who_is_away(self) -> None:
        roster = roster_of((1, 0, 60), (2, 0, 5))
        roster.places[1].away = True

        assert roster.choose(M, 1) == 0


def test_a_model_that_every_server_lacks_is_nobodys() -> None:
    roster = Roster(2)
    roster.places[0].lacks.add(M)
    assert not roster.nobody_has(M)
    roster.places[1].lacks.add(M)
    assert roster.nobody_has(M)


def test_a_server_that_is_left_out_has_no_model() -> None:
    roster = Roster(2)
    roster.places[0].lacks.add(M)
    roster.places[1].slots = 0

    assert roster.nobody_has(M)
    assert roster.choose("other") == 0


def test_the_time_of_a_server_follows_its_answers() -> None:
    roster = Roster(1)
    for seconds in (10.0, 20.0, None):
        roster.begin(0)
        roster.end(0, seconds)

    assert 10 < roster.places[0].seconds < 20
    assert roster.running == 0


SERVERS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 4), st.sampled_from([0.0, 0.5, 1.0, 3.0, 60.0])), min_size=1, max_size=4
)


@given(SERVERS, st.integers(1, 30))
def test_a_line_waits_only_while_somebody_is_at_work(servers: list[tuple[int, int, float]], waiting: int) -> None:
    roster = roster_of(*servers)
    at = roster.choose(M, waiting)

    if at is None:
        assert roster.running
    else:
        assert roster.places[at].running < roster.places[at].slots
