from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reflectty.batch.output import ReorderBuffer


@given(st.permutations(range(12)))
def test_any_order_becomes_the_one_it_was_given_out_in(order: list[int]) -> None:
    window: ReorderBuffer[str] = ReorderBuffer()
    out = [value for number in order for value in window.put(number, str(number))]

    assert out == [str(number) for number in range(12)]
    assert window.drain() == []


def test_what_has_its_turn_does_not_wait_for_what_follows() -> None:
    window: ReorderBuffer[str] = ReorderBuffer()

    assert window.put(0, "a") == ["a"]
    assert window.put(2, "c") == []
    assert window.put(1, "b") == ["b", "c"]


def test_there_is_room_for_so_many_after_the_one_that_is_awaited() -> None:
    window: ReorderBuffer[str] = ReorderBuffer(3)

    assert [window.has_room(number) for number in range(5)] == [True, True, True, False, False]
    window.put(1, "b")
    assert not window.has_room(3)
    window.put(0, "a")
    assert window.has_room(4)


def test_the_rest_comes_in_order_with_its_gaps() -> None:
    window: ReorderBuffer[str] = ReorderBuffer()
    for number in (5, 3, 9):
        window.put(number, str(number))

    assert window.drain() == ["3", "5", "9"]
