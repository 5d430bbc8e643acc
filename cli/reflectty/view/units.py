"""Formats dates, and the size and placement of models."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from reflectty.core.safety import clean_line
from reflectty.core.text import format_bytes, format_context, format_percent

if TYPE_CHECKING:
    from reflectty.core.messages import Model, RunningModel


_MINUTE, _HOUR = 60, 3600
_DAYS_BY_NUMBER = 7
"""From this many days on, the date is shown instead of the number of days."""
UNKNOWN_TIME = "?"


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


_DIGEST = 12
"""Digest characters that identify a model."""


def weights_of(model: Model) -> str:
    """A model's parameter count and quantization: `8.0B Q4_K_M`."""
    return clean_line(f"{model.parameter_size} {model.quantization}".strip(), 24)


def device_of(running: RunningModel) -> str:
    """The device of a loaded model: `GPU`, `CPU`, or `63 % GPU` if split."""
    if running.size_vram <= 0:
        return "CPU"
    return "GPU" if running.size_vram >= running.size else f"{format_percent(running.size_vram, running.size)} GPU"


def memory_of(running: RunningModel) -> str:
    """The memory of a loaded model, and the GPU's share if split."""
    split = 0 < running.size_vram < running.size
    return f"{format_bytes(running.size_vram)} of {format_bytes(running.size)}" if split else format_bytes(running.size)


def gpu_advice_of(running: RunningModel, name: str) -> str:
    """Advice for a model that does not fully fit on the GPU; "" if it does."""
    if running.size_vram >= running.size:
        return ""
    what = (
        f"{format_percent(running.size - running.size_vram, running.size)} of it runs"
        if running.size_vram > 0
        else "it runs"
    )
    return f"{what} on the CPU, which is slow: see `reflect models show {name}` for why, and for what would fit"


def placement_of(running: RunningModel) -> str:
    """Device, memory and context length of a loaded model in one line."""
    room = f" · context {format_context(running.context_length)}" if running.context_length else ""
    return f"{device_of(running)} · {memory_of(running)}{room}"


def short_digest_of(model: Model) -> str:
    """The beginning of a model's digest."""
    return clean_line(model.digest.removeprefix("sha256:")[:_DIGEST])
