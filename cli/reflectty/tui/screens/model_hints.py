"""Which keys do something on the screen of models, in at most three rows; binds none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reflectty.cloud import elsewhere
from reflectty.drawing.summary import Fact
from reflectty.drawing.wrap import cells
from reflectty.tui.widgets.model_entries import Listed, Pulled

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_ROWS = 3


def hints(entry: Listed | Pulled | None, *, there: bool) -> tuple[Fact, ...]:
    """Return the keys that do something now, the dearest with the lowest rank."""
    found = [Fact("ctrl+p pull", 2)] if there else []
    if isinstance(entry, Listed) and there:
        known = entry.known
        answer = [] if known.answers else [Fact("enter answers", 1)]
        load = (
            []
            if known.busy or elsewhere(known.model)
            else [Fact("ctrl+l unload" if known.running else "ctrl+l load", 3)]
        )
        found = [*answer, *load, *found, Fact("ctrl+y copy", 5), Fact("ctrl+x remove", 4)]
    elif isinstance(entry, Pulled):
        ended = bool(entry.coming.problem)
        again = [Fact("enter pull again", 1)] if ended and there else []
        found = [*again, Fact("ctrl+x forget" if ended else "ctrl+x cancel", 1), *found]
    return (*found, Fact("esc back", 0))


def arranged(found: Sequence[Fact], width: int, dot: str) -> str:
    """Return hints in at most three rows; those that do not fit go by their rank."""
    kept = list(found)
    while len(_rows(kept, width, dot)) > MOST_ROWS:
        kept.remove(max(kept, key=lambda fact: fact.rank))
    return "\n".join(_rows(kept, width, dot))


def _rows(found: Sequence[Fact], width: int, dot: str) -> list[str]:
    rows: list[str] = []
    for fact in found:
        if rows and cells(rows[-1] + dot + fact.text) <= width:
            rows[-1] += dot + fact.text
        else:
            rows.append(fact.text)
    return rows
