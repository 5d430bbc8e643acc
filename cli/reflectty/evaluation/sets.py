"""Loads sets of questions: made by generators, fetched, or a file of the user."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reflectty.core.errors import UsageError, did_you_mean
from reflectty.evaluation.generators.catalogue import generate
from reflectty.evaluation.generators.draw import Draw
from reflectty.evaluation.item_file import read_bytes, read_rows, rows_of
from reflectty.evaluation.item_row import read_item
from reflectty.evaluation.items import LETTERS, Item, ItemSet, sample_items
from reflectty.evaluation.known_sets import KNOWN_SETS, check_digest
from reflectty.system.paths import cache_folder
from reflectty.system.terminal import system_environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reflectty.evaluation.item_file import Row
    from reflectty.evaluation.known_sets import KnownSet

BUILTIN: Final = "builtin"
"""The name of the set that generators make; `builtin:traps,dates` is made by some of them."""
DEFAULT_COUNT: Final = 200
"""How many questions are made where no number is given."""


def load_set(
    name: str, count: int | None = None, seed: int = 0, *, cache: Path | None = None, with_errors: bool = False
) -> ItemSet:
    """Load a set by its name, or from a file.

    Args:
        name: `builtin`, `builtin:GENERATOR,...`, the name of a known set, or a path.
        count: how many questions; None for all of a file, or `DEFAULT_COUNT` made ones.
        seed: what generators begin with; chooses the sample and the order of the choices.
        cache: the folder that has the fetched sets; None for the user's.
        with_errors: whether to keep questions that MMLU-Redux marks as faulty.

    Raises:
        UsageError: there is no such set, it was not fetched, or its file cannot be used.
    """
    kind, _, listed = name.partition(":")
    if kind == BUILTIN:
        return generate([part.strip() for part in listed.split(",") if part.strip()], count or DEFAULT_COUNT, seed)
    known = KNOWN_SETS.get(name)
    rows, stem, origin = _known_rows(known, cache or cache_folder(system_environment())) if known else _file_rows(name)
    items = _items_of(rows, stem, with_errors=with_errors, is_lettered=known is not None)
    sample = sample_items(items, count, seed)
    if not sample:
        raise UsageError(f"{name}: no question is left", "each is marked as faulty")
    return ItemSet(stem, tuple(_with_shuffled_choices(item, seed) for item in sample), origin)


def _known_rows(known: KnownSet, cache: Path) -> tuple[Iterator[Row], str, str]:
    path = known.path_in(cache)
    if not path.exists():
        raise UsageError(f"the set {known.name} is not on this machine", f"reflect eval fetch {known.name}")
    data = read_bytes(path)
    check_digest(known, data, cache)
    return rows_of(data, known.file, str(path)), known.name, f"{known.about}, SHA-256 {sha256(data).hexdigest()}"


def _file_rows(name: str) -> tuple[Iterator[Row], str, str]:
    path = Path(name).expanduser()
    if not path.exists() and not path.suffix and "/" not in name:
        names = [BUILTIN, *KNOWN_SETS]
        raise UsageError(f"no set and no file {name!r}", did_you_mean(name, names) or f"sets are {', '.join(names)}")
    stem = path.name.removesuffix(".gz").rsplit(".", 1)[0]
    return read_rows(path), stem, str(path.resolve())


def _items_of(rows: Iterable[Row], stem: str, *, with_errors: bool, is_lettered: bool) -> Iterator[Item]:
    """The items of rows, each with an id of its own.

    Raises:
        UsageError: an id comes twice, or it is unclear whether choices are numbered from 0 or from 1.
    """
    places: dict[str, str] = {}
    positions: dict[int, str] = {}
    for row in rows:
        if row.members.get("skipped") is True or (not with_errors and _is_faulty(row)):
            continue
        item, position = read_item(row, stem, is_lettered=is_lettered)
        if earlier := places.get(item.id):
            raise UsageError(f"{row.place}: the id {item.id!r} occurs twice", f"first: {earlier}")
        places[item.id] = row.place
        if position is not None:
            positions.setdefault(position, row.place)
        yield item
    if positions and 0 not in positions:
        place = next(iter(positions.values()))
        raise UsageError(f"{place}: the answer is the number of a choice, from 0 or from 1", "give letters instead")


def _is_faulty(row: Row) -> bool:
    """Whether MMLU-Redux found a fault in the question or its key."""
    return str(row.members.get("error_type", "ok")).lower() != "ok"


_REFERS: Final = re.compile(
    r"\b(?:above|below|preceding|following|both|neither|either)\b|\b(?:all|none|any|two|three) of (?:these|them|the)\b"
    r"|\b[A-J] (?:and|or|nor|&) [A-J]\b|\([A-J]\)|\b(?:option|choice|answer)s? [A-J]\b",
    re.IGNORECASE,
)
"""What a choice says that refers to other choices, and so to their order."""


def _with_shuffled_choices(item: Item, seed: int) -> Item:
    """The item with its choices in an order by chance, unless one of them refers to others; the key moves along."""
    if not item.choices or any(_REFERS.search(choice) for choice in item.choices):
        return item
    order = Draw(f"{seed}\n{item.id}").shuffled(range(len(item.choices)))
    answer = LETTERS[order.index(LETTERS.index(item.answer))]
    return item._replace(choices=tuple(item.choices[place] for place in order), answer=answer)
