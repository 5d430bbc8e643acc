"""Everything that a chat is given to begin with; opens nothing by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from reflectty.tui.parts.part import View

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reflectty.chat import Engine
    from reflectty.library.fit import Around
    from reflectty.library.library import Library
    from reflectty.session import Session
    from reflectty.store import Store
    from reflectty.tui.conversation import Manner
    from reflectty.tui.keys import Action
    from reflectty.tui.looks import Looks


class Profiled(NamedTuple):
    """How a profile asks."""

    manner: Manner
    engine: Callable[[], Engine] | None = None
    """Opens the engine of the server that it names; None where it names none."""
    host: str = ""
    library: Callable[[], Library] | None = None
    """Opens the library of that server."""


class Setup(NamedTuple):
    """What the chat is given."""

    looks: Looks
    actions: tuple[Action, ...]
    manner: Manner
    store: Store
    engine: Callable[[], Engine]
    """Opens the engine; called once the screen is there."""
    library: Callable[[], Library]
    """Opens the library of the same server; called once somebody wants to see or to change its models."""
    profile: Callable[[str], Profiled]
    """Returns how a profile asks, by its name.

    Raises:
        UsageError: there is no such profile, or it cannot be used.
    """
    host: str = ""
    """How the server is named in the status line."""
    view: View = View.LIVE
    session: Session | None = None
    """The session to go on with."""
    insists: bool = False
    """Whether the manner's model is asked even where the session had another."""
    around: Callable[[Library], Awaitable[Around]] | None = None
    """Finds out what is known of where a server runs; without it nothing is said of whether a model fits."""
    write: Callable[[str], object] = print
    """Writes a control sequence of ours to the terminal."""
    parting: Callable[[str], object] = print
    """Takes what is to be said once the screen is gone."""
    notes: tuple[str, ...] = ()
    """What went wrong before there was a screen to say it on."""
