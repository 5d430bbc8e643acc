"""Explains why a server could not be reached: proxies, certificates, HTTP instead of HTTPS.

OpenSSL reports a response without TLS as a wrong version number. h11, which parses HTTP for httpx's own transport,
reports the TLS that an https port sends to plain http as an illegal request line, and names its own states when a
server hangs up.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

import httpx

from reflectty.core.errors import UnreachableError
from reflectty.core.named_tuple import NamedTuple
from reflectty.protocols import http
from reflectty.protocols.ollama import shorten

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reflectty.engines.connection import ServerProfile
    from reflectty.engines.hosts import Address
    from reflectty.engines.proxies import Proxy

CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "UNKNOWN_PROTOCOL", "HTTP_REQUEST")
_UNTRUSTED: Final = "CERTIFICATE_VERIFY_FAILED"
_TLS: Final = ("illegal request line", http.TLS)
_CLOSED: Final = "role=SERVER"
_LOGIN_REQUIRED: Final = "407"


class Route(NamedTuple):
    """The route to a server, and the wording of messages about it."""

    address: Address
    profile: ServerProfile
    proxy: Proxy | None
    environment: Mapping[str, str]

    def error(
        self, error: httpx.HTTPError | httpx.InvalidURL, connect_seconds: float, other_server_hint: str = ""
    ) -> UnreachableError:
        """The error for a request without a response; `other_server_hint` says how to use another server."""
        timed_out = isinstance(error, httpx.ConnectTimeout)
        reason = f"no connection within {connect_seconds:g} s" if timed_out else _reason(error)
        tls = next((tls_reason for cause in _causes(error) if (tls_reason := getattr(cause, "reason", None))), "")
        if tls == _UNTRUSTED:
            return self._certificate_error(error)
        if tls in _NO_TLS:
            return self._no_tls_error()
        if isinstance(error, httpx.ProxyError):
            return self._proxy_refusal_error(reason)
        if isinstance(error, httpx.ConnectTimeout | httpx.ConnectError | httpx.InvalidURL):
            if self.proxy and not tls:
                return self._proxy_unreachable_error(reason)
            message = f"cannot reach {self.address}: {reason}"
            return UnreachableError(message, self.profile.start_hint, other_server_hint=other_server_hint)
        return self._not_http_error(error, reason)

    def _certificate_error(self, error: BaseException) -> UnreachableError:
        reason = next((text for cause in _causes(error) if (text := getattr(cause, "verify_message", ""))), "")
        message = f"the certificate of {self.address} is not trusted: {shorten(reason) or 'it cannot be verified'}"
        named = [f"{name}={self.environment[name]}" for name in CERTIFICATES if self.environment.get(name)]
        if named:
            hint = f"add its issuer's certificate to {' or '.join(named)}"
        else:
            hint = (
                "set SSL_CERT_FILE to a file with its issuer's certificate, or SSL_CERT_DIR to a folder of certificates"
            )
        return UnreachableError(message, hint)

    def _no_tls_error(self) -> UnreachableError:
        if self.proxy and self.proxy.url.startswith("https://"):
            message = f"the proxy {self.proxy.address} (from {self.proxy.variable}) does not speak https"
            return UnreachableError(message, f"set {self.proxy.variable}=http://{_without_scheme(self.proxy.address)}")
        plain = "http" + self.address.url.removeprefix("https")
        return UnreachableError(f"{self.address} does not speak https", f"try {plain}")

    def _proxy_unreachable_error(self, reason: str) -> UnreachableError:
        proxy, hint = self._proxy_label(), self.bypass_hint()
        return UnreachableError(f"cannot reach {proxy} for {self.address}: {reason}", hint)

    def _proxy_refusal_error(self, reason: str) -> UnreachableError:
        assert self.proxy  # noqa: S101 - a ProxyError implies a proxy
        login_hint = f"set its login: {self.proxy.variable}=http://user:password@{_without_scheme(self.proxy.address)}"
        hint = login_hint if _LOGIN_REQUIRED in reason else self.bypass_hint()
        return UnreachableError(f"{self._proxy_label()} refuses to connect to {self.address}: {reason}", hint)

    def _proxy_label(self) -> str:
        return f"the proxy {self.proxy.address} (from {self.proxy.variable})" if self.proxy else "the server"

    def bypass_hint(self) -> str:
        """The hint how to bypass the proxy."""
        assert self.proxy  # noqa: S101 - called only with a proxy
        host = httpx.URL(self.address.url).host
        return f"add {host} to NO_PROXY to connect directly, or check {self.proxy.variable}"

    def _not_http_error(self, error: httpx.HTTPError | httpx.InvalidURL, reason: str) -> UnreachableError:
        """The error for a response that is not HTTP; an https port answers plain http with TLS or hangs up."""
        secure = "https" + self.address.url.removeprefix("http")
        plain = self.address.url.startswith("http://") and not self.address.socket_path
        if plain and any(text in reason for text in _TLS):
            message = f"{self.address} does not speak http: it responds with https"
            return UnreachableError(message, f"use {secure}")
        if _CLOSED in reason:
            reason = http.CLOSED
        message = f"{self.address} does not respond like {self.profile.label}: {reason}"
        if plain and isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
            return UnreachableError(message, f"{self.profile.host_hint}; if it speaks https, use {secure}")
        return UnreachableError(message, self.profile.host_hint)


def _without_scheme(address: str) -> str:
    return re.sub(r"^\w+://", "", address).rstrip("/")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and its causes, the innermost last."""
    cause: BaseException | None = error
    seen: list[BaseException] = []
    # An asyncio stream raises the same exception repeatedly: the chain may lead back to itself.
    while cause is not None and cause not in seen:
        seen.append(cause)
        if isinstance(cause, BaseExceptionGroup):
            cause = cause.exceptions[0]
        yield cause
        cause = cause.__cause__ or cause.__context__


def _reason(error: BaseException) -> str:
    """The operating system's message from an inner cause, else the error's own."""
    message = str(error)
    for cause in _causes(error):
        if isinstance(cause, OSError) and cause.strerror:
            message = _strerror(cause) or message
    return shorten(message).rstrip(".") or type(error).__name__


def _strerror(error: OSError) -> str | None:
    """The message of an errno: asyncio's connection errors contain another one, with the address."""
    connecting = type(error) is OSError or isinstance(error, ConnectionError)
    return os.strerror(error.errno) if connecting and error.errno else error.strerror
