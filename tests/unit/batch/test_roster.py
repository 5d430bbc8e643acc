from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reflectty.batch.scheduler import Scheduler

M = "m"


def roster_of(*servers: tuple[int, int, float]) -> Scheduler:
    """Return servers that each have slots, questions they answer, and seconds for one."""
    roster = Scheduler(len(servers))
    for place, (slots, running, seconds) in zip(roster.servers, servers, strict=True):
        place.slots, place.running, place.mean_seconds = slots, running, seconds
    return roster


class TestTheChoice:
    def test_is_the_fastest_that_is_free(self) -> None:
        assert roster_of((1, 0, 9), (1, 0, 3), (1, 1, 1)).pick_server(M) == 1

    def test_is_one_that_has_not_answered_yet_before_others(self) -> None:
        assert roster_of((1, 0, 9), (1, 0, 0)).pick_server(M) == 1

    def test_is_the_emptier_of_two_alike(self) -> None:
        assert roster_of((4, 2, 1), (2, 0, 1), (8, 5, 1)).pick_server(M) == 1

    def test_is_nobody_where_all_are_busy_away_or_without_the_model(self) -> None:
        roster = roster_of((2, 2, 1), (1, 0, 1), (1, 0, 1))
        roster.servers[1].is_unreachable = True
        roster.servers[2].missing_models.add(M)

        assert roster.pick_server(M) is None
        assert roster.pick_server("other") == 2
        assert not roster.is_cut_off

    def test_leaves_the_last_lines_to_those_who_are_through_with_them_sooner(self) -> None:
        roster = roster_of((1, 0, 60), (2, 2, 5))

        assert roster.pick_server(M, 22) is None
        assert roster.pick_server(M, 23) == 0
        assert roster.pick_server(M, None) == 0

    def test_leaves_nothing_to_somebody_who_is_away(self) -> None:
        roster = roster_of((1, 0, 60), (2, 0, 5))
        roster.servers[1].is_unreachable = True

        assert roster.pick_server(M, 1) == 0


def test_a_model_that_every_server_lacks_is_nobodys() -> None:
    roster = Scheduler(2)
    roster.servers[0].missing_models.add(M)
    assert not roster.is_missing_everywhere(M)
    roster.servers[1].missing_models.add(M)
    assert roster.is_missing_everywhere(M)


def test_a_server_that_is_left_out_has_no_model() -> None:
    roster = Scheduler(2)
    roster.servers[0].missing_models.add(M)
    roster.servers[1].slots = 0

    assert roster.is_missing_everywhere(M)
    assert roster.pick_server("other") == 0


def test_the_time_of_a_server_follows_its_answers() -> None:
    roster = Scheduler(1)
    for seconds in (10.0, 20.0, None):
        roster.begin(0)
        roster.end(0, seconds)

    assert 10 < roster.servers[0].mean_seconds < 20
    assert roster.running == 0


SERVERS = st.lists(
    st.tuples(st.integers(1, 4), st.integers(0, 4), st.sampled_from([0.0, 0.5, 1.0, 3.0, 60.0])), min_size=1, max_size=4
)


@given(SERVERS, st.integers(1, 30))
def test_a_line_waits_only_while_somebody_is_at_work(servers: list[tuple[int, int, float]], waiting: int) -> None:
    roster = roster_of(*servers)
    at = roster.pick_server(M, waiting)

    if at is None:
        assert roster.running
    else:
        assert roster.servers[at].running < roster.servers[at].slots
