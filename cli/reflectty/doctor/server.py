"""Checks the server, the built-in model and the proxies."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reflectty.core.errors import StalledError
from reflectty.core.findings import Finding, FindingState
from reflectty.engines import EngineName, address_of
from reflectty.engines.embedded.install import how_to_install
from reflectty.engines.hosts import BUILT_IN_ADDRESS
from reflectty.engines.proxies import proxy_from_environment, proxy_to, unusable_reason_of
from reflectty.models.recommendation import detect_hardware, recommend_model
from reflectty.protocols.openai import OLLAMA, SERVER_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reflectty.core.messages import Engine
    from reflectty.doctor.context import DoctorContext, DoctorState
    from reflectty.engines.hosts import Address


async def check_built_in(context: DoctorContext, known: DoctorState) -> Sequence[Finding]:
    """Report whether the built-in model is installed, and when it answers."""
    there, answers = context.is_built_in_installed(), bool(getattr(known.engine, "using_fallback", False))
    facts = (("installed", there), ("answers", answers))
    if not there:
        text = f"none, and none is needed where a server answers: {how_to_install()} brings it"
        return [Finding("built in", FindingState.OK, text)]
    when = "it answers here" if answers else "it answers where it is asked for: -m mini"
    return [Finding("built in", FindingState.OK, f"mini is there; {when}", facts=facts)]


VERSION_TIMEOUT_SECONDS: Final = 8.0
SLOW_SECONDS: Final = 1.0
"""The version needs no model: from this machine it takes a few milliseconds."""
OLLAMA_KIND: Final = SERVER_NAMES[OLLAMA]
DEVELOPMENT_VERSION: Final = "0.0.0"
FIRST_RENDERING_VERSION: Final = (0, 11, 5)
"""The first Ollama version that renders prompts on request, which steering and continuing need."""


async def check_server(context: DoctorContext, known: DoctorState) -> Sequence[Finding]:
    """Connect to the server and report its kind and version.

    Raises:
        ReflecttyError: it cannot be reached, or refuses.
    """
    known.address = address = address_of(context.host.value, context.settings.engine)
    known.engine = engine = context.connect()
    began = perf_counter()
    version = await _load_version(engine, address)
    seconds = perf_counter() - began
    known.is_reached = True
    if getattr(engine, "using_fallback", False):
        other = await context.find_neighbor() if address != BUILT_IN_ADDRESS else ""
        return [await _fallback_finding(context, address, other)]
    kind = getattr(engine, "kind", "")
    reached = _reached_finding(context, address, version, kind, seconds)
    if context.settings.engine != EngineName.OLLAMA:
        unused = [_warning_finding(engine.warning, "")] if engine.warning else []
        return [reached, *_slowness_findings(seconds), *_ollama_over_v1_findings(kind), *unused]
    return [reached, *_slowness_findings(seconds), *_oddity_findings(address, version)]


async def _fallback_finding(context: DoctorContext, address: Address, other: str) -> Finding:
    """The finding if the built-in model answers, as a fallback or by choice.

    Args:
        context: the settings and their sources.
        address: the address of the server.
        other: how to use a server found elsewhere on this machine; often empty.
    """
    facts = (("address", str(address)), ("source", "built in"))
    if address == BUILT_IN_ADDRESS:
        return Finding("server", FindingState.NOTE, "none is asked: the built-in model answers", facts=facts)
    text = f"nobody answers at {address}, so the built-in model does, which errs often"
    if not other:
        offer = recommend_model(await detect_hardware(environment=context.environment, probe=context.probe_environment))
        other = f"a real one: ollama.com, then `reflect models pull {offer.name}`"
    return Finding("server", FindingState.NOTE, text, other, facts)


async def _load_version(engine: Engine, address: Address) -> str:
    try:
        async with asyncio.timeout(VERSION_TIMEOUT_SECONDS):
            return await engine.version()
    except TimeoutError as error:
        message = f"{address} takes a connection and then says nothing for {VERSION_TIMEOUT_SECONDS:g} s"
        raise StalledError(message, "is it the right server? Its log may say why it does not answer") from error


def _reached_finding(context: DoctorContext, address: Address, version: str, kind: str, seconds: float) -> Finding:
    known_as = {"": "a server", DEVELOPMENT_VERSION: "Ollama"}.get(version, f"Ollama {version}")
    if context.settings.engine != EngineName.OLLAMA:
        of_its_kind = f" ({version})" if version else ""
        known_as = f"{kind} {version}".rstrip() if kind else f"an OpenAI-compatible server{of_its_kind}"
    from_where = f"from {context.host.source}" if context.host.source else "the default: nothing names another"
    facts = (
        ("address", str(address)),
        ("source", context.host.source or "default"),
        ("version", version),
        *((("kind", kind),) if kind else ()),
        ("milliseconds", round(seconds * 1000)),
    )
    text = f"{known_as} answers at {address} ({from_where}) in {_format_time(seconds)}"
    return Finding("server", FindingState.OK, text, facts=facts)


def _ollama_over_v1_findings(kind: str) -> list[Finding]:
    """The finding for an Ollama that is used over the OpenAI protocol, which reports less about it."""
    if kind != OLLAMA_KIND:
        return []
    text = "it is an Ollama: by this protocol it cuts long prompts, ignores num_ctx and tells nothing of its models"
    return [
        Finding("server", FindingState.NOTE, text, "--engine ollama, with the same host without /v1, asks it whole")
    ]


def _slowness_findings(seconds: float) -> list[Finding]:
    if seconds <= SLOW_SECONDS:
        return []
    text = f"it is slow: {_format_time(seconds)} to say its version"
    return [_warning_finding(text, "something between here and there, or a machine that is busy, holds it up")]


def _oddity_findings(address: Address, version: str) -> list[Finding]:
    found = []
    if not version:
        found.append(_warning_finding("it tells no version: it may be no Ollama server", "check --host or OLLAMA_HOST"))
    if version == DEVELOPMENT_VERSION:
        text = f"its version is {DEVELOPMENT_VERSION}: it was built by hand, and nothing is concluded from that"
        found.append(Finding("server", FindingState.NOTE, text))
    elif _is_older(version, FIRST_RENDERING_VERSION):
        text = f"Ollama {version} cannot render a prompt: no reply can be steered or continued"
        found.append(_warning_finding(text, f"update it: {'.'.join(map(str, FIRST_RENDERING_VERSION))} and later can"))
    if address.warning:
        found.append(_warning_finding(address.warning, "write the host as host:port"))
    return found


def _warning_finding(text: str, advice: str) -> Finding:
    return Finding("server", FindingState.WARNING, text, advice)


def _is_older(version: str, than: tuple[int, ...]) -> bool:
    """True if a version is older; False for one that cannot be parsed."""
    found = re.match(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})", version)
    return found is not None and tuple(int(part) for part in found.groups()) < than


def _format_time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{max(1, round(seconds * 1000))} ms"


_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


async def check_proxy(context: DoctorContext, known: DoctorState) -> Sequence[Finding]:
    """Report the proxy of this and other programs, and problems with the API key and certificates."""
    address = known.address
    if address is None:
        return [Finding("proxy", FindingState.UNCHECKED, "the host cannot be read")]
    found = _key_findings(context, address) + _certificate_findings(context.environment, address)
    way = _proxy_finding(address, context.environment)
    return found if found and way.state is FindingState.OK else [way, *found]


def _proxy_finding(address: Address, environment: Mapping[str, str]) -> Finding:
    parts = urlsplit(address.url)
    host = parts.hostname or ""
    set_up = proxy_from_environment(environment, parts.scheme)
    if set_up is None:
        return Finding("proxy", FindingState.OK, "none is set: requests go straight to the server")
    facts = (("variable", set_up.variable), ("proxy", set_up.address))
    if proxy_to(replace(address, loopback=False), environment) is None:
        return Finding("proxy", FindingState.OK, f"{set_up.variable} is set, and NO_PROXY exempts {host}", facts=facts)
    if address.loopback:
        return Finding(
            "proxy",
            FindingState.NOTE,
            f"{set_up.variable} is set; reflect asks this machine directly, curl and other programs go through it",
            f"add {host} to NO_PROXY, and they ask it directly too",
            facts,
        )
    if reason := unusable_reason_of(set_up):
        text = f"{set_up.address}, which {set_up.variable} names, stands before the server and cannot be used: {reason}"
        return Finding("proxy", FindingState.WARNING, text, f"add {host} to NO_PROXY, and it is not needed", facts)
    return Finding(
        "proxy",
        FindingState.WARNING,
        f"every prompt goes through {set_up.address}, which {set_up.variable} names",
        f"add {host} to NO_PROXY, and they go straight to the server",
        facts,
    )


def _key_findings(context: DoctorContext, address: Address) -> list[Finding]:
    # For other keys the engine itself warns that they are not sent.
    if not context.settings.api_key or address.is_confidential or context.settings.engine != EngineName.OLLAMA:
        return []
    text = f"OLLAMA_API_KEY is set and not sent: everyone on the way to {address} could read it"
    return [Finding("proxy", FindingState.WARNING, text, "name the server by https://, or leave the key out")]


def _certificate_findings(environment: Mapping[str, str], address: Address) -> list[Finding]:
    missing = [name for name in _CERTIFICATES if environment.get(name) and not _is_present(name, environment[name])]
    secure = address.url.startswith("https://")
    state = FindingState.WARNING if secure else FindingState.NOTE
    hurts = "" if secure else ": no server can be reached by https://"
    return [
        Finding("proxy", state, f"{name} names {environment[name]}, which is not there{hurts}", f"unset {name}")
        for name in missing
    ]


def _is_present(name: str, value: str) -> bool:
    """True if a file exists, or one of the folders in a list like PATH that OpenSSL reads."""
    places = value.split(os.pathsep) if name == "SSL_CERT_DIR" else [value]
    return any(os.path.exists(place) for place in places)  # noqa: PTH110 - never raises
