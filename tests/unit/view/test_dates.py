from __future__ import annotations

import pytest

from reflectty.view.units import parse_timestamp


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01T01:00:01.500000000+01:00", 1.5),
        ("2026-01-02T03:04:05.123456789Z", 1767323045.123456),
        ("2318-06-01T00:00:00Z", 10994832000.0),
        ("", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00", None),
        ("9999-99-99T00:00:00Z", None),
    ],
)
def test_timestamps_of_servers_are_parsed(text: str, expected: float | None) -> None:
    found = parse_timestamp(text)
    assert found is None or found < 0 if expected is None else found == pytest.approx(expected)
