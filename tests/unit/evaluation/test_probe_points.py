from __future__ import annotations

import pytest

from reflectty.core.segments import Kind, SecondThoughtKind
from reflectty.evaluation.probe_points import (
    NEUTRAL_SENTENCE,
    ProbeMethod,
    begins_with_correction,
    points_of,
    prefix_with,
    prefix_without,
)
from reflectty.reasoning.families import FAMILIES, Family
from reflectty.reasoning.reply import Reply

REFLECTION, THINK = FAMILIES["reflection"], FAMILIES["think"]
TAGGED = (
    "<thinking>\nSo 9.11.\n<reflection>\nNo: 9.90.\n</reflection>\nSo 9.9.\n<reflection>\nYes.\n</reflection>\n"
    "</thinking>\n<output>\n9.9\n</output>"
)
FREE = "<think>\nI add 3 and 4. That is 8. Then 8 times 2 is 16. Wait! That is wrong, it is 7. So 14.\n</think>\n\n14"
SEGMENTS = tuple[tuple[Kind, str], ...]


def read(raw: str, family: Family) -> SEGMENTS:
    reply = Reply("m", family)
    reply.begin_from(raw)
    reply.close()
    return reply.segments


@pytest.mark.parametrize(
    ("raw", "family", "expected"),
    [
        (TAGGED, REFLECTION, ["No: 9.90.", "Yes."]),
        (FREE, THINK, ["Wait! That is wrong, it is 7."]),
        ("<think>\nFine.\n</think>\n\n14", THINK, []),
        ("14", THINK, []),
    ],
)
def test_tagged_and_read_corrections_are_numbered_in_order(raw: str, family: Family, expected: list[str]) -> None:
    points = points_of(read(raw, family))
    assert [point.text for point in points] == expected
    assert [point.number for point in points] == list(range(1, len(expected) + 1))
    assert all(point.kind is SecondThoughtKind.CORRECTION for point in points)
    assert all(point.is_tagged is (family is REFLECTION) for point in points)


@pytest.mark.parametrize(
    ("raw", "family", "number", "before", "through"),
    [
        (TAGGED, REFLECTION, 0, "<thinking>\nSo 9.11.", "\n<reflection>\nNo: 9.90.\n</reflection>"),
        (
            TAGGED,
            REFLECTION,
            1,
            "<thinking>\nSo 9.11.\n<reflection>\nNo: 9.90.\n</reflection>\nSo 9.9.",
            "\n<reflection>\nYes.\n</reflection>",
        ),
        (
            FREE,
            THINK,
            0,
            "<think>\nI add 3 and 4. That is 8. Then 8 times 2 is 16.",
            " Wait! That is wrong, it is 7.",
        ),
        ("<thinking><reflection>No.</reflection>", REFLECTION, 0, "<thinking>\n", "<reflection>\nNo.\n</reflection>"),
    ],
)
def test_prefixes_differ_by_the_correction_alone(
    raw: str, family: Family, number: int, before: str, through: str
) -> None:
    segments = read(raw, family)
    point = points_of(segments)[number]
    assert prefix_without(segments, point, family, ProbeMethod.RESAMPLE) == before
    assert prefix_with(segments, point, family) == before + through


def test_neutral_sentence_stands_in_place_of_the_correction() -> None:
    tagged, free = read(TAGGED, REFLECTION), read(FREE, THINK)
    in_tags = prefix_without(tagged, points_of(tagged)[0], REFLECTION, ProbeMethod.NEUTRAL)
    in_text = prefix_without(free, points_of(free)[0], THINK, ProbeMethod.NEUTRAL)
    assert in_tags == f"<thinking>\nSo 9.11.\n{NEUTRAL_SENTENCE}"
    assert in_text == f"<think>\nI add 3 and 4. That is 8. Then 8 times 2 is 16. {NEUTRAL_SENTENCE}"


@pytest.mark.parametrize(
    ("raw", "family", "continued", "expected"),
    [
        (TAGGED, REFLECTION, "<thinking>\nSo 9.11.\n<reflection>\nStop: 9.9 is more.", True),
        (TAGGED, REFLECTION, "<thinking>\nSo 9.11.\nDone.\n<reflection>\nNo: 9.90.", False),
        (TAGGED, REFLECTION, "<thinking>\nSo 9.11.\n</thinking>\n<output>\n9.11", False),
        (FREE, THINK, FREE, True),
        (FREE, THINK, "<think>\nI add 3 and 4. That is 8. Then 8 times 2 is 16. So 16.\n</think>\n\n16", False),
    ],
)
def test_correction_at_the_same_place_is_noticed(raw: str, family: Family, continued: str, expected: bool) -> None:
    segments = read(raw, family)
    assert begins_with_correction(segments, points_of(segments)[0], read(continued, family)) is expected
