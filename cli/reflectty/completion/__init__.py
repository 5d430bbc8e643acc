"""Completion candidates that need local state or the server; errors yield none."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from reflectty.core.errors import UsageError
from reflectty.core.named_tuple import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from reflectty.system.terminal import Terminal


MAX_CANDIDATE_LENGTH = 200
"""The maximum length of a candidate in code points."""
MAX_CANDIDATES = 200
"""The maximum number of candidates."""


class Candidate(NamedTuple):
    """A candidate for a word, and a short description."""

    value: str
    description: str = ""


def find_candidates(kind: str, beginning: str, words: Sequence[str] = ()) -> tuple[Candidate, ...]:
    """The candidates for a word, each once.

    Omits texts that a shell or a terminal could interpret.

    Args:
        kind: models, sessions, runs, profiles, templates, hosts, keys or values; any other has no candidates.
        beginning: the typed beginning of the word.
        words: the words before it on the line, without the command's name.
    """
    source = _SOURCES.get(kind)
    found: dict[str, Candidate] = {}
    for one in source(beginning, words) if source else ():
        if one.value.startswith(beginning) and is_safe_word(one.value):
            found.setdefault(one.value, Candidate(one.value, _clean_description(one.description)))
        if len(found) == MAX_CANDIDATES:
            break
    return tuple(found.values())


def is_safe_word(value: str) -> bool:
    """Whether a value is safe on a command line and a terminal: no control or hidden characters, not an option."""
    from reflectty.core.safety import clean_line

    if not value or len(value) > MAX_CANDIDATE_LENGTH or value[0] == "-" or not value.isprintable():
        return False
    return clean_line(value) == value


def _clean_description(text: str) -> str:
    from reflectty.core.safety import clean_line

    return clean_line(text, 60) if text else ""


def _model_candidates(_: str, words: Sequence[str]) -> Iterator[Candidate]:
    from reflectty.completion.models import model_names
    from reflectty.core.model_spec import MINI_NAME
    from reflectty.engines.embedded import is_installed

    names = model_names(words)
    yield from map(Candidate, names)
    # Commands that manage a server's models cannot manage the built-in one.
    if MINI_NAME not in names and tuple(words[:1]) != ("models",) and is_installed():
        yield Candidate(MINI_NAME, "built in")


def _session_candidates(beginning: str, _: Sequence[str]) -> Iterator[Candidate]:
    """Yield ids with their titles, and titles with their ids once the word may be a title."""
    from reflectty.config import store_path
    from reflectty.core.session import UNTITLED
    from reflectty.store.titles import list_titles

    known = list_titles(store_path())
    yield from (Candidate(name, title or UNTITLED) for name, title in known)
    if beginning:
        yield from (Candidate(title, name) for name, title in known)


def _run_candidates(_: str, __: Sequence[str]) -> Iterator[Candidate]:
    from reflectty.evaluation.runs import list_runs

    yield from (Candidate(path.stem) for path in list_runs())


def _config_source(name: str) -> Callable[[str, Sequence[str]], Iterator[Candidate]]:
    def source(beginning: str, words: Sequence[str]) -> Iterator[Candidate]:
        from reflectty.completion import config_values

        if name == "values":
            key = words[2] if len(words) > 2 else ""  # noqa: PLR2004 - config set KEY
            kind, values = config_values.values_of(key)
            return iter((*map(Candidate, values), *find_candidates(kind, beginning, words)))
        return map(Candidate, config_values.NAME_SOURCES[name]())

    return source


_SOURCES: dict[str, Callable[[str, Sequence[str]], Iterator[Candidate]]] = {
    "models": _model_candidates,
    "sessions": _session_candidates,
    "runs": _run_candidates,
    **{name: _config_source(name) for name in ("profiles", "templates", "themes", "hosts", "keys", "values")},
}


def complete(arguments: list[str], terminal: Terminal) -> None:
    """Print the candidates for a word, one per line, each with a tab and a short description."""
    kind, beginning, *words = (*arguments, "", "")
    with suppress(UsageError):
        found = find_candidates(kind, beginning, [word for word in words if word])
        terminal.out.write("".join(f"{one.value}\t{one.description}\n" for one in found))
