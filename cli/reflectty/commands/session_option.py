"""`--continue` and `--session`: finds the session to continue and makes the recorder of the turn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reflectty import config
from reflectty.commands.ask_options import decode_argument
from reflectty.core.errors import NoSessionError, OptionError, PromptTooLongError, StoreError, UsageError
from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from reflectty.chat.recorder import Recorder
    from reflectty.chat.request import Question
    from reflectty.commands.ask_options import AskArguments
    from reflectty.config import Settings
    from reflectty.core.messages import Message
    from reflectty.core.session import Attachment, Session, SessionSettings, Turn
    from reflectty.core.templates import Template
    from reflectty.store import Store
    from reflectty.system.terminal import Terminal


class ContinuedSession(NamedTuple):
    """The session that a question continues."""

    store: Store
    session: str
    leaf: int | None
    """The turn that the question follows."""
    model: str
    path: tuple[Turn, ...]
    """The turns up to that one."""
    settings: SessionSettings
    """What was set for the session in the chat."""

    def history_for(self, model: str) -> tuple[Message, ...]:
        """The messages to send to a model; empty means that of the session."""
        from reflectty.core.session import history_of

        return history_of(self.path, model or self.model)


def find_continued_session(
    arguments: AskArguments, terminal: Terminal, warn: Callable[[str], None]
) -> ContinuedSession | None:
    """The session that `--continue` or `--session` names; None if neither is given, or `--session` names a new one.

    Raises:
        UsageError: there is no such session, or several.
        StoreError: the sessions cannot be read.
    """
    if not (arguments.go_on or arguments.session):
        return None
    from reflectty.core.session import branch_to

    name = decode_argument(arguments.session)
    store = open_saved_store(warn)
    if store is None:
        if name:
            return None
        raise UsageError(*_NO_SESSION)
    try:
        session = store.find(name) if name else latest_session(store, terminal)
    except NoSessionError:
        if _may_be_id(name):
            raise
        store.close()
        if terminal.err.tty:
            warn(f"starting the session {name!r}")
        return None
    if session is None:
        raise UsageError(*_NO_SESSION)
    path = branch_to(store.turns(session.id), session.leaf)
    return ContinuedSession(store, session.id, session.leaf, session.model, path, session.settings)


def latest_session(store: Store, terminal: Terminal) -> Session | None:
    """The session to continue: the latest of this terminal, of any terminal, or of all, as scripts ask, too."""
    for name in config.sessions_of_terminals(terminal.key) if terminal.key else ():
        if session := store.get(name):
            return session
    return store.latest()


def remember_terminal_session(terminal: Terminal, session: str) -> None:
    """Remember a session for `--continue` in this terminal, unless its answer goes to a program."""
    if terminal.key and terminal.out.tty:
        config.remember_session_of_terminal(terminal.key, session)


def _may_be_id(name: str) -> bool:
    """Whether a name is probably meant as the start of an id, so that no session of that title is created."""
    return re.fullmatch(r"(?=.*\d)[a-z0-9]{3,6}", name.strip()) is not None


def restore_profile(
    settings: Settings, arguments: AskArguments, session: ContinuedSession, warn: Callable[[str], None]
) -> Settings:
    """The settings with the profile of a session, unless this call names one; the session's own model precedes it."""
    name = session.settings.profile
    if not name or arguments.profile or name == settings.profile:
        return settings
    try:
        profiled = config.load_settings(profile=name, engine=arguments.engine or "")
    except UsageError as error:
        warn(error.with_hint)
        return settings
    return profiled._replace(is_model_explicit=settings.is_model_explicit)


def restored_settings(session: ContinuedSession, template: Template | None) -> SessionSettings:
    """What the session sets for the question, except what a template sets that the command line names."""
    if template is None:
        return session.settings
    from reflectty.chat.session_settings import without_template

    return without_template(session.settings, template.settings)


def restore_server(settings: Settings, arguments: AskArguments, continued_session: ContinuedSession | None) -> Settings:
    """The settings with the server of the continued session, unless this call names a server."""
    if (
        continued_session is None
        or arguments.engine
        or arguments.host
        or settings.is_server_explicit
        or settings.engine != "ollama"
    ):
        return settings
    return settings_for_session(settings, continued_session.session)


def settings_for_session(settings: Settings, session: str) -> Settings:
    """The settings with the remembered server of a session, if there is one."""
    engine, host = config.server_of_session(session)
    return settings._replace(engine=engine, host=host, user_configured=True) if engine else settings


_NO_SESSION = ("there is no session to continue", "ask without -c to start one")


def open_saved_store(warn: Callable[[str], None], *, creates: bool = False) -> Store | None:
    """Open the store of the saved sessions; None if it has no file yet and the caller `creates` none.

    Raises:
        StoreError: the file is there and cannot be read.
    """
    from reflectty.store import open_saved

    path = config.store_path()
    if not (creates or _is_there(path)):
        return None
    try:
        return open_saved(path, warn)
    except StoreError as error:
        raise StoreError(f"cannot read the sessions: {error}", error.hint) from error


def _is_there(path: Path) -> bool:
    """Whether a file may be there; the store reports why it cannot be accessed."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        pass
    return True


def make_recorder(
    text: str, attachments: tuple[Attachment, ...], continued_session: ContinuedSession | None, title: str = ""
) -> Recorder:
    """Make the recorder of a question; it saves a new session without delaying the answer.

    Args:
        text: the question as typed.
        attachments: the attachments of the question.
        continued_session: the session that it continues.
        title: the title of a new session; empty derives it from the question.
    """
    from reflectty.chat.recorder import Recorder, RecordTarget

    if continued_session is None:
        return Recorder(_open_default_store, RecordTarget(text, attachments, title=title), deferred=True)
    return Recorder(
        lambda _: continued_session.store,
        RecordTarget(text, attachments, continued_session.session, continued_session.leaf),
    )


def _open_default_store(warn: Callable[[str], None]) -> Store:
    from reflectty.store import open_store

    return open_store(config.store_path(), warn)


def add_omission_hint(error: PromptTooLongError, question: Question) -> PromptTooLongError:
    """Add the hint to leave out the earlier turns of the session."""
    if not question.history:
        return error
    count = len(question.history) // 2
    turns = "an earlier turn" if count == 1 else f"{count} earlier turns"
    return PromptTooLongError(str(error), f"drop -c or --session to leave out {turns}; {error.hint}")


def add_option_source(error: OptionError, flags: Iterable[str], profile: str) -> OptionError:
    """Add to an error about an option where the option is set.

    Args:
        error: the error, which names the option.
        flags: every `KEY=VALUE` given on the command line.
        profile: the profile named on the command line.
    """
    from reflectty.config.explain import with_option_source

    typed = {name: f"--option {name}" for name in (flag.partition("=")[0].strip() for flag in flags)}
    return with_option_source(error, profile, typed)
