"""What the subcommands of `reflect sessions` share: arguments, the store, the page; nothing is done with them here."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from reflectty import config
from reflectty.render.remark import remark

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reflectty.session import Session
    from reflectty.store import Store
    from reflectty.terminal import Terminal

Name = Annotated[
    str,
    typer.Argument(metavar="ID", help="The session: its id or the beginning of it, or its title.", show_default=False),
]
Limit = Annotated[int, typer.Option("--limit", "-n", metavar="N", min=1, help="At most so many.")]


@contextmanager
def opened(terminal: Terminal) -> Iterator[Store]:
    """Open the store for one command; where nothing was ever kept, no file is made."""
    from reflectty.store import open_store  # noqa: PLC0415 - errors in the arguments need no store

    path = config.store_path()
    store = open_store(path if _is_there(path) else None, lambda text: remark(terminal, text))
    try:
        yield store
    finally:
        store.close()


def _is_there(path: Path) -> bool:
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except OSError:
        # What keeps it from being seen is for the store to say.
        return True
    return True


def quoted(session: Session) -> str:
    """Return how a session is called in a sentence."""
    return f"{session.id} ({session.title or 'untitled'})"
