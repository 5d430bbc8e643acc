"""Parses server addresses by the rules of Ollama's OLLAMA_HOST.

The rules are `Host` and `ConnectableHost` of envconfig/config.go in Ollama, the same in 0.32.15 and 0.34.2.
Beyond them: `unix://` for a socket, and `user:password@` for a server behind Basic authentication.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote, unquote

from reflectty.core.errors import UsageError

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 11434
SCHEME_PORTS: Final = {"http": 80, "https": 443}
HIGHEST_PORT: Final = 65535
NAME: Final = re.compile(r"[\w.~-]+")
ZONED: Final = re.compile(r"\[?([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)%(?:25)?([^]:%]+)\]?(?::([^]:]*))?")
"""An address of IPv6 with a zone, and perhaps a port."""
VERSION: Final = re.compile(r"v[0-9]+[a-z0-9]*")
"""A part of a path that names the version of an API."""
FORM: Final = "write it as host:port, http://host:port/path, or unix:///path/to.sock"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is."""

    url: str
    """Scheme, host, port and path prefix, without a slash at the end."""
    socket_path: str = ""
    """The unix socket to connect to instead of the host and port of `url`."""
    loopback: bool = False
    """Whether it is this machine: no proxy is asked, and a key may go over http."""
    user: str = ""
    password: str = field(default="", repr=False)
    trusted: bool = False
    """Whether the user said that a key may go there whoever reads along."""
    warning: str = ""
    """What of the text could not be used as it was, for the user to read; often nothing."""
    api: str = "/v1"
    """Where below `url` the API of an OpenAI-compatible server begins; empty where `url` is that place."""
    label: str = ""
    """What the place is called where its address says nothing to the user."""

    @property
    def is_confidential(self) -> bool:
        """Whether nobody on the way can read a key that is sent, or the user does not mind."""
        return self.loopback or self.trusted or self.url.startswith("https://")

    def with_api_path(self, path: str, *, trusted: bool = False) -> Address:
        """Return the address that a path which it ends in begins at, and whether the user trusts the way there.

        The API of an OpenAI-compatible server is below `path`, which may be named or not. A path that names a version
        elsewhere, as `/api/paas/v4` and `/v1beta/openai` do, is that of the API itself.
        """
        scheme, _, rest = self.url.partition("://")
        place, _, below = rest.partition("/")
        *above, last = below.split("/")
        url, api = self.url, path
        if VERSION.fullmatch(last):
            url, api = f"{scheme}://{'/'.join((place, *above))}", f"/{last}"
        elif any(map(VERSION.fullmatch, above)):
            api = ""
        return replace(self, url=url, api=api, trusted=trusted)

    def url_of(self, path: str) -> str:
        """Return the URL of a path; one below `/v1` is below wherever the API is."""
        return f"{self.url}{self.api}{path.removeprefix('/v1')}" if path.startswith("/v1/") else self.url + path

    def __str__(self) -> str:
        where = self.url if self.api == "/v1" else self.url + self.api
        return self.label or (f"unix://{self.socket_path}" if self.socket_path else where)


BUILT_IN_ADDRESS: Final = Address(url="http://localhost", loopback=True, label="the built-in model")
"""Where the model is that needs no server; nothing is ever connected to at that address."""


def parse_host(text: str, default: int = DEFAULT_PORT) -> Address:
    """Return the address that a value of OLLAMA_HOST or `--host` names; empty is this machine at the default port.

    Raises:
        UsageError: the scheme is another one, or the host cannot be a host.
    """
    trimmed = text.strip().strip("\"'").strip()
    scheme, separator, rest = trimmed.partition("://")
    scheme = scheme.lower()
    if not separator:
        scheme, rest = "http", trimmed
        if trimmed == "ollama.com":
            scheme, default = "https", SCHEME_PORTS["https"]
    elif scheme == "unix":
        return _socket(rest)
    elif scheme in SCHEME_PORTS:
        default = SCHEME_PORTS[scheme]
    else:
        raise UsageError(f"a server is not reached by {scheme}://", FORM)
    return _address(scheme, rest, default)


def _socket(path: str) -> Address:
    if not path:
        raise UsageError("unix:// names no socket", FORM)
    return Address(url="http://localhost", socket_path=path, loopback=True)


def _address(scheme: str, rest: str, default: int) -> Address:
    """Return the address of `[user[:password]@]host[:port][/path]`."""
    place, _, path = rest.partition("/")
    login, _, hostport = place.rpartition("@")
    user, _, password = login.partition(":")
    host, port_text = _split(hostport)
    port, warning = _port(port_text, default)
    host = _connectable(host)
    path = quote(path.strip("/"), safe="/%:@+~")
    netloc = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return Address(
        url=f"{scheme}://{netloc}/{path}".rstrip("/"),
        loopback=_is_loopback(host),
        user=unquote(user),
        password=unquote(password),
        warning=warning,
    )


def _split(hostport: str) -> tuple[str, str | None]:
    """Return host and port; an IPv6 address with a port needs brackets, without one it needs none.

    The port is split off before the zone is looked at, which may be anything to Python, `eth0]:11434` too. In a URL
    the `%` before a zone is written `%25`.
    """
    if zoned := ZONED.fullmatch(hostport):
        return f"{zoned[1]}%{zoned[2]}", zoned[3]
    if _ip(hostport.strip("[]")):
        return hostport.strip("[]"), None
    host, separator, port = hostport.rpartition(":")
    if not separator:
        return hostport, None
    return host.strip("[]"), port


def _port(text: str | None, default: int) -> tuple[int, str]:
    if not text:
        return default, ""
    if re.fullmatch(r"[0-9]{1,9}", text) and int(text) <= HIGHEST_PORT:
        return int(text), ""
    return default, f"{text!r} is no port; {default} is used"


def _connectable(host: str) -> str:
    """Return a host that can be connected to: an address to listen on everywhere becomes this machine's."""
    address = _ip(host)
    if address is None:
        return _require_hostname(host) if host else DEFAULT_HOST
    if "%" in host:
        _require_hostname(host.partition("%")[2])
    if address.is_unspecified:
        return DEFAULT_HOST if address.version == 4 else "::1"  # noqa: PLR2004 - the version of the protocol
    return str(address)


def _require_hostname(host: str) -> str:
    if not NAME.fullmatch(host):
        raise UsageError(f"{host!r} cannot be a host", FORM)
    return host


def _is_loopback(host: str) -> bool:
    address = _ip(host)
    if address is None:
        return host.lower().rstrip(".") == "localhost" or host.lower().endswith(".localhost")
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
