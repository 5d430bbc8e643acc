"""Counts over stored replies: how long models thought, how often they turned, and when they settled on the answer.

It also plays the rule of `AnswerWatch` over the stored thinking: what would an end by it have saved and changed?
"""

from __future__ import annotations

from array import array
from itertools import islice
from statistics import fmean, median
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.segments import Kind
from reflectty.core.session import Readings, ReplyStatus
from reflectty.reasoning.loops import LoopDetector
from reflectty.reasoning.settled import settled_in
from reflectty.reasoning.short_answers import short_answer
from reflectty.reasoning.standing_answer import CHARACTERS, SPEAKS_OF_ANSWER, STATEMENTS, AnswerWatch, is_same_standing
from reflectty.reasoning.thought_reader import marks_in, readings_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.core.session import StoredReply
    from reflectty.reasoning.standing_answer import StandingAnswer

CHARACTERS_PER_TOKEN: Final = 4
"""A rough mean, where the tokens of a thinking were not counted."""
_LONGEST: Final = 200_000
"""Characters of a thinking in which repetition and answers are looked for."""
_SHORTEST_LOOP: Final = 1000
"""Loops are looked for in longer thinking only, as while it streams."""


class Distribution(NamedTuple):
    """The middle and the upper end of some numbers; all 0 if there are none."""

    mean: float = 0.0
    median: float = 0.0
    p90: float = 0.0


def distribution_of(values: Sequence[float]) -> Distribution:
    """The mean, the median, and the smallest value that nine tenths do not exceed."""
    if not values:
        return Distribution()
    return Distribution(fmean(values), median(values), sorted(values)[-(-len(values) * 9 // 10) - 1])


class SimulatedEnds(NamedTuple):
    """What an end at the first answer that stood would have done to thoughts that nothing had ended."""

    simulated: int = 0
    """Complete replies over which the rule was played."""
    ended: int = 0
    """Of these, how many it would have ended."""
    same: int = 0
    different: int = 0
    unread: int = 0
    """Ended where the final answer cannot be read, so that nothing can be compared."""
    tokens: int = 0
    """Tokens of thinking of all of them."""
    saved: int = 0
    """Tokens of thinking after the ends."""


class ThoughtStatistics:
    """Adds replies one by one, keeping a few numbers of each."""

    def __init__(self) -> None:
        self.replies = 0
        """Replies with thinking."""
        self.repeated = 0
        self.ended: dict[str, int] = {}
        """How many thoughts were ended from outside, by what ended them."""
        self.tagged_corrections = 0
        self.readings = Readings()
        self.complete = 0
        """Complete replies, in which an answer is looked for."""
        self.simulated_ends = SimulatedEnds()
        self._tokens, self._tokens_after = array("q"), array("q")
        self._shares = array("d")

    @property
    def tokens(self) -> Distribution:
        """Tokens thought."""
        return distribution_of(self._tokens)

    @property
    def settled(self) -> int:
        """Replies of which it can be read where the thinking settled on the answer."""
        return len(self._shares)

    @property
    def settled_share(self) -> float:
        """The median of the share of the thinking before the answer first stood, from 0 to 1."""
        return distribution_of(self._shares).median

    @property
    def tokens_after(self) -> Distribution:
        """Tokens thought after the answer first stood."""
        return distribution_of(self._tokens_after)

    def add(self, reply: StoredReply) -> None:
        """Count a reply; one without thinking counts nothing."""
        thinking = [(kind, text) for kind, text in reply.segments if kind is not Kind.ANSWER]
        text = "\n".join(block for _, block in thinking)[:_LONGEST]
        if not text.strip():
            return
        tokens = reply.measured.thinking_tokens or max(1, len(text) // CHARACTERS_PER_TOKEN)
        self.replies += 1
        self._tokens.append(tokens)
        self._count_turns(reply)
        by = reply.measured.ended_by
        if by:
            self.ended[by] = self.ended.get(by, 0) + 1
        self.repeated += by == "loop" or _repeats_itself(text)
        if reply.ended is ReplyStatus.COMPLETE:
            self._settle(reply, text, tokens)

    def include(self, other: ThoughtStatistics) -> None:
        """Add what others have counted."""
        self.replies += other.replies
        self.repeated += other.repeated
        self.tagged_corrections += other.tagged_corrections
        self.complete += other.complete
        self.readings = Readings(*map(sum, zip(self.readings, other.readings, strict=True)))
        self.simulated_ends = SimulatedEnds(*map(sum, zip(self.simulated_ends, other.simulated_ends, strict=True)))
        for by, count in other.ended.items():
            self.ended[by] = self.ended.get(by, 0) + count
        self._tokens += other._tokens
        self._tokens_after += other._tokens_after
        self._shares += other._shares

    def _count_turns(self, reply: StoredReply) -> None:
        found = reply.measured.readings
        found = readings_of(marks_in(reply.segments)) if found is None else found
        self.readings = Readings(*map(sum, zip(self.readings, found, strict=True)))
        self.tagged_corrections += sum(kind is Kind.REFLECTION for kind, _ in reply.segments)

    def _settle(self, reply: StoredReply, thinking: str, tokens: int) -> None:
        self.complete += 1
        if settled := settled_in(reply.segments):
            self._shares.append(settled.share)
            self._tokens_after.append(round(tokens * (1 - settled.share)))
        if not reply.measured.ended_by:
            self._play(_standing_in(thinking), reply.answer, tokens, len(thinking))

    def _play(self, stood: StandingAnswer | None, answer: str, tokens: int, length: int) -> None:
        ends = self.simulated_ends
        ends = ends._replace(simulated=ends.simulated + 1, tokens=ends.tokens + tokens)
        if stood:
            final = short_answer(answer)
            is_same = bool(final) and is_same_standing(stood.text, final)
            ends = ends._replace(
                ended=ends.ended + 1,
                same=ends.same + is_same,
                different=ends.different + (bool(final) and not is_same),
                unread=ends.unread + (not final),
                saved=ends.saved + tokens - round(tokens * min(1.0, stood.at / length)),
            )
        self.simulated_ends = ends


def _standing_in(thinking: str) -> StandingAnswer | None:
    """The answer that stood first; a thinking that cannot have one is not cut into sentences, which takes long."""
    mentions = sum(1 for _ in islice(SPEAKS_OF_ANSWER.finditer(thinking), STATEMENTS))
    may_stand = mentions >= STATEMENTS or (mentions and len(thinking) >= CHARACTERS)
    return AnswerWatch().feed(thinking) if may_stand else None


def _repeats_itself(thinking: str) -> bool:
    if len(thinking) < _SHORTEST_LOOP:
        return False
    detector = LoopDetector()
    return bool(detector.feed(thinking) or detector.close())


class StatisticsByModel:
    """The statistics of each model."""

    def __init__(self) -> None:
        self._models: dict[str, ThoughtStatistics] = {}

    def add(self, reply: StoredReply) -> None:
        """Count a reply."""
        self._models.setdefault(reply.model, ThoughtStatistics()).add(reply)

    @property
    def models(self) -> list[tuple[str, ThoughtStatistics]]:
        """The name and the statistics of each model that thought, the most replies first."""
        thought = ((name, found) for name, found in self._models.items() if found.replies)
        return sorted(thought, key=lambda pair: -pair[1].replies)

    @property
    def all(self) -> ThoughtStatistics:
        """The statistics of all models together."""
        total = ThoughtStatistics()
        for found in self._models.values():
            total.include(found)
        return total
