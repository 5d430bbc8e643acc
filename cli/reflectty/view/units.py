"""Formats dates."""

from __future__ import annotations

from datetime import datetime

_MINUTE, _HOUR = 60, 3600
_DAYS_BY_NUMBER = 7
"""From this many days on, the date is shown instead of the number of days."""
UNKNOWN_TIME = "?"
UNDATED = "unknown date"


def format_age(then: float, now: float) -> str:
    """The time since `then`, both in seconds since 1970: `5 min ago`, `yesterday`, `12 Nov`."""
    begun, today = _local_time_of(then), _local_time_of(now)
    if begun is None or today is None:
        return UNKNOWN_TIME
    days = (today.date() - begun.date()).days
    passed = now - then
    if 0 <= passed < _HOUR:
        return "just now" if passed < _MINUTE else f"{int(passed // _MINUTE)} min ago"
    if days == 0 and passed >= 0:
        return f"{int(passed // _HOUR)} h ago"
    if 0 < days < _DAYS_BY_NUMBER:
        return "yesterday" if days == 1 else f"{days} days ago"
    return f"{begun.day} {begun:%b}" + ("" if begun.year == today.year else f" {begun.year}")


def format_clock(then: float, now: float, *, with_day: bool) -> str:
    """A time of the last week as `14:05`, `with_day` as `today 14:05` or `Mon 14:05`; an older one as `3 Nov`."""
    begun, today = _local_time_of(then), _local_time_of(now)
    if begun is None or today is None:
        return UNKNOWN_TIME
    days = (today.date() - begun.date()).days
    if days >= _DAYS_BY_NUMBER:
        return f"{begun.day} {begun:%b}" + ("" if begun.year == today.year else f" {begun.year}")
    day = "today" if days < 1 else "yesterday" if days == 1 else f"{begun:%a}"
    return f"{day} {begun:%H:%M}" if with_day else f"{begun:%H:%M}"


def format_day(then: float, now: float) -> str:
    """The day of a time of the last week as `today`, `yesterday` or `Monday`; an older one's month as `November`."""
    begun, today = _local_time_of(then), _local_time_of(now)
    if begun is None or today is None:
        return UNDATED
    days = (today.date() - begun.date()).days
    if days >= _DAYS_BY_NUMBER:
        return f"{begun:%B}" if begun.year == today.year else f"{begun:%B %Y}"
    return "today" if days < 1 else "yesterday" if days == 1 else f"{begun:%A}"


def format_date(then: float) -> str:
    """A time in seconds since 1970 as `12 November 2026, 09:30`."""
    begun = _local_time_of(then)
    return UNKNOWN_TIME if begun is None else f"{begun.day} {begun:%B} {begun.year}, {begun:%H:%M}"


def parse_timestamp(text: str) -> float | None:
    """Parse a server's timestamp, such as `2026-11-26T17:45:00.123456789Z`, into seconds since 1970."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (OverflowError, OSError, ValueError):
        return None


def _local_time_of(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds).astimezone()
    except (OverflowError, OSError, ValueError):
        return None
