"""`reflect models pull`: lets the server fetch a model, and shows how far it is."""

from __future__ import annotations

import json
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from reflectty.commands import output
from reflectty.commands.arguments import Host  # noqa: TC001 - Typer reads the annotations when the command runs
from reflectty.commands.models import arguments as args
from reflectty.drawing.sizes import size
from reflectty.drawing.summary import duration
from reflectty.errors import StoppedError
from reflectty.library import Transfer
from reflectty.render.progress import ProgressLine
from reflectty.render.remark import remark
from reflectty.terminal import BROKEN_PIPE

if TYPE_CHECKING:
    from reflectty.library.library import Library
    from reflectty.terminal import Terminal

Insecure = Annotated[bool, typer.Option("--insecure", help="Let the server speak plain http to the registry.")]
AsJsonl = Annotated[bool, typer.Option("--jsonl", help="Print what the server says as JSON, then the object.")]
LARGE = 100_000_000
"""Bytes of a layer from which on it is worth saying whether it fits."""
STOPPED = "stopped: what came is kept, and the same command goes on from there"


def pull(  # noqa: PLR0913, PLR0917 - every option of the command is one
    context: typer.Context,
    name: args.Name,
    insecure: Insecure = False,
    context_length: args.Context = None,
    host: Host = "",
    as_json: output.AsJson = False,
    jsonl: AsJsonl = False,
) -> None:
    """Fetch a model, or what is new of it.

    What was fetched before is not fetched again: a pull that was stopped goes on from where it was.
    """
    output.one_of((("--json", as_json), ("--jsonl", jsonl)), "--jsonl has the object as well")
    terminal: Terminal = context.obj
    wanted = args.named(name)
    line = ProgressLine(terminal, output.themed(terminal), f"pulling {wanted}")
    pull_of = _Pull(wanted, insecure, context_length or 0, terminal, line, Transfer(), jsonl)

    async def work(library: Library) -> bool:
        before = await library.digest(wanted)
        await _fetch(library, pull_of, weigh=terminal.err.tty and not (as_json or jsonl))
        return not before or before != await library.digest(wanted)

    try:
        changed = args.using(terminal, host, work)
    except StoppedError as error:
        line.stop()
        if error.exit_code != BROKEN_PIPE:
            remark(terminal, STOPPED)
        raise
    finally:
        line.stop()
    _report(pull_of, changed=changed, as_json=as_json or jsonl)


class _Pull(NamedTuple):
    """What is pulled, and where that is shown."""

    name: str
    insecure: bool
    context: int
    terminal: Terminal
    line: ProgressLine
    transfer: Transfer
    lines: bool
    """Whether what the server says is printed as JSON."""


async def _fetch(library: Library, pull_of: _Pull, *, weigh: bool) -> None:
    async with aclosing(library.pull(pull_of.name, insecure=pull_of.insecure)) as progress:
        async for part in progress:
            pull_of.transfer.feed(part)
            if weigh and part.total > max(LARGE, part.completed):
                weigh = False
                pull_of.line.stop()
                remark(pull_of.terminal, await _fits(library, pull_of, part.total))
            pull_of.line.show(pull_of.transfer)
            if pull_of.lines:
                pull_of.terminal.out.write(json.dumps(part._asdict()) + "\n")


async def _fits(library: Library, pull_of: _Pull, size_in_bytes: int) -> str:
    """Return whether a model fits, once the server has told how large it is: nothing tells that before."""
    from reflectty.drawing.fit import placement  # noqa: PLC0415 - only an estimate needs them
    from reflectty.library.fit import fitted_download  # noqa: PLC0415

    around, running = await args.around(library), await library.loaded()
    made = fitted_download(pull_of.name, size_in_bytes, around, running, pull_of.context).placement
    return f"{pull_of.name}, {size(size_in_bytes)}, by a rough estimate: {'; '.join(placement(made))}"


def _report(pull_of: _Pull, *, changed: bool, as_json: bool) -> None:
    name, transfer = pull_of.name, pull_of.transfer
    if as_json:
        from reflectty.exporting.json import written  # noqa: PLC0415 - only --json needs it
        from reflectty.exporting.models import transfer_object  # noqa: PLC0415

        pull_of.terminal.out.write(written(transfer_object(name, transfer, changed=changed)))
    amount = f", {size(transfer.fresh)}," if transfer.fresh else ""
    pulled = f"pulled {name}{amount} in {duration(transfer.seconds)}"
    output.told(pull_of.terminal, pulled if changed else f"{name} is there, and up to date")
