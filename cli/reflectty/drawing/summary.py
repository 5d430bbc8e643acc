"""What there is to say of a reply in a line: how long it thought, how much, how often it corrected itself, what failed.

Measures nothing and draws nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.session import Ended, Origin

if TYPE_CHECKING:
    from reflectty.session import Measured, Said

ORIGINS = {Origin.STEERED: "steered", Origin.CONCLUDED: "concluded", Origin.CONTINUED: "continued"}
"""What is said of a reply that the user had a hand in."""


class Fact(NamedTuple):
    """One part of the line; of a line that is too long the part with the highest rank goes first."""

    text: str
    rank: int
    strong: bool = False


def facts(measured: Measured) -> tuple[Fact, ...]:
    """Return what is known of a reply; what is unknown is left out."""
    thought = bool(measured.thinking_tokens or measured.corrections)
    verb, ms = ("thought", measured.thinking_ms) if thought else ("answered", measured.total_ms)
    said = measured.thinking_tokens if thought else measured.answer_tokens
    found = (
        Fact(f"{verb} {duration(ms / 1000)}" if ms >= 1 else "", 0),
        Fact(counted(said, "token") if said else "", 2),
        Fact(counted(measured.corrections, "correction") if measured.corrections else "", 1, strong=True),
        Fact(f"{measured.tokens_per_second:.0f} tok/s" if measured.tokens_per_second >= 1 else "", 3),
    )
    return tuple(fact for fact in found if fact.text)


def remarks(said: Said) -> tuple[tuple[str, bool], ...]:
    """Return what there is to say under a reply, uncleaned, and whether it went wrong."""
    wrong = {
        Ended.INTERRUPTED: said.error.strip() or "stopped: the reply is not complete",
        Ended.INCOMPLETE: said.error.strip() or "the reply was cut",
        Ended.FAILED: said.error.strip() or "nothing came of it",
    }.get(said.ended, "")
    coming = (("still being written", False),) if said.ended is Ended.STREAMING else ()
    warnings = tuple((text, False) for text in said.warnings if text.strip() not in {wrong, ""})
    return (*warnings, *coming, *(((wrong, True),) if wrong else ()))


def made_visible(number: int) -> str:
    """Return the remark on what a terminal would have obeyed, or a reader not seen; nothing where there was none."""
    return f"{counted(number, 'control character')} shown as text, such as ^[" if number else ""


def fitting(facts: tuple[Fact, ...], width: int, separator: int) -> tuple[Fact, ...]:
    """Return the facts that fit into a row, in order; `separator` is what stands between two, in columns."""
    while len(facts) > 1 and sum(len(fact.text) + separator for fact in facts) - separator > width:
        last = max(facts, key=lambda fact: fact.rank)
        facts = tuple(fact for fact in facts if fact is not last)
    return facts


def duration(seconds: float) -> str:
    """Return a time as people say it: `0.4 s`, `12 s`, `2 min 5 s`."""
    if seconds < 1:
        return f"{seconds:.1g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
