"""Opens the chat with the given settings and arguments."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from reflectty import config
from reflectty.commands.session_option import settings_for_session
from reflectty.core.errors import StoppedError, StoreError, UsageError
from reflectty.output import write_remark

if TYPE_CHECKING:
    from reflectty.chat.request import Question
    from reflectty.core.session import Session
    from reflectty.models.fit_report import ServerHardware
    from reflectty.models.manager import ModelLibrary
    from reflectty.store import Store
    from reflectty.system.terminal import Terminal
    from reflectty.tui.app import ChatConfig, ChatProfile
    from reflectty.tui.conversation import ChatAskOptions

DEFAULT_HOSTS = {"ollama": "127.0.0.1:11434", "openai": "127.0.0.1:8000", "embedded": "built in"}
MAX_SESSIONS = 50
"""So many of the latest sessions are looked at for those of a chat that is left."""
NO_TERMINAL = "the chat needs a terminal on stdin, stdout and stderr"


def can_open_chat(terminal: Terminal) -> bool:
    """Whether there is a terminal that a chat could be drawn on."""
    return terminal.stdin_tty and terminal.out.tty and terminal.err.tty


class ChatRequest(NamedTuple):
    """What the arguments say of a chat."""

    question: Question
    """How questions are asked; its prompt is empty."""
    host: str = ""
    timeout: str = ""
    keeps_session: bool = True
    session: str = ""
    """The session to go on with, by a part of its id or its title."""
    continues_latest: bool = False
    """Whether to go on with the last one."""
    is_model_explicit: bool = False
    """Whether the model was named with this call, and not by a setting or a session."""
    profile: str = ""
    """The profile that was named with this call."""
    typed: tuple[tuple[str, str], ...] = ()
    """The options that were given with this call, each with what it was given behind."""


def chat(terminal: Terminal) -> None:
    """Open the chat as the settings say, where the command line says nothing; Typer is not needed for that."""
    from reflectty.chat.request import question_from_settings

    settings = config.load_settings()
    wanted = ChatRequest(
        question_from_settings(settings),
        host=settings.host,
        keeps_session=settings.store,
        is_model_explicit=settings.is_model_explicit,
    )
    open_chat(wanted, settings, terminal)


def open_chat(request: ChatRequest, settings: config.Settings, terminal: Terminal) -> None:
    """Run the chat until it is left.

    Raises:
        UsageError: there is no terminal, or a key, a session or the host cannot be used.
        StoppedError: a signal ended it.
    """
    if not can_open_chat(terminal):
        raise UsageError(NO_TERMINAL, 'ask a question instead: reflect "why is the sky blue?"')
    from reflectty.store import open_store
    from reflectty.tui.app import ReflectApp

    notes: list[str] = []
    parting: list[str] = []
    store = open_store(config.store_path() if request.keeps_session else None, notes.append)
    try:
        found = store.find(request.session) if request.session else store.latest() if request.continues_latest else None
        settings, request = _restore_server(settings, request, found)
        chat_config = _make_chat_config(request, config.with_remembered_choices(settings), terminal, store)
        app = ReflectApp(
            chat_config._replace(session=found, notes=(*notes, *chat_config.notes), exit_message=parting.append),
            animation=settings.animation and terminal.can_redraw,
        )
        began = time.time()
        app.run()
        _remember_servers(settings, request.host, store, began)
    finally:
        store.close()
    for text in parting:
        write_remark(terminal, text)
    if app.failure:
        raise app.failure
    if app.return_code:
        raise StoppedError(app.return_code)


def _restore_server(
    settings: config.Settings, request: ChatRequest, found: Session | None
) -> tuple[config.Settings, ChatRequest]:
    """Return the settings with the server that a session was held with, unless this call names one."""
    named = settings.engine != "ollama" or settings.is_server_explicit or request.host != settings.host
    if named or found is None:
        return settings, request
    held = settings_for_session(settings, found.id)
    return held, request if held is settings else request._replace(host=held.host)


def _remember_servers(settings: config.Settings, host: str, store: Store, began: float) -> None:
    """Remember with which server the sessions of this chat were held."""
    if settings.engine != "openai":
        return
    with suppress(StoreError):
        for session in store.sessions(MAX_SESSIONS):
            if session.updated >= began:
                config.remember_session_server(session.id, settings.engine, host)


def _make_chat_config(request: ChatRequest, settings: config.Settings, terminal: Terminal, store: Store) -> ChatConfig:
    from reflectty.commands.engine_factory import engine_for, library_for
    from reflectty.tui.app import ChatConfig
    from reflectty.tui.keys import bind_actions
    from reflectty.tui.theme import ChatTheme
    from reflectty.view.parts import ThinkingView

    timeouts = config.parse_timeouts(request.timeout, settings.timeouts)
    chat_theme = ChatTheme(terminal, settings.theme)
    return ChatConfig(
        theme=chat_theme,
        actions=bind_actions(settings.keys),
        ask_options=_ask_options_of(request.question)._replace(profile=request.profile, typed=request.typed),
        store=store,
        open_engine=lambda: engine_for(settings, request.host, timeouts, unasked=not request.question.model),
        open_library=lambda: library_for(settings, request.host, timeouts),
        load_profile=_load_chat_profile,
        host=request.host or DEFAULT_HOSTS[settings.engine],
        view=ThinkingView(settings.thinking or ThinkingView.LIVE),
        model_overrides_session=request.is_model_explicit,
        hardware=_find_hardware,
        notes=(chat_theme.problem,) if chat_theme.problem else (),
    )


def _ask_options_of(asked: Question) -> ChatAskOptions:
    from reflectty.tui.conversation import ChatAskOptions

    wish = asked.ask_options
    return ChatAskOptions(
        asked.model,
        wish.mode,
        wish.effort,
        wish.family,
        asked.options,
        wish.system,
        asked.keep_alive,
        asked.keep_thinking,
    )


def _load_chat_profile(name: str) -> ChatProfile:
    """Return how a profile asks: it is named now, and goes before the flags of a while ago."""
    from reflectty.chat.request import question_from_settings
    from reflectty.commands.engine_factory import engine_for, library_for
    from reflectty.tui.app import ChatProfile

    settings = config.load_settings(profile=name)
    ask_options = _ask_options_of(question_from_settings(settings))
    if not settings.is_server_explicit:
        return ChatProfile(ask_options)
    host = settings.host or DEFAULT_HOSTS[settings.engine]
    return ChatProfile(ask_options, lambda: engine_for(settings), host, lambda: library_for(settings))


async def _find_hardware(library: ModelLibrary) -> ServerHardware:
    from reflectty.commands.models.options import find_hardware

    return await find_hardware(library)
