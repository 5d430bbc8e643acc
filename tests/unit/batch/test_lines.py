from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reflectty.batch.prompts import InputLine, InputLineSplitter, digest_of

SMALL = 8
"""The length limit of a line in these tests, in bytes."""


def cut(data: bytes, sizes: list[int] | None = None, longest: int = SMALL) -> list[InputLine]:
    """The lines of bytes that arrive in pieces of these sizes; the last size repeats."""
    cutter, found = InputLineSplitter(longest), list[InputLine]()
    for piece in pieces(data, sizes or [len(data) or 1]):
        found += cutter.feed(piece)
    return [*found, *cutter.close()]


def pieces(data: bytes, sizes: list[int]) -> list[bytes]:
    ends = [0]
    while ends[-1] < len(data):
        ends.append(ends[-1] + sizes[min(len(ends) - 1, len(sizes) - 1)])
    return [data[start:end] for start, end in pairwise(ends)]


class TestLine:
    def test_number_counts_skipped_blank_lines(self) -> None:
        assert [(line.number, line.data) for line in cut(b"\n \t\none\r\n\n\r\ntwo")] == [(3, b"one"), (6, b"two")]

    def test_digest_ignores_the_line_ending(self) -> None:
        unix, windows, last = (cut(data)[0].digest for data in (b"one\n", b"one\r\n", b"one"))

        assert unix == windows == last == digest_of(b"one")
        assert cut(b"two\n")[0].digest != unix

    def test_first_line_drops_the_byte_order_mark(self) -> None:
        assert cut(b"\xef\xbb\xbfone\n\xef\xbb\xbftwo")[0] == InputLine(1, b"one", digest_of(b"one"))

    def test_too_long_lines_have_distinct_digests_and_do_not_stop_later_ones(self) -> None:
        first, second, after = cut(b"x" * 50 + b"\n" + b"y" * 50 + b"\nafter\n", [3])

        assert (first.too_long, first.data, second.too_long) == (True, b"", True)
        assert first.digest != second.digest
        assert (after.number, after.data, after.too_long) == (3, b"after", False)

    def test_may_be_exactly_as_long_as_the_limit(self) -> None:
        for end in (b"", b"\n", b"\r\n"):
            assert not cut(b"x" * SMALL + end)[0].too_long
            assert not cut(b"\xef\xbb\xbf" + b"x" * SMALL + end)[0].too_long
            assert cut(b"x" * (SMALL + 1) + end)[0].too_long

    def test_without_an_ending_is_not_buffered_in_full(self) -> None:
        cutter = InputLineSplitter(SMALL)
        for _ in range(1000):
            assert list(cutter.feed(b"x" * SMALL)) == []

        assert sum(map(len, cutter._pieces)) <= 2 * SMALL  # noqa: SLF001 - the test is about its buffer


@given(st.binary(max_size=60) | st.text("ab\r\n \ufeff", max_size=60).map(str.encode), st.lists(st.integers(1, 9)))
def test_any_cut_gives_the_same_lines(data: bytes, sizes: list[int]) -> None:
    assert cut(data, [*sizes, 3]) == cut(data)
