"""Makes the engine or model library for the settings and flags, with the built-in model as a fallback.

Decides when the built-in model answers. If it is requested by name, the server's own model of that name takes
precedence. As a fallback it answers only if no server or model is configured, no server answers, and none ever did.
"""

from __future__ import annotations

import time
from contextlib import suppress
from functools import cache, partial
from typing import TYPE_CHECKING

from reflectty import config
from reflectty.core.errors import StoreError, UsageError
from reflectty.core.model_spec import MINI_NOTICE, is_mini
from reflectty.engines import is_built_in, manages_models, open_engine

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reflectty.core.messages import Engine, Timeouts
    from reflectty.engines.fallback import FallbackRules
    from reflectty.models.manager import ModelLibrary
    from reflectty.system.terminal import Terminal


MINI_NAMED_NOTE = "using mini, a built-in model with 270 million parameters that is often wrong"
MINI_FALLBACK_NOTE = "no server responds: using mini, a built-in model with 270 million parameters that is often wrong"
REAL_MODEL_HINT = "for a better one, install Ollama from ollama.com and run reflect models pull {}"
ASK_MINI_HINT = "use -m mini to ask the built-in model without a server"
HOUR_SECONDS = 3_600.0
THINKERS = "thinkers"
"""The topic under which the models that were seen to think are remembered."""
MAX_SESSIONS = 1000
"""The number of latest sessions searched for the models that answered."""


def engine_for(  # noqa: PLR0913 - everything that selects the engine
    settings: config.Settings,
    host: str = "",
    timeouts: Timeouts | None = None,
    *,
    model: str | None = None,
    unasked: bool = False,
    has_notices: bool = True,
    terminal: Terminal | None = None,
) -> Engine:
    """Make the engine, for use in `async with`; the built-in model is its fallback until a server has answered.

    Args:
        settings: the server and its options.
        host: overrides the host of the settings.
        timeouts: override those of the settings.
        model: the requested model; "" picks the best installed one; None if it is not known yet (chat).
        unasked: whether the built-in model may answer without being requested.
        has_notices: whether the engine reports what the built-in model is.
        terminal: where it reports that, not each time; None for a chat, which reports it each time.

    Raises:
        UsageError: the host, the key or the proxy of the environment is invalid.
    """
    server = open_engine(
        host or settings.host,
        engine=settings.engine,
        api_key=config.load_api_key(settings),
        timeouts=timeouts or settings.timeouts,
        key_over_http=settings.api_key_over_http,
        remembered_models=_thinker_memory_for(host or settings.host),
    )
    is_embedded, is_requested = is_built_in(settings.engine), is_mini(model or "")
    if not (is_embedded or is_requested or model is None) and config.has_server_answered():
        return server
    from reflectty.engines.embedded import open_embedded
    from reflectty.engines.fallback import FallbackEngine

    open_builtin = partial(open_embedded, timeouts or settings.timeouts)
    unasked = unasked and not (settings.user_configured or host)
    rules = _embedded_rules() if is_embedded else _fallback_rules_for(is_requested=is_requested, unasked=unasked)
    notices = partial(_mini_notices, terminal) if has_notices else _no_notices
    return FallbackEngine(server, open_builtin, rules._replace(notices=notices), builtin_only=is_embedded)


def _thinker_memory_for(host: str) -> tuple[Callable[[str], bool], Callable[[str], object]]:
    """Functions that recall and remember which models at a host think although their names do not say so."""

    def entry(model: str) -> str:
        from hashlib import sha256

        # A host may contain a password, and a name any character.
        return sha256(f"{host}\n{model}".encode(errors="replace")).hexdigest()[:32]

    return lambda model: config.is_remembered(THINKERS, entry(model)), lambda model: config.remember_once(
        THINKERS, entry(model)
    )


def _fallback_rules_for(*, is_requested: bool, unasked: bool) -> FallbackRules:
    """The rules of the built-in model as the fallback of a server."""
    from reflectty.engines.embedded import is_installed
    from reflectty.engines.fallback import FallbackRules

    # The sessions are read only once; a server may answer for the first time while a chat is open.
    is_serverless = partial(_is_serverless, cache(_has_no_server_session))

    def advice() -> str:
        return "" if not is_serverless() else ASK_MINI_HINT if is_installed() else _install_hint()

    return FallbackRules(
        is_installed, lambda: is_requested or (unasked and is_serverless()), _no_notices, advice, _remember_server
    )


def _is_serverless(has_no_server_session: Callable[[], bool]) -> bool:
    """Whether no server ever answered here."""
    return not config.has_server_answered() and has_no_server_session()


def may_builtin_stand_in(settings: config.Settings, host: str) -> bool:
    """Whether the built-in model may stand in for the default server, which does not respond."""
    from reflectty.engines.embedded import is_installed

    return is_installed() and not (settings.user_configured or host) and _is_serverless(_has_no_server_session)


def _install_hint() -> str:
    from reflectty.engines.embedded.install import how_to_install

    return f"to get a small model that needs no server: {how_to_install()}"


def _embedded_rules() -> FallbackRules:
    """The rules of the built-in model as the selected engine."""
    from reflectty.engines.embedded import is_installed
    from reflectty.engines.fallback import FallbackRules

    return FallbackRules(is_installed, lambda: True, _no_notices, str, lambda: None)


async def _mini_notices(terminal: Terminal | None, is_requested: bool) -> tuple[str, ...]:
    """The notices about the built-in model: its quality unless it was just shown, its terms of use the first time."""
    if terminal and not _is_quality_due(terminal, is_requested=is_requested, now=time.time()):
        return ()
    from reflectty.models.hardware import detect_hardware
    from reflectty.models.recommendation import recommend_model

    hint = REAL_MODEL_HINT.format(recommend_model(await detect_hardware()).name)
    notice = f"{MINI_NAMED_NOTE if is_requested else MINI_FALLBACK_NOTE} ({hint})"
    return (notice, *((_terms_notice(),) if config.remember_once("told", "the terms of mini") else ()))


def _is_quality_due(terminal: Terminal, *, is_requested: bool, now: float) -> bool:
    """Whether to report what the built-in model is.

    If it was requested by name, once a day in each window; if it stands in for a server, every time on a terminal and
    once an hour in a log.
    """
    if is_requested:
        return config.is_notice_due(f"mini requested {terminal.key}".rstrip(), config.DAY_SECONDS, now)
    return terminal.err.tty or config.is_notice_due("mini as the fallback", HOUR_SECONDS, now)


async def _no_notices(is_requested: bool) -> tuple[str, ...]:  # noqa: ARG001 - required by the signature
    return ()


def _terms_notice() -> str:
    """The terms of use of the built-in model, and the folder that contains them."""
    from reflectty.system import assets

    return f"mini is based on Gemma. {MINI_NOTICE}; see {assets.find_asset_folder('models/mini')}"


def _remember_server() -> None:
    if not config.has_server_answered():
        config.remember_server_answered()


def _has_no_server_session() -> bool:
    """Whether no session has a model of a server; sessions may be older than the record of servers that answered."""
    with suppress(UsageError, OSError):
        return not (config.store_path().exists() and _has_other_models(config.store_path()))
    return True


def _has_other_models(path: Path) -> bool:
    """Whether a session has a model other than the built-in one; True if the sessions cannot be read."""
    from reflectty.store import open_store

    problems: list[str] = []
    store = open_store(path, problems.append)
    try:
        return bool(problems) or any(
            session.model and not is_mini(session.model) for session in store.sessions(MAX_SESSIONS)
        )
    except StoreError:
        return True
    finally:
        store.close()


def library_for(settings: config.Settings, host: str = "", timeouts: Timeouts | None = None) -> ModelLibrary:
    """The models on the server, for use in `async with`; the flags override the settings.

    Raises:
        UsageError: the server is not Ollama; otherwise as for `engine_for`.
    """
    if not manages_models(settings.engine):
        raise UsageError("models can only be changed on an Ollama server", "this server has a fixed set of models")
    from reflectty.models.manager import open_model_library

    limits = timeouts or settings.timeouts
    return open_model_library(host or settings.host, engine=settings.engine, api_key=settings.api_key, timeouts=limits)
