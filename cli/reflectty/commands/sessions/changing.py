"""`reflect sessions rename|remove|fork`: arguments become values, and values one change of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reflectty.commands import output
from reflectty.commands.arguments import decoded
from reflectty.commands.sessions import arguments as args
from reflectty.errors import UsageError
from reflectty.safety import clean_line
from reflectty.session import branch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reflectty.session import Session, Turn
    from reflectty.terminal import Terminal

Title = Annotated[
    list[str],
    typer.Argument(metavar="TITLE...", help="The new title; several words are joined.", show_default=False),
]
Names = Annotated[
    list[str],
    typer.Argument(metavar="ID...", help="The sessions: ids or their beginnings, or titles.", show_default=False),
]
At = Annotated[
    int | None,
    typer.Option("--at", metavar="N", min=1, help="The last question to take along.", show_default="all of them"),
]


def rename(context: typer.Context, name: args.Name, title: Title, as_json: output.AsJson = False) -> None:
    """Give a session another title."""
    terminal: Terminal = context.obj
    text = decoded(" ".join(title))
    if not clean_line(text):
        raise UsageError("the title is empty", "name the session: reflect sessions rename ID TITLE")
    with args.opened(terminal) as store:
        session = store.find(decoded(name))
        store.rename(session.id, text)
        renamed = store.find(session.id)
    if as_json:
        _print([renamed], terminal, one=True)
    output.told(terminal, f"{session.id} is now called {renamed.title}")


def remove(context: typer.Context, names: Names, yes: output.Yes = False, as_json: output.AsJson = False) -> None:
    """Remove sessions for good.

    Questions, thinking and answers go, and what the search knew of them.
    """
    terminal: Terminal = context.obj
    output.may_remove(terminal, "sessions", yes=yes)
    with args.opened(terminal) as store:
        found = {session.id: session for session in (store.find(decoded(name)) for name in names)}
        sessions = tuple(found.values())
        if not yes and not output.agreed(terminal, map(_described, sessions)):
            output.told(terminal, "nothing was removed")
            sessions = ()
        for session in sessions:
            store.remove(session.id)
    if as_json:
        _print(sessions, terminal)
    for session in sessions:
        output.told(terminal, f"removed {args.quoted(session)}")


def _described(session: Session) -> str:
    return f"{args.quoted(session)}, {session.questions:,} asked"


def fork(context: typer.Context, name: args.Name, at: At = None, as_json: output.AsJson = False) -> None:
    """Begin a new session with what was said so far; prints its id."""
    terminal: Terminal = context.obj
    with args.opened(terminal) as store:
        session = store.find(decoded(name))
        leaf = None if at is None else _leaf(branch(store.turns(session.id), session.leaf), at)
        forked = store.fork(session.id, leaf)
    if as_json:
        _print([forked], terminal, one=True)
    else:
        terminal.out.write(f"{clean_line(forked.id)}\n")
    output.told(terminal, f"the new session is called {forked.title}")


def _leaf(path: Sequence[Turn], number: int) -> int:
    """Return the turn that ends what was said to the question of that number.

    Raises:
        UsageError: fewer questions were asked.
    """
    questions = [at for at, turn in enumerate(path) if turn.said is None]
    if number > len(questions):
        asked = len(questions)
        raise UsageError(f"--at {number}: only {asked} {'was' if asked == 1 else 'were'} asked on this branch")
    end = questions[number] if number < len(questions) else len(path)
    return path[end - 1].id


def _print(sessions: Sequence[Session], terminal: Terminal, *, one: bool = False) -> None:
    from reflectty.exporting.json import session_object, written  # noqa: PLC0415 - only --json needs it

    objects = [session_object(session) for session in sessions]
    terminal.out.write(written(objects[0] if one else objects))
