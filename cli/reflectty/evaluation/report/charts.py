"""Charts of a report, as SVG: accuracies, paired differences, fixed and broken answers, tokens against accuracy."""

from __future__ import annotations

from html import escape
from math import ceil, floor, log10
from typing import TYPE_CHECKING, Final

from reflectty.core.named_tuple import NamedTuple
from reflectty.core.safety import clean_line
from reflectty.evaluation.report import words
from reflectty.evaluation.summary import Conclusion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reflectty.evaluation.ledger import Ledger
    from reflectty.evaluation.summary import ArmSummary, PairedDifference

_WIDTH: Final = 560
_LABELS: Final = 150
"""The width of the names of the arms."""
_VALUES: Final = 70
"""The width of the figures at the right."""
_ROW: Final = 30
_AXIS: Final = 26
_MAX_LABEL: Final = 20
_LETTER: Final = 7
"""The width of a letter, about."""
_MIN_REACH: Final = 0.05
"""A chart of differences shows at least so many points to each side, as a share."""


class _Scale(NamedTuple):
    """A linear scale from values to positions."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The position of a value; outside, that of the nearer end."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def accuracy_chart(arms: Sequence[ArmSummary]) -> str:
    """A row for each arm: its right answers with their interval."""
    scale = _Scale(0, 1, _LABELS, _WIDTH - _VALUES)
    parts = [*_axis(scale, len(arms), ((share / 4, f"{25 * share} %") for share in range(5)))]
    for number, one in enumerate(arms):
        rate = one.accuracy
        y = _row_at(number)
        parts += [_label(one.name, y), _value(words.rate(rate), y)]
        if rate.whole:
            parts.append(_interval(scale, y, (rate.low, rate.share, rate.high), "baseline" if number == 0 else "arm"))
    return _figure("Right answers, with 95 % intervals", "".join(parts), _height(len(arms)))


def difference_chart(found: Sequence[PairedDifference]) -> str:
    """A row for each arm but the baseline: its difference in points with its interval, and a line at zero."""
    reach = max(_MIN_REACH, *(abs(bound) for one in found for bound in (one.low, one.high)))
    reach = ceil(20 * reach) / 20
    scale = _Scale(-reach, reach, _LABELS, _WIDTH - _VALUES)
    ticks = ((share, words.points(share)) for share in (-reach, -reach / 2, 0, reach / 2, reach))
    parts = [*_axis(scale, len(found), ticks), _line(scale.at(0), 0, scale.at(0), len(found) * _ROW, "zero")]
    for number, one in enumerate(found):
        y = _row_at(number)
        parts += [_label(one.arm, y), _value(words.points(one.difference), y)]
        parts.append(_interval(scale, y, (one.low, one.difference, one.high), _COLORS.get(one.conclusion, "unseen")))
    title = f"Difference from {_short(found[0].baseline)} in points, with 95 % intervals"
    return _figure(title, "".join(parts), _height(len(found)))


_COLORS: Final = {Conclusion.GAIN: "good", Conclusion.LOSS: "bad"}


def ledger_chart(ledgers: Sequence[Ledger]) -> str:
    """A row for each arm that has drafts: broken answers to the left of a line, fixed ones to the right."""
    most = max(1, *(number for one in ledgers for number in (one.fixed, one.broken)))
    scale = _Scale(-most, most, _LABELS + 30, _WIDTH - _VALUES - 30)
    middle = scale.at(0)
    parts = [_line(middle, 0, middle, len(ledgers) * _ROW, "zero")]
    for number, one in enumerate(ledgers):
        y = _row_at(number)
        left, right = scale.at(-one.broken), scale.at(one.fixed)
        parts += [_label(one.arm, y), _value(words.signed_count(one.net), y)]
        parts += [_bar(left, middle, y, "bad"), _bar(middle, right, y, "good")]
        parts += [_text(left - 6, y + 4, f"{one.broken:,}", "end"), _text(right + 6, y + 4, f"{one.fixed:,}", "start")]
    below = len(ledgers) * _ROW + 16
    parts += [_text(middle - 10, below, "broken", "end", "tick"), _text(middle + 10, below, "fixed", "start", "tick")]
    return _figure("Right drafts that were broken, wrong drafts that were fixed", "".join(parts), _height(len(ledgers)))


_PLOT_HEIGHT: Final = 220
_PLOT_LEFT: Final = 46


def cost_chart(arms: Sequence[ArmSummary]) -> str:
    """Tokens per answer, on a logarithmic scale, against right answers."""
    shown = [one for one in arms if one.accuracy.whole and one.tokens > 0]
    if not shown:
        return ""
    across = _token_scale([one.tokens for one in shown])
    up = _share_scale([bound for one in shown for bound in (one.accuracy.low, one.accuracy.high)])
    parts = [*_grid(across, up)]
    for number, one in enumerate(shown):
        x, y = across.at(log10(one.tokens)), up.at(one.accuracy.share)
        color = "baseline" if one is arms[0] else "arm"
        parts.append(_line(x, up.at(one.accuracy.low), x, up.at(one.accuracy.high), f"range {color}"))
        parts.append(f'<circle cx="{x}" cy="{y}" r="5" class="{color}"/>')
        is_right = x < _WIDTH - _LETTER * len(_short(one.name)) - 20
        offset = -8 if number % 2 == 0 else 16
        parts.append(_text(x + (9 if is_right else -9), y + offset, _short(one.name), "start" if is_right else "end"))
    return _figure("Tokens per answer, and right answers", "".join(parts), _PLOT_HEIGHT + _AXIS)


def _token_scale(tokens: Sequence[float]) -> _Scale:
    """A logarithmic scale that begins and ends at a power of ten, or at a third of one."""
    steps = [round(log10(one), 3) for exponent in range(-1, 9) for one in (10**exponent, 3 * 10**exponent)]
    low, high = log10(min(tokens)) - 0.1, log10(max(tokens)) + 0.1
    start = max((step for step in steps if step <= low), default=steps[0])
    end = min((step for step in steps if step >= high), default=steps[-1])
    return _Scale(start, end, _PLOT_LEFT, _WIDTH - 20)


def _share_scale(bounds: Sequence[float]) -> _Scale:
    """A scale of shares that begins and ends at a tenth."""
    low, high = floor(10 * min(bounds)) / 10, ceil(10 * max(bounds)) / 10
    return _Scale(low, max(high, low + 0.1), _PLOT_HEIGHT, 10)


def _grid(across: _Scale, up: _Scale) -> Iterator[str]:
    for tenth in range(round(10 * up.low), round(10 * up.high) + 1):
        y = up.at(tenth / 10)
        yield _line(_PLOT_LEFT, y, _WIDTH - 20, y, "grid")
        yield _text(_PLOT_LEFT - 6, y + 4, f"{10 * tenth} %", "end", "tick")
    for exponent in range(9):
        for factor in (1, 3):
            place = log10(factor * 10**exponent)
            if across.low - 0.01 <= place <= across.high + 0.01:
                label = f"{factor * 10**exponent:,}"
                yield _text(across.at(place), _PLOT_HEIGHT + 18, label, "middle", "tick")


def _row_at(number: int) -> float:
    return number * _ROW + _ROW / 2


def _height(rows: int) -> int:
    return rows * _ROW + _AXIS


def _axis(scale: _Scale, rows: int, ticks: Iterable[tuple[float, str]]) -> Iterator[str]:
    """The lines of an axis, and their labels below as far as they have room."""
    for value, label in ticks:
        x = scale.at(value)
        yield _line(x, 0, x, rows * _ROW, "grid")
        yield _text(x, rows * _ROW + 16, label, "middle", "tick")


def _interval(scale: _Scale, y: float, values: tuple[float, float, float], color: str) -> str:
    low, middle, high = map(scale.at, values)
    ends = "".join(_line(x, y - 5, x, y + 5, f"range {color}") for x in (low, high))
    return f'{_line(low, y, high, y, f"range {color}")}{ends}<circle cx="{middle}" cy="{y}" r="5" class="{color}"/>'


def _bar(left: float, right: float, y: float, color: str) -> str:
    return f'<rect x="{left}" y="{y - 8}" width="{round(right - left, 1)}" height="16" class="{color}"/>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" class="{kind}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "name") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" class="{kind}">{escape(text)}</text>'


def _label(name: str, y: float) -> str:
    return _text(_LABELS - 14, y + 4, _short(name), "end")


def _value(text: str, y: float) -> str:
    return _text(_WIDTH - 4, y + 4, text, "end", "value")


def _short(name: str) -> str:
    return clean_line(name, _MAX_LABEL)


def _figure(title: str, body: str, height: int) -> str:
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}">{body}</svg></figure>'
    )
