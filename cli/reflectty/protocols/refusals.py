"""Errors for refusals by servers and gateways, with retry times.

LiteLLM passes on its provider's header as `llm_provider-retry-after`, and sends none of its own. OpenAI and Groq also
put the time in the text. Ollama's own service and OpenAI send 429 for weekly limits and exhausted credit, too.

nginx, Caddy, Apache and cloud load balancers respond with pages, Cloudflare also with 520 to 527 and 530; Envoy and
Go's own reverse proxy with a line of text or an empty body.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import BusyError, RefusedError, UnreachableError
from reflectty.protocols.decoding import is_page, shorten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.core.errors import ReflecttyError


TOO_MANY_REQUESTS: Final = 429
BUSY_STATUSES: Final = (TOO_MANY_REQUESTS, 503)
RETRY_HEADERS: Final = ("retry-after", "llm_provider-retry-after")
LONGEST_WAIT: Final = 3600.0
"""Seconds; a longer wait counts as a refusal."""
_SECONDS: Final = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_RETRY_TEXT: Final = r"(?:try|retry) (?:again )?(?:in|after) (?:(\d{1,4})m)?(\d{1,6}(?:\.\d{1,9})?) ?s"
_USED_UP: Final = r"usage limit|weekly|monthly|quota|billing|credit|spend"
_PERMANENT: Final = (
    r"must be|memory|unable to load|not supported|unsupported|does not support|invalid|no such|unknown|not found|db\b"
)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """The seconds to wait before a retry; None if the headers have none, or a date in the past.

    Args:
        headers: the response's headers, their names in lower case.
        now: seconds since 1970, for a date in place of a number.
    """
    for name in RETRY_HEADERS:
        text = headers.get(name, "").strip()
        if re.fullmatch(_SECONDS, text):
            return float(text)
        if text and (seconds := _date(text) - now) > 0:
            return seconds
    return None


def _date(text: str) -> float:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def retry_seconds_from(text: str) -> float:
    """The seconds to wait by a message; 0 if it has none."""
    match = re.search(_RETRY_TEXT, text, re.IGNORECASE)
    return int(match[1] or 0) * 60 + float(match[2]) if match else 0.0


def is_quota_exhausted(text: str) -> bool:
    """Whether a message is about a limit that is not lifted within minutes."""
    return bool(re.search(_USED_UP, text, re.IGNORECASE)) and not 0 < retry_seconds_from(text) <= LONGEST_WAIT


def busy_error_of(status: int, text: str) -> BusyError | RefusedError:
    """The error of HTTP 429 or 503 by the server's message."""
    limited = status == TOO_MANY_REQUESTS
    if limited and is_quota_exhausted(text):
        return RefusedError(f"the server refused: {text}", "waiting a moment does not lift this limit")
    message = f"the server is busy: {text or f'HTTP {status}'}"
    return BusyError(
        message, "try again in a moment", rate_limited=limited, retry_after=retry_seconds_from(text) if limited else 0.0
    )


def is_transient(status: int, text: str) -> bool:
    """Whether a retry may succeed after a server error."""
    return status in (500, 502, 504) and not re.search(_PERMANENT, text, re.IGNORECASE)


LOGIN: Final = (401, 407)
FORBIDDEN, TOO_LARGE = 403, 413
TIMED_OUT: Final = (504, 522, 524)
BACKEND_DOWN: Final = frozenset({502, 503, 504, *range(520, 528), 530})
"""The statuses of a gateway whose server does not respond."""
RETRYABLE_STATUSES: Final = frozenset({429, 502, 503, 521, 523, 530})
"""The statuses worth a retry; not the timeouts, which would expire again."""
_TLS_REQUIRED: Final = rb"HTTP request (?:was sent )?to (?:an )?HTTPS (?:server|port)"
"""How Go's servers and nginx respond to plain HTTP on an HTTPS port."""


def gateway_error_of(status: int, body: bytes, server: str, host_hint: str, key_names: str) -> ReflecttyError | None:
    """The error of a response that is not the server's own; None if it may be.

    Args:
        status: the HTTP status, other than 200.
        body: the beginning of the body.
        server: the expected kind of server.
        host_hint: the hint for another kind of server.
        key_names: the variables that hold a key for the server.
    """
    if re.search(_TLS_REQUIRED, body, re.IGNORECASE):
        return UnreachableError("the server speaks https, not http", "put https:// before the host")
    if is_page(body):
        return _page_error_of(status, key_names) or UnreachableError(
            f"this is not {server}: a web page with HTTP {status}", host_hint
        )
    silent = not body.lstrip().startswith(b"{") and status in BACKEND_DOWN and status != 503  # noqa: PLR2004 - servers send it too
    return _backend_error_of(status) if silent else None


def _page_error_of(status: int, key_names: str) -> ReflecttyError | None:
    if status in LOGIN:
        source = "a proxy" if status == 407 else "a gateway in front of the server"  # noqa: PLR2004 - the status of HTTP
        hint = f"put user:password@ before the host, or set {key_names} if it accepts a key"
        return RefusedError(f"{source} requires a login (HTTP {status})", hint)
    if status == FORBIDDEN:
        return RefusedError("a gateway in front of the server denies access (HTTP 403)", "check its access rules")
    if status == TOO_LARGE:
        hint = "send less, or raise its limit (nginx: client_max_body_size)"
        return RefusedError("a gateway in front of the server rejects requests this large (HTTP 413)", hint)
    if status == TOO_MANY_REQUESTS:
        return busy_error_of(status, "")
    return _backend_error_of(status) if status in BACKEND_DOWN else None


def _backend_error_of(status: int) -> BusyError:
    message = f"a gateway responds, but the server behind it does not (HTTP {status})"
    if status in TIMED_OUT:
        hint = "its timeout may be shorter than the thinking: raise it there (nginx: proxy_read_timeout)"
    else:
        hint = "try again in a moment, or check that the server behind it is running"
    return BusyError(shorten(message), hint)
