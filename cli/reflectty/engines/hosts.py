"""Parses server addresses by the rules of Ollama's OLLAMA_HOST.

The rules are `Host` and `ConnectableHost` of envconfig/config.go in Ollama, the same in 0.32.15 and 0.34.2.
Beyond them: `unix://` for a socket, and `user:password@` for a server behind Basic authentication.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import quote, unquote

from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 11434
SCHEME_PORTS: Final = {"http": 80, "https": 443}
HIGHEST_PORT: Final = 65535
MAX_PORT_DIGITS: Final = 9
NAME: Final = r"[\w.~-]+"
ZONED: Final = r"\[?([0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)%(?:25)?([^]:%]+)\]?(?::([^]:]*))?"
"""An IPv6 address with a zone and an optional port."""
VERSION: Final = r"v[0-9]+[a-z0-9]*"
"""A path segment that names the version of an API."""
FORM: Final = "write it as host:port, http://host:port/path, or unix:///path/to.sock"


class Address(NamedTuple):
    """Address of a server."""

    url: str
    """Scheme, host, port and path prefix, without a trailing slash."""
    socket_path: str = ""
    """The unix socket to connect to instead of the host and port of `url`."""
    loopback: bool = False
    """Whether it is this machine: no proxy is used, and a key may go over http."""
    user: str = ""
    password: str = ""
    trusted: bool = False
    """Whether the user allows sending a key over an unencrypted connection."""
    warning: str = ""
    """A warning about parts of the text that are not used; empty if none."""
    api: str = "/v1"
    """Path below `url` at which the API of an OpenAI-compatible server begins; empty if `url` is it already."""
    label: str = ""
    """Name for the user where the address itself means nothing."""

    @property
    def is_confidential(self) -> bool:
        """Whether a key can be sent: the connection is local or encrypted, or the user allows it."""
        return self.loopback or self.trusted or self.url.startswith("https://")

    def with_api_path(self, path: str, *, trusted: bool = False) -> Address:
        """Split the address at the API path that it ends in, and set whether the user trusts the connection.

        The API of an OpenAI-compatible server is below `path`, which the address may contain or not. A path with a
        version elsewhere, such as `/api/paas/v4` and `/v1beta/openai`, is that of the API itself.
        """
        scheme, _, rest = self.url.partition("://")
        authority, _, below = rest.partition("/")
        *above, last = below.split("/")
        url, api = self.url, path
        if re.fullmatch(VERSION, last):
            url, api = f"{scheme}://{'/'.join((authority, *above))}", f"/{last}"
        elif any(re.fullmatch(VERSION, segment) for segment in above):
            api = ""
        return self._replace(url=url, api=api, trusted=trusted)

    def url_of(self, path: str) -> str:
        """The URL of a path; one below `/v1` is placed below the API path."""
        return f"{self.url}{self.api}{path.removeprefix('/v1')}" if path.startswith("/v1/") else self.url + path

    def __repr__(self) -> str:
        """All but the password."""
        shown = {**self._asdict(), "password": "…" if self.password else ""}
        return f"Address({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    def __str__(self) -> str:
        where = self.url if self.api == "/v1" else self.url + self.api
        return self.label or (f"unix://{self.socket_path}" if self.socket_path else where)


BUILT_IN_ADDRESS: Final = Address(url="http://localhost", loopback=True, label="the built-in model")
"""Placeholder address of the built-in model, which needs no server; no connection is made to it."""


def parse_host(text: str, default: int = DEFAULT_PORT) -> Address:
    """Parse a value of OLLAMA_HOST or `--host`; an empty one is this machine at the default port.

    Raises:
        UsageError: the scheme is not supported, or the host is not valid.
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
        raise UsageError(f"{scheme}:// is not supported", FORM)
    return _address(scheme, rest, default)


def _socket(path: str) -> Address:
    if not path:
        raise UsageError("unix:// has no socket path", FORM)
    return Address(url="http://localhost", socket_path=path, loopback=True)


def _address(scheme: str, rest: str, default: int) -> Address:
    """Parse `[user[:password]@]host[:port][/path]`."""
    authority, _, path = rest.partition("/")
    login, _, hostport = authority.rpartition("@")
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
    """Split host and port; an IPv6 address needs brackets only with a port.

    The port is split off before the zone is parsed, because Python accepts anything as a zone, even `eth0]:11434`. In a
    URL the `%` before a zone is written `%25`.
    """
    if "%" in hostport and (zoned := re.fullmatch(ZONED, hostport)):
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
    if text.isascii() and text.isdecimal() and len(text) <= MAX_PORT_DIGITS and int(text) <= HIGHEST_PORT:
        return int(text), ""
    return default, f"{text!r} is not a port; using {default}"


def _connectable(host: str) -> str:
    """The host to connect to: a wildcard listen address becomes this machine's."""
    address = _ip(host)
    if address is None:
        return _require_hostname(host) if host else DEFAULT_HOST
    if "%" in host:
        _require_hostname(host.partition("%")[2])
    if address.is_unspecified:
        return DEFAULT_HOST if address.version == 4 else "::1"  # noqa: PLR2004 - the version of the protocol
    return str(address)


def _require_hostname(host: str) -> str:
    if not re.fullmatch(NAME, host):
        raise UsageError(f"{host!r} is not a valid host", FORM)
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
