"""What servers say of their limits: how long to wait, and where waiting does not help; no I/O.

LiteLLM passes on the header of the service behind it as `llm_provider-retry-after`, and sends none of its own. OpenAI
and Groq say it in the text too. Ollama's own service and OpenAI answer 429 as well where the limit is one of a week or
of what was paid for.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.errors import BusyError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Mapping

TOO_MANY: Final = 429
BUSY: Final = (TOO_MANY, 503)
HEADERS: Final = ("retry-after", "llm_provider-retry-after")
LONGEST_WAIT: Final = 3600.0
"""Seconds; whoever says to wait longer says no."""
_SECONDS: Final = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_SAID: Final = re.compile(
    r"(?:try|retry) (?:again )?(?:in|after) (?:(\d{1,4})m)?(\d{1,6}(?:\.\d{1,9})?) ?s", re.IGNORECASE
)
_USED_UP: Final = re.compile(r"usage limit|weekly|monthly|quota|billing|credit|spend", re.IGNORECASE)
_STAYS: Final = re.compile(
    r"must be|memory|unable to load|not supported|unsupported|does not support|invalid|no such|unknown|not found|db\b",
    re.IGNORECASE,
)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds after which a server wants to be asked again; None where it says none that lie ahead.

    Args:
        headers: of its answer, their names in small letters.
        now: seconds since 1970, for a date in place of a number.
    """
    for name in HEADERS:
        text = headers.get(name, "").strip()
        if _SECONDS.fullmatch(text):
            return float(text)
        if text and (ahead := _date(text) - now) > 0:
            return ahead
    return None


def _date(text: str) -> float:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - few answers have one

    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def said(text: str) -> float:
    """Return the seconds that a message says to wait; 0 where it says none."""
    found = _SAID.search(text)
    return int(found[1] or 0) * 60 + float(found[2]) if found else 0.0


def is_used_up(text: str) -> bool:
    """Whether a message is about a limit that no waiting of minutes lifts."""
    return bool(_USED_UP.search(text)) and not 0 < said(text) <= LONGEST_WAIT


def of_busy(status: int, text: str) -> BusyError | RefusedError:
    """Return the error of HTTP 429 or 503 by what the server said."""
    limited = status == TOO_MANY
    if limited and is_used_up(text):
        return RefusedError(f"the server refused: {text}", "this limit is not lifted by waiting a moment")
    message = f"the server is busy: {text or f'HTTP {status}'}"
    return BusyError(message, "ask again in a moment", limited=limited, retry_after=said(text) if limited else 0.0)


def may_pass(status: int, text: str) -> bool:
    """Whether a server that failed at a request may well not fail the next time."""
    return status in (500, 502, 504) and not _STAYS.search(text)
