"""Whether a server answers, where, and which; asks it nothing but its version."""

from __future__ import annotations

import asyncio
import re
from time import perf_counter
from typing import TYPE_CHECKING, Final

from reflectty.engines import EngineName, address_of
from reflectty.engines.hosts import BUILT_IN
from reflectty.errors import StalledError
from reflectty.finding import Finding, State
from reflectty.library.first import around_here, first_offer
from reflectty.wire.openai import KINDS, OLLAMA

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.chat import Engine
    from reflectty.checking.around import Around, Known
    from reflectty.engines.hosts import Address

PATIENCE_SECONDS: Final = 8.0
SLOW_SECONDS: Final = 1.0
"""A version is known without asking any model: on this machine it takes some milliseconds."""
OF_OLLAMA: Final = KINDS[OLLAMA]
BUILT_BY_HAND: Final = "0.0.0"
RENDERS: Final = (0, 11, 5)
"""The first Ollama that renders a prompt when asked to, which steering and continuing need."""


async def server(around: Around, known: Known) -> Sequence[Finding]:
    """Reach the server and say which one it is.

    Raises:
        ReflecttyError: it cannot be reached, or refuses.
    """
    known.address = address = address_of(around.host.value, around.settings.engine)
    known.engine = engine = around.connect()
    began = perf_counter()
    version = await _version(engine, address)
    seconds = perf_counter() - began
    known.reached = True
    if getattr(engine, "away", False):
        other = await around.neighbours() if address != BUILT_IN else ""
        return [await _nobody(around, address, other)]
    kind = getattr(engine, "kind", "")
    reached = _reached(around, address, version, kind, seconds)
    if around.settings.engine != EngineName.OLLAMA:
        unused = [_warning(engine.warning, "")] if engine.warning else []
        return [reached, *_slowness(seconds), *_behind(kind), *unused]
    return [reached, *_slowness(seconds), *_oddities(address, version)]


async def _nobody(around: Around, address: Address, other: str) -> Finding:
    """Return what there is to say where the built-in model answers because no server does, or none is meant.

    Args:
        around: the settings, and where they are from.
        address: where the server was meant to be.
        other: how to ask one that is elsewhere on this machine; often nothing.
    """
    facts = (("address", str(address)), ("source", "built in"))
    if address == BUILT_IN:
        return Finding("server", State.NOTE, "none is asked: the built-in model answers", facts=facts)
    text = f"nobody answers at {address}, so the built-in model does, which errs often"
    if not other:
        offer = first_offer(await around_here(environment=around.environment, place=around.place))
        other = f"a real one: ollama.com, then `reflect models pull {offer.name}`"
    return Finding("server", State.NOTE, text, other, facts)


async def _version(engine: Engine, address: Address) -> str:
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await engine.version()
    except TimeoutError as error:
        message = f"{address} takes a connection and then says nothing for {PATIENCE_SECONDS:g} s"
        raise StalledError(message, "is it the right server? Its log may say why it does not answer") from error


def _reached(around: Around, address: Address, version: str, kind: str, seconds: float) -> Finding:
    known_as = {"": "a server", BUILT_BY_HAND: "Ollama"}.get(version, f"Ollama {version}")
    if around.settings.engine != EngineName.OLLAMA:
        of_its_kind = f" ({version})" if version else ""
        known_as = f"{kind} {version}".rstrip() if kind else f"an OpenAI-compatible server{of_its_kind}"
    from_where = f"from {around.host.source}" if around.host.source else "the default: nothing names another"
    facts = (
        ("address", str(address)),
        ("source", around.host.source or "default"),
        ("version", version),
        *((("kind", kind),) if kind else ()),
        ("milliseconds", round(seconds * 1000)),
    )
    text = f"{known_as} answers at {address} ({from_where}) in {_time(seconds)}"
    return Finding("server", State.OK, text, facts=facts)


def _behind(kind: str) -> list[Finding]:
    """Return what to say of an Ollama that is asked by the protocol of others, which tells less of it."""
    if kind != OF_OLLAMA:
        return []
    text = "it is an Ollama: by this protocol it cuts long prompts, ignores num_ctx and tells nothing of its models"
    return [Finding("server", State.NOTE, text, "--engine ollama, with the same host without /v1, asks it whole")]


def _slowness(seconds: float) -> list[Finding]:
    if seconds <= SLOW_SECONDS:
        return []
    text = f"it is slow: {_time(seconds)} to say its version"
    return [_warning(text, "something between here and there, or a machine that is busy, holds it up")]


def _oddities(address: Address, version: str) -> list[Finding]:
    found = []
    if not version:
        found.append(_warning("it tells no version: it may be no Ollama server", "check --host or OLLAMA_HOST"))
    if version == BUILT_BY_HAND:
        text = f"its version is {BUILT_BY_HAND}: it was built by hand, and nothing is concluded from that"
        found.append(Finding("server", State.NOTE, text))
    elif _is_older(version, RENDERS):
        text = f"Ollama {version} cannot render a prompt: no reply can be steered or continued"
        found.append(_warning(text, f"update it: {'.'.join(map(str, RENDERS))} and later can"))
    if address.warning:
        found.append(_warning(address.warning, "write the host as host:port"))
    return found


def _warning(text: str, advice: str) -> Finding:
    return Finding("server", State.WARNING, text, advice)


def _is_older(version: str, than: tuple[int, ...]) -> bool:
    """Whether a version is older; false for one that cannot be read."""
    found = re.match(r"(\d{1,6})\.(\d{1,6})\.(\d{1,6})", version)
    return found is not None and tuple(int(part) for part in found.groups()) < than


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{max(1, round(seconds * 1000))} ms"
