from __future__ import annotations

import json
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflectty.batch.prompts import digest_of
from reflectty.batch.records import LineStatus, RecordKey, RecordSpan, ResumeIndex, parse_record_key

ONE, OTHER = digest_of(b"one"), digest_of(b"other")

WAY = "0123456789abcdef0123456789ab"


class Written(NamedTuple):
    """A record in a file."""

    line: int
    text: bytes = b"one"
    failed: bool = False

    @property
    def entry(self) -> RecordKey:
        return RecordKey(self.line, digest_of(self.text), self.failed)


WRITTEN = st.lists(st.builds(Written, st.integers(1, 9), st.sampled_from([b"one", b"other"]), st.booleans()))


def ledger_of(*records: Written) -> ResumeIndex:
    """The ledger of a file whose records are 10, 20, 30 … bytes long."""
    ledger = ResumeIndex()
    for number, record in enumerate(records, 1):
        ledger.add(record.entry, 10 * number)
    return ledger


def arranged(*records: Written, ordered: bool = True) -> list[RecordSpan] | None:
    spans = ledger_of(*records).spans_in_order(ordered=ordered)
    return None if spans is None else list(spans)


@pytest.mark.parametrize(
    ("record", "entry"),
    [
        ({"line": 3, "digest": ONE, "answer": "a"}, RecordKey(3, ONE, failed=False)),
        ({"line": 3, "digest": ONE, "fingerprint": WAY}, RecordKey(3, ONE, failed=False, fingerprint=WAY)),
        ({"line": 3, "digest": ONE, "fingerprint": "mine"}, RecordKey(3, ONE, failed=False)),
        ({"line": 3, "digest": ONE, "error": {}}, RecordKey(3, ONE, failed=True)),
        ({"line": "3", "digest": ONE}, None),
        ({"line": 0, "digest": ONE}, None),
        ({"line": 1 << 64, "digest": ONE}, None),
        ({"line": 3, "digest": "x" * 16}, None),
        ({"line": 3, "digest": ONE + "0"}, None),
        ({"line": 3}, None),
        ({"prompt": "why?"}, None),
        ([3], None),
    ],
)
def test_record_key_is_parsed_from_a_record(record: object, entry: RecordKey | None) -> None:
    assert parse_record_key(json.dumps(record).encode()) == entry


@given(st.binary(max_size=40))
def test_invalid_bytes_have_no_record_key(data: bytes) -> None:
    assert parse_record_key(data) is None


class TestResumeCursor:
    def test_distinguishes_answered_failed_changed_and_new_lines(self) -> None:
        records = (Written(5), Written(2), Written(3, failed=True), Written(7, b"other"), Written(9))
        earlier = ledger_of(*records).create_cursor()
        found = {line: earlier.status_of(line, ONE) for line in (1, 2, 3, 5, 7)}

        assert found == {
            1: LineStatus.NEW,
            2: LineStatus.ANSWERED,
            3: LineStatus.FAILED,
            5: LineStatus.ANSWERED,
            7: LineStatus.CHANGED,
        }
        assert earlier.remaining == 1

    def test_last_record_of_a_line_wins(self) -> None:
        assert ledger_of(Written(1, failed=True), Written(1)).create_cursor().status_of(1, ONE) is LineStatus.ANSWERED
        assert (
            ledger_of(Written(1), Written(1, b"other", failed=True)).create_cursor().status_of(1, ONE)
            is LineStatus.FAILED
        )

    def test_is_unaffected_by_records_added_later(self) -> None:
        ledger = ledger_of(Written(1))
        earlier = ledger.create_cursor()
        ledger.add(Written(2).entry, 10)

        assert earlier.status_of(2, ONE) is LineStatus.NEW

    @given(WRITTEN, st.sets(st.integers(1, 12)))
    def test_matches_a_dictionary_of_the_records(self, records: list[Written], asked: set[int]) -> None:
        earlier, known = ledger_of(*records).create_cursor(), {record.line: record for record in records}
        for line in sorted(asked):
            record = known.get(line)
            answered = record is not None and not record.failed
            expected = (
                LineStatus.NEW
                if record is None
                else (LineStatus.ANSWERED if record.text == b"one" else LineStatus.CHANGED)
                if answered
                else LineStatus.FAILED
            )
            assert earlier.status_of(line, ONE) is expected


class TestSpansInOrder:
    @pytest.mark.parametrize("ordered", [True, False])
    def test_is_none_if_everything_is_in_place(self, ordered: bool) -> None:
        assert ledger_of().spans_in_order(ordered=ordered) is None
        assert ledger_of(Written(1), Written(4), Written(5)).spans_in_order(ordered=ordered) is None

    def test_puts_the_lines_in_order(self) -> None:
        assert arranged(Written(3), Written(1), Written(2)) == [(10, 20), (30, 30), (0, 10)]

    def test_drops_superseded_records(self) -> None:
        again = (Written(3, failed=True), Written(1), Written(3))

        assert arranged(*again) == [(10, 20), (30, 30)]
        assert arranged(*again, ordered=False) == [(10, 20), (30, 30)]
        assert ledger_of(Written(3), Written(1)).spans_in_order(ordered=False) is None

    @given(WRITTEN)
    def test_contains_the_last_record_of_every_line_once(self, records: list[Written]) -> None:
        spans = arranged(*records)
        places = range(len(records)) if spans is None else [span.length // 10 - 1 for span in spans]
        last = {record.line: at for at, record in enumerate(records)}

        assert list(places) == [last[line] for line in sorted(last)]


def test_fingerprints_are_those_of_answered_lines() -> None:
    ledger = ResumeIndex()
    ledger.add(RecordKey(1, ONE, failed=False, fingerprint="a"), 1)
    ledger.add(RecordKey(2, OTHER, failed=True, fingerprint="b"), 1)

    assert ledger.fingerprints == {"a"}
