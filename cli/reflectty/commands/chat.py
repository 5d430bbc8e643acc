"""The chat, which `reflect` opens where nothing is asked on a terminal: values from arguments and settings, one call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty import config
from reflectty.errors import StoppedError, UsageError

if TYPE_CHECKING:
    from reflectty.asking import Question
    from reflectty.session import Session
    from reflectty.store import Store
    from reflectty.terminal import Terminal
    from reflectty.tui.screens.chat import Setup

NO_TERMINAL = "the chat needs a terminal: stdin, stdout and stderr must be one"


def can_open(terminal: Terminal) -> bool:
    """Whether there is a terminal that a chat could be drawn on."""
    return terminal.stdin_tty and terminal.out.tty and terminal.err.tty


def open_chat(  # noqa: PLR0913 - what the arguments say, each once
    question: Question,
    settings: config.Settings,
    terminal: Terminal,
    *,
    host: str,
    timeout: str,
    keep: bool,
    session: str = "",
    latest: bool = False,
) -> None:
    """Run the chat until it is left.

    Raises:
        UsageError: there is no terminal, or a key, a session or the host cannot be used.
        StoppedError: a signal ended it.
    """
    from reflectty.store import open_store  # noqa: PLC0415 - a one-shot needs none of this
    from reflectty.tui.app import ReflectApp  # noqa: PLC0415

    if not can_open(terminal):
        raise UsageError(NO_TERMINAL, 'ask a question instead: reflect "why is the sky blue?"')
    notes: list[str] = []
    store = open_store(config.store_path() if keep else None, notes.append)
    try:
        found = store.find(session) if session else store.latest() if latest else None
        setup = _setup(question, settings, terminal, store, found, notes, host=host, timeout=timeout)
        app = ReflectApp(setup, animation=settings.animation and terminal.motion)
        app.run()
    finally:
        store.close()
    if app.return_code:
        raise StoppedError(app.return_code)


def _setup(  # noqa: PLR0913 - the same
    question: Question,
    settings: config.Settings,
    terminal: Terminal,
    store: Store,
    session: Session | None,
    notes: list[str],
    *,
    host: str,
    timeout: str,
) -> Setup:
    from reflectty.engines import open_engine  # noqa: PLC0415 - a one-shot needs none of this
    from reflectty.tui.conversation import Manner  # noqa: PLC0415
    from reflectty.tui.keys import bound  # noqa: PLC0415
    from reflectty.tui.looks import Looks  # noqa: PLC0415
    from reflectty.tui.parts.part import View  # noqa: PLC0415
    from reflectty.tui.screens.chat import Setup  # noqa: PLC0415

    timeouts = config.parse_timeouts(timeout, settings.timeouts)
    settings, wish = config.recalled(settings), question.wish
    looks = Looks(terminal, settings.theme)
    return Setup(
        looks=looks,
        actions=bound(settings.keys),
        manner=Manner(
            question.model, wish.mode, wish.effort, wish.family, question.options, wish.system, question.keep_alive
        ),
        store=store,
        engine=lambda: open_engine(host, api_key=settings.api_key, timeouts=timeouts),
        host=host or "127.0.0.1:11434",
        view=View(settings.thinking or View.LIVE),
        session=session,
        notes=(*notes, *([looks.problem] if looks.problem else [])),
    )
