"""Opens the chat with the given settings and arguments."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty import config
from reflectty.commands.session_option import latest_session, remember_terminal_session, settings_for_session
from reflectty.core.errors import StoppedError, StoreError, UsageError
from reflectty.core.named_tuple import NamedTuple
from reflectty.core.session import NO_SETTINGS
from reflectty.output import write_remark
from reflectty.system.background import NO_ANSWER, ask_background
from reflectty.system.terminal import hinted_background, system_environment
from reflectty.view.colors import INDEXED

if TYPE_CHECKING:
    from reflectty.core.session import Session, SessionSettings
    from reflectty.models.fit import ServerHardware
    from reflectty.models.manager import ModelLibrary
    from reflectty.reasoning.modes import AskOptions
    from reflectty.store import Store
    from reflectty.system.background import BackgroundQuestion
    from reflectty.system.terminal import Terminal
    from reflectty.tui.app import ChatConfig, ChatProfile

DEFAULT_HOSTS = {"ollama": "127.0.0.1:11434", "openai": "127.0.0.1:8000", "embedded": "built in"}
MAX_SESSIONS = 50
"""The number of latest sessions searched for those of the chat that ended."""
CONTINUE_REMARK = "reflect -c continues this session"
NO_TERMINAL = "the chat needs a terminal on stdin, stdout and stderr"
DUMB_TERMINAL = "the chat cannot be drawn on this terminal: TERM is dumb or not set"


def can_open_chat(terminal: Terminal) -> bool:
    """Whether stdin, stdout and stderr are terminals that can be drawn on."""
    return _has_terminals(terminal) and terminal.can_redraw


def _has_terminals(terminal: Terminal) -> bool:
    return terminal.stdin_tty and terminal.out.tty and terminal.err.tty


class ChatRequest(NamedTuple):
    """The arguments of a chat."""

    ask_options: AskOptions
    """The options of every question."""
    host: str = ""
    timeout: str = ""
    keeps_session: bool = True
    session: str = ""
    """The session to continue: a part of its id or its title."""
    continues_latest: bool = False
    """Whether to continue the latest session."""
    is_model_explicit: bool = False
    """Whether the model was named for this call, so that it overrides that of a session."""
    profile: str = ""
    """The profile named on the command line."""
    typed: tuple[tuple[str, str], ...] = ()
    """The options given on the command line, each with its value."""
    settings: SessionSettings = NO_SETTINGS
    """What the command line sets for the session."""


def chat(terminal: Terminal) -> None:
    """Open the chat from the settings alone, without Typer."""
    settings = config.load_settings()
    request = ChatRequest(
        settings.ask_options,
        host=settings.host,
        keeps_session=settings.store,
        is_model_explicit=settings.is_model_explicit,
    )
    open_chat(request, settings, terminal)


def open_chat(request: ChatRequest, settings: config.Settings, terminal: Terminal) -> None:
    """Run the chat until the user leaves it.

    Raises:
        UsageError: there is no terminal to draw on, or a key, the session or the host is invalid.
        StoppedError: a signal ended it.
    """
    if not can_open_chat(terminal):
        raise UsageError(
            DUMB_TERMINAL if _has_terminals(terminal) else NO_TERMINAL,
            'ask a question instead: reflect "why is the sky blue?"',
        )
    settings = config.with_remembered_choices(settings)
    question = None if settings.is_theme_chosen or terminal.err.color_count < INDEXED else ask_background(terminal)
    try:
        _run_chat(request, settings, terminal, question)
    finally:
        if question:
            question.restore()


def _run_chat(
    request: ChatRequest, settings: config.Settings, terminal: Terminal, question: BackgroundQuestion | None
) -> None:
    from reflectty.store import open_store
    from reflectty.tui.app import ReflectApp

    notes: list[str] = []
    exit_messages: list[str] = []
    store = open_store(config.store_path() if request.keeps_session else None, notes.append)
    try:
        session = (
            store.find(request.session)
            if request.session
            else latest_session(store, terminal)
            if request.continues_latest
            else None
        )
        session = session and _with_settings(session, request.settings, store)
        settings, request = _restore_server(settings, request, session)
        chat_config = _make_chat_config(request, settings, terminal, store)
        heard = question.finish() if question else NO_ANSWER
        is_dark = hinted_background() if heard.is_dark is None else heard.is_dark
        if is_dark is not None:
            chat_config.theme.take_background(is_dark=is_dark)
        app = ReflectApp(
            chat_config._replace(
                session=session,
                notes=(*notes, *chat_config.notes),
                exit_message=exit_messages.append,
                typed_ahead=heard.typed,
            ),
            animation=settings.animation and terminal.can_redraw,
        )
        began = time.time()
        app.run()
        _remember_servers(settings, request.host, store, began)
        if _remember_session(terminal, store, began) and request.keeps_session:
            exit_messages.append(CONTINUE_REMARK)
    finally:
        store.close()
    for text in exit_messages:
        write_remark(terminal, text)
    if app.failure:
        raise app.failure
    if app.return_code:
        raise StoppedError(app.return_code)


def _with_settings(session: Session, typed: SessionSettings, store: Store) -> Session:
    """The session with what the command line sets for it, which is kept."""
    settings = session.settings.override(typed)
    if settings != session.settings:
        with suppress(StoreError):
            store.set_settings(session.id, settings)
    return session._replace(settings=settings)


def _restore_server(
    settings: config.Settings, request: ChatRequest, session: Session | None
) -> tuple[config.Settings, ChatRequest]:
    """The settings and the request with the server of a session, unless this call names a server."""
    is_server_named = settings.engine != "ollama" or settings.is_server_explicit or request.host != settings.host
    if is_server_named or session is None:
        return settings, request
    restored = settings_for_session(settings, session.id)
    return restored, request if restored is settings else request._replace(host=restored.host)


def _remember_servers(settings: config.Settings, host: str, store: Store, began: float) -> None:
    """Remember the server of each session of this chat."""
    if settings.engine != "openai":
        return
    with suppress(StoreError):
        for session in store.sessions(MAX_SESSIONS):
            if session.updated >= began:
                config.remember_session_server(session.id, settings.engine, host)


def _remember_session(terminal: Terminal, store: Store, began: float) -> bool:
    """Remember the latest session of this chat for `--continue` in this terminal; return whether there is one."""
    with suppress(StoreError):
        if (latest := store.latest()) and latest.updated >= began:
            remember_terminal_session(terminal, latest.id)
            return True
    return False


def _make_chat_config(request: ChatRequest, settings: config.Settings, terminal: Terminal, store: Store) -> ChatConfig:
    from reflectty.commands.engine_factory import engine_for, library_for
    from reflectty.tui.actions import bind_actions
    from reflectty.tui.app import ChatConfig
    from reflectty.tui.attention import Notifier, notification_protocol_of
    from reflectty.tui.conversation import OptionSources
    from reflectty.tui.theme import ChatTheme
    from reflectty.view.parts import ThinkingView

    timeouts = config.parse_timeouts(request.timeout, settings.timeouts)
    chat_theme = ChatTheme(terminal, settings.theme, follows_background=not settings.is_theme_chosen)
    return ChatConfig(
        theme=chat_theme,
        actions=bind_actions(settings.keys),
        ask_options=request.ask_options,
        option_sources=OptionSources(request.profile, request.typed),
        store=store,
        open_engine=lambda: engine_for(settings, request.host, timeouts, unasked=not request.ask_options.model),
        open_library=lambda: library_for(settings, request.host, timeouts),
        load_profile=_load_chat_profile,
        host=request.host or DEFAULT_HOSTS[settings.engine],
        view=ThinkingView(settings.thinking or ThinkingView.LIVE),
        reads_thoughts=settings.second_thoughts,
        model_overrides_session=request.is_model_explicit,
        typed_settings=request.settings,
        hardware=_find_hardware,
        notifier=Notifier(settings.notify, settings.notify_after, notification_protocol_of(system_environment())),
        notes=(chat_theme.problem,) if chat_theme.problem else (),
    )


def _load_chat_profile(name: str) -> ChatProfile:
    """The ask options and the server of a profile; chosen in the chat, it overrides the flags of the command line."""
    from reflectty.commands.engine_factory import engine_for, library_for
    from reflectty.tui.app import ChatProfile

    settings = config.load_settings(profile=name)
    if not settings.is_server_explicit:
        return ChatProfile(settings.ask_options)
    host = settings.host or DEFAULT_HOSTS[settings.engine]
    return ChatProfile(settings.ask_options, lambda: engine_for(settings), host, lambda: library_for(settings))


async def _find_hardware(library: ModelLibrary) -> ServerHardware:
    from reflectty.commands.models.options import find_hardware

    return await find_hardware(library)
