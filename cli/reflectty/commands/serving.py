"""The server that the settings and the flags name, as an engine or a library; asks it nothing.

Here it is decided when the built-in model answers. Where it is asked for by its name, the server's own model of that
name goes before it. Unasked it answers only where nothing says who is to, no server answers, and none ever did.
"""

from __future__ import annotations

from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING

from reflectty import config
from reflectty.engines import EngineName, open_engine
from reflectty.errors import StoreError, UsageError
from reflectty.mini import NOTICE, is_mini

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reflectty.chat import Timeouts
    from reflectty.engines.ollama import OllamaEngine
    from reflectty.engines.openai import OpenAIEngine
    from reflectty.engines.standby import Rules, Standby
    from reflectty.library.library import Library


ASKED = "mini, a built-in model of 270 million parameters, answers, and errs often"
UNASKED = "no server answers, so mini does, a built-in model of 270 million parameters that errs often"
A_REAL_ONE = "a real one: ollama.com, then reflect models pull {}"
ASK_IT = "without a server, -m mini asks the built-in model"
THINKERS = "thinkers"
"""Under what it is remembered which models were seen to think."""
MOST_SESSIONS = 1000
"""So many of the latest sessions are looked at for who answered."""


def engine_for(  # noqa: PLR0913 - all that decides who answers
    settings: config.Settings,
    host: str = "",
    timeouts: Timeouts | None = None,
    *,
    model: str | None = None,
    unasked: bool = False,
    told: bool = True,
) -> OllamaEngine | OpenAIEngine | Standby:
    """Return the engine, to be used in `async with`; what the flags name goes before the settings.

    The built-in model is behind it where it is asked for, and where no server is known to have ever answered. Whoever
    has a server pays nothing for that.

    Args:
        settings: which server is meant.
        host: what a flag names instead.
        timeouts: how long to wait; those of the settings where none are given.
        model: who will be asked; empty is the best one, None is anybody, as in a chat.
        unasked: whether the built-in model may answer though nobody named it.
        told: whether the user is told what that model is; a check says it in words of its own.

    Raises:
        UsageError: the host, the key, or the proxy settings of the environment, cannot be used.
    """
    server = open_engine(
        host or settings.host,
        engine=settings.engine,
        api_key=config.api_key(settings),
        timeouts=timeouts or settings.timeouts,
        key_over_http=settings.api_key_over_http,
        thinkers=_thinkers(host or settings.host),
    )
    alone = settings.engine == EngineName.EMBEDDED
    if not alone and model is not None and not is_mini(model) and config.server_known():
        return server
    from reflectty.engines.embedded import open_embedded  # noqa: PLC0415 - few questions need any of this
    from reflectty.engines.standby import Standby  # noqa: PLC0415

    own, asked = partial(open_embedded, timeouts or settings.timeouts), is_mini(model or "")
    unasked = unasked and not (settings.settled or host)
    rules = _alone() if alone else _rules(asked=asked, unasked=unasked)
    return Standby(server, own, rules if told else rules._replace(notices=_no_notices), alone=alone)


def _thinkers(host: str) -> tuple[Callable[[str], bool], Callable[[str], object]]:
    """Return what tells of the models at a host that were seen to think though their names do not say so."""

    def entry(model: str) -> str:
        from hashlib import sha256  # noqa: PLC0415 - only a name that says nothing needs it

        # A host may hold a password, a name anything.
        return sha256(f"{host}\n{model}".encode(errors="replace")).hexdigest()[:32]

    return lambda model: config.known(THINKERS, entry(model)), lambda model: config.first_time(THINKERS, entry(model))


def _rules(*, asked: bool, unasked: bool) -> Rules:
    """Return what holds for the built-in model behind a server: was it asked for, and may it answer unasked."""
    from reflectty.engines.embedded import installed  # noqa: PLC0415 - few questions need any of this
    from reflectty.engines.standby import Rules  # noqa: PLC0415

    # The sessions are looked at once; that a server has answered may change while a chat is open.
    unmentioned = cache(_no_session_tells_of_a_server)

    def never() -> bool:
        return not config.server_known() and unmentioned()

    def advice() -> str:
        return "" if not never() else ASK_IT if installed() else _brings_it()

    return Rules(installed, lambda: asked or (unasked and never()), _notices, advice, _reached)


def _brings_it() -> str:
    from reflectty.engines.embedded.installing import how_to_install  # noqa: PLC0415 - only who has neither needs it

    return f"without a server, {how_to_install()} brings a small model"


def _alone() -> Rules:
    """Return what holds where the built-in model is the engine itself."""
    from reflectty.engines.embedded import installed  # noqa: PLC0415 - the same
    from reflectty.engines.standby import Rules  # noqa: PLC0415

    return Rules(installed, lambda: True, _notices, str, lambda: None)


async def _notices(asked: bool) -> tuple[str, ...]:
    """Return what the user is told: each time that it is no real model, the first time by whose terms it is used."""
    from reflectty.library.first import around_here, first_offer  # noqa: PLC0415 - only this model is no real one

    said = f"{ASKED if asked else UNASKED} ({A_REAL_ONE.format(first_offer(await around_here()).name)})"
    return (said, *((_terms(),) if config.first_time("told", "the terms of mini") else ()))


async def _no_notices(asked: bool) -> tuple[str, ...]:  # noqa: ARG001 - there are none either way
    return ()


def _terms() -> str:
    """Return whose terms the built-in model is used by, and where they lie."""
    from reflectty import assets  # noqa: PLC0415 - said once

    return f"mini is made of Gemma. {NOTICE}; they lie in {assets.folder('models/mini')}"


def _reached() -> None:
    if not config.server_known():
        config.remember_server()


def _no_session_tells_of_a_server() -> bool:
    """Whether no session was answered by another model: sessions may be older than what is remembered of servers."""
    with suppress(UsageError, OSError):
        return not (config.store_path().exists() and _others_answered(config.store_path()))
    return True


def _others_answered(path: Path) -> bool:
    """Whether the sessions hold a reply of another model than the built-in one; what cannot be read holds one."""
    from reflectty.store import open_store  # noqa: PLC0415 - only where no server answers

    unread: list[str] = []
    store = open_store(path, unread.append)
    try:
        return bool(unread) or any(one.model and not is_mini(one.model) for one in store.sessions(MOST_SESSIONS))
    except StoreError:
        return True
    finally:
        store.close()


def library_for(settings: config.Settings, host: str = "", timeouts: Timeouts | None = None) -> Library:
    """Return the models on the server, to be used in `async with`; what the flags name goes before the settings.

    Raises:
        UsageError: it is no Ollama server; and what `engine_for` raises.
    """
    if settings.engine == EngineName.OPENAI:
        raise UsageError(
            "only an Ollama server lets its models be changed", "this one has those that it was started with"
        )
    from reflectty.library import open_library  # noqa: PLC0415 - not before somebody wants to see the models

    limits = timeouts or settings.timeouts
    return open_library(host or settings.host, engine=settings.engine, api_key=settings.api_key, timeouts=limits)
