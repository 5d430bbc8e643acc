"""The chat, which `reflect` opens where nothing is asked on a terminal: arguments become values, then one call."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from reflectty import config
from reflectty.commands.conversation import held_at
from reflectty.errors import StoppedError, StoreError, UsageError
from reflectty.render.remark import remark

if TYPE_CHECKING:
    from reflectty.asking import Question
    from reflectty.library.fit import Around
    from reflectty.library.library import Library
    from reflectty.session import Session
    from reflectty.store import Store
    from reflectty.terminal import Terminal
    from reflectty.tui.conversation import Manner
    from reflectty.tui.setup import Profiled, Setup

DEFAULT_HOSTS = {"ollama": "127.0.0.1:11434", "openai": "127.0.0.1:8000", "embedded": "built in"}
MOST_SESSIONS = 50
"""So many of the latest sessions are looked at for those of a chat that is left."""
NO_TERMINAL = "the chat needs a terminal: stdin, stdout and stderr must be one"


def can_open(terminal: Terminal) -> bool:
    """Whether there is a terminal that a chat could be drawn on."""
    return terminal.stdin_tty and terminal.out.tty and terminal.err.tty


class Wanted(NamedTuple):
    """What the arguments say of a chat."""

    question: Question
    """How questions are asked; its prompt is empty."""
    host: str = ""
    timeout: str = ""
    keep: bool = True
    session: str = ""
    """The session to go on with, by a part of its id or its title."""
    latest: bool = False
    """Whether to go on with the last one."""
    insists: bool = False
    """Whether the model was named with this call, and not by a setting or a session."""
    profile: str = ""
    """The profile that was named with this call."""
    typed: tuple[tuple[str, str], ...] = ()
    """The options that were given with this call, each with what it was given behind."""


def chat(terminal: Terminal) -> None:
    """Open the chat as the settings say, where the command line says nothing; Typer is not needed for that."""
    from reflectty.asking import standing  # noqa: PLC0415 - a refusal needs none of this

    settings = config.load()
    wanted = Wanted(standing(settings), host=settings.host, keep=settings.store, insists=settings.model_insists)
    open_chat(wanted, settings, terminal)


def open_chat(wanted: Wanted, settings: config.Settings, terminal: Terminal) -> None:
    """Run the chat until it is left.

    Raises:
        UsageError: there is no terminal, or a key, a session or the host cannot be used.
        StoppedError: a signal ended it.
    """
    if not can_open(terminal):
        raise UsageError(NO_TERMINAL, 'ask a question instead: reflect "why is the sky blue?"')
    from reflectty.store import open_store  # noqa: PLC0415 - a refusal needs none of this
    from reflectty.tui.app import ReflectApp  # noqa: PLC0415

    notes: list[str] = []
    parting: list[str] = []
    store = open_store(config.store_path() if wanted.keep else None, notes.append)
    try:
        found = store.find(wanted.session) if wanted.session else store.latest() if wanted.latest else None
        settings, wanted = _resumed_at(settings, wanted, found)
        setup = _setup(wanted, config.recalled(settings), terminal, store)
        app = ReflectApp(
            setup._replace(session=found, notes=(*notes, *setup.notes), parting=parting.append),
            animation=settings.animation and terminal.motion,
        )
        began = time.time()
        app.run()
        _remember_places(settings, wanted.host, store, began)
    finally:
        store.close()
    for text in parting:
        remark(terminal, text)
    if app.failure:
        raise app.failure
    if app.return_code:
        raise StoppedError(app.return_code)


def _resumed_at(settings: config.Settings, wanted: Wanted, found: Session | None) -> tuple[config.Settings, Wanted]:
    """Return the settings with the server that a session was held with, unless this call names one."""
    named = settings.engine != "ollama" or settings.server_insists or wanted.host != settings.host
    if named or found is None:
        return settings, wanted
    held = held_at(settings, found.id)
    return held, wanted if held is settings else wanted._replace(host=held.host)


def _remember_places(settings: config.Settings, host: str, store: Store, began: float) -> None:
    """Remember with which server the sessions of this chat were held."""
    if settings.engine != "openai":
        return
    with suppress(StoreError):
        for session in store.sessions(MOST_SESSIONS):
            if session.updated >= began:
                config.remember_place(session.id, settings.engine, host)


def _setup(wanted: Wanted, settings: config.Settings, terminal: Terminal, store: Store) -> Setup:
    from reflectty.commands.serving import engine_for, library_for  # noqa: PLC0415 - a refusal needs none of this
    from reflectty.tui.keys import bound  # noqa: PLC0415
    from reflectty.tui.looks import Looks  # noqa: PLC0415
    from reflectty.tui.parts.part import View  # noqa: PLC0415
    from reflectty.tui.setup import Setup  # noqa: PLC0415

    timeouts = config.parse_timeouts(wanted.timeout, settings.timeouts)
    looks = Looks(terminal, settings.theme)
    return Setup(
        looks=looks,
        actions=bound(settings.keys),
        manner=_manner(wanted.question)._replace(profile=wanted.profile, typed=wanted.typed),
        store=store,
        engine=lambda: engine_for(settings, wanted.host, timeouts, unasked=not wanted.question.model),
        library=lambda: library_for(settings, wanted.host, timeouts),
        profile=_profiled,
        host=wanted.host or DEFAULT_HOSTS[settings.engine],
        view=View(settings.thinking or View.LIVE),
        insists=wanted.insists,
        around=_around,
        notes=(looks.problem,) if looks.problem else (),
    )


def _manner(asked: Question) -> Manner:
    from reflectty.tui.conversation import Manner  # noqa: PLC0415 - a refusal needs none of this

    wish = asked.wish
    return Manner(
        asked.model,
        wish.mode,
        wish.effort,
        wish.family,
        asked.options,
        wish.system,
        asked.keep_alive,
        asked.keep_thinking,
    )


def _profiled(name: str) -> Profiled:
    """Return how a profile asks: it is named now, and goes before the flags of a while ago."""
    from reflectty.asking import standing  # noqa: PLC0415 - a refusal needs none of this
    from reflectty.commands.serving import engine_for, library_for  # noqa: PLC0415
    from reflectty.tui.setup import Profiled  # noqa: PLC0415

    settings = config.load(profile=name)
    manner = _manner(standing(settings))
    if not settings.server_insists:
        return Profiled(manner)
    host = settings.host or DEFAULT_HOSTS[settings.engine]
    return Profiled(manner, lambda: engine_for(settings), host, lambda: library_for(settings))


async def _around(library: Library) -> Around:
    from reflectty.commands.models.arguments import around  # noqa: PLC0415 - not before a model is looked at

    return await around(library)
