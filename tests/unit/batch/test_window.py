from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reflectty.batch.output import ReorderBuffer


@given(st.permutations(range(12)))
def test_any_order_is_restored(order: list[int]) -> None:
    window: ReorderBuffer[str] = ReorderBuffer()
    out = [value for number in order for value in window.put(number, str(number))]

    assert out == [str(number) for number in range(12)]
    assert window.drain() == []


def test_value_in_turn_is_released_at_once() -> None:
    window: ReorderBuffer[str] = ReorderBuffer()

    assert window.put(0, "a") == ["a"]
    assert window.put(2, "c") == []
    assert window.put(1, "b") == ["b", "c"]


def test_buffer_has_room_for_a_fixed_number_of_values() -> None:
    window: ReorderBuffer[str] = ReorderBuffer(3)

    assert [window.has_room(number) for number in range(5)] == [True, True, True, False, False]
    window.put(1, "b")
    assert not window.has_room(3)
    window.put(0, "a")
    assert window.has_room(4)


def test_drain_returns_the_rest_in_order() -> None:
    window: ReorderBuffer[str] = ReorderBuffer()
    for number in (5, 3, 9):
        window.put(number, str(number))

    assert window.drain() == ["3", "5", "9"]
