"""Checks the server, the built-in model and the proxies."""

from __future__ import annotations

import asyncio
import os
import re
from time import perf_counter
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from reflectty.core.errors import StalledError
from reflectty.core.findings import Finding, FindingState
from reflectty.engines import address_of, manages_models
from reflectty.engines.embedded.install import how_to_install
from reflectty.engines.hosts import BUILT_IN_ADDRESS
from reflectty.engines.proxies import proxy_from_environment, proxy_to, unusable_reason_of
from reflectty.models.hardware import detect_hardware
from reflectty.models.recommendation import recommend_model
from reflectty.protocols.openai import OLLAMA, SERVER_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reflectty.core.messages import Engine
    from reflectty.doctor.context import DoctorContext, DoctorState
    from reflectty.engines.hosts import Address


async def check_built_in(context: DoctorContext, state: DoctorState) -> Sequence[Finding]:
    """Report whether the built-in model is installed, and when it answers."""
    is_installed, answers = context.is_built_in_installed(), state.engine is not None and state.engine.using_fallback
    facts = (("installed", is_installed), ("answers", answers))
    if not is_installed:
        text = f"not installed, and not needed if a server responds ({how_to_install()} installs it)"
        return [Finding("built in", FindingState.OK, text)]
    usage = "it answers your questions" if answers else "use it with -m mini"
    return [Finding("built in", FindingState.OK, f"mini is installed; {usage}", facts=facts)]


VERSION_TIMEOUT_SECONDS: Final = 8.0
SLOW_SECONDS: Final = 1.0
"""The version needs no model: from this machine it takes a few milliseconds."""
OLLAMA_KIND: Final = SERVER_NAMES[OLLAMA]
DEVELOPMENT_VERSION: Final = "0.0.0"
_LIMITS_OF_OLD_VERSIONS: Final = (
    ((0, 9, 0), "mixes thinking with the answer"),
    ((0, 11, 5), "cannot render prompts, so that replies cannot be steered or continued"),
    ((0, 12, 6), "cuts long prompts without a word"),
)
"""What an Ollama before a version does (read in the API types and routes of its releases)."""
"""The first Ollama version that renders prompts on request, which steering and continuing need."""


async def check_server(context: DoctorContext, state: DoctorState) -> Sequence[Finding]:
    """Connect to the server and report its kind and version.

    Raises:
        ReflecttyError: it cannot be reached, or refuses.
    """
    state.address = address = address_of(context.host.value, context.settings.engine)
    state.engine = engine = context.connect()
    start = perf_counter()
    version = await _load_version(engine, address)
    seconds = perf_counter() - start
    state.is_reached = True
    if engine.using_fallback:
        other = await context.find_neighbor() if address != BUILT_IN_ADDRESS else ""
        return [await _fallback_finding(context, address, other)]
    reached = _reached_finding(context, engine, address, version, seconds)
    if not engine.manages_models:
        unused = [_warning_finding(engine.warning, "")] if engine.warning else []
        return [reached, *_slowness_findings(seconds), *_ollama_over_v1_findings(engine.software), *unused]
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
        return Finding("server", FindingState.NOTE, "none used: the built-in model answers", facts=facts)
    text = f"no server responds at {address}: using the built-in model, which is often wrong"
    if not other:
        offer = recommend_model(await detect_hardware(environment=context.environment, probe=context.probe_environment))
        other = f"install Ollama (ollama.com), then run `reflect models pull {offer.name}`"
    return Finding("server", FindingState.NOTE, text, other, facts)


async def _load_version(engine: Engine, address: Address) -> str:
    try:
        async with asyncio.timeout(VERSION_TIMEOUT_SECONDS):
            return await engine.version()
    except TimeoutError as error:
        message = f"{address} accepts a connection but sends nothing for {VERSION_TIMEOUT_SECONDS:g} s"
        raise StalledError(message, "check that this is the right server, and look in its log") from error


def _reached_finding(context: DoctorContext, engine: Engine, address: Address, version: str, seconds: float) -> Finding:
    kind = engine.software
    label = {"": "a server", DEVELOPMENT_VERSION: "Ollama"}.get(version, f"Ollama {version}")
    if not engine.manages_models:
        version_text = f" ({version})" if version else ""
        label = f"{kind} {version}".rstrip() if kind else f"an OpenAI-compatible server{version_text}"
    source = f"from {context.host.source}" if context.host.source else "default"
    facts = (
        ("address", str(address)),
        ("source", context.host.source or "default"),
        ("version", version),
        *((("kind", kind),) if kind else ()),
        ("milliseconds", round(seconds * 1000)),
    )
    text = f"{label} responds at {address} ({source}) in {_format_time(seconds)}"
    return Finding("server", FindingState.OK, text, facts=facts)


def _ollama_over_v1_findings(kind: str) -> list[Finding]:
    """The finding for an Ollama that is used over the OpenAI protocol, which reports less about it."""
    if kind != OLLAMA_KIND:
        return []
    text = (
        "this is Ollama: over this protocol it truncates long prompts, ignores num_ctx and does not describe its models"
    )
    return [Finding("server", FindingState.NOTE, text, "use --engine ollama and the same host without /v1")]


def _slowness_findings(seconds: float) -> list[Finding]:
    if seconds <= SLOW_SECONDS:
        return []
    text = f"slow: it took {_format_time(seconds)} to report its version"
    return [_warning_finding(text, "check the network, and whether the machine is busy")]


def _oddity_findings(address: Address, version: str) -> list[Finding]:
    findings = []
    if not version:
        findings.append(
            _warning_finding(
                "it does not report a version: it may not be an Ollama server", "check --host or OLLAMA_HOST"
            )
        )
    if version == DEVELOPMENT_VERSION:
        text = f"version {DEVELOPMENT_VERSION} is a development build: version checks are skipped"
        findings.append(Finding("server", FindingState.NOTE, text))
    elif limits := [limit for first, limit in _LIMITS_OF_OLD_VERSIONS if _is_older(version, first)]:
        newest = ".".join(map(str, _LIMITS_OF_OLD_VERSIONS[-1][0]))
        findings.append(_warning_finding(f"Ollama {version} {'; '.join(limits)}", f"update it to {newest} or later"))
    if address.warning:
        findings.append(_warning_finding(address.warning, "write the host as host:port"))
    return findings


def _warning_finding(text: str, advice: str) -> Finding:
    return Finding("server", FindingState.WARNING, text, advice)


def _is_older(version: str, than: tuple[int, ...]) -> bool:
    """True if a version is older; False for one that cannot be parsed."""
    match = re.match(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})", version)
    return match is not None and tuple(int(part) for part in match.groups()) < than


def _format_time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{max(1, round(seconds * 1000))} ms"


_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


async def check_proxy(context: DoctorContext, state: DoctorState) -> Sequence[Finding]:
    """Report the proxy of this and other programs, and problems with the API key and certificates."""
    address = state.address
    if address is None:
        return [Finding("proxy", FindingState.UNCHECKED, "the host is not valid")]
    findings = _key_findings(context, address) + _certificate_findings(context.environment, address)
    proxy = _proxy_finding(address, context.environment)
    return findings if findings and proxy.state is FindingState.OK else [proxy, *findings]


def _proxy_finding(address: Address, environment: Mapping[str, str]) -> Finding:
    parts = urlsplit(address.url)
    host = parts.hostname or ""
    proxy = proxy_from_environment(environment, parts.scheme)
    if proxy is None:
        return Finding("proxy", FindingState.OK, "none is set: requests go directly to the server")
    facts = (("variable", proxy.variable), ("proxy", proxy.address))
    if proxy_to(address._replace(loopback=False), environment) is None:
        return Finding("proxy", FindingState.OK, f"{proxy.variable} is set, and NO_PROXY exempts {host}", facts=facts)
    if address.loopback:
        return Finding(
            "proxy",
            FindingState.NOTE,
            f"{proxy.variable} is set: reflect connects to this machine directly, curl and other programs do not",
            f"add {host} to NO_PROXY so that they connect directly too",
            facts,
        )
    if reason := unusable_reason_of(proxy):
        text = f"the proxy {proxy.address} from {proxy.variable} cannot be used: {reason}"
        return Finding("proxy", FindingState.WARNING, text, f"add {host} to NO_PROXY to connect directly", facts)
    return Finding(
        "proxy",
        FindingState.WARNING,
        f"every prompt goes through the proxy {proxy.address} from {proxy.variable}",
        f"add {host} to NO_PROXY to connect directly",
        facts,
    )


def _key_findings(context: DoctorContext, address: Address) -> list[Finding]:
    # For other keys the engine itself warns that they are not sent.
    if not context.settings.api_key or address.is_confidential or not manages_models(context.settings.engine):
        return []
    text = f"OLLAMA_API_KEY is set but not sent: the connection to {address} is not encrypted"
    return [Finding("proxy", FindingState.WARNING, text, "use an https:// host, or unset OLLAMA_API_KEY")]


def _certificate_findings(environment: Mapping[str, str], address: Address) -> list[Finding]:
    missing = [name for name in _CERTIFICATES if environment.get(name) and not _is_present(name, environment[name])]
    secure = address.url.startswith("https://")
    state = FindingState.WARNING if secure else FindingState.NOTE
    effect = "" if secure else ": https:// servers cannot be reached"
    return [
        Finding("proxy", state, f"{name} is {environment[name]}, which does not exist{effect}", f"unset {name}")
        for name in missing
    ]


def _is_present(name: str, value: str) -> bool:
    """True if a file exists, or one of the folders in a list like PATH that OpenSSL reads."""
    paths = value.split(os.pathsep) if name == "SSL_CERT_DIR" else [value]
    return any(os.path.exists(path) for path in paths)  # noqa: PTH110 - never raises
