"""Where the files of runs lie, and the names by which they are found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import UsageError
from reflectty.core.safety import clean_line
from reflectty.system.paths import runs_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

SUFFIX: Final = ".jsonl"
_MOST_NAMED: Final = 5
_SET_SUFFIXES: Final = (".gz", ".jsonl", ".json", ".csv")
_MAX_NAME: Final = 40
_KEPT_IN_NAMES: Final = frozenset(".-_")


def list_runs() -> tuple[Path, ...]:
    """The files of all runs, the latest first; empty if there are none."""
    try:
        found = [path for path in runs_folder().iterdir() if path.suffix == SUFFIX and path.is_file()]
    except OSError:
        return ()
    return tuple(sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name), reverse=True))


def find_run(name: str = "") -> Path:
    """The file of a run: a path, the name of a run, the start of its name, or the latest if none is named.

    Raises:
        UsageError: there is none, or several begin like this.
    """
    runs = list_runs()
    if not name:
        if not runs:
            raise UsageError("there are no runs yet", "reflect eval run makes one")
        return runs[0]
    if Path(name).is_file():
        return Path(name)
    exact = [path for path in runs if name in (path.stem, path.name)]
    found = exact or [path for path in runs if path.stem.startswith(name)]
    if len(found) == 1:
        return found[0]
    if found:
        raise UsageError(f"{len(found)} runs begin with {name!r}", f"for example: {_listed(found)}")
    raise UsageError(f"no run {clean_line(name)!r}", f"there are: {_listed(runs)}" if runs else "there are no runs yet")


def _listed(runs: Sequence[Path]) -> str:
    return ", ".join(clean_line(path.stem) for path in runs[:_MOST_NAMED])


def new_run_path(day: str, model: str, set_name: str) -> Path:
    """A path for a new run, named by its day, model and set; the file does not exist."""
    words = (day, *(_as_name(word) for word in (model, set_name)))
    stem, number = "-".join(filter(None, words)), 1
    path = runs_folder() / f"{stem}{SUFFIX}"
    while path.exists():
        number += 1
        path = runs_folder() / f"{stem}-{number}{SUFFIX}"
    return path


def _as_name(text: str) -> str:
    """The last part of a path or of a model's name without its ending, with a hyphen for all but letters and digits."""
    word = text.rpartition("/")[2]
    for suffix in _SET_SUFFIXES:
        word = word.removesuffix(suffix)
    name = "".join(sign if sign.isalnum() or sign in _KEPT_IN_NAMES else "-" for sign in word)
    return name.strip("-.")[:_MAX_NAME]
