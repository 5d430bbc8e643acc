"""What of the user's file and environment can be used, and what cannot; changes neither."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty import config as configured
from reflectty.errors import UsageError
from reflectty.finding import Finding, State

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from reflectty.checking.around import Around, Known
    from reflectty.config import Settings

_OURS = ("REFLECTTY_", "OLLAMA_")


def usable(environment: Mapping[str, str], path: Path) -> tuple[Settings, tuple[UsageError, ...]]:
    """Return the settings that can be used, and every mistake in the rest.

    Each variable and the file is read by itself, so that one mistake hides no other.
    """
    nowhere = path / "nowhere"
    mistakes: list[UsageError] = []
    good: dict[str, str] = {}
    for name, value in sorted(environment.items()):
        if name.startswith(_OURS):
            mistake = _mistake({name: value}, nowhere)
            if mistake is None:
                good[name] = value
            else:
                mistakes.append(mistake)
    wrong = _mistake({}, path)
    return configured.load(good, nowhere if wrong else path), (*mistakes, *((wrong,) if wrong else ()))


def _mistake(environment: Mapping[str, str], path: Path) -> UsageError | None:
    try:
        configured.load(environment, path)
    except UsageError as error:
        return error
    return None


async def config(around: Around, known: Known) -> Sequence[Finding]:
    """Name every mistake in the settings; one of them keeps any question from being asked."""
    for mistake in around.mistakes:
        known.hindered(mistake)
    there = around.config_path.exists()
    facts = (("path", str(around.config_path)), ("exists", there), ("mistakes", len(around.mistakes)))
    found = [Finding("config", State.WRONG, str(error), error.hint) for error in around.mistakes]
    found += [Finding("config", State.WARNING, str(error), error.hint) for error in around.oddities]
    if found:
        return [found[0]._replace(facts=facts), *found[1:]]
    text = f"{around.config_path} can be used" if there else f"there is no {around.config_path}: the defaults hold"
    return [Finding("config", State.OK, text, facts=facts)]
