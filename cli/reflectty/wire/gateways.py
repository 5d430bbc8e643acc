"""What stands before a server and answers in its place, told for what it is; no I/O.

nginx, Caddy, Apache and the balancers of clouds answer with pages, Cloudflare with 520 to 527 and 530 as well; Envoy
and Go's own reverse proxy with a line of text or with nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from reflectty.errors import BusyError, RefusedError, UnreachableError
from reflectty.wire.limits import TOO_MANY, of_busy
from reflectty.wire.values import is_page, shorten

if TYPE_CHECKING:
    from reflectty.errors import ReflecttyError

LOGIN: Final = (401, 407)
FORBIDDEN, TOO_LARGE = 403, 413
TIMED_OUT: Final = (504, 522, 524)
BEHIND: Final = frozenset({502, 503, 504, *range(520, 528), 530})
"""That the gateway is there, and the server behind it does not answer."""
WORTH_ASKING_AGAIN: Final = frozenset({429, 502, 503, 521, 523, 530})
"""Where a moment later it may be another answer: a time limit that was too short once is so again."""
_WANTS_TLS: Final = re.compile(rb"HTTP request (?:was sent )?to (?:an )?HTTPS (?:server|port)", re.IGNORECASE)
"""How Go's servers and nginx answer plain http at a port of https."""


def of_gateway(status: int, body: bytes, server: str, host_hint: str, key_names: str) -> ReflecttyError | None:
    """Return the error of an answer that is not the server's own; None where it may be.

    Args:
        status: of HTTP, other than 200.
        body: its beginning.
        server: what kind of server was meant.
        host_hint: what to do where it is another one.
        key_names: what a key for the server is called.
    """
    if _WANTS_TLS.search(body):
        return UnreachableError("the port that was asked in http speaks https", "write https:// before the host")
    if is_page(body):
        return _of_page(status, key_names) or UnreachableError(
            f"this is not {server}: a web page with HTTP {status}", host_hint
        )
    silent = not body.lstrip().startswith(b"{") and status in BEHIND and status != 503  # noqa: PLR2004 - as servers say it too
    return _behind(status) if silent else None


def _of_page(status: int, key_names: str) -> ReflecttyError | None:
    if status in LOGIN:
        who = "a proxy on the way" if status == 407 else "a gateway before the server"  # noqa: PLR2004 - the status of HTTP
        hint = f"write user:password@ before the host, or set {key_names} where it takes a key"
        return RefusedError(f"{who} wants a login (HTTP {status})", hint)
    if status == FORBIDDEN:
        return RefusedError("a gateway before the server lets nobody through (HTTP 403)", "it decides who may ask")
    if status == TOO_LARGE:
        hint = "send less, or raise its limit (nginx: client_max_body_size)"
        return RefusedError("a gateway before the server takes no request as large as this (HTTP 413)", hint)
    if status == TOO_MANY:
        return of_busy(status, "")
    return _behind(status) if status in BEHIND else None


def _behind(status: int) -> BusyError:
    message = f"a gateway answers, the server behind it does not (HTTP {status})"
    if status in TIMED_OUT:
        hint = "its time limit may be shorter than the thinking: raise it there (nginx: proxy_read_timeout)"
    else:
        hint = "ask again in a moment, or see whether the server behind it runs"
    return BusyError(shorten(message), hint)
