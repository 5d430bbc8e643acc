from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.core.errors import IncompleteError, ReflecttyError, UnreachableError
from reflectty.protocols.decoding import NdjsonDecoder, decode

VALUES = st.dictionaries(
    st.text(min_size=1, max_size=5).filter(lambda key: key != "error"),
    st.text(max_size=8) | st.integers(-(10**20), 10**20) | st.none(),
    max_size=3,
)


def fed(*pieces: bytes, limit: int = 1000) -> list[dict[str, Any]]:
    decoder = NdjsonDecoder(limit)
    found = [line for piece in pieces for line in decoder.feed(piece)]
    return [*found, *decoder.close()]


@given(st.lists(VALUES, max_size=6), st.booleans(), st.booleans(), st.lists(st.integers(0, 400), max_size=6))
def test_any_split_gives_the_same_lines(
    values: list[dict[str, Any]], escaped: bool, ended: bool, cuts: list[int]
) -> None:
    end = "\n" if escaped else "\r\n\n"
    data = end.join(json.dumps(value, ensure_ascii=escaped) for value in values).encode("utf-8", "surrogatepass")
    data += b"\n" * ended
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(places)]
    assert fed(*pieces, limit=10_000) == fed(data, limit=10_000)
    assert len(fed(data, limit=10_000)) == len(values)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", []),
        (b"\n \n\r\n", []),
        (b'\xef\xbb\xbf{"a":1}\n', [{"a": 1}]),
        ('{"a":"x\x85y\u2028z"}\n'.encode(), [{"a": "x\x85y\u2028z"}]),
        (b'{"error":""}\n{"error":null}', [{"error": ""}, {"error": None}]),
        (b'{"a":"\xff"}', [{"a": "\ufffd"}]),
    ],
)
def test_unusual_lines_are_parsed(data: bytes, expected: list[object]) -> None:
    assert fed(data) == expected


@pytest.mark.parametrize(
    ("data", "kind", "told"),
    [
        (b'{"a":', IncompleteError, "cut"),
        (b'{"a":1}\n{"b', IncompleteError, "cut"),
        (b"{" + b"x" * 2000, IncompleteError, "more than 1,000 bytes"),
        (b'{"error":"no"}\n', IncompleteError, "the server stopped: no"),
        (b'{"error":{"message":"deep"}}', IncompleteError, "deep"),
        (b"<html>\n", UnreachableError, "a web page"),
        (b"<html>", UnreachableError, "a web page"),
        (b"hello\n", UnreachableError, "something other"),
        (b"[1]\n", UnreachableError, "unexpected JSON"),
    ],
)
def test_line_that_is_not_an_object_raises(data: bytes, kind: type[ReflecttyError], told: str) -> None:
    with pytest.raises(kind, match=told):
        fed(data)


def test_deeply_nested_line_raises() -> None:
    with pytest.raises(UnreachableError, match="something other"):
        fed(b"[" * 100_000 + b"\n", limit=200_000)


@pytest.mark.parametrize("data", [b'{"a": 1}', b' \r\n\t{"a": 1}\n ', b'\xef\xbb\xbf{"a": 1}'])
def test_one_object_is_decoded_with_blanks_around_it(data: bytes) -> None:
    assert decode(data) == {"a": 1}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"  ",
        b'{"a": 1} x',
        b"{}{}",
        b"{} {}",
        b"{",
        b"\x0b{}",
        b"{}\xc2\xa0",
        b"\xef\xbb\xbf\xef\xbb\xbf{}",
        b"[]",
        b"<p>",
    ],
)
def test_anything_but_one_object_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"JSON|web page"):
        decode(data)
