from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reflectty.batch.scheduler import Scheduler

M = "m"


def roster_of(*servers: tuple[int, int, float]) -> Scheduler:
    """Servers that each have slots, questions they answer, and seconds for one."""
    roster = Scheduler(len(servers))
    for place, (slots, running, seconds) in zip(roster.servers, servers, strict=True):
        place.slots, place.running, place.mean_seconds = slots, running, seconds
    return roster


class TestPickServer:
    def test_prefers_the_fastest_free_server(self) -> None:
        assert roster_of((1, 0, 9), (1, 0, 3), (1, 1, 1)).pick_server(M) == 1

    def test_prefers_a_server_without_timings(self) -> None:
        assert roster_of((1, 0, 9), (1, 0, 0)).pick_server(M) == 1

    def test_prefers_the_less_loaded_of_two_equally_fast(self) -> None:
        assert roster_of((4, 2, 1), (2, 0, 1), (8, 5, 1)).pick_server(M) == 1

    def test_is_none_if_all_are_busy_unreachable_or_lack_the_model(self) -> None:
        roster = roster_of((2, 2, 1), (1, 0, 1), (1, 0, 1))
        roster.servers[1].is_unreachable = True
        roster.servers[2].missing_models.add(M)

        assert roster.pick_server(M) is None
        assert roster.pick_server("other") == 2

    def test_leaves_the_last_lines_to_faster_servers(self) -> None:
        roster = roster_of((1, 0, 60), (2, 2, 5))

        assert roster.pick_server(M, 22) is None
        assert roster.pick_server(M, 23) == 0
        assert roster.pick_server(M, None) == 0

    def test_leaves_no_lines_to_an_unreachable_server(self) -> None:
        roster = roster_of((1, 0, 60), (2, 0, 5))
        roster.servers[1].is_unreachable = True

        assert roster.pick_server(M, 1) == 0


def test_model_is_missing_everywhere_once_every_server_lacks_it() -> None:
    roster = Scheduler(2)
    roster.servers[0].missing_models.add(M)
    assert not roster.is_missing_everywhere(M)
    roster.servers[1].missing_models.add(M)
    assert roster.is_missing_everywhere(M)


def test_excluded_server_counts_as_lacking_the_model() -> None:
    roster = Scheduler(2)
    roster.servers[0].missing_models.add(M)
    roster.servers[1].slots = 0

    assert roster.is_missing_everywhere(M)
    assert roster.pick_server("other") == 0


def test_mean_seconds_follow_the_answers() -> None:
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
def test_a_line_waits_only_while_a_server_is_busy(servers: list[tuple[int, int, float]], waiting: int) -> None:
    roster = roster_of(*servers)
    at = roster.pick_server(M, waiting)

    if at is None:
        assert roster.running
    else:
        assert roster.servers[at].running < roster.servers[at].slots
