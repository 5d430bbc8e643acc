"""Makes the HTTP client for a server: by which proxy, trusting whom, over which transport; sends nothing."""

from __future__ import annotations

import os
from errno import ENOENT
from typing import TYPE_CHECKING

import httpx

from reflectty.errors import UsageError
from reflectty.terminal import system_environment
from reflectty.wire import shorten

if TYPE_CHECKING:
    import ssl

    from reflectty.engines.hosts import Address
    from reflectty.engines.proxies import Proxy


def local(address: Address) -> httpx.AsyncBaseTransport | None:
    """Return the transport for plain http to this machine; None leaves TLS, proxies and distance to httpx's own."""
    if not (address.loopback and address.url.startswith("http://")):
        return None
    from reflectty.engines.local import LocalTransport  # noqa: PLC0415 - loaded only where it is used

    return LocalTransport(address.socket_path)


def proxy_of(address: Address) -> Proxy | None:
    """Return the proxy that the environment puts before another machine.

    Raises:
        UsageError: it is asked in a way that nobody here speaks.
    """
    from reflectty.engines.proxies import proxy_to, unusable  # noqa: PLC0415 - this machine is asked without

    proxy = proxy_to(address, system_environment())
    if proxy is None:
        return None
    if reason := unusable(proxy):
        hint = f"with {httpx.URL(address.url).host} in NO_PROXY it is not needed; else see {proxy.variable}"
        raise UsageError(f"the proxy {proxy.place}, which {proxy.variable} names, cannot be used: {reason}", hint)
    return proxy


def client_for(
    address: Address,
    proxy: Proxy | None,
    connect_timeout: float,
    headers: dict[str, str],
    transport: httpx.AsyncBaseTransport | None,
) -> httpx.AsyncClient:
    """Make a client that reads nothing of the environment by itself and loads certificates only for TLS.

    Raises:
        UsageError: the proxy or certificate settings of the environment cannot be used.
    """
    timeout = httpx.Timeout(None, connect=connect_timeout)
    if transport is not None:
        return httpx.AsyncClient(headers=headers, trust_env=False, timeout=timeout, transport=transport)
    try:
        context = _trusted() if address.url.startswith("https://") else False
        secure = _trusted() if proxy and proxy.url.startswith("https://") else None
        return httpx.AsyncClient(
            headers=headers,
            verify=context,
            trust_env=False,
            timeout=timeout,
            follow_redirects=False,
            proxy=httpx.Proxy(proxy.url, ssl_context=secure) if proxy else None,
        )
    except (ValueError, OSError, httpx.InvalidURL) as error:
        where = f"the proxy that {proxy.variable} names" if proxy else "the server's address"
        raise UsageError(f"{where} cannot be used: {shorten(str(error))}") from error


def _trusted() -> ssl.SSLContext:
    """Return whom to believe over TLS: whom SSL_CERT_FILE and SSL_CERT_DIR name, else whom certifi does.

    Raises:
        UsageError: what they name is not there, or cannot be read.
    """
    import ssl  # noqa: PLC0415 - most servers are asked without

    environment = system_environment()
    file, folders = environment.get("SSL_CERT_FILE", ""), environment.get("SSL_CERT_DIR", "")
    if not file and not folders:
        return httpx.create_ssl_context(trust_env=False)
    if folders and not any(os.path.exists(folder) for folder in folders.split(os.pathsep)):  # noqa: PTH110 - never raises
        raise _unusable("SSL_CERT_DIR", folders, os.strerror(ENOENT))
    try:
        return ssl.create_default_context(cafile=file or None, capath=folders or None)
    except OSError as error:
        raise _unusable("SSL_CERT_FILE", file, error.strerror or str(error)) from error


def _unusable(variable: str, place: str, reason: str) -> UsageError:
    return UsageError(f"the certificates that {variable} names, {place}, cannot be used: {reason}", f"unset {variable}")
