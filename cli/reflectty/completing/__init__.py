"""What a word of the command line may become that only this machine or its server knows; says nothing of mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LONGEST = 200
"""Code points of a candidate: nobody picks a longer one from a list."""
MOST = 200
"""How many candidates are worth showing."""


class Candidate(NamedTuple):
    """What a word may become, and a few words on it."""

    value: str
    about: str = ""


def candidates(kind: str, beginning: str, words: Sequence[str] = ()) -> tuple[Candidate, ...]:
    """Return what a word may become that begins so, each once.

    A text that a shell or a terminal could take for more than a name is left out.

    Args:
        kind: models, sessions, profiles, templates, hosts, keys or values; of any other there are none.
        beginning: what was typed of the word.
        words: what stands before it on the line, the command's name left out.
    """
    source = _SOURCES.get(kind)
    found: dict[str, Candidate] = {}
    for one in source(beginning, words) if source else ():
        if one.value.startswith(beginning) and is_sound(one.value):
            found.setdefault(one.value, Candidate(one.value, _line(one.about)))
        if len(found) == MOST:
            break
    return tuple(found.values())


def is_sound(value: str) -> bool:
    """Whether a value can be put on a command line and shown as it is: no control, nothing hidden, no option."""
    from reflectty.safety import clean_line  # noqa: PLC0415 - where there is nothing to show, nothing is cleaned

    if not value or len(value) > LONGEST or value[0] == "-" or not value.isprintable():
        return False
    return clean_line(value) == value


def _line(text: str) -> str:
    from reflectty.safety import clean_line  # noqa: PLC0415 - the same

    return clean_line(text, 60) if text else ""


def _models(_: str, words: Sequence[str]) -> Iterator[Candidate]:
    from reflectty.completing.models import model_names  # noqa: PLC0415 - each kind loads only itself
    from reflectty.engines.embedded import installed  # noqa: PLC0415 - the same
    from reflectty.mini import NAME  # noqa: PLC0415 - the same

    names = model_names(words)
    yield from map(Candidate, names)
    # What manages the models of a server cannot manage the one that is built in.
    if NAME not in names and tuple(words[:1]) != ("models",) and installed():
        yield Candidate(NAME, "built in")


def _sessions(beginning: str, _: Sequence[str]) -> Iterator[Candidate]:
    """Yield ids with their titles, and titles with their ids once a title may be meant."""
    from reflectty.config import store_path  # noqa: PLC0415 - each kind loads only itself
    from reflectty.store.titles import titles  # noqa: PLC0415

    known = titles(store_path())
    yield from (Candidate(name, title or "untitled") for name, title in known)
    if beginning:
        yield from (Candidate(title, name) for name, title in known)


def _settled(name: str) -> Callable[[str, Sequence[str]], Iterator[Candidate]]:
    def source(beginning: str, words: Sequence[str]) -> Iterator[Candidate]:
        from reflectty.completing import settled  # noqa: PLC0415 - each kind loads only itself

        if name == "values":
            key = words[2] if len(words) > 2 else ""  # noqa: PLR2004 - config set KEY
            kind, values = settled.values_of(key)
            return iter((*map(Candidate, values), *candidates(kind, beginning, words)))
        return map(Candidate, settled.NAMES[name]())

    return source


_SOURCES: dict[str, Callable[[str, Sequence[str]], Iterator[Candidate]]] = {
    "models": _models,
    "sessions": _sessions,
    **{name: _settled(name) for name in ("profiles", "templates", "themes", "hosts", "keys", "values")},
}
