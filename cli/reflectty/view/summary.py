"""The facts and remarks that summarize a reply: duration, tokens, corrections and what went wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.session import ReplyOrigin, ReplyStatus
from reflectty.core.text import format_count, format_duration

if TYPE_CHECKING:
    from reflectty.core.session import ProbedCorrection, Readings, ReplyMetrics, StoredReply

ORIGIN_LABELS = {
    ReplyOrigin.STEERED: "steered",
    ReplyOrigin.CONCLUDED: "concluded",
    ReplyOrigin.CONTINUED: "continued",
    ReplyOrigin.PROBED: "probed",
}
"""Labels for replies that did not simply come: steered, concluded, continued or probed."""


MIN_SHOWN_MS = 100
"""A shorter time is not shown."""


class SummaryFact(NamedTuple):
    """One part of the summary line; if the line is too long, the part with the highest rank is dropped first."""

    text: str
    rank: int
    strong: bool = False


def reading_facts(readings: Readings | None) -> tuple[SummaryFact, ...]:
    """The second thoughts that are sure: readings of ours, as opposed to tagged corrections, so each has a tilde."""
    if readings is None:
        return ()
    counts = (
        (readings.corrections, "correction", 2),
        (readings.checks, "check", 4),
        (readings.alternatives, "alternative", 5),
    )
    return tuple(SummaryFact(f"~{format_count(number, noun)}", rank) for number, noun, rank in counts if number)


def summary_facts(measured: ReplyMetrics, *, speed: bool = True) -> tuple[SummaryFact, ...]:
    """The known facts of a reply; without `speed`, all but the tokens per second."""
    thought = bool(measured.thinking_tokens or measured.corrections)
    ms = measured.thinking_ms if thought else measured.total_ms
    verb = "thought" if thought else "answered in" if ms >= MIN_SHOWN_MS else "answered"
    tokens = measured.thinking_tokens if thought else measured.answer_tokens
    found = (
        SummaryFact(timed(verb, ms) if tokens or thought else "", 0),
        SummaryFact(format_count(tokens, "token") if tokens else "", 2),
        SummaryFact(format_count(measured.corrections, "correction") if measured.corrections else "", 1, strong=True),
        *reading_facts(measured.readings),
        SummaryFact(ended_label(measured), 1),
        SummaryFact(f"{measured.tokens_per_second:.0f} tok/s" if speed and measured.tokens_per_second >= 1 else "", 3),
    )
    return tuple(fact for fact in found if fact.text)


def timed(verb: str, ms: float) -> str:
    """A verb with its duration, or alone if that is too short to tell anything."""
    return f"{verb} {format_duration(ms / 1000)}" if ms >= MIN_SHOWN_MS else verb


def ended_label(measured: ReplyMetrics) -> str:
    """What ended the thinking from outside, in a few words; empty if the model did."""
    reached = f"ended at the budget of {measured.budget}" if measured.budget else "ended at its budget"
    labels = {"budget": reached, "loop": "ended in a loop", "answer_now": "ended on request"}
    labels["settled"] = "ended: the answer stood"
    return labels.get(measured.ended_by, "")


def probed_label(one: ProbedCorrection) -> str:
    """What a correction was worth, in a few words: `changed the answer in 4 of 5`."""
    if not one.compared:
        return "probed: nothing to compare"
    return f"changed the answer in {one.changed or 'none'} of {one.compared}"


def remarks_on(stored: StoredReply) -> tuple[tuple[str, bool], ...]:
    """The remarks under a reply, uncleaned, each with whether it is an error."""
    wrong = {
        ReplyStatus.INTERRUPTED: stored.error.strip() or "stopped: the reply is incomplete",
        ReplyStatus.INCOMPLETE: stored.error.strip() or "the reply was cut off",
        ReplyStatus.FAILED: stored.error.strip() or "no reply",
    }.get(stored.ended, "")
    coming = (("still being written", False),) if stored.ended is ReplyStatus.STREAMING else ()
    warnings = tuple((text, False) for text in stored.warnings if text.strip() not in {wrong, ""})
    return (*warnings, *coming, *(((wrong, True),) if wrong else ()))


def control_character_remark(number: int) -> str:
    """The remark on control characters and invisible characters made visible; "" if there were none."""
    return f"{format_count(number, 'control character')} shown as text, such as ^[" if number else ""


def fit_facts(facts: tuple[SummaryFact, ...], width: int, separator: int) -> tuple[SummaryFact, ...]:
    """The facts that fit into a row, in order; `separator` is the width between two, in columns."""
    while len(facts) > 1 and sum(len(fact.text) + separator for fact in facts) - separator > width:
        last = max(facts, key=lambda fact: fact.rank)
        facts = tuple(fact for fact in facts if fact is not last)
    return facts
