"""Times as people say them, in the zone of this machine; asks no clock."""

from __future__ import annotations

from datetime import datetime

_MINUTE, _HOUR = 60, 3600
_DAYS_BY_NUMBER = 7
"""From this many days on, a date says more than a number of days."""
UNKNOWN = "?"


def ago(then: float, now: float) -> str:
    """Return how long ago something was, both in seconds since 1970: `5 min ago`, `yesterday`, `12 Nov`."""
    begun, today = _local(then), _local(now)
    if begun is None or today is None:
        return UNKNOWN
    days = (today.date() - begun.date()).days
    passed = now - then
    if 0 <= passed < _HOUR:
        return "just now" if passed < _MINUTE else f"{int(passed // _MINUTE)} min ago"
    if days == 0 and passed >= 0:
        return f"{int(passed // _HOUR)} h ago"
    if 0 < days < _DAYS_BY_NUMBER:
        return "yesterday" if days == 1 else f"{days} days ago"
    return f"{begun.day} {begun:%b}" + ("" if begun.year == today.year else f" {begun.year}")


def date(then: float) -> str:
    """Return a time in seconds since 1970 as `12 November 2026, 09:30`."""
    begun = _local(then)
    return UNKNOWN if begun is None else f"{begun.day} {begun:%B} {begun.year}, {begun:%H:%M}"


def seconds(text: str) -> float | None:
    """Return a time as servers write it, such as `2026-11-26T17:45:00.123456789Z`, in seconds since 1970."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (OverflowError, OSError, ValueError):
        return None


def _local(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds).astimezone()
    except (OverflowError, OSError, ValueError):
        return None
