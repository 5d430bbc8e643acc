"""The figures of a report in words: shares, intervals, differences and conclusions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.core.text import format_count
from reflectty.evaluation.summary import FEW, Conclusion

if TYPE_CHECKING:
    from reflectty.evaluation.ledger import Rate
    from reflectty.evaluation.summary import PairedDifference

MINUS, DASH = "\N{MINUS SIGN}", "\N{EN DASH}"
UNKNOWN = DASH
_SMALL_P = 0.001
_FINE_P = 0.1
_TENFOLD = 10
_MINUTE = 60


def percent(share: float) -> str:
    """A share as `62.5 %`."""
    return f"{100 * share:.1f} %"


def rate(one: Rate) -> str:
    """A rate as `62.5 %`; a dash if it is one of nothing."""
    return percent(one.share) if one.whole else UNKNOWN


def interval(one: Rate) -> str:
    """The interval of a rate in percent, with a dash: 48 to 60."""
    return f"{100 * one.low:.0f}{DASH}{100 * one.high:.0f}" if one.whole else UNKNOWN


def part_of(one: Rate) -> str:
    """A rate as `160/296`."""
    return f"{one.part:,}/{one.whole:,}"


def points(difference: float) -> str:
    """A difference of two shares in percentage points, with its sign: `+3.4`."""
    rounded = round(100 * difference, 1)
    return "0.0" if rounded == 0 else f"{'+' if rounded > 0 else MINUS}{abs(rounded):.1f}"


def spread(low: float, high: float) -> str:
    """The interval of a difference: `-6.1 to +6.7`, with a minus sign."""
    return f"{points(low)} to {points(high)}"


def p_value(p: float) -> str:
    """A p-value as `0.92`, `0.034` or `<0.001`."""
    if p < _SMALL_P:
        return f"<{_SMALL_P}"
    return f"{p:.3f}" if p < _FINE_P else f"{p:.2f}"


def signed_count(number: int) -> str:
    return f"{'+' if number > 0 else MINUS if number < 0 else ''}{abs(number):,}"


def amount(value: float) -> str:
    """A mean number of tokens: `928`."""
    return f"{value:,.0f}".replace("-", MINUS)


def seconds(value: float) -> str:
    """A time in seconds: `0.8 s`, `47 s`, `12.5 min`."""
    size = abs(value)
    sign = MINUS if value < 0 else ""
    if size >= _TENFOLD * _MINUTE:
        return f"{sign}{size / _MINUTE:,.1f} min"
    return f"{sign}{size:.1f} s" if size < _TENFOLD else f"{sign}{size:,.0f} s"


def conclusion_of(one: PairedDifference) -> str:
    """What the comparison of an arm with the baseline found, as a sentence without its full stop."""
    figures = f"{points(one.difference)} points, 95 %: {spread(one.low, one.high)}"
    match one.conclusion:
        case Conclusion.INTERIM:
            return (
                f"{one.arm}: interim, {one.asked:,} of {format_count(one.planned, 'question')} asked; "
                f"so far {figures} against {one.baseline}"
            )
        case Conclusion.UNSEEN:
            return (
                f"{one.arm}: no difference seen against {one.baseline} "
                f"(could be as large as {points(one.high)} / {points(one.low)} points){_limit_of_sight(one)}"
            )
        case _:
            return f"{one.arm}: {one.conclusion} against {one.baseline} ({figures}){_few(one)}"


def _limit_of_sight(one: PairedDifference) -> str:
    """What so many questions cannot show."""
    asked = format_count(one.pairs, "question")
    if one.visible is None:
        return f"; {asked} hardly show any gain"
    return f"; {asked} show only gains of about {100 * one.visible:.0f} points or more"


def _few(one: PairedDifference) -> str:
    return (
        f"; from {format_count(one.pairs, 'question')} only: ask more before relying on it" if one.pairs < FEW else ""
    )
