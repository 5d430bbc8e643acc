"""What of the user's file and environment can be used, and what cannot; changes neither."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from reflectty.checking.aside import aside
from reflectty.config.document import read
from reflectty.config.explaining import mistakes
from reflectty.config.loading import Given, Origin, fold, given, in_file, in_variables
from reflectty.config.settings import SETTINGS
from reflectty.errors import UsageError
from reflectty.finding import Finding, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from reflectty.checking.around import Around, Known
    from reflectty.config import Settings


class Usable(NamedTuple):
    """The settings that can be used, who gave them, and every mistake in the rest."""

    settings: Settings
    every: tuple[Given, ...] = ()
    mistakes: tuple[UsageError, ...] = ()

    def source(self, field: str) -> str:
        """Return who gave a setting: a variable, a profile or the file; nothing where it is the default."""
        last = next((one for one in reversed(self.every) if one.setting.field == field), None)
        if last is None:
            return ""
        return {Origin.ENVIRONMENT: last.whose, Origin.PROFILE: f"the profile {last.whose}"}.get(last.origin, _FILE)


_FILE = "config.toml"


def usable(environment: Mapping[str, str], path: Path, profile: str = "", engine: str = "") -> Usable:
    """Return what can be used of the settings, whatever is wrong with the rest; profile and engine are this call's.

    Raises:
        UsageError: there is no profile of the name that was given with this call.
    """
    wrong = mistakes(environment, path)
    every = tuple(_good(environment, path)) if wrong else given(environment, path, profile, engine)
    return Usable(fold(every), every, wrong)


def _good(environment: Mapping[str, str], path: Path) -> Iterator[Given]:
    """Yield the values that can be used, without those of profiles."""
    try:
        document = read(path)
    except UsageError:
        document = {}
    variables = [{name: environment[name]} for name in (one.variable for one in SETTINGS) if name in environment]
    parts = [*(in_file({key: value}, path) for key, value in document.items()), *map(in_variables, variables)]
    for part in parts:
        try:
            found = tuple(part)
            fold(found)
        except UsageError:
            continue
        yield from found


async def config(around: Around, known: Known) -> Sequence[Finding]:
    """Name every mistake in the settings; one of them keeps any question from being asked."""
    for mistake in around.mistakes:
        known.hindered(mistake)
    there = await aside(lambda: os.path.exists(around.config_path))  # noqa: PTH110 - never raises
    facts = (("path", str(around.config_path)), ("exists", there), ("mistakes", len(around.mistakes)))
    found = [Finding("config", State.WRONG, str(error), error.hint) for error in around.mistakes]
    found += [Finding("config", State.WARNING, str(error), error.hint) for error in around.oddities]
    if found:
        return [found[0]._replace(facts=facts), *found[1:]]
    profile = f", with the profile {around.settings.profile}" if around.settings.profile else ""
    shown = around.at_home(around.config_path)
    text = f"{shown} can be used{profile}" if there else f"there is no {shown}: the defaults hold"
    return [Finding("config", State.OK, text, facts=facts)]
