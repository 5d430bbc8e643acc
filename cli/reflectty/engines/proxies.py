"""Selects the proxy for a server from the environment, as curl and Go do."""

from __future__ import annotations

import ipaddress
import re
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reflectty.engines.hosts import Address

_SEPARATORS: Final = re.compile(r"[,\s]+")
_PROXY_SCHEMES: Final = ("http", "https", "socks5", "socks5h")
"""Schemes that httpx supports for a proxy."""
_PORTS: Final = {"http": 80, "https": 443}
_IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


class Proxy(NamedTuple):
    """An environment variable that names a proxy, and its value."""

    variable: str
    text: str

    @property
    def address(self) -> str:
        """The proxy without a login."""
        return self.text.rpartition("@")[2] if "@" in self.text else self.text

    @property
    def url(self) -> str:
        """The proxy's URL; `socks://`, which desktops write, means `socks5://`."""
        if "://" not in self.text:
            return f"http://{self.text}"
        scheme, _, rest = self.text.partition("://")
        return f"socks5://{rest}" if scheme.lower() == "socks" else f"{scheme.lower()}://{rest}"


def unusable_reason_of(proxy: Proxy) -> str:
    """Why a proxy is not supported; empty if it is."""
    scheme = proxy.url.partition("://")[0]
    if scheme not in _PROXY_SCHEMES:
        return f"its scheme is not one of {', '.join(_PROXY_SCHEMES)}"
    missing = scheme.startswith("socks") and find_spec("socksio") is None
    return "SOCKS requires the socksio package (pip install socksio)" if missing else ""


def proxy_to(address: Address, environment: Mapping[str, str]) -> Proxy | None:
    """The proxy for requests to a server; None for a direct connection."""
    if address.loopback:
        return None
    parts = urlsplit(address.url)
    chosen = proxy_from_environment(environment, parts.scheme)
    port = parts.port or _PORTS.get(parts.scheme, 0)
    exempt = chosen is None or is_exempt(environment, parts.hostname or "", port, parts.scheme)
    return None if exempt else chosen


def proxy_from_environment(environment: Mapping[str, str], scheme: str) -> Proxy | None:
    """The proxy for a scheme, as most programs choose it: its own variable first, then `all_proxy`.

    A lowercase variable takes precedence over an uppercase one; an empty one means no proxy.
    """
    for name in (f"{scheme}_proxy", "all_proxy"):
        variable = name if name in environment else name.upper()
        if text := environment.get(variable, "").strip():
            return Proxy(variable, text)
    return None


def is_exempt(environment: Mapping[str, str], host: str, port: int = 0, scheme: str = "") -> bool:
    """Whether NO_PROXY names a host: the host itself, a domain or network that contains it, or `*`.

    Args:
        environment: the variables that hold NO_PROXY.
        host: a name, or an address without brackets; an IPv6 address may have a zone.
        port: an entry with another port does not match; 0 if unknown.
        scheme: an entry with another scheme does not match; empty if unknown.
    """
    text = environment["no_proxy"] if "no_proxy" in environment else environment.get("NO_PROXY", "")
    name = host.lower().rstrip(".")
    entries = (entry for entry in _SEPARATORS.split(text.lower()) if entry)
    return any(entry == "*" or _matches_entry(entry, name, port, scheme) for entry in entries)


def _matches_entry(entry: str, host: str, port: int, scheme: str) -> bool:
    only_scheme, separator, rest = entry.rpartition("://")
    if separator and only_scheme not in ("all", scheme):
        return False
    pattern, only_port = _split(rest.rstrip("/"))
    if only_port and port and only_port != str(port):
        return False
    address, zone = _address(host)
    if address is not None:
        return _holds(pattern, address, zone)
    domain = pattern.removeprefix("*").lstrip(".").rstrip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _split(entry: str) -> tuple[str, str]:
    """Split an entry into host without brackets and port; an IPv6 address has a port only after brackets."""
    if bracketed := re.fullmatch(r"\[([^]]*)\](/\d+)?(?::(\d+))?", entry):
        return bracketed[1] + (bracketed[2] or ""), bracketed[3] or ""
    if entry.count(":") == 1:
        pattern, _, port = entry.partition(":")
        return pattern, port
    return entry, ""


def _holds(pattern: str, address: _IPAddress, zone: str) -> bool:
    """Whether an entry is the address or a network that contains it; an entry without a zone matches every zone."""
    bare, _, length = pattern.partition("/")
    other, its_zone = _address(bare)
    if other is None or (its_zone and its_zone != zone):
        return False
    if not length:
        return other == address
    try:
        return address in ipaddress.ip_network(f"{other}/{length}", strict=False)
    except ValueError:
        return False


def _address(text: str) -> tuple[_IPAddress | None, str]:
    """An address and its zone; an IPv4-mapped IPv6 address counts as IPv4."""
    bare, _, zone = text.partition("%")
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None, ""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address, zone.removeprefix("25")
