"""Formats sizes, percentages, durations and counts, and parses durations."""

from __future__ import annotations

import re

_STEP = 1000
_UNITS = ("B", "kB", "MB", "GB", "TB")
_SHORT = 10
"""Numbers below it get a decimal."""
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 7 * 86_400, "y": 365 * 86_400}
_CONTEXT_UNIT = 1024
"""Context lengths are powers of two."""


def format_bytes(number: float) -> str:
    """A number of bytes: `0 B`, `291 MB`, `4.9 GB`."""
    unit = 0
    while round(number) >= _STEP and unit < len(_UNITS) - 1:
        number /= _STEP
        unit += 1
    return f"{number:.1f} {_UNITS[unit]}" if unit and round(number, 1) < _SHORT else f"{round(number):,} {_UNITS[unit]}"


def format_context(tokens: int) -> str:
    """A context length: `128K` for 131,072 tokens, `500` for 500."""
    return f"{tokens // _CONTEXT_UNIT:,}K" if tokens >= _CONTEXT_UNIT and tokens % _CONTEXT_UNIT == 0 else f"{tokens:,}"


def format_percent(part: float, whole: float) -> str:
    """A part as `63 %`; 0 % and 100 % only if exact."""
    if whole <= 0:
        return "0 %"
    percent = round(100 * part / whole)
    return f"{100 if part >= whole else min(max(percent, 1 if part > 0 else 0), 99)} %"


def format_duration(seconds: float) -> str:
    """A readable duration: `0.4 s`, `12 s`, `2 min 5 s`."""
    if seconds < 1:
        return f"{seconds:.1g} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def parse_duration(text: str, units: str) -> float | None:
    """The seconds of a number with one of `units`: s, m, h, d, w, y, or a blank for a bare number; None without one."""
    found = re.fullmatch(r"(\d{1,9}(?:\.\d*)?|\.\d+)([a-z]?)", text.strip().lower(), re.ASCII)
    return float(found[1]) * _SECONDS[found[2]] if found and (found[2] or " ") in units else None


def format_count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def extent_of(text: str) -> tuple[int, str]:
    """The number of a text's lines and `lines`; of its characters if it is a single line."""
    lines = text.count("\n") + (not text.endswith("\n"))
    return (lines, "lines") if lines > 1 else (len(text), "characters")


def format_paste(text: str) -> str:
    """What stands for a long pasted text: `pasted 500 lines`."""
    number, unit = extent_of(text)
    return f"pasted {number:,} {unit}"
