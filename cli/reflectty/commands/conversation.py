"""The session that a question of one shot goes on with, and who keeps the exchange; asks no model."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty import config
from reflectty.errors import OptionError, PromptTooLongError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from reflectty.asking import Question
    from reflectty.chat import Message
    from reflectty.commands.arguments import Arguments
    from reflectty.config import Settings
    from reflectty.keeping import Keeper
    from reflectty.session import Attachment
    from reflectty.store import Store


class Before(NamedTuple):
    """What was said before the question."""

    store: Store
    session: str
    leaf: int | None
    """The turn that the question follows."""
    model: str
    history: tuple[Message, ...]


def before(given: Arguments, warn: Callable[[str], None]) -> Before | None:
    """Return the session that `--continue` or `--session` names; None where neither is given.

    Raises:
        UsageError: there is no such session.
        StoreError: the sessions cannot be read.
    """
    if not (given.go_on or given.session):
        return None
    from reflectty.session import branch, history  # noqa: PLC0415 - only a question that goes on needs them

    store = _stored(config.store_path(), warn)
    session = store.find(given.session) if given.session else store.latest()
    if session is None:
        raise UsageError(*_NONE)
    path = branch(store.turns(session.id), session.leaf)
    return Before(store, session.id, session.leaf, session.model, history(path, given.model or session.model))


def resumed_at(settings: Settings, given: Arguments, earlier: Before | None) -> Settings:
    """Return the settings with the server that a session was held with, unless this call names one."""
    if earlier is None or given.engine or given.host or settings.server_insists or settings.engine != "ollama":
        return settings
    return held_at(settings, earlier.session)


def held_at(settings: Settings, session: str) -> Settings:
    """Return the settings with the server that a session was held with, where that is not the usual one."""
    engine, host = config.place_of(session)
    return settings._replace(engine=engine, host=host, settled=True) if engine else settings


_NONE = ("there is no session to go on with", "a question without -c begins one")


def _stored(path: Path, warn: Callable[[str], None]) -> Store:
    """Open what is there: to look for a session must not make a file."""
    if not path.exists():
        raise UsageError(*_NONE)
    from reflectty.store import open_store  # noqa: PLC0415 - SQLite is loaded only where it is needed

    return open_store(path, warn)


def keeper(text: str, attachments: tuple[Attachment, ...], earlier: Before | None) -> Keeper:
    """Return who keeps a question: at once where it goes on with a session, else without costing its answer any time.

    Args:
        text: the question as it was typed.
        attachments: what came along with it.
        earlier: the session that it goes on with.
    """
    from reflectty.keeping import Keeper, Place  # noqa: PLC0415 - loaded beside the engine

    if earlier is None:
        return Keeper(_open, Place(text, attachments), late=True)
    return Keeper(lambda _: earlier.store, Place(text, attachments, earlier.session, earlier.leaf))


def _open(warn: Callable[[str], None]) -> Store:
    from reflectty.store import open_store  # noqa: PLC0415 - not before the answer is out

    return open_store(config.store_path(), warn)


def leaner(error: PromptTooLongError, question: Question) -> PromptTooLongError:
    """Return the error with what can be left out: the turns of the session are sent along."""
    if not question.history:
        return error
    number = len(question.history) // 2
    turns = "an earlier question and its answer" if number == 1 else f"{number} earlier questions and their answers"
    return PromptTooLongError(str(error), f"{turns} are sent along: without -c or --session they are not; {error.hint}")


def blamed(error: OptionError, flags: Iterable[str], profile: str) -> OptionError:
    """Return an error about an option with where that is set.

    Args:
        error: names the option.
        flags: every `KEY=VALUE` that was given with this call.
        profile: the one that was named with this call.
    """
    from reflectty.config.sources import option_source  # noqa: PLC0415 - only who is refused wants to know

    named = any(flag.partition("=")[0].strip() == error.option for flag in flags)
    source = f"--option {error.option}" if named else option_source(error.option, profile)
    return OptionError(str(error), f"{source} sets it: leave it out", option=error.option) if source else error
