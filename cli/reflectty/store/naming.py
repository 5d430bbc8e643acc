"""Which session a user means by what was typed; reads only names and titles it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

    Named = tuple[str, str]

_SHOWN = 3


def meant(name: str, sessions: tuple[Named, ...]) -> str:
    """Return the id of the session meant: by id, by the beginning of one, by title, or by a part of a title.

    Args:
        name: what was typed.
        sessions: ids and titles, the latest first.

    Raises:
        UsageError: none is meant, or several are.
    """
    wanted = name.strip().casefold()
    if not wanted:
        raise UsageError("no session was named", _listed(sessions, "the latest are"))
    ways = (
        [session for session in sessions if session[0] == wanted],
        [session for session in sessions if session[0].startswith(wanted)],
        [session for session in sessions if session[1].casefold() == wanted],
        [session for session in sessions if wanted in session[1].casefold()],
    )
    only = next((found for found in ways if len(found) == 1), None)
    if only:
        return only[0][0]
    several = next((found for found in ways if found), None)
    if several:
        raise UsageError(f"{name!r} may be any of {len(several)} sessions", _listed(several, "for example"))
    raise UsageError(f"there is no session {name!r}", _near(wanted, sessions))


def _near(wanted: str, sessions: tuple[Named, ...]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - only who mistypes needs it

    titles = {title.casefold(): (name, title) for name, title in reversed(sessions)}
    ids = {name: (name, title) for name, title in sessions}
    near = [ids[name] for name in get_close_matches(wanted, ids, _SHOWN)]
    near += [titles[title] for title in get_close_matches(wanted, titles, _SHOWN, cutoff=0.5)]
    return _listed(dict.fromkeys(near), "near is") if near else _listed(sessions, "the latest are")


def _listed(sessions: Iterable[Named], introduction: str) -> str:
    shown = [f"{name} ({title})" if title else name for name, title in sessions][:_SHOWN]
    return f"{introduction} {', '.join(shown)}" if shown else "there are none yet"
