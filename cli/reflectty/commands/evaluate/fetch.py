"""`reflect eval fetch`: downloads public sets of questions into the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from reflectty.commands import console
from reflectty.core.errors import UsageError, did_you_mean
from reflectty.core.text import format_bytes
from reflectty.evaluation.fetch import fetch_set
from reflectty.evaluation.known_sets import KNOWN_SETS
from reflectty.models.installed import ProgressUpdate, TransferProgress
from reflectty.output import write_remark
from reflectty.output.live_region import TransferProgressLine
from reflectty.system.paths import cache_folder
from reflectty.system.signals import run_interruptible
from reflectty.system.terminal import system_environment

if TYPE_CHECKING:
    from reflectty.evaluation.fetch import FetchedSet
    from reflectty.evaluation.known_sets import KnownSet
    from reflectty.system.terminal import Terminal

Names = Annotated[
    list[str],
    typer.Argument(metavar="NAME...", help=f"Sets: {', '.join(KNOWN_SETS)}.", show_default=False),
]
Force = Annotated[bool, typer.Option("--force", help="Download again what is there.")]


def fetch(context: typer.Context, names: Names, force: Force = False, as_json: console.AsJson = False) -> None:
    """Download public sets of questions.

    Each file is checked by its SHA-256: the published one where there is one, else that of the first download.
    """
    terminal: Terminal = context.obj
    chosen = [_known_set(name) for name in dict.fromkeys(names)]
    fetched = [(known, fetch_one(known, terminal, force=force)) for known in chosen]
    if as_json:
        _print_json(fetched, terminal)


def _known_set(name: str) -> KnownSet:
    if name not in KNOWN_SETS:
        hint = did_you_mean(name, KNOWN_SETS) or f"sets are {', '.join(KNOWN_SETS)}"
        raise UsageError(f"no set {name!r} can be fetched", hint)
    return KNOWN_SETS[name]


def fetch_one(known: KnownSet, terminal: Terminal, *, force: bool) -> FetchedSet:
    cache = cache_folder(system_environment())
    if known.warning and (force or not known.path_in(cache).exists()):
        write_remark(terminal, f"{known.name}: {known.warning}")
    line = TransferProgressLine(terminal, console.load_theme(terminal), f"fetching {known.name}")
    transfer = TransferProgress()

    def show(done: int, total: int) -> None:
        if known.is_joined or not total:
            text = f"{done} of {total} parts" if known.is_joined else format_bytes(done)
            transfer.feed(ProgressUpdate(text))
        else:
            transfer.feed(ProgressUpdate(known.sha256, known.sha256, total, done))
        line.show(transfer)

    try:
        fetched = run_interruptible(fetch_set(known, cache, show, force=force))
    finally:
        line.stop()
    console.info(terminal, _report(known, fetched))
    return fetched


def _report(known: KnownSet, fetched: FetchedSet) -> str:
    size = format_bytes(fetched.size)
    if not fetched.is_new:
        return f"{known.name} is already here ({size}, unchanged; --force downloads it again)"
    checked = (
        "its SHA-256 is the published one"
        if known.sha256
        else "no SHA-256 of it is published: this download's was noted, and is checked from now on"
    )
    return f"fetched {known.name}: {known.about}, {size}, {known.licence}; {checked}"


def _print_json(fetched: list[tuple[KnownSet, FetchedSet]], terminal: Terminal) -> None:
    from reflectty.export.json import dump_json

    sets = [
        {
            "name": known.name,
            "path": str(one.path),
            "bytes": one.size,
            "sha256": one.sha256,
            "published": bool(known.sha256),
            "new": one.is_new,
        }
        for known, one in fetched
    ]
    terminal.out.write(dump_json({"sets": sets}))
