"""The corrections of a reply that can be probed, and the beginnings of a reply with and without one of them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import Kind, SecondThoughtKind
from reflectty.reasoning.sentences import SentenceScanner
from reflectty.reasoning.steering import closed_draft_of, open_thinking
from reflectty.reasoning.thought_reader import marks_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.reasoning.families import Family
    from reflectty.reasoning.thought_reader import ThoughtMark

    Segments = Sequence[tuple[Kind, str]]

NEUTRAL_SENTENCE: Final = "Let me continue."
"""What stands in place of a correction: it adds nothing, and takes nothing back."""
SHORTEST_SENTENCE: Final = 16
"""Characters below which a sentence (Wait! No.) belongs to the one after it."""


class ProbeMethod(StrEnum):
    """What a reply goes on with where a correction is left out."""

    RESAMPLE = "resample"
    """Whatever the model says there, which may be a correction again (Thought Anchors, arXiv 2506.19143)."""
    NEUTRAL = "neutral"
    """A sentence that says nothing, and what the model says after it."""


class ProbePoint(NamedTuple):
    """A correction of a reply, tagged or read, and where it stands."""

    number: int
    """Counted from 1 in the order of the reply."""
    kind: SecondThoughtKind
    text: str
    """The correction, or its first sentence or two if it was read in free thinking."""
    segment: int
    """The number of its segment."""
    start: int = 0
    """Characters of the segment before it."""
    end: int = 0
    """Characters of the segment up to its end."""
    is_tagged: bool = False
    is_sure: bool = True
    """False for a reading that may be wrong."""

    @property
    def is_correction(self) -> bool:
        """Whether it takes something back, as opposed to a check or an alternative."""
        return self.kind is SecondThoughtKind.CORRECTION


def points_of(segments: Segments) -> tuple[ProbePoint, ...]:
    """The tagged corrections of a reply and the second thoughts read in its free thinking, in order."""
    tagged = [
        ProbePoint(0, SecondThoughtKind.CORRECTION, text, number, 0, len(text), is_tagged=True)
        for number, (kind, text) in enumerate(segments)
        if kind is Kind.REFLECTION and text.strip()
    ]
    read = [_point_at(segments, mark) for mark in marks_in(segments)]
    ordered = sorted((*tagged, *read), key=lambda point: (point.segment, point.start))
    return tuple(point._replace(number=number) for number, point in enumerate(ordered, 1))


def _point_at(segments: Segments, mark: ThoughtMark) -> ProbePoint:
    text = segments[mark.block][1]
    end = _end_of_thought(text, mark.at)
    return ProbePoint(0, mark.kind, text[mark.at : end], mark.block, mark.at, end, is_sure=mark.is_sure)


def _end_of_thought(text: str, start: int) -> int:
    """The end of the sentence that starts there, or of the one after it if that is an interjection."""
    scanner = SentenceScanner()
    rest = text[start:]
    found = [sentence for sentence in (*scanner.feed(rest), *scanner.close()) if sentence.is_whole]
    ends = [*(sentence.start for sentence in found[1:]), len(rest)]
    is_short = bool(found) and len(found[0].text) < SHORTEST_SENTENCE
    return start + len(rest[: ends[min(int(is_short), len(ends) - 1)]].rstrip())


def prefix_with(segments: Segments, point: ProbePoint, family: Family) -> str:
    """The raw beginning of the reply up to the end of the correction."""
    kind, text = segments[point.segment]
    written = ((kind, text[: point.end]),)
    return open_thinking(family, closed_draft_of((*segments[: point.segment], *written), family))


def prefix_without(segments: Segments, point: ProbePoint, family: Family, method: ProbeMethod) -> str:
    """The raw beginning of the reply up to the correction, or with a neutral sentence in its place."""
    text = segments[point.segment][1][: point.start]
    neutral = NEUTRAL_SENTENCE if method is ProbeMethod.NEUTRAL else ""
    written = ((Kind.THINKING, text + neutral),) if text + neutral else ()
    return open_thinking(family, closed_draft_of((*segments[: point.segment], *written), family))


def begins_with_correction(segments: Segments, point: ProbePoint, continued: Segments) -> bool:
    """Whether a reply that went on without a correction turned on itself at the same place.

    Args:
        segments: those of the reply with the correction.
        point: the correction.
        continued: the segments of the reply that went on without it.
    """
    before = _text_before(segments, point.segment, point.start)
    return any(
        other.kind is point.kind and _text_before(continued, other.segment, other.start) == before
        for other in points_of(continued)
    )


def _text_before(segments: Segments, number: int, length: int) -> tuple[str, ...]:
    """The words before a place."""
    texts = (*(text for _, text in segments[:number]), segments[number][1][:length])
    return tuple(" ".join(texts).split())
