"""Amounts as people say them: bytes, tokens, shares; measures nothing."""

from __future__ import annotations

_STEP = 1000
_UNITS = ("B", "kB", "MB", "GB", "TB")
_SHORT = 10
"""Below it, a number gets a decimal."""
_THOUSAND = 1024
"""Contexts are made in powers of two."""


def size(number: float) -> str:
    """Return a number of bytes: `0 B`, `291 MB`, `4.9 GB`."""
    unit = 0
    while round(number) >= _STEP and unit < len(_UNITS) - 1:
        number /= _STEP
        unit += 1
    return f"{number:.1f} {_UNITS[unit]}" if unit and round(number, 1) < _SHORT else f"{round(number):,} {_UNITS[unit]}"


def context(tokens: int) -> str:
    """Return the length of a context: `128K` for 131,072 tokens, `500` for 500."""
    return f"{tokens // _THOUSAND:,}K" if tokens >= _THOUSAND and tokens % _THOUSAND == 0 else f"{tokens:,}"


def share(part: float, whole: float) -> str:
    """Return a part as `63 %`; 0 % and 100 % only where they are true."""
    if whole <= 0:
        return "0 %"
    percent = round(100 * part / whole)
    return f"{100 if part >= whole else min(max(percent, 1 if part > 0 else 0), 99)} %"
