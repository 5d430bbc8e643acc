"""`--continue` and `--session`: finds the session to continue and makes the recorder of the turn."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty import config
from reflectty.core.errors import OptionError, PromptTooLongError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from reflectty.chat.recorder import Recorder
    from reflectty.chat.request import Question
    from reflectty.commands.ask_options import AskArguments
    from reflectty.config import Settings
    from reflectty.core.messages import Message
    from reflectty.core.session import Attachment
    from reflectty.store import Store


class ContinuedSession(NamedTuple):
    """The session that a question continues."""

    store: Store
    session: str
    leaf: int | None
    """The turn that the question follows."""
    model: str
    history: tuple[Message, ...]


def find_continued_session(arguments: AskArguments, warn: Callable[[str], None]) -> ContinuedSession | None:
    """The session that `--continue` or `--session` selects; None without either.

    Raises:
        UsageError: the session does not exist.
        StoreError: the sessions cannot be read.
    """
    if not (arguments.go_on or arguments.session):
        return None
    from reflectty.core.session import branch_to, history_of

    store = _open_existing_store(config.store_path(), warn)
    session = store.find(arguments.session) if arguments.session else store.latest()
    if session is None:
        raise UsageError(*_NO_SESSION)
    path = branch_to(store.turns(session.id), session.leaf)
    return ContinuedSession(
        store, session.id, session.leaf, session.model, history_of(path, arguments.model or session.model)
    )


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


def _open_existing_store(path: Path, warn: Callable[[str], None]) -> Store:
    """Open the store, without creating its file."""
    if not path.exists():
        raise UsageError(*_NO_SESSION)
    from reflectty.store import open_store

    return open_store(path, warn)


def make_recorder(
    text: str, attachments: tuple[Attachment, ...], continued_session: ContinuedSession | None
) -> Recorder:
    """Make the recorder of a question; it saves a new session without delaying the answer.

    Args:
        text: the question as typed.
        attachments: the attachments of the question.
        continued_session: the session that it continues.
    """
    from reflectty.chat.recorder import Recorder, RecordTarget

    if continued_session is None:
        return Recorder(_open_default_store, RecordTarget(text, attachments), deferred=True)
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
    from reflectty.config.explain import option_source

    is_flag = any(flag.partition("=")[0].strip() == error.option for flag in flags)
    source = f"--option {error.option}" if is_flag else option_source(error.option, profile)
    return OptionError(str(error), f"set by {source}: remove it", option=error.option) if source else error
