"""What proxies and keys of the environment do to requests, here and in other programs; sends nothing."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reflectty.engines import EngineName
from reflectty.engines.proxies import named, proxy_to, unusable
from reflectty.finding import Finding, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reflectty.checking.around import Around, Known
    from reflectty.engines.hosts import Address

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


async def proxy(around: Around, known: Known) -> Sequence[Finding]:
    """Say which proxy stands between, or would for others, and what is wrong with key and certificates."""
    address = known.address
    if address is None:
        return [Finding("proxy", State.UNCHECKED, "the host cannot be read")]
    found = _key(around, address) + _certificates(around.environment, address)
    way = _way(address, around.environment)
    return found if found and way.state is State.OK else [way, *found]


def _way(address: Address, environment: Mapping[str, str]) -> Finding:
    parts = urlsplit(address.url)
    host = parts.hostname or ""
    set_up = named(environment, parts.scheme)
    if set_up is None:
        return Finding("proxy", State.OK, "none is set: requests go straight to the server")
    facts = (("variable", set_up.variable), ("proxy", set_up.place))
    if proxy_to(replace(address, loopback=False), environment) is None:
        return Finding("proxy", State.OK, f"{set_up.variable} is set, and NO_PROXY exempts {host}", facts=facts)
    if address.loopback:
        return Finding(
            "proxy",
            State.NOTE,
            f"{set_up.variable} is set; reflect asks this machine directly, curl and other programs go through it",
            f"add {host} to NO_PROXY, and they ask it directly too",
            facts,
        )
    if reason := unusable(set_up):
        text = f"{set_up.place}, which {set_up.variable} names, stands before the server and cannot be used: {reason}"
        return Finding("proxy", State.WARNING, text, f"add {host} to NO_PROXY, and it is not needed", facts)
    return Finding(
        "proxy",
        State.WARNING,
        f"every prompt goes through {set_up.place}, which {set_up.variable} names",
        f"add {host} to NO_PROXY, and they go straight to the server",
        facts,
    )


def _key(around: Around, address: Address) -> list[Finding]:
    # Of another key the engine says by itself that it was not sent.
    if not around.settings.api_key or address.confidential or around.settings.engine != EngineName.OLLAMA:
        return []
    text = f"OLLAMA_API_KEY is set and not sent: everyone on the way to {address} could read it"
    return [Finding("proxy", State.WARNING, text, "name the server by https://, or leave the key out")]


def _certificates(environment: Mapping[str, str], address: Address) -> list[Finding]:
    missing = [name for name in _CERTIFICATES if environment.get(name) and not _is_there(name, environment[name])]
    secure = address.url.startswith("https://")
    state = State.WARNING if secure else State.NOTE
    hurts = "" if secure else ": no server can be reached by https://"
    return [
        Finding("proxy", state, f"{name} names {environment[name]}, which is not there{hurts}", f"unset {name}")
        for name in missing
    ]


def _is_there(name: str, value: str) -> bool:
    """Whether a file is there, or one of the folders that OpenSSL reads from a list like that of PATH."""
    places = value.split(os.pathsep) if name == "SSL_CERT_DIR" else [value]
    return any(os.path.exists(place) for place in places)  # noqa: PTH110 - never raises
